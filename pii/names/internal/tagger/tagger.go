// Package tagger finds names of people, places and organisations with a small
// linear model: it cuts text into words, looks them up in a lexicon, lets a gate
// drop the words that cannot be a name, and labels the rest with a conditional
// random field whose weights are bytes.
//
// It is shared by pii/names, which finds, and by pii/names/train, which learns,
// so that both see exactly the same words and features. It promises time
// proportional to the length of the text and no allocation. It does not know
// where a model comes from and reads no files.
package tagger

// Kind is what a name names.
type Kind uint8

// The kinds. None is no name.
const (
	None Kind = iota
	Person
	Location
	Org
	kinds
)

// Labels are begin and inside of each kind. Label 7 is not used.
const (
	outside    = 0
	labels     = 7
	lanes      = 8
	chunk      = 96 // tokens that are looked at together
	maxWordLen = 40 // runes; longer words are no names
	maxPhrase  = 4  // words of a known phrase
	maxRun     = 32 // candidates that are labelled together
)

func begin(k Kind) int  { return 2*int(k) - 1 }
func inside(k Kind) int { return 2 * int(k) }

// Found is one name: text[Start:End], byte offsets.
type Found struct {
	Start, End int
	Kind       Kind
	Score      float64 // the model's probability
	Cue        Cue     // what stood in front of it, or 0
}

// Cue is a turn of phrase in front of a word that says what the word may be.
type Cue uint8

// The cues, as they are called in the list of cues.
const (
	NoCue  Cue = iota
	Intro      // my name is
	IAm        // i'm
	IAmThe     // ich bin der
	ThisIs     // this is
	Greet      // hi
	Bye        // regards
	Title      // mr
	Kin        // my sister
	AskFor     // speak to
	Called     // her name is
	LiveIn     // i live in
	In         // in
	WorkAt     // i work at
	By         // by
	Field      // name:
	cueEnd
)

// String is the name of a cue in the list of cues; NoCue has none.
func (c Cue) String() string {
	if c >= cueEnd {
		return ""
	}
	return [cueEnd]string{
		"", "intro", "iam", "iamthe", "thisis", "greet", "bye", "title", "kin",
		"askfor", "called", "livein", "in", "workat", "by", "field",
	}[c]
}

// Cues returns all cues.
func Cues() []Cue {
	var all []Cue
	for c := NoCue + 1; c < cueEnd; c++ {
		all = append(all, c)
	}
	return all
}
