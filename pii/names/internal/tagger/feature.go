package tagger

// maxFeatures is the number of features of one word at most.
const maxFeatures = 64

// features of one word: numbers of rows of the weights.
type features struct {
	rows  [maxFeatures]uint32
	n     int
	shift uint
}

func (f *features) add(id, a, b uint64) {
	h := (a ^ b*0xc2b2ae3d27d4eb4f ^ id*0x9e3779b97f4a7c15) * hashMul
	h ^= h >> 32
	f.rows[f.n] = uint32(h * 0x165667b19e3779f9 >> f.shift) //nolint:gosec // shifted down to the size of the table
	f.n++
}

// view is what a feature sees of a neighbour.
type view struct {
	hash  uint64
	class uint64
	group uint64
	shape uint64
	flags Flags
}

func (w *window) view(i int) view {
	if i < 0 {
		return view{hash: 1, group: 61, shape: 14, class: 1 << 20}
	}
	if i >= w.n {
		return view{hash: 2, group: 62, shape: 15, class: 1<<20 + 1}
	}
	t := &w.tok[i]
	g := w.m.lex.classes[t.class].group
	switch t.shape {
	case masked:
		return view{hash: 3, group: 60, shape: uint64(masked), class: 1<<20 + 2}
	case digits:
		return view{hash: 4, group: 59, shape: uint64(digits), class: 1<<20 + 3}
	case lower, cap1, capped, upper, mixed:
	}
	return view{t.hash, uint64(t.class), uint64(g), uint64(t.shape), t.flags}
}

// features of word i.
func (w *window) features(f *features, i int) Cue {
	t := &w.tok[i]
	f.n = 0
	v0, p1, p2, n1, n2 := w.view(i), w.view(i-1), w.view(i-2), w.view(i+1), w.view(i+2)
	sepBefore, sepAfter := sepClass(t.sep), uint64(14)
	if i+1 < w.n {
		sepAfter = sepClass(w.tok[i+1].sep)
	}
	start := uint64(0)
	if w.starts(i) {
		start = 1
	}
	cue := w.cue(i)
	mode, lang := uint64(w.mode), uint64(w.lang)
	cs := mode<<8 | start<<4 | v0.shape // how it is written, and where
	cg := v0.group<<8 | uint64(cue)
	phrase := uint64(t.phrase)

	f.add(1, 0, 0)
	f.add(2, v0.hash, 0)
	f.add(3, v0.class, 0)
	f.add(4, cs, 0)
	f.add(5, v0.group, cs)
	f.add(6, v0.class, cs)
	f.add(7, p1.hash, 0)
	f.add(8, n1.hash, 0)
	f.add(9, p1.hash, p2.hash)
	f.add(10, n1.hash, n2.hash)
	f.add(11, p1.hash, v0.group)
	f.add(12, n1.hash, v0.group)
	f.add(13, p1.group<<8|n1.group, v0.group)
	f.add(14, p1.class, v0.group)
	f.add(15, n1.class, v0.group)
	f.add(16, p1.group<<8|p1.shape, v0.group<<8|v0.shape)
	f.add(17, n1.group<<8|n1.shape, v0.group<<8|v0.shape)
	f.add(18, p1.shape<<12|v0.shape<<8|n1.shape<<4|start, mode)
	f.add(19, cg, 0)
	f.add(20, cg, cs)
	f.add(21, uint64(cue), n1.group)
	f.add(22, sepBefore<<4|sepAfter, v0.group)
	f.add(23, sepBefore<<4|sepAfter, cs)
	f.add(24, lang<<12|cs, v0.group)
	f.add(25, p2.group, p1.group<<8|v0.group)
	f.add(26, n2.group, n1.group<<8|v0.group)
	f.add(27, p2.hash, v0.group)
	f.add(28, n2.hash, v0.group)
	if phrase != 0 {
		f.add(29, phrase, 0)
		f.add(30, phrase, cs)
	}
	if v0.flags&(Function|Common2) == 0 {
		w.spelling(f, t, cs)
	}
	if cue != NoCue {
		f.add(37, uint64(cue), n1.hash)
		f.add(38, uint64(cue)<<8|lang, v0.group)
		f.add(39, uint64(cue)<<16|sepBefore<<8|sepAfter, v0.group)
	}
	if i == 0 || i == 1 && w.tok[0].shape == masked {
		f.add(40, sepAfter, v0.group<<8|min(uint64(w.n), 4)) //nolint:gosec // a count
	}
	if i == w.n-1 {
		f.add(41, sepBefore, v0.group<<8|min(uint64(w.n), 4)) //nolint:gosec // a count
		f.add(42, p1.group, v0.group<<8|v0.shape)
	}
	return cue
}

// spelling adds beginnings and endings of a word that is not well known.
func (w *window) spelling(f *features, t *token, cs uint64) {
	s := w.text(t)
	var fold [maxWordLen]byte
	n := 0
	for i := 0; i < len(s) && n < len(fold); i++ { // bytes do: other alphabets have two to a letter
		b := s[i]
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		fold[n] = b
		n++
	}
	if n < 3 {
		return
	}
	f.add(31, word(fold[n-2:n]), 0)
	f.add(32, word(fold[n-3:n]), 0)
	f.add(33, word(fold[n-3:n]), cs)
	f.add(34, word(fold[:2]), cs)
	f.add(35, word(fold[:3]), 0)
	if n >= 5 {
		f.add(36, word(fold[n-4:n]), 0)
		f.add(43, word(fold[:4]), 0)
	}
}

func word(b []byte) uint64 {
	h := uint64(0)
	for _, c := range b {
		h = h<<8 | uint64(c)
	}
	return h
}

// sepClass is the most telling thing between two words.
func sepClass(sep uint16) uint64 {
	switch {
	case sep&sepLine != 0:
		return 1
	case sep&sepAt != 0:
		return 2
	case sep&sepHash != 0:
		return 3
	case sep&sepOther != 0:
		return 4
	case sep&sepBang != 0:
		return 5
	case sep&sepColon != 0:
		return 6
	case sep&sepStop != 0:
		return 7
	case sep&(sepOpen|sepClose) != 0:
		return 8
	case sep&sepQuote != 0:
		return 9
	case sep&sepComma != 0:
		return 10
	case sep&(sepSlash|sepAnd) != 0:
		return 11
	case sep&sepDash != 0:
		return 12
	case sep&sepApostrophe != 0:
		return 13
	}
	return 0
}
