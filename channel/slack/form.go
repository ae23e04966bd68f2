package slack

import (
	"bytes"
	"errors"
	"strings"
)

// form is what is read of a form. Slack posts one for a slash command, and one
// with a single field, the payload, for an interaction.
type form struct {
	payload                    string
	command, text              string
	user, channel, channelName string
	team, trigger, url         string
	stamp                      string
	webhook                    bool // it is of an outgoing webhook
	check                      bool // Slack looks whether somebody answers
	slack                      bool // it has the token that every form of Slack's has
}

const (
	// maxFields bounds the fields of a form; a slash command has about 15.
	maxFields = 64
	// maxKey bounds the name of one.
	maxKey = 64
)

// errForm says that bytes are not a form. It is the same for every cause and
// holds nothing of them.
var errForm = errors.New("not a well-formed form")

// parseForm reads a body of type application/x-www-form-urlencoded. It is
// stricter than browsers are: a field that counts may stand once only, so that
// no two readers can disagree on its value, and every escape must be complete.
func parseForm(body []byte) (f form, err error) {
	seen := 0
	for n := 0; len(body) > 0; n++ {
		pair := body
		if i := bytes.IndexByte(body, '&'); i >= 0 {
			pair, body = body[:i], body[i+1:]
		} else {
			body = nil
		}
		k, v, ok := bytes.Cut(pair, []byte{'='})
		if !ok || n >= maxFields || len(k) > maxKey {
			return form{}, errForm
		}
		key, ok := unquote(k)
		if !ok {
			return form{}, errForm
		}
		value, ok := unquote(v)
		if !ok {
			return form{}, errForm
		}
		bit := f.set(key, value)
		if seen&bit != 0 {
			return form{}, errForm
		}
		seen |= bit
	}
	if seen == 0 {
		return form{}, errNotSlack
	}
	return f, nil
}

// set keeps a field that counts and returns a bit of its own, 0 for the others.
func (f *form) set(key, value string) int {
	for i, known := range [...]struct {
		name string
		to   *string
	}{
		{"payload", &f.payload},
		{"command", &f.command},
		{"text", &f.text},
		{"user_id", &f.user},
		{"channel_id", &f.channel},
		{"channel_name", &f.channelName},
		{"team_id", &f.team},
		{"trigger_id", &f.trigger},
		{"response_url", &f.url},
		{"timestamp", &f.stamp},
	} {
		if key == known.name {
			*known.to = value
			return 1 << i
		}
	}
	switch key {
	case "ssl_check":
		f.check = true
		return 1 << 10
	case "trigger_word", "service_id":
		f.webhook = true
	case "token":
		f.slack = true
		return 1 << 11
	}
	return 0
}

// unquote decodes a name or value, and reports whether it is well formed. Bytes
// that are not UTF-8 become U+FFFD.
func unquote(b []byte) (string, bool) {
	if bytes.IndexByte(b, '%') < 0 && bytes.IndexByte(b, '+') < 0 {
		return strings.ToValidUTF8(string(b), "\ufffd"), true
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if len(b)-i < 3 {
				return "", false
			}
			hi, lo := nibble(b[i+1]), nibble(b[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			out = append(out, byte(hi<<4|lo)) //nolint:gosec // two digits
			i += 2
		default:
			out = append(out, b[i])
		}
	}
	return strings.ToValidUTF8(string(out), "\ufffd"), true
}

func nibble(c byte) int16 {
	switch {
	case c >= '0' && c <= '9':
		return int16(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int16(c|0x20-'a') + 10
	}
	return -1
}
