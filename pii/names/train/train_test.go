package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sotto-chat/sotto/pii/names/internal/tagger"
)

func loadAll(t *testing.T) *data {
	t.Helper()
	d, err := load(os.DirFS("../data"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSmallTraining: the trainer learns, and learns the same twice.
func TestSmallTraining(t *testing.T) {
	d := loadAll(t)
	d.passes, d.repeats = 1, 2
	d.template = map[string][]string{"en": {
		"my name is {P}", "hi {F}", "i live in {C}", "i work at {O}", "im {F}", "where is my {W}", "i'm {S}", "my {W} is {S}", "{W} {W} please", "{F} here",
	}}
	d.texts["wnut17"] = d.texts["wnut17"][:100]
	train := func(d *data) []byte {
		file, err := d.train([]string{"wnut17", "synthetic"}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	file := train(d)
	again := loadAll(t)
	again.passes, again.repeats, again.template, again.texts = d.passes, d.repeats, d.template, d.texts
	if !bytes.Equal(file, train(again)) {
		t.Error("the same data give different models")
	}
	m, err := tagger.Load(string(file))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"my name is anna": "anna", "im peter": "peter", "where is my order": "", "i live in berlin": "berlin", "i'm tired": "",
	} {
		got := ""
		m.Find(text, func(f tagger.Found) { got += text[f.Start:f.End] })
		if got != want {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
}

// TestCleanChat: the model in the repository finds next to nothing in messages
// without names that it has not learned from.
func TestCleanChat(t *testing.T) {
	d := loadAll(t)
	file, err := os.ReadFile("../model.bin")
	if err != nil {
		t.Fatal(err)
	}
	m, err := tagger.Load(string(file))
	if err != nil {
		t.Fatal(err)
	}
	set, err := d.clean(os.DirFS("../data"), 10)
	if err != nil || len(set) < 1000 {
		t.Fatal(len(set), err)
	}
	hits := 0
	for _, e := range set {
		hit := ""
		m.Find(e.text, func(f tagger.Found) { hit += " " + e.text[f.Start:f.End] })
		if hit != "" {
			hits++
			t.Logf("%q:%s", e.text, hit)
		}
	}
	if 100*hits > 2*len(set) {
		t.Errorf("%d of %d clean messages have a finding", hits, len(set))
	}
	t.Logf("%d of %d", hits, len(set))
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	for _, args := range [][]string{{"-data", "nowhere"}, {"-no-such-flag"}, {"-data", t.TempDir()}} {
		if err := run(args, &out); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../data")); err != nil {
		t.Fatal(err)
	}
	// A few templates and texts are quick.
	raw, err := os.ReadFile(filepath.Join(dir, "templates.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var few strings.Builder
	n := 0
	for line := range strings.Lines(string(raw)) {
		if n++; strings.HasPrefix(line, "# ") || n%40 == 0 {
			few.WriteString(line)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "templates.txt"), []byte(few.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cut(t, dir, "social.tsv.gz", 60)
	cut(t, dir, "research.tsv.gz", 20)
	chats := filepath.Join(dir, "chats.jsonl")
	if err := os.WriteFile(chats, []byte(`{"text":"my name is anna","label":"benign","source":"us"}`+"\n"+`{"text":"x","label":"attack"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-data", dir, "-quick", "-eval", "-clean", chats, "-show", "3"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"without [wnut17] on wnut17", "PERSON   P 0.", "clean us"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	for _, bad := range []string{filepath.Join(dir, "none", "x"), filepath.Join(dir, "none"), filepath.Join(dir, "words.txt")} {
		if err := run([]string{"-data", dir, "-quick", "-eval", "-clean", bad}, &out); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	file := filepath.Join(dir, "model.bin")
	if err := run([]string{"-data", dir, "-quick", "-o", file}, &out); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Size() < 1<<20 || !strings.Contains(out.String(), "bytes") {
		t.Error(st, err, out.String())
	}
}

// cut leaves every n-th line of a compressed file.
func cut(t *testing.T, dir, name string, n int) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	i := 0
	err := lines(os.DirFS(dir), name, func(line string) error {
		if i++; i%n > 0 {
			return nil
		}
		_, err := io.WriteString(z, line+"\n")
		return err
	})
	if err := errors.Join(err, z.Close(), os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestBadData(t *testing.T) {
	for _, line := range []string{"one part", "a\tb", "s\t1-2\tx", "s\tx-2-PERSON\tx"} {
		if _, err := texts(fstest.MapFS{"f": {Data: []byte(line)}}, "f"); err == nil {
			t.Errorf("%q: no error", line)
		}
	}
	d := &data{lex: &tagger.Lexicon{}, lists: map[string][]string{}, handmade: map[uint64]bool{}, words: map[string][]string{}}
	if err := d.readLists(fstest.MapFS{"words.txt": {Data: []byte("bogus: a")}}); err == nil {
		t.Error("an unknown kind of words passes")
	}
	if err := d.readCues(fstest.MapFS{"cues.txt": {Data: []byte("bogus: a")}}); err == nil {
		t.Error("an unknown cue passes")
	}
	if err := lines(fstest.MapFS{"x.gz": {Data: []byte("no gzip")}}, "x.gz", func(string) error { return nil }); err == nil {
		t.Error("damaged gzip passes")
	}
}

func TestScore(t *testing.T) {
	file, err := os.ReadFile("../model.bin")
	if err != nil {
		t.Fatal(err)
	}
	m, err := tagger.Load(string(file))
	if err != nil {
		t.Fatal(err)
	}
	p := tagger.Person
	set := []example{
		{text: "my name is anna", spans: []span{{11, 15, p, false}}},
		{text: "my name is anna", spans: []span{{11, 15, p, true}}},
		{text: "my name is anna"},
		{text: "where is the bus", spans: []span{{13, 16, p, false}}},
	}
	c := score(m, set, func(example, tagger.Found, string) {})
	if got, want := c[p], (count{right: 1, wrong: 1, missed: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := c[p].String(); got != "P 0.500 R 0.500 F1 0.500 (2)" {
		t.Error(got)
	}
	if lost := gateLost(m, set); lost[p] != 1 {
		t.Error(lost)
	}
}
