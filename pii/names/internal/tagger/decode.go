package tagger

import "math"

// joins reports whether word t can go on with a name that word before is in.
func joins(before, t *token) bool {
	if t.sep&sepHard != 0 || t.sep&(sepDash|sepSpace) == sepDash|sepSpace || t.sep&sepApostrophe != 0 && t.sep&sepSpace != 0 {
		return false
	}
	return t.sep&sepStop == 0 || before.shape == cap1 || before.len <= 3 && before.flags&(TitleWord|PlaceWord|Suffix) != 0
}

// emission sums the weights of a word's features. Eight labels are added at
// once, as 16-bit numbers in two words: 64 features of at most 255 fit.
func (m *Model) emission(f *features, to *[lanes]float64) {
	const mask = 0x00ff00ff00ff00ff
	var even, odd uint64
	for _, r := range f.rows[:f.n] {
		e := load64(m.weights, int(r)*lanes)
		even += e & mask
		odd += e >> 8 & mask
	}
	bias := 128 * f.n
	for l := range lanes / 2 {
		to[2*l] = float64(int(even>>(16*l)&0xffff)-bias) * m.scale
		to[2*l+1] = float64(int(odd>>(16*l)&0xffff)-bias) * m.scale
	}
}

// run is a run of candidates, tokens a to b of the window.
type run struct {
	a, b int
	emit [maxRun][lanes]float64
	cues [maxRun]Cue
}

// lattice has a number for each label of each word of a run.
type lattice [maxRun][labels]float64

// decode labels a run by forward and backward sums and adds what is sure enough.
func (w *window) decode(r *run, add func(Found)) {
	var p, beta lattice
	w.forward(r, &p)
	w.backward(r, &beta)
	for i := range r.b - r.a {
		for y := range labels {
			p[i][y] *= beta[i][y]
		}
		scaled(&p[i])
	}
	w.spans(r, &p, add)
}

// forward sums over what stands before each word. It turns the emissions into
// odds, for backward.
func (w *window) forward(r *run, alpha *lattice) {
	before := [labels]float64{outside: 1}
	for i := range r.b - r.a {
		r.emit[i] = exps(&r.emit[i])
		for y := range labels {
			if !w.allowed(r, i, y) {
				continue
			}
			s := 0.0
			for x := range labels {
				if follow(x, y) {
					s += before[x] * w.m.trans[x][y]
				}
			}
			alpha[i][y] = s * r.emit[i][y]
		}
		scaled(&alpha[i])
		before = alpha[i]
	}
}

// backward sums over what stands behind each word.
func (w *window) backward(r *run, beta *lattice) {
	n := r.b - r.a
	for x := range labels {
		beta[n-1][x] = w.m.trans[x][outside]
	}
	for i := n - 2; i >= 0; i-- {
		for x := range labels {
			for y := range labels {
				if follow(x, y) && w.allowed(r, i+1, y) {
					beta[i][x] += w.m.trans[x][y] * r.emit[i+1][y] * beta[i+1][y]
				}
			}
		}
		scaled(&beta[i])
	}
}

// scaled makes numbers add up to one.
func scaled(v *[labels]float64) {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	for y := range v {
		v[y] /= sum
	}
}

// spans reads names off the probabilities of labels.
func (w *window) spans(r *run, p *lattice, add func(Found)) {
	n, done := r.b-r.a, 0
	for i := 0; i < n; {
		k, best := None, 0.0
		for c := Person; c < kinds; c++ {
			if s := p[i][begin(c)] + p[i][inside(c)]; s > best {
				k, best = c, s
			}
		}
		if best < w.threshold(r, i, k) {
			i++
			continue
		}
		if f := w.tok[r.a+i].flags; k == Person && f&TitleWord != 0 && f&personFlag == 0 {
			i++ // Mr is none of the name
			continue
		}
		j := i + 1
		for j < n && w.allowed(r, j, inside(k)) && p[j][inside(k)] > p[j][begin(k)] && p[j][inside(k)] > p[j][outside] {
			best = max(best, p[j][inside(k)])
			j++
		}
		if k == Person && w.allInitials(r.a+i, r.a+j) {
			i = j // A.C.N. is a number's name
			continue
		}
		if t := &w.tok[r.a+i]; k == Person && r.cues[i] == LiveIn && j == i+1 && t.flags&(CityBig|CityMid|Country) != 0 {
			k = Location // Rosario, where somebody lives
		}
		add(Found{Start: w.spanStart(r, i, done, k), End: int(w.tok[r.a+j-1].end), Kind: k, Score: best, Cue: r.cues[i]})
		i, done = j, j
	}
}

func (w *window) allInitials(a, b int) bool {
	for ; a < b; a++ {
		if w.tok[a].shape != cap1 {
			return false
		}
	}
	return true
}

// spanStart is where a name begins whose first sure word is word i of a run: at
// the initials in front of it, J. R. R. Tolkien.
func (w *window) spanStart(r *run, i, done int, k Kind) int {
	for k == Person && i > done && w.tok[r.a+i-1].shape == cap1 && joins(&w.tok[r.a+i-1], &w.tok[r.a+i]) {
		i--
	}
	return int(w.tok[r.a+i].start)
}

// exps turns sums into odds against the greatest.
func exps(e *[lanes]float64) (out [lanes]float64) {
	top := e[0]
	for _, v := range e[1:labels] {
		top = max(top, v)
	}
	for y := range labels {
		out[y] = math.Exp(e[y] - top)
	}
	return out
}

// allowed reports whether word i of a run can have label y.
func (w *window) allowed(r *run, i, y int) bool {
	if y == outside || y%2 == 1 {
		return true
	}
	return i > 0 && joins(&w.tok[r.a+i-1], &w.tok[r.a+i])
}

// follow reports whether label y can come behind label x.
func follow(x, y int) bool {
	return y == outside || y%2 == 1 || x == y || x == y-1
}

// threshold is the least probability that word i of a run needs. Behind words
// that introduce or address somebody less is enough. An unknown word with
// nothing in front that says what it is needs more, for the lists know English
// words best; so it does with a capital in German, where every noun has one.
func (w *window) threshold(r *run, i int, k Kind) float64 {
	t := &w.tok[r.a+i]
	switch r.cues[i] {
	case Intro, IAm, IAmThe, ThisIs, Greet, Bye, Title, Kin, Called, Field:
		if k == Person && t.flags&(Nation|Jobs|Feeling|TimeWord|Brand|Ambiguous) == 0 {
			return min(w.m.Threshold[k], cuedThreshold)
		}
	case NoCue, AskFor, LiveIn, In, WorkAt, By, cueEnd:
		if t.class == 0 && (w.lang == LangDE || w.lang >= LangOther || w.lang != LangEN && t.shape == lower) {
			return max(w.m.Threshold[k], unknownThreshold)
		}
	}
	return w.m.Threshold[k]
}

const (
	cuedThreshold    = 0.4
	unknownThreshold = 0.8
)
