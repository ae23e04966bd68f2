package answer

import (
	"context"
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search/query"

	"github.com/sotto-chat/sotto"
)

// The share of a question that its answer must cover, weighed by how rare the
// words are. They are measured with the questions in testdata.
const (
	accept      = 0.50
	acceptOther = 0.70 // in another language than the person's own
	acceptWord  = 0.80 // of a single word that no heading holds: it matches by chance more easily

	candidates = 24 // passages that the index hands over for comparison
)

// How much of a word counts by where it stands. A word of a heading or of an
// "also" phrase counts in full if the question holds the whole of it.
const (
	inBody     = 0.45
	inTitle    = 0.60
	inHeading  = 0.65
	inAlso     = 0.45
	similar    = 0.85 // a word that is not the very one, but close
	partly     = 0.60 // a part of a compound
	askedFully = 0.20 // what a fully asked heading adds when answers are ranked
)

// termSets are the words of one passage.
type termSets struct {
	body    map[string]bool
	phrases []phrase // the heading first, if there is one
}

type phrase struct {
	base  float64 // what a word of it counts by itself
	terms []string
}

// corpus is all passages of one language.
type corpus struct {
	passages []*passage
	index    bleve.Index
	analyzer analysis.Analyzer
	filler   map[string]bool
	spread   map[string]int // in how many passages a word stands
	vocab    []string

	compounds bool // the language writes compounds in one word
}

func newCorpus(lang string, ps []*passage) (*corpus, error) {
	m, err := indexMapping(lang)
	if err != nil {
		return nil, err
	}
	c := &corpus{passages: ps, analyzer: m.AnalyzerNamed(lang), spread: map[string]int{}, filler: map[string]bool{}, compounds: lang == "de"}
	for _, t := range c.words(fillers(lang)) {
		c.filler[t] = true
	}
	if c.index, err = bleve.NewMemOnly(m); err != nil {
		return nil, sotto.E("answer.index", sotto.KindOther, err)
	}
	batch := c.index.NewBatch()
	for i, p := range ps {
		all := c.learn(p)
		err := batch.Index(fmt.Sprint(i), map[string]any{"words": all})
		if err != nil {
			return nil, sotto.E("answer.index", sotto.KindOther, err)
		}
	}
	if err := c.index.Batch(batch); err != nil {
		return nil, sotto.E("answer.index", sotto.KindOther, err)
	}
	for t := range c.spread {
		c.vocab = append(c.vocab, t)
	}
	sort.Strings(c.vocab)
	return c, nil
}

// indexMapping keeps one field, and of it only which passages hold a word.
func indexMapping(lang string) (*mapping.IndexMappingImpl, error) {
	analyzer := map[string]string{"en": en.AnalyzerName, "de": de.AnalyzerName}[lang]
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = analyzer
	words := bleve.NewTextFieldMapping()
	words.Analyzer = analyzer
	words.Store, words.IncludeTermVectors, words.IncludeInAll, words.DocValues = false, false, false, false
	m.DefaultMapping = bleve.NewDocumentStaticMapping()
	m.DefaultMapping.AddFieldMappingsAt("words", words)
	if err := m.Validate(); err != nil {
		return nil, sotto.E("answer.index", sotto.KindOther, err)
	}
	return m, nil
}

// words returns the stems of s.
func (c *corpus) words(s string) []string {
	tokens := c.analyzer.Analyze([]byte(s))
	out := make([]string, 0, len(tokens))
	for _, t := range tokens {
		out = append(out, string(t.Term))
	}
	return out
}

// learn notes the words of p and returns all its text for the index.
func (c *corpus) learn(p *passage) string {
	t := &termSets{body: set(c.words(p.text))}
	add := func(base float64, s string) {
		var terms []string
		for w := range set(c.words(s)) {
			if !c.filler[w] {
				terms = append(terms, w)
			}
		}
		if len(terms) > 0 {
			t.phrases = append(t.phrases, phrase{base, terms})
		}
	}
	add(inHeading, p.heading)
	add(inTitle, p.doc.title)
	for _, a := range p.also {
		add(inAlso, a)
	}
	p.terms = t
	all := set(nil)
	for w := range t.body {
		all[w] = true
	}
	for _, ph := range t.phrases {
		for _, w := range ph.terms {
			all[w] = true
		}
	}
	for w := range all {
		c.spread[w]++
	}
	return strings.Join(append([]string{p.text, p.doc.title, p.heading}, p.also...), "\n")
}

func set(words []string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// weight is how much a word says: the fewer passages hold it, the more.
func (c *corpus) weight(t string) float64 {
	return math.Log(1 + float64(len(c.passages))/(0.5+float64(c.spread[t])))
}

// best returns the passage that answers the question, and its share, or nil.
func (c *corpus) best(ctx context.Context, question string, least float64) (*passage, float64, error) {
	if c == nil {
		return nil, 0, nil
	}
	asked := c.asked(question)
	found, err := c.candidates(ctx, asked)
	if err != nil {
		return nil, 0, err
	}
	var best *passage
	var share, rank float64
	for _, i := range found {
		p := c.passages[i]
		covered, heading := c.compare(asked, p)
		need := least
		if len(asked) == 1 && heading == 0 {
			need = acceptWord
		}
		if r := covered + askedFully*heading; covered >= need && r > rank {
			best, share, rank = p, covered, r
		}
	}
	return best, share, nil
}

// candidates asks the index for the passages that hold any of the words.
func (c *corpus) candidates(ctx context.Context, asked []asking) ([]int, error) {
	var qs []query.Query
	for _, a := range asked {
		for _, as := range a.as {
			q := bleve.NewTermQuery(as.term)
			q.SetField("words")
			q.SetBoost(a.weight)
			qs = append(qs, q)
		}
	}
	if len(qs) == 0 {
		return nil, nil
	}
	req := bleve.NewSearchRequestOptions(bleve.NewDisjunctionQuery(qs...), candidates, 0, false)
	res, err := c.index.SearchInContext(ctx, req)
	if err != nil {
		return nil, sotto.E("answer.search", sotto.KindOther, err)
	}
	out := make([]int, 0, len(res.Hits))
	for _, h := range res.Hits {
		var i int
		if _, err := fmt.Sscan(h.ID, &i); err != nil {
			return nil, sotto.E("answer.search", sotto.KindCorrupt, err)
		}
		out = append(out, i)
	}
	return out, nil
}

// compare returns which share of the question p covers, and which share of p's
// heading the question asks.
func (c *corpus) compare(asked []asking, p *passage) (covered, heading float64) {
	present := map[string]float64{} // words of the question, as the files write them
	for _, a := range asked {
		for _, as := range a.as {
			present[as.term] = max(present[as.term], as.like)
		}
	}
	count := map[string]float64{}
	for i, ph := range p.terms.phrases {
		var have, all float64
		for _, t := range ph.terms {
			w := c.weight(t)
			all += w
			if present[t] > 0 {
				have += w
			}
		}
		full := have / all
		if i == 0 && ph.base == inHeading {
			heading = full
		}
		for _, t := range ph.terms {
			count[t] = max(count[t], ph.base+(1-ph.base)*full)
		}
	}
	var have, all float64
	for _, a := range asked {
		all += a.weight
		var got float64
		for _, as := range a.as {
			v := count[as.term]
			if p.terms.body[as.term] {
				v = max(v, inBody)
			}
			got = max(got, v*as.like)
		}
		have += a.weight * min(got, 1)
	}
	return have / all, heading
}
