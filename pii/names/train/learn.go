package main

import (
	"math"
	"strings"

	"github.com/sotto-chat/sotto/pii/names/internal/tagger"
)

// Settings of training.
const (
	rowBits = 18
	epochs  = 6
	rate    = 0.12
	decay   = 0.02 // of all weights, after each epoch
	drop    = 40   // percent of features that a step does not see, so that it trusts no single one
	scale   = 1.0 / 24
)

// sources are the names of all sources, the made one last.
func (d *data) sources() []string {
	return []string{"broad-twitter-corpus", "wnut17", "presidio-research", "synthetic"}
}

// sequence is one run of candidates with its labels.
type sequence struct {
	words  []tagger.Word
	labels []uint8
	weight float32
}

// train learns from sources and returns a model file. It learns several times,
// each time from other made messages, and takes the mean: one run is left to
// chance, the mean is much less so.
func (d *data) train(from []string, seed uint64) ([]byte, error) {
	p := &tagger.Params{RowBits: rowBits, Scale: scale, Weights: blank(), Threshold: thresholds()}
	empty, err := tagger.Load(string(tagger.Save(d.lex, p)))
	if err != nil {
		return nil, err
	}
	mean := newCRF(0)
	for k := range d.passes {
		mean.add(learn(d.sequences(empty, from, seed+uint64(k)), seed+uint64(k)), d.passes)
	}
	mean.fill(p)
	return tagger.Save(d.lex, p), nil
}

// sequences are the runs of all texts of some sources, and of copies without
// capitals, without small letters, and without punctuation.
func (d *data) sequences(m *tagger.Model, from []string, seed uint64) (seqs []sequence) {
	const copied = 0.7 // weight
	for _, s := range from {
		set, lowered := d.texts[s], 4
		if s == "synthetic" {
			set, lowered = d.messages(d.repeats, seed), 2
		}
		for i, e := range set {
			seqs = appendRuns(seqs, m, e, 1)
			if c, ok := recase(e, strings.ToLower); ok && i%lowered == 0 {
				seqs = appendRuns(seqs, m, c, copied)
			}
			if c, ok := recase(e, strings.ToUpper); ok && i%16 == 1 {
				seqs = appendRuns(seqs, m, c, copied)
			}
			if c, ok := recase(e, func(t string) string { return strings.ToLower(bare(t)) }); ok && i%6 == 2 {
				seqs = appendRuns(seqs, m, c, copied)
			}
		}
	}
	return seqs
}

// learn goes over all sequences several times, each time in another order.
func learn(seqs []sequence, seed uint64) *crf {
	c := newCRF(seed)
	order := make([]int, len(seqs))
	for i := range order {
		order[i] = i
	}
	for range epochs {
		for i := len(order) - 1; i > 0; i-- {
			j := c.below(i + 1)
			order[i], order[j] = order[j], order[i]
		}
		for _, i := range order {
			c.step(&seqs[i])
		}
		c.shrink()
	}
	return c
}

// thresholds are set so that clean chat stays clean; see MODEL.md.
func thresholds() [4]float64 { return [4]float64{1, 0.5, 0.5, 0.5} }

func blank() []byte {
	w := make([]byte, 8<<rowBits)
	for i := range w {
		w[i] = 128
	}
	return w
}

// appendRuns adds the runs of a text. Runs with a word of which it is not known
// whether it is a name are left out.
func appendRuns(seqs []sequence, m *tagger.Model, e example, weight float32) []sequence {
	m.Runs(e.text, func(words []tagger.Word) {
		s := sequence{words: words, labels: make([]uint8, len(words)), weight: weight}
		last := -1
		for i, w := range words {
			now := -1
			for k, sp := range e.spans {
				if w.Start < sp.end && w.End > sp.start {
					now = k
				}
			}
			if now >= 0 {
				sp := e.spans[now]
				if sp.unknown {
					return
				}
				s.labels[i] = 2*uint8(sp.kind) - 1
				if now == last && w.Joins {
					s.labels[i]++
				}
			}
			last = now
		}
		seqs = append(seqs, s)
	})
	return seqs
}

const labels = 7

// crf is a conditional random field that learns by AdaGrad.
type crf struct {
	w, g  []float32 // weights and sums of squares, 8 a row
	t, tg [labels][labels]float64
	dice  // for dropping rows
	rows  [][]uint32
	emit  [][labels]float64
	alpha [][labels]float64
	beta  [][labels]float64
}

func newCRF(seed uint64) *crf {
	c := &crf{w: make([]float32, 8<<rowBits), g: make([]float32, 8<<rowBits), rows: make([][]uint32, 40), dice: dice(seed)}
	for i := range c.g {
		c.g[i] = 0.05
	}
	for range 40 {
		c.emit, c.alpha, c.beta = append(c.emit, [labels]float64{}), append(c.alpha, [labels]float64{}), append(c.beta, [labels]float64{})
	}
	return c
}

func follow(x, y int) bool { return y == 0 || y%2 == 1 || x == y || x == y-1 }

// can reports whether word i can have label y.
func can(s *sequence, i, y int) bool { return y == 0 || y%2 == 1 || i > 0 && s.words[i].Joins }

// step moves the weights towards the labels of one sequence.
func (c *crf) step(s *sequence) {
	n := len(s.words)
	for i, w := range s.words {
		c.emit[i] = [labels]float64{}
		c.rows[i] = c.rows[i][:0]
		for _, r := range w.Rows {
			if c.chance(drop) {
				continue
			}
			c.rows[i] = append(c.rows[i], r)
			row := c.w[8*r : 8*r+labels]
			for y, v := range row {
				c.emit[i][y] += float64(v)
			}
		}
		top := c.emit[i][0]
		for _, v := range c.emit[i] {
			top = max(top, v)
		}
		for y := range labels {
			c.emit[i][y] = math.Exp(c.emit[i][y] - top)
			if !can(s, i, y) {
				c.emit[i][y] = 0
			}
		}
	}
	var et [labels][labels]float64
	for x := range labels {
		for y := range labels {
			if follow(x, y) {
				et[x][y] = math.Exp(c.t[x][y])
			}
		}
	}
	for i := range n {
		var sum float64
		for y := range labels {
			v := et[0][y]
			if i > 0 {
				v = 0
				for x := range labels {
					v += c.alpha[i-1][x] * et[x][y]
				}
			}
			c.alpha[i][y] = v * c.emit[i][y]
			sum += c.alpha[i][y]
		}
		for y := range labels {
			c.alpha[i][y] /= sum
		}
	}
	for x := range labels {
		c.beta[n-1][x] = et[x][0]
	}
	for i := n - 2; i >= 0; i-- {
		var sum float64
		for x := range labels {
			v := 0.0
			for y := range labels {
				v += et[x][y] * c.emit[i+1][y] * c.beta[i+1][y]
			}
			c.beta[i][x] = v
			sum += v
		}
		for x := range labels {
			c.beta[i][x] /= sum
		}
	}
	c.update(s, &et)
}

// update follows the gradient: what was seen less what is expected.
func (c *crf) update(s *sequence, et *[labels][labels]float64) {
	n := len(s.words)
	var gt [labels][labels]float64
	prev := uint8(0)
	for i := range n + 1 {
		var p [labels][labels]float64
		var sum float64
		for x := range labels {
			from := 0.0
			switch {
			case i > 0:
				from = c.alpha[i-1][x]
			case x == 0:
				from = 1
			}
			for y := range labels {
				to := 0.0
				switch {
				case i < n:
					to = c.emit[i][y] * c.beta[i][y]
				case y == 0:
					to = 1
				}
				p[x][y] = from * et[x][y] * to
				sum += p[x][y]
			}
		}
		now := uint8(0)
		if i < n {
			now = s.labels[i]
		}
		for x := range labels {
			for y := range labels {
				gt[x][y] -= p[x][y] / sum
			}
		}
		gt[prev][now]++
		prev = now
	}
	for x := range labels {
		for y := range labels {
			if g := gt[x][y] * float64(s.weight); g != 0 && follow(x, y) {
				c.tg[x][y] += g * g
				c.t[x][y] += rate * g / math.Sqrt(1+c.tg[x][y])
			}
		}
	}
	for i := range s.words {
		var p [labels]float64
		var sum float64
		for y := range labels {
			p[y] = c.alpha[i][y] * c.beta[i][y]
			sum += p[y]
		}
		var d [labels]float32
		for y := range labels {
			d[y] = -float32(p[y] / sum)
		}
		d[s.labels[i]]++
		for y := range labels {
			d[y] *= s.weight
			if d[y] > -0.002 && d[y] < 0.002 {
				d[y] = 0
			}
		}
		for _, r := range c.rows[i] {
			row, sq := c.w[8*r:8*r+labels], c.g[8*r:8*r+labels]
			for y, g := range d {
				if g != 0 {
					sq[y] += g * g
					row[y] += rate * g / float32(math.Sqrt(float64(sq[y])))
				}
			}
		}
	}
}

func (c *crf) shrink() {
	for i := range c.w {
		c.w[i] *= 1 - decay
	}
}

// add adds another model's share of the mean of n.
func (c *crf) add(o *crf, n int) {
	for i, v := range o.w {
		c.w[i] += v / float32(n)
	}
	for x := range labels {
		for y := range labels {
			c.t[x][y] += o.t[x][y] / float64(n)
		}
	}
}

// fill rounds the weights to bytes.
func (c *crf) fill(p *tagger.Params) {
	for i, v := range c.w {
		if i%8 < labels {
			q := math.Round(float64(v) * (100 - drop) / 100 / scale)
			p.Weights[i] = byte(128 + min(max(q, -127), 127))
		}
	}
	for x := range labels {
		for y := range labels {
			p.Trans[x][y] = c.t[x][y]
		}
	}
}
