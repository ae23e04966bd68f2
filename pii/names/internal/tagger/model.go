package tagger

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// Model is a lexicon and weights. It is read only and safe for many goroutines.
type Model struct {
	lex       lexicon
	cues      cueTable
	weights   string // lanes bytes a row, 128 is nought
	rowBits   uint
	scale     float64
	trans     [labels][labels]float64 // odds
	Threshold [kinds]float64          // the least probability of each kind that is reported
}

// cueTable is an open hash table of cues.
type cueTable struct {
	keys  []uint64
	cues  []Cue
	words []uint8
}

func (c *cueTable) find(h uint64, words int) Cue {
	n := uint64(len(c.keys))
	for at := h & (n - 1); c.cues[at] != NoCue; at = (at + 1) & (n - 1) {
		if c.keys[at] == h && int(c.words[at]) == words {
			return c.cues[at]
		}
	}
	return NoCue
}

// The file: magic, sizes, thresholds, scale, transitions, classes, cues, pairs,
// slots, weights; all numbers little-endian.
const (
	magic  = "SOTTONM1"
	header = 8 + 4*4 + 8*int(kinds) + 8 + 8*labels*labels
)

// errModel says that a model file is damaged.
var errModel = errors.New("tagger: not a model file")

// Load reads a model from its file's content, which it keeps and does not copy.
func Load(file string) (*Model, error) {
	if len(file) < header || file[:8] != magic {
		return nil, errModel
	}
	m := &Model{}
	at := 8
	num := func() int { at += 4; return int(load32(file, at-4)) }
	float := func() float64 { at += 8; return math.Float64frombits(load64(file, at-8)) }
	nClass, nCue, slotBits, rowBits := num(), num(), num(), num()
	if nClass < 1 || nClass > 1<<16 || nCue > 1<<16 || slotBits > 24 || slotBits < 1 || rowBits > 24 || rowBits < 1 ||
		len(file) != header+16*nClass+10*nCue+pairBytes+4<<slotBits+lanes<<rowBits {
		return nil, errModel
	}
	for k := range m.Threshold {
		m.Threshold[k] = float()
	}
	m.scale = float()
	for x := range labels {
		for y := range labels {
			m.trans[x][y] = math.Exp(float())
		}
	}
	m.lex.classes = make([]class, nClass)
	for i := range m.lex.classes {
		c := &m.lex.classes[i]
		c.flags, c.votes = Flags(load64(file, at)), load64(file, at+8)
		c.group = groupOf(c.flags)
		at += 16
	}
	n := 1 << bits.Len(uint(2*nCue))
	m.cues = cueTable{keys: make([]uint64, n), cues: make([]Cue, n), words: make([]uint8, n)}
	for range nCue {
		m.cues.put(load64(file, at), Cue(file[at+8]), file[at+9])
		at += 10
	}
	m.lex.pairs = file[at : at+pairBytes]
	at += pairBytes
	m.lex.slots = file[at : at+4<<slotBits]
	m.lex.shift = uint(64 - slotBits)
	m.weights = file[at+4<<slotBits:]
	m.rowBits = uint(rowBits)
	return m, nil
}

func (c *cueTable) put(h uint64, cue Cue, words uint8) {
	n := uint64(len(c.keys))
	at := h & (n - 1)
	for c.cues[at] != NoCue {
		at = (at + 1) & (n - 1)
	}
	c.keys[at], c.cues[at], c.words[at] = h, cue, words
}

// Params are what training finds.
type Params struct {
	RowBits   int
	Scale     float64
	Trans     [labels][labels]float64 // sums, not odds
	Weights   []byte                  // as in Model
	Threshold [kinds]float64
}

// Save writes a model file.
func Save(x *Lexicon, p *Params) []byte {
	slotBits, slots := x.slots()
	out := make([]byte, 0, header+16*len(x.classes)+10*len(x.cues)+len(slots)+len(p.Weights))
	out = append(out, magic...)
	for _, v := range []int{len(x.classes), len(x.cues), slotBits, p.RowBits} {
		out = binary.LittleEndian.AppendUint32(out, uint32(v)) //nolint:gosec // small counts
	}
	float := func(v float64) { out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v)) }
	for _, v := range p.Threshold {
		float(v)
	}
	float(p.Scale)
	for _, row := range p.Trans {
		for _, v := range row {
			float(v)
		}
	}
	for _, c := range x.classes {
		out = binary.LittleEndian.AppendUint64(out, uint64(c.flags))
		out = binary.LittleEndian.AppendUint64(out, c.votes)
	}
	for _, c := range x.cues {
		out = binary.LittleEndian.AppendUint64(out, c.hash)
		out = append(out, byte(c.cue), c.words)
	}
	out = append(out, x.pairs...)
	out = append(out, make([]byte, pairBytes-len(x.pairs))...)
	out = append(out, slots...)
	return append(out, p.Weights...)
}
