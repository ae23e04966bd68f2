package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/sotto-chat/sotto/pii/names/internal/tagger"
)

// data is everything that training reads.
type data struct {
	lex      *tagger.Lexicon
	lists    map[string][]string // of words.txt
	feelings [][]string          // of the six languages, in the order of words.txt
	first    map[string][]string // names by language
	last     map[string][]string
	cities   []string
	nations  []string // countries and regions
	orgs     []string
	words    map[string][]string // usual words by language
	template map[string][]string
	texts    map[string][]example // by source
	repeats  int                  // messages from each template
	passes   int                  // models of which the mean is taken
	handmade map[uint64]bool      // names of words.txt
}

// example is a text and its names.
type example struct {
	text  string
	spans []span
	group string
}

type span struct {
	start, end int
	kind       tagger.Kind
	unknown    bool // neither a name nor none
}

// lines calls do for each line of a file, which may be compressed.
func lines(fsys fs.FS, name string, do func(string) error) (err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		r = z
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if err := do(s.Text()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return s.Err()
}

// texts reads labelled texts: source, spans, text, set apart by tabs.
func texts(fsys fs.FS, name string) (out []example, err error) {
	err = lines(fsys, name, func(line string) error {
		part := strings.SplitN(line, "\t", 3)
		if len(part) != 3 {
			return errors.New("a line without three parts")
		}
		e := example{group: part[0], text: unescape(part[2])}
		for s := range strings.FieldsSeq(part[1]) {
			sp, err := readSpan(s)
			if err != nil {
				return err
			}
			e.spans = append(e.spans, sp)
		}
		out = append(out, e)
		return nil
	})
	return out, err
}

func readSpan(s string) (span, error) {
	s, weak := strings.CutSuffix(s, "?")
	p := strings.SplitN(s, "-", 3)
	if len(p) != 3 {
		return span{}, errors.New("a bad span")
	}
	a, err1 := strconv.Atoi(p[0])
	b, err2 := strconv.Atoi(p[1])
	kind := map[string]tagger.Kind{"PERSON": tagger.Person, "LOCATION": tagger.Location, "ORG": tagger.Org}[p[2]]
	return span{a, b, kind, weak || kind == tagger.None}, errors.Join(err1, err2)
}

func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(s)
}

// load reads the data and builds the lexicon.
func load(fsys fs.FS) (*data, error) {
	d := &data{
		lex: &tagger.Lexicon{}, lists: map[string][]string{}, first: map[string][]string{}, last: map[string][]string{},
		words: map[string][]string{}, template: map[string][]string{}, texts: map[string][]example{},
		handmade: map[uint64]bool{}, repeats: 8, passes: 4,
	}
	for _, step := range []func(fs.FS) error{d.readNames, d.readPlaces, d.readWords, d.readLists, d.readCues, d.readTemplates} {
		if err := step(fsys); err != nil {
			return nil, err
		}
	}
	social, err := texts(fsys, "social.tsv.gz")
	if err != nil {
		return nil, err
	}
	for _, e := range social {
		source, _, _ := strings.Cut(e.group, ":")
		d.texts[source] = append(d.texts[source], e)
	}
	d.texts["presidio-research"], err = texts(fsys, "research.tsv.gz")
	return d, err
}

// main languages of names: their names are strong evidence.
const mainNames = " en de fr es pt it nl tr "

func (d *data) readNames(fsys fs.FS) error {
	read := func(file string, by map[string][]string, strong, rare tagger.Flags) error {
		return lines(fsys, file, func(line string) error {
			name, langs, _ := strings.Cut(line, "\t")
			f := rare
			all := strings.Split(langs, ",")
			for _, l := range all {
				by[l] = append(by[l], name)
				if strings.Contains(mainNames, " "+l+" ") || len(all) > 1 {
					f = strong
				}
			}
			d.lex.Parts(name, 0)
			if len(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '-' })) == 1 {
				d.lex.Add(name, f)
			}
			return nil
		})
	}
	if err := read("first.txt.gz", d.first, tagger.First, tagger.FirstRare); err != nil {
		return err
	}
	return read("last.txt.gz", d.last, tagger.Last, tagger.LastRare)
}

func (d *data) readPlaces(fsys fs.FS) error {
	size := map[string]tagger.Flags{"1": tagger.CitySmall, "2": tagger.CityMid, "3": tagger.CityBig}
	if err := lines(fsys, "cities.txt.gz", func(line string) error {
		name, n, _ := strings.Cut(line, "\t")
		d.lex.Add(name, size[n])
		if n != "1" {
			d.cities = append(d.cities, name)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := lines(fsys, "countries.txt.gz", func(line string) error {
		if len(line) > 3 {
			d.lex.Add(line, tagger.Country)
			d.nations = append(d.nations, line)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := lines(fsys, "languages.txt.gz", func(line string) error {
		d.lex.Add(line, tagger.Nation)
		return nil
	}); err != nil {
		return err
	}
	if err := lines(fsys, "orgs.txt.gz", func(line string) error {
		d.lex.Add(line, tagger.OrgName)
		d.orgs = append(d.orgs, line)
		return nil
	}); err != nil {
		return err
	}
	return lines(fsys, "famous.txt.gz", func(line string) error {
		d.lex.Add(line, tagger.Famous)
		return nil
	})
}

// langs are the languages that vote.
func langs() map[string]int {
	return map[string]int{
		"en": tagger.LangEN, "de": tagger.LangDE, "fr": tagger.LangFR, "es": tagger.LangES,
		"pt": tagger.LangPT, "it": tagger.LangIT, "nl": tagger.LangNL,
	}
}

func (d *data) readWords(fsys fs.FS) error {
	lang, rank := "", 0
	number := langs()
	if err := lines(fsys, "common.txt.gz", func(line string) error {
		if l, ok := strings.CutPrefix(line, "# "); ok {
			lang, rank = l, 0
			return nil
		}
		rank++
		f := tagger.Common10
		if rank <= 2000 {
			f = tagger.Common2
		}
		// The lists are full of names, those of other languages and the ends of
		// all the more.
		n, ok := number[lang]
		if have := d.lex.Flags(line); have&(tagger.First|tagger.CityBig|tagger.Country) != 0 && (rank > 150 || !ok) || have&(tagger.FirstRare|tagger.Last) != 0 && rank > 2000 {
			return nil
		}
		d.lex.Add(line, f)
		if ok || rank > 60 {
			d.words[lang] = append(d.words[lang], line)
		}
		if rank <= 150 {
			if !ok {
				n = tagger.LangOther
			}
			d.lex.Vote(line, n)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := lines(fsys, "stop.txt.gz", func(line string) error {
		if l, ok := strings.CutPrefix(line, "# "); ok {
			lang = l
			return nil
		}
		if _, main := number[lang]; main && len(line) > 2 && lang != "nl" || d.lex.Flags(line)&tagger.First == 0 {
			d.lex.Add(line, tagger.Function)
		}
		return nil
	}); err != nil {
		return err
	}
	return lines(fsys, "english.txt.gz", func(line string) error {
		if line[0] >= 'A' && line[0] <= 'Z' {
			d.lex.Add(line, tagger.Proper)
		} else if len(line) > 1 {
			d.lex.Add(line, tagger.English)
		}
		return nil
	})
}

func (d *data) readLists(fsys fs.FS) error {
	flag := map[string]tagger.Flags{
		"orgword": tagger.OrgWord, "placeword": tagger.PlaceWord, "particle": tagger.Particle, "suffix": tagger.Suffix,
		"time": tagger.TimeWord, "greet": tagger.GreetWord, "kinword": tagger.KinWord, "feeling": tagger.Feeling, "job": tagger.Jobs,
		"nation": tagger.Nation, "brand": tagger.Brand, "org": tagger.OrgName, "famous": tagger.Famous, "city": tagger.CityBig,
		"country": tagger.Country, "first": tagger.First, "last": tagger.Last, "ambiguous": tagger.Ambiguous, "title": tagger.TitleWord,
		"word": tagger.Common10, "id": tagger.Common10, "clear": tagger.First, "notname": tagger.Common10,
	}
	err := lines(fsys, "words.txt", func(line string) error {
		if strings.HasPrefix(line, "#") || line == "" {
			return nil
		}
		kind, rest, _ := strings.Cut(line, ":")
		f, ok := flag[kind]
		if !ok {
			return fmt.Errorf("no kind of words %q", kind)
		}
		list := split(rest)
		for _, w := range list {
			d.lex.Add(w, f)
			if f&(tagger.First|tagger.Last|tagger.Famous|tagger.Ambiguous) != 0 {
				d.handmade[tagger.Key(w)] = true
			}
		}
		switch kind {
		case "clear":
			for _, w := range list {
				d.lex.Take(w, tagger.Feeling|tagger.TimeWord|tagger.Function|tagger.Common2|tagger.Common10|tagger.English|tagger.Ambiguous|tagger.GreetWord|tagger.Particle|tagger.Brand)
			}
		case "feeling":
			d.feelings = append(d.feelings, list)
		case "city":
			d.cities = append(d.cities, list...)
		case "country":
			d.nations = append(d.nations, list...)
		case "org":
			d.orgs = append(d.orgs, list...)
		}
		d.lists[kind] = append(d.lists[kind], list...)
		return nil
	})
	d.tidy()
	return err
}

// tidy takes from usual words what only rare lists say of them.
func (d *data) tidy() {
	const person = tagger.First | tagger.FirstRare | tagger.Last | tagger.LastRare
	for _, w := range slices.Concat(d.lists["nation"], d.lists["greet"], d.lists["orgword"], d.lists["id"], d.lists["notname"]) {
		if !d.handmade[tagger.Key(w)] || slices.Contains(d.lists["nation"], w) {
			d.lex.Take(w, person)
		}
	}
	for _, lang := range []string{"en", "de", "fr", "es", "pt", "it", "nl"} {
		for i, w := range d.words[lang] {
			if f := d.lex.Flags(w); !d.handmade[tagger.Key(w)] && (i < 300 || lang == "en" && i < 3000 && f&tagger.English != 0) {
				d.lex.Take(w, person)
			}
			if f := d.lex.Flags(w); i < 2000 && f&(tagger.First|tagger.Last|tagger.CityBig|tagger.CityMid|tagger.Country|tagger.Famous|tagger.Ambiguous) == 0 {
				d.lex.Take(w, tagger.FirstRare|tagger.LastRare|tagger.CitySmall|tagger.OrgName)
			} else if i < 2000 && f&(tagger.CityMid|tagger.Country) != 0 && !slices.Contains(d.lists["city"], w) && !slices.Contains(d.lists["country"], w) {
				d.lex.Take(w, tagger.CityMid|tagger.CitySmall|tagger.Country)
			}
		}
	}
}

func split(s string) []string {
	var out []string
	for w := range strings.SplitSeq(s, ";") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

func (d *data) readCues(fsys fs.FS) error {
	number := map[string]tagger.Cue{}
	for _, c := range tagger.Cues() {
		number[c.String()] = c
	}
	return lines(fsys, "cues.txt", func(line string) error {
		if strings.HasPrefix(line, "#") || line == "" {
			return nil
		}
		kind, rest, _ := strings.Cut(line, ":")
		c, ok := number[kind]
		if !ok {
			return fmt.Errorf("no cue %q", kind)
		}
		for _, w := range split(rest) {
			d.lex.Cue(w, c)
			if c == tagger.Title {
				d.lex.Add(w, tagger.TitleWord)
			}
		}
		return nil
	})
}

func (d *data) readTemplates(fsys fs.FS) error {
	lang := ""
	return lines(fsys, "templates.txt", func(line string) error {
		if l, ok := strings.CutPrefix(line, "# "); ok {
			lang = l
			return nil
		}
		if line != "" && len(lang) == 2 {
			d.template[lang] = append(d.template[lang], unescape(line))
		}
		return nil
	})
}
