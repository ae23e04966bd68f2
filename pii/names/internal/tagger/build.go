package tagger

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// Lexicon is a lexicon that is being built. The zero value is empty.
type Lexicon struct {
	words   map[uint64]entry
	classes []class
	cues    []cueEntry
	pairs   []byte // the first two words of phrases, as bits
}

type entry struct {
	flags Flags
	votes uint64
}

type cueEntry struct {
	hash  uint64
	cue   Cue
	words uint8
}

// Add gives a word, or a phrase of up to four words, flags. A phrase gets those
// of Phrase kinds only; its first word becomes a head of phrases.
func (x *Lexicon) Add(text string, f Flags) {
	h := hashWords(text)
	if len(h) == 0 || len(h) > maxPhrase {
		return
	}
	if len(h) == 1 {
		x.or(h[0], f, 0)
		return
	}
	switch {
	case f&(CityBig|CityMid|CitySmall|Country|PhraseCity) != 0:
		f = PhraseCity
	case f&(OrgName|PhraseOrg) != 0:
		f = PhraseOrg
	case f&(Famous|PhrasePerson) != 0:
		f = PhrasePerson
	default:
		return
	}
	x.or(h[0], PhraseHead, 0)
	x.or(h[1], PhraseNext, 0)
	if x.pairs == nil {
		x.pairs = make([]byte, pairBytes)
	}
	at := pairBit(join(h[0], h[1]))
	x.pairs[at/8] |= 1 << (at % 8)
	all := h[0]
	for _, w := range h[1:] {
		all = join(all, w)
	}
	x.or(all, f, 0)
}

// Parts gives each word of a name flags.
func (x *Lexicon) Parts(text string, f Flags) {
	for _, h := range hashWords(text) {
		x.or(h, f, 0)
	}
}

// Take takes flags from a word again.
func (x *Lexicon) Take(text string, f Flags) {
	if h := hashWords(text); len(h) == 1 {
		e := x.words[h[0]]
		e.flags &^= f
		x.words[h[0]] = e
	}
}

// Flags returns what is known of a single word.
func (x *Lexicon) Flags(text string) Flags {
	if h := hashWords(text); len(h) == 1 {
		return x.words[h[0]].flags
	}
	return 0
}

// Vote lets a word speak for a language.
func (x *Lexicon) Vote(text string, lang int) {
	if h := hashWords(text); len(h) == 1 {
		x.or(h[0], 0, 1<<(8*lang))
	}
}

// Cue adds a turn of phrase of up to five words.
func (x *Lexicon) Cue(text string, c Cue) {
	h := hashWords(text)
	if len(h) == 0 || len(h) > maxPhrase+1 || c == NoCue || c >= cueEnd {
		return
	}
	all := h[0]
	for _, w := range h[1:] {
		all = join(all, w)
	}
	x.or(h[len(h)-1], CueEnd, 0)
	for _, e := range x.cues {
		if e.hash == all {
			return
		}
	}
	x.cues = append(x.cues, cueEntry{all, c, uint8(len(h))}) //nolint:gosec // at most five
}

func (x *Lexicon) or(h uint64, f Flags, votes uint64) {
	if x.words == nil {
		x.words = make(map[uint64]entry)
	}
	e := x.words[h]
	e.flags |= f
	e.votes |= votes
	x.words[h] = e
}

// slots lays the words out and numbers their classes.
func (x *Lexicon) slots() (slotBits int, out []byte) {
	for slotBits = 8; 1<<slotBits < len(x.words)*7/6; {
		slotBits++
	}
	keys := make([]uint64, 0, len(x.words))
	for h, e := range x.words {
		if e.flags != 0 || e.votes != 0 {
			keys = append(keys, h)
		}
	}
	slices.Sort(keys)
	x.classes = []class{{}}
	number := map[entry]int{{}: 0}
	for _, h := range keys {
		e := x.words[h]
		if _, ok := number[e]; !ok {
			number[e] = 0
			x.classes = append(x.classes, class{flags: e.flags, votes: e.votes})
		}
	}
	slices.SortFunc(x.classes[1:], func(a, b class) int {
		return cmp.Or(cmp.Compare(a.flags, b.flags), cmp.Compare(a.votes, b.votes))
	})
	for i, c := range x.classes {
		number[entry{c.flags, c.votes}] = i
	}
	n := uint64(1) << slotBits
	slot := make([]uint32, n)
	for _, h := range keys {
		at := h >> (64 - slotBits)
		for slot[at] != 0 {
			at = (at + 1) & (n - 1)
		}
		slot[at] = uint32(h>>8)&0xffff<<16 | uint32(number[x.words[h]]) //nolint:gosec // masked, and below 65536
	}
	out = make([]byte, 0, 4*n)
	for _, v := range slot {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return slotBits, out
}

// Len returns how many words and phrases there are.
func (x *Lexicon) Len() int { return len(x.words) }
