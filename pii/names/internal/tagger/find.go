package tagger

// Find calls add for each name in order. It allocates nothing. No model finds
// nothing.
func (m *Model) Find(text string, add func(Found)) {
	if m != nil {
		m.chunks(text, add, nil)
	}
}

// chunks cuts a text into windows and works on those with a candidate: it finds,
// or shows the words.
func (m *Model) chunks(text string, add func(Found), visit func([]Word)) {
	var w window
	w.m = m
	z := tokenizer{text: text}
	for {
		more := true
		for w.n < chunk {
			if more = z.next(&w.tok[w.n]); !more {
				break
			}
			w.n++
		}
		if w.n == 0 {
			return
		}
		keep := w.n
		if more {
			keep = w.cut()
		}
		rest := w.n
		w.n = keep
		if w.look(text) {
			w.prepare()
			if visit != nil {
				w.words(visit)
			} else {
				w.find(add)
			}
		}
		if !more {
			return
		}
		w.n = copy(w.tok[:], w.tok[keep:rest])
	}
}

// cut is where a full window ends: behind the last sentence or line of its
// second half, or else at its end.
func (w *window) cut() int {
	for i := w.n - 1; i > chunk/2; i-- {
		if w.tok[i].sep&(sepLine|sepBang|sepStop|sepOther) != 0 {
			return i
		}
	}
	return w.n
}

func (w *window) text(t *token) string { return w.src[t.start:t.end] }

// prepare does what only windows with candidates need.
func (w *window) prepare() {
	w.phrases()
	w.widen()
	w.lang = w.language()
}

// find labels every run of candidates. A run whose words all speak clearly
// against a name is not decoded.
func (w *window) find(add func(Found)) {
	var r run
	var f features
	f.shift = 64 - w.m.rowBits
	for r.a = 0; r.a < w.n; r.a++ {
		if !w.tok[r.a].cand {
			continue
		}
		hope := false
		for r.b = r.a; r.b < w.n && w.tok[r.b].cand && r.b-r.a < maxRun; r.b++ {
			k := r.b - r.a
			r.cues[k] = w.features(&f, r.b)
			w.m.emission(&f, &r.emit[k])
			for y := 1; y < labels; y++ {
				hope = hope || r.emit[k][y] > r.emit[k][outside]-hopeless
			}
		}
		if hope {
			w.decode(&r, add)
		}
		r.a = r.b - 1
	}
}

// hopeless is how far behind every name's label must be for a run to be left.
const hopeless = 3

// Word is one word of a run, for training.
type Word struct {
	Start, End int
	Joins      bool // it can go on with a name of the word before
	Rows       []uint32
}

// Runs calls visit for each run of candidates in a text, for training.
func (m *Model) Runs(text string, visit func([]Word)) { m.chunks(text, nil, visit) }

func (w *window) words(visit func([]Word)) {
	f := features{shift: 64 - w.m.rowBits}
	for a := 0; a < w.n; a++ {
		var words []Word
		b := a
		for ; b < w.n && w.tok[b].cand && b-a < maxRun; b++ {
			w.features(&f, b)
			words = append(words, Word{
				Start: int(w.tok[b].start), End: int(w.tok[b].end),
				Joins: b > a && joins(&w.tok[b-1], &w.tok[b]),
				Rows:  append([]uint32(nil), f.rows[:f.n]...),
			})
		}
		if b > a {
			visit(words)
			a = b - 1
		}
	}
}
