package slack

import (
	"strings"

	"github.com/sotto-chat/sotto/channel/wire"
)

// read turns Slack's three entities back into the characters they stand for.
// Every other mark, also a reference in angle brackets, stays as it is.
func read(s string) string {
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i >= 0 {
		b.WriteString(s[:i])
		s = s[i:]
		switch {
		case strings.HasPrefix(s, "&amp;"):
			b.WriteByte('&')
			s = s[5:]
		case strings.HasPrefix(s, "&lt;"):
			b.WriteByte('<')
			s = s[4:]
		case strings.HasPrefix(s, "&gt;"):
			b.WriteByte('>')
			s = s[4:]
		default:
			b.WriteByte('&')
			s = s[1:]
		}
		i = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String()
}

// escape makes a text safe to send: nothing in it can become a mention, a link
// with another label, or an entity (docs.slack.dev/messaging/formatting-message-text).
func escape(s string) string {
	if !strings.ContainsAny(s, "&<>") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 16)
	writeEscaped(&b, s)
	return b.String()
}

func writeEscaped(b *strings.Builder, s string) {
	for {
		i := strings.IndexAny(s, "&<>")
		if i < 0 {
			b.WriteString(s)
			return
		}
		b.WriteString(s[:i])
		switch s[i] {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		}
		s = s[i+1:]
	}
}

// section escapes a text for a block whose words Slack is told not to look
// into, so that "@channel" reaches nobody, and marks its web addresses as links.
func section(s string) string {
	i := address(s)
	if i < 0 {
		return escape(s)
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 16)
	for ; i >= 0; i = address(s) {
		writeEscaped(&b, s[:i])
		end := i + addressEnd(s[i:])
		b.WriteByte('<')
		writeEscaped(&b, s[i:end])
		b.WriteByte('>')
		s = s[end:]
	}
	writeEscaped(&b, s)
	return b.String()
}

// address returns where the first web address of s begins, -1 where there is none.
func address(s string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], "http")
		if i < 0 {
			return -1
		}
		i += from
		rest := strings.TrimPrefix(s[i+4:], "s")
		if rest, ok := strings.CutPrefix(rest, "://"); ok && addressEnd(rest) > 0 && (i == 0 || !letter(s[i-1])) {
			return i
		}
		from = i + 4
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c >= 0x80 }

// addressEnd returns the length of the address that s begins with: up to white
// space or a mark with a meaning of its own, without the sentence's full stop.
func addressEnd(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>|\"`\u00a0\u2028\u2029\u3000", r) })
	if end < 0 {
		end = len(s)
	}
	return len(strings.TrimRight(s[:end], ".,;:!?)]}'*_~"))
}

// maxSection is what a section takes, in characters, after escaping.
const maxSection = 3000

// sections cuts a text into what each section of a message holds, escaped.
func sections(text string) []string {
	parts := wire.AppendSplit(nil, text, maxSection, wire.Units)
	out := make([]string, 0, len(parts))
	for _, p := range parts {
		e := section(p)
		if wire.Units(e) <= maxSection {
			out = append(out, e)
			continue
		}
		// Escaping makes a character five at most.
		for _, q := range wire.AppendSplit(nil, p, maxSection/5-2, wire.Units) {
			out = append(out, section(q))
		}
	}
	return out
}

// isTS reports whether s has the form of a message's id, "1355517523.000005".
func isTS(s string) bool {
	sec, frac, ok := strings.Cut(s, ".")
	return ok && digits(sec) && digits(frac) && len(s) <= 32
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
