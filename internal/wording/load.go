package wording

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// wordsFile holds stop and start words of languages without a file of their own.
const wordsFile = "words.yaml"

// maxLabel is the longest label of a button, in characters: the shortest limit
// among the networks that show buttons.
const maxLabel = 20

// file is one language's file.
type file struct {
	Tag      string               `yaml:"tag"`
	Name     string               `yaml:"name"`
	RTL      bool                 `yaml:"rtl"` // written from right to left; default false
	Commands map[Command][]string `yaml:"commands"`
	Stop     []string             `yaml:"stop"`
	Start    []string             `yaml:"start"`
	Texts    map[string]string    `yaml:"texts"`
}

// wordList is one language's entry in the file of words.
type wordList struct {
	Stop  []string `yaml:"stop"`
	Start []string `yaml:"start"`
}

// load reads texts/*.yaml from a file system and checks them against each
// other. It reports all faults at once.
func load(fsys fs.FS) (*Book, error) {
	names, err := fs.Glob(fsys, "texts/*.yaml")
	if err != nil {
		return nil, err
	}
	l := &loader{
		book: &Book{
			languages: make(map[string]*language), commands: make(map[string]word), words: make(map[string]word),
		},
	}
	var words map[string]wordList
	for _, name := range names {
		base := path.Base(name)
		if base == wordsFile {
			l.read(fsys, name, &words)
			continue
		}
		var f file
		if l.read(fsys, name, &f) {
			l.language(base, &f)
		}
	}
	for _, lang := range slices.Sorted(maps.Keys(words)) {
		if _, ok := l.book.languages[lang]; ok {
			l.fault(wordsFile, "%s has a file of its own: its words belong there", lang)
		}
		l.words(wordsFile, lang, words[lang].Stop, words[lang].Start)
	}
	l.compare()
	l.book.tags = slices.Sorted(maps.Keys(l.book.languages))
	if err := errors.Join(l.faults...); err != nil {
		return nil, err
	}
	return l.book, nil
}

type loader struct {
	book   *Book
	faults []error
}

func (l *loader) fault(where, format string, args ...any) {
	l.faults = append(l.faults, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...)))
}

// read decodes a file and reports whether it could. An unknown key is a fault.
func (l *loader) read(fsys fs.FS, name string, into any) bool {
	raw, err := fs.ReadFile(fsys, name)
	if err != nil {
		l.fault(path.Base(name), "%v", err)
		return false
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		l.fault(path.Base(name), "%v", err)
		return false
	}
	return true
}

func (l *loader) language(base string, f *file) {
	if want := strings.TrimSuffix(base, ".yaml"); f.Tag != want {
		l.fault(base, "tag is %q, the file's name says %q", f.Tag, want)
	}
	if f.Name == "" {
		l.fault(base, "name is missing")
	}
	lang := &language{name: f.Name, rtl: f.RTL, texts: make(map[string]*text, len(f.Texts))}
	for _, key := range slices.Sorted(maps.Keys(f.Texts)) {
		lang.texts[key] = l.text(base, key, f.Texts[key])
	}
	l.book.languages[f.Tag] = lang
	for _, cmd := range slices.Sorted(maps.Keys(f.Commands)) {
		if !slices.Contains(spoken(), cmd) {
			l.fault(base, "commands: there is no command %q", string(cmd))
			continue
		}
		for _, name := range f.Commands[cmd] {
			l.add(base, l.book.commands, strings.TrimPrefix(name, "/"), word{cmd, f.Tag})
		}
	}
	l.words(base, f.Tag, f.Stop, f.Start)
}

func (l *loader) text(base, key, raw string) *text {
	if strings.TrimSpace(raw) == "" {
		l.fault(base, "texts: %s is empty", key)
	}
	t, err := cut(raw)
	if err != nil {
		l.fault(base, "texts: %s: %v", key, err)
		t = &text{raw: raw}
	}
	if strings.HasPrefix(key, "button.") && utf8.RuneCountInString(raw) > maxLabel {
		l.fault(base, "texts: %s is longer than %d characters", key, maxLabel)
	}
	return t
}

func (l *loader) words(base, lang string, stop, start []string) {
	for _, s := range stop {
		l.add(base, l.book.words, s, word{CommandStop, lang})
	}
	for _, s := range start {
		l.add(base, l.book.words, s, word{CommandStart, lang})
	}
}

// add enters one word. Two languages may share a word, but not with two meanings.
func (l *loader) add(base string, table map[string]word, s string, w word) {
	key := string(fold(nil, trim(s), maxFolded))
	if key == "" {
		l.fault(base, "%s: an empty word", w.command)
		return
	}
	if len(key) > maxFolded {
		l.fault(base, "%s: the word %q is longer than %d bytes", w.command, s, maxFolded)
		return
	}
	if have, ok := table[key]; ok {
		if have.command != w.command {
			l.fault(base, "%q means %s and %s", s, have.command, w.command)
		}
		if have.lang != w.lang {
			w.lang = ""
		}
	}
	table[key] = w
	if len(key) > l.book.longest {
		l.book.longest = len(key)
	}
}

// compare holds every language against the fallback.
func (l *loader) compare() {
	base, ok := l.book.languages[Fallback]
	if !ok {
		l.fault(Fallback+".yaml", "is missing")
		return
	}
	for _, tag := range slices.Sorted(maps.Keys(l.book.languages)) {
		lang, where := l.book.languages[tag], tag+".yaml"
		for _, key := range slices.Sorted(maps.Keys(base.texts)) {
			t, ok := lang.texts[key]
			if !ok {
				l.fault(where, "texts: %s is missing", key)
				continue
			}
			if want := base.texts[key].names; !slices.Equal(t.names, want) {
				l.fault(where, "texts: %s has the placeholders %v, in %s it has %v", key, t.names, Fallback, want)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(lang.texts)) {
			if _, ok := base.texts[key]; !ok {
				l.fault(where, "texts: %s is not in %s.yaml", key, Fallback)
			}
		}
	}
	for _, cmd := range spoken() {
		if have, ok := l.book.commands[string(cmd)]; !ok || have.command != cmd {
			l.fault(Fallback+".yaml", "commands: /%s is missing", cmd)
			continue
		}
		// The name that every language shares says nothing about the person's language.
		l.book.commands[string(cmd)] = word{command: cmd}
	}
}
