// Package wording holds every sentence that Sotto itself says to a person, and
// every word by which a person tells Sotto to stop, to start, or to show and
// erase what is kept.
//
// The sentences are data: one file per language under texts/. A new language
// is a new file with the same keys and the same {placeholders}; [Load] refuses
// to start with anything less. What a bot says is none of this package's
// business.
//
// # What it promises
//
// A [Book] never changes after [Load] and is safe for many goroutines. A text
// that exists in English exists in every language. A value put into a text is
// never read as a placeholder itself. [Book.Command] looks at the whole message
// only: "STOP!" is a stop, "stop sending me the blue one" is not.
//
// # What it does not do
//
// It does not know who is asking, whether the person had stopped before, or
// where a message goes. It does not escape: a text is plain text, and who puts
// it into HTML escapes it there.
package wording

import (
	"embed"
	"errors"
	"slices"
	"strings"

	"github.com/sotto-chat/sotto"
)

//go:embed texts/*.yaml
var texts embed.FS

// Fallback is the language spoken with people whose language Sotto does not
// speak.
const Fallback = "en"

// Book holds all texts and words. The zero value has none: it returns keys
// instead of texts and recognises nothing. [Load] makes a full one.
type Book struct {
	languages map[string]*language
	tags      []string        // sorted
	commands  map[string]word // folded, without the slash
	words     map[string]word // folded whole messages
	longest   int             // bytes of the longest entry of words
}

type language struct {
	name  string
	rtl   bool
	texts map[string]*text
}

type word struct {
	command Command
	lang    string // "" where several languages share the word
}

// Load reads the texts that are built in. The error names everything that is
// wrong with them.
func Load() (*Book, error) {
	b, err := load(texts)
	if err != nil {
		return nil, sotto.E("wording.load", sotto.KindInvalid, err)
	}
	return b, nil
}

// Languages returns the BCP 47 tags of the languages that Sotto speaks, sorted.
func (b *Book) Languages() []string { return slices.Clone(b.tags) }

// Name returns what speakers of a language call it: "Deutsch" for "de". It is
// lang itself where Sotto does not speak it.
func (b *Book) Name(lang string) string {
	if l, ok := b.languages[b.resolve(lang)]; ok {
		return l.name
	}
	return lang
}

// RTL reports whether a language is written from right to left.
func (b *Book) RTL(lang string) bool {
	l, ok := b.languages[b.resolve(lang)]
	return ok && l.rtl
}

// Match returns the language that Sotto speaks best among those that a person
// asks for, in their order of preference: BCP 47 tags, or the value of an
// Accept-Language header, whose weights are not read because browsers sort it
// already. A tag matches when cutting off its end leaves a language that Sotto
// speaks, as in RFC 4647 section 3.4: de-AT matches de. Without a match the
// answer is [Fallback].
func (b *Book) Match(tags ...string) string {
	for _, list := range tags {
		for tag := range strings.SplitSeq(list, ",") {
			tag, _, _ = strings.Cut(tag, ";")
			if lang := b.resolve(strings.TrimSpace(tag)); lang != "" {
				return lang
			}
		}
	}
	return Fallback
}

// maxTag is the longest language tag that is looked at: longer ones are legal
// but name nothing that a book could hold (RFC 5646 section 4.4.1).
const maxTag = 35

// resolve returns the language of the book for a tag, or "".
func (b *Book) resolve(tag string) string {
	if _, ok := b.languages[tag]; ok {
		return tag
	}
	if len(tag) > maxTag {
		return ""
	}
	tag = strings.ReplaceAll(strings.ToLower(tag), "_", "-")
	for tag != "" {
		for _, have := range b.tags {
			if strings.EqualFold(have, tag) {
				return have
			}
		}
		tag = tag[:max(0, strings.LastIndexByte(tag, '-'))]
	}
	return ""
}

// Text returns the text of a key in a language, its placeholders replaced by
// args: a name, its value, the next name, and so on. A line with a placeholder
// whose value is empty is left out. A placeholder without an argument stays as
// it is, and an unknown key is returned in brackets, so that a mistake is seen
// and not sent as nothing.
func (b *Book) Text(lang, key string, args ...string) string {
	if s, ok := b.Lookup(lang, key, args...); ok {
		return s
	}
	return "[" + key + "]"
}

// Lookup is [Book.Text] that reports whether there is such a key.
func (b *Book) Lookup(lang, key string, args ...string) (string, bool) {
	l, ok := b.languages[b.resolve(lang)]
	if !ok {
		if l, ok = b.languages[Fallback]; !ok {
			return "", false
		}
	}
	t, ok := l.texts[key]
	if !ok {
		return "", false
	}
	return t.fill(args), true
}

// Keys returns the keys of all texts, sorted.
func (b *Book) Keys() []string {
	l, ok := b.languages[Fallback]
	if !ok {
		return nil
	}
	keys := make([]string, 0, len(l.texts))
	for k := range l.texts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// text is one text, cut up once.
type text struct {
	raw   string
	names []string // of the placeholders, sorted, each once
	lines [][]part
}

// part is either words or a placeholder.
type part struct{ words, name string }

var errBrace = errors.New("a { without {a_name}")

// cut parses the placeholders of a text.
func cut(raw string) (*text, error) {
	t := &text{raw: raw}
	for line := range strings.SplitSeq(raw, "\n") {
		var parts []part
		for {
			words, rest, found := strings.Cut(line, "{")
			if words != "" {
				parts = append(parts, part{words: words})
			}
			if !found {
				break
			}
			name, after, closed := strings.Cut(rest, "}")
			if !closed || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
				return nil, errBrace
			}
			parts = append(parts, part{name: name})
			t.names = append(t.names, name)
			line = after
		}
		t.lines = append(t.lines, parts)
	}
	slices.Sort(t.names)
	t.names = slices.Compact(t.names)
	return t, nil
}

func (t *text) fill(args []string) string {
	if len(t.names) == 0 {
		return t.raw
	}
	var b strings.Builder
	b.Grow(len(t.raw) + 64)
	for _, line := range t.lines {
		if hasEmpty(line, args) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for _, p := range line {
			b.WriteString(p.words)
			if p.name == "" {
				continue
			}
			if v, ok := value(args, p.name); ok {
				b.WriteString(v)
			} else {
				b.WriteString("{" + p.name + "}")
			}
		}
	}
	return b.String()
}

// hasEmpty reports whether a placeholder of the line has an empty value.
func hasEmpty(line []part, args []string) bool {
	for _, p := range line {
		if p.name == "" {
			continue
		}
		if v, ok := value(args, p.name); ok && v == "" {
			return true
		}
	}
	return false
}

func value(args []string, name string) (string, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return "", false
}
