// Package names finds names of people, places and organisations the way people
// write them in chats: in lower case, without punctuation, in capitals, with
// nicknames and emoji, in English, German, French, Spanish, Portuguese and
// Italian, and less well in other languages that set words apart by spaces.
//
//	names.Find("hi im anna from berlin", func(start, end int, kind names.Kind, score float64, why string) {
//		…
//	})
//
// A lexicon and a linear model of four megabytes are part of the program; MODEL.md
// says what they were made of and how good they are. Package names promises that
// findings are in order, do not overlap and lie between characters, that the time
// grows with the length of the text, and that it allocates nothing. It does not
// promise to find every name: a name is what people call each other, and no list
// and no model knows them all.
package names

import (
	_ "embed"
	"sync"

	"github.com/sotto-chat/sotto/pii/names/internal/tagger"
)

// Kind is what a name names.
type Kind uint8

// The kinds of names.
const (
	Person Kind = iota + 1
	Location
	Org
)

// String returns the kind as package pii calls it: "PERSON", "LOCATION", "ORG".
func (k Kind) String() string {
	switch k {
	case Person:
		return "PERSON"
	case Location:
		return "LOCATION"
	case Org:
		return "ORG"
	}
	return ""
}

//go:embed model.bin
var file string

// model is read once. Its file is in the repository, and a test reads it.
var model = sync.OnceValue(func() *tagger.Model { //nolint:gochecknoglobals // one embedded file, read only
	m, _ := tagger.Load(file) // no model finds nothing
	return m
})

// Find calls add for each name in text: text[start:end], the kind, the model's
// probability, and what stood in front of the name that made it likely, such as
// "intro" or "title", or "". What is less likely than about one half is left out.
func Find(text string, add func(start, end int, kind Kind, score float64, why string)) {
	model().Find(text, func(f tagger.Found) {
		add(f.Start, f.End, Kind(f.Kind), f.Score, f.Cue.String())
	})
}
