package pii

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// cuts gives text to write in pieces of up to most bytes.
func cuts(r *rand.Rand, text string, most int, write func(string) string, end func() string) string {
	var out strings.Builder
	for text != "" {
		n := 1 + r.IntN(min(most, len(text)))
		out.WriteString(write(text[:n]))
		text = text[n:]
	}
	out.WriteString(end())
	return out.String()
}

// armor stands around the names of a key; no key is written out here.
const armor = "-----"

func streamTexts() []string {
	long := strings.Repeat("and so on, as one says, ", 30)
	return []string{
		"", "hello", "write to ada@example.org please\nor call +49 151 12345678.", "[EMAIL_1] ada@example.org",
		long + "ada@example.org" + long + "+49 151 12345678, " + long + "DE89 3704 0044 0532 0130 00 " + long,
		"my card is 4111 1111 1111 1111\r\nand 192.0.2.1\n\n2001:db8::1\n", "請問 ada@example.org 這個多少錢" + strings.Repeat("請問這個多少錢", 60) + "ada@example.org",
		strings.Repeat("ada@example.org ", 60), strings.Repeat("bob", 300) + "@example.org ada@example.org", strings.Repeat("[EMAIL_1", 80), strings.Repeat("[", 600),
		strings.Repeat("\xff", 700) + "ada@example.org", strings.Repeat("1", 900), "x" + strings.Repeat("\u200b", 400) + "ada@example.org",
		long + armor + "BEGIN RSA PRIVATE KEY" + armor + "\n" + strings.Repeat("MIIEpAIBAAKCAQEAt4l2Hq8Zb7N3cQ9wVxYz\n", 20) + "-----END RSA PRIVATE KEY-----\nthanks, ada@example.org",
		armor + "BEGIN PRIVATE KEY" + armor + "\nMIIEpAIBAAKCAQEAt4l2Hq8Zb7N3cQ9wVxYz\nnever ended", long + "https://example.org/" + strings.Repeat("a1b2/", 200) + " ada@example.org",
		"call me on my phone, the number is\n0151 1234567", strings.Repeat("\\[EMAIL\\_1\\] ", 40) + "【EMAIL_1】",
	}
}

// TestMaskerAnyCut: the result depends on the text and not on how it is cut.
func TestMaskerAnyCut(t *testing.T) {
	p := Policy{}
	r := rand.New(rand.NewPCG(1, 2))
	for _, text := range streamTexts() {
		one := p.Masker(Use{Map: NewMap()})
		want := one.Write(text) + one.Close()
		for _, most := range []int{1, 3, 17, 400} {
			m := p.Masker(Use{Map: NewMap()})
			held := 0
			in, outLen := 0, 0
			got := cuts(r, text, most, func(s string) string {
				out := m.Write(s)
				in, outLen = in+len(s), outLen+len(out)
				held = max(held, m.held())
				return out
			}, m.Close)
			if got != want {
				t.Fatalf("pieces of %d:\n%q\n%q", most, got, want)
			}
			if held > MaxHeld {
				t.Errorf("%d bytes were held", held)
			}
		}
	}
}

// TestMaskerIsApply: on lines without values of great length the result is that
// of the whole text, and comes back as it was.
func TestMaskerIsApply(t *testing.T) {
	p := DefaultPolicy()
	for _, typ := range Types() {
		if typ != Person && typ != Location && typ != Org { // they are made by the whole sentence
			p.Finder.Types = append(p.Finder.Types, typ)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		text := randomChat(r, 3+r.IntN(60))
		m, w := NewMap(), NewMap()
		s := p.Masker(Use{Map: m})
		got := cuts(r, text, 1+r.IntN(50), s.Write, s.Close)
		if want := p.Apply(Use{Map: w}, text); got != want {
			t.Fatalf("%q\n%q\n%q", text, got, want)
		}
		u := m.Unmasker()
		if back := cuts(r, got, 1+r.IntN(20), u.Write, u.Close); back != text {
			t.Fatalf("%q\n%q", back, text)
		}
	}
}

// randomChat makes lines of words and values, each spelt in one way.
func randomChat(r *rand.Rand, n int) string {
	words := strings.Fields("hello please when is my parcel here thanks ok the blue one costs too much danke schön où est привет 請問 🙂 [x] (no) 12 a-b")
	values := []string{
		"ada@example.org", "+49 151 12345678", "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111", "192.0.2.1",
		"bob.builder@mail.example.com", "2001:db8::1", "[EMAIL_1]", "[phone 7]", "+1 415 555 2671",
	}
	var b strings.Builder
	for range n {
		if r.IntN(5) == 0 {
			b.WriteString(values[r.IntN(len(values))] + ", ")
		} else {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
	}
	return b.String()
}

// TestMaskerLetsNothingThrough: values that are cut by a limit or a line are
// gone as well.
func TestMaskerLetsNothingThrough(t *testing.T) {
	p := Policy{}
	key := armor + "BEGIN RSA PRIVATE KEY" + armor + "\n" + strings.Repeat("MIIEpAIBAAKCAQEAt4l2Hq8Zb7N3cQ9wVxYz\n", 20) + "-----END RSA PRIVATE KEY-----"
	m := p.Masker(Use{Map: NewMap()})
	got := m.Write("my key:\n"+key+"\nmail me at ada@example.org") + m.Close()
	if want := "my key:\n[SECRET]\nmail me at [EMAIL_1]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = m.Write("see https://example.org/"+strings.Repeat("token", 100)+" and ada@example.org") + m.Close()
	if want := "see [URL] and [EMAIL_1]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	left := Policy{Types: map[Type]Operator{Secret: Leave{}}}
	m = left.Masker(Use{})
	if got := m.Write(key+"\n") + m.Close(); got != key+"\n" {
		t.Errorf("a key that is to be left is %q", got)
	}
}

// TestMaskerIsSoon: what cannot be part of a value any more is given out.
func TestMaskerIsSoon(t *testing.T) {
	p := Policy{}
	m := p.Masker(Use{})
	if got := m.Write("hello, how are you?\n"); got != "hello, how are you?\n" {
		t.Errorf("a line is held back: %q", got)
	}
	in, out := 0, 0
	for range 500 {
		in += 5
		out += len(m.Write("word "))
		if in-out > streamFirst {
			t.Fatalf("%d bytes are held back", in-out)
		}
	}
}

func TestUnmaskerAnyCut(t *testing.T) {
	m := NewMap()
	var f Finder
	f.Mask(m, "ada@example.org, +49 151 12345678, 192.0.2.1")
	r := rand.New(rand.NewPCG(5, 6))
	for _, text := range append(streamTexts(), []string{
		"Dear [EMAIL_1], we call [PHONE_1].", "[email 1] \\[EMAIL\\_1\\] 【IP_1】 ［ＩＰ＿１］ [EMAIL_9] [", "[EMAIL_1", "\\", "[[EMAIL_1]]", "[EMAIL_[EMAIL_1]]",
		"[ EMAIL _ 1 ] é\xe3\x80", strings.Repeat("[EMAIL_1]", 50), "【EMAIL_1]【【", "[EMAIL_1\\", "[I\u200bP_1]",
	}...) {
		whole, done := m.unmask(text, true)
		want := string(append(whole, text[done:]...))
		for _, most := range []int{1, 2, 5, 40} {
			u := m.Unmasker()
			held := 0
			got := cuts(r, text, most, func(s string) string {
				out := u.Write(s)
				held = max(held, len(u.open))
				return out
			}, u.Close)
			if got != want {
				t.Fatalf("pieces of %d of %q:\n%q\n%q", most, text, got, want)
			}
			if held > 99 {
				t.Errorf("%d bytes held of %q", held, text)
			}
		}
	}
	var none *Map
	u := none.Unmasker()
	if got := u.Write("[EMA") + u.Write("IL_1]") + u.Close(); got != "[EMAIL_1]" {
		t.Errorf("without a map: %q", got)
	}
}

// FuzzStream: neither a Masker nor an Unmasker depends on how a text is cut.
func FuzzStream(f *testing.F) {
	for i, s := range streamTexts() {
		f.Add(s, uint64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 4000 {
			return
		}
		p := DefaultPolicy()
		r := rand.New(rand.NewPCG(seed, 1))
		a, b := NewMap(), NewMap()
		one, many := p.Masker(Use{Map: a}), p.Masker(Use{Map: b})
		want := one.Write(text) + one.Close()
		if got := cuts(r, text, 60, many.Write, many.Close); got != want {
			t.Fatalf("%q\n%q", got, want)
		}
		whole, done := a.unmask(want, true)
		clear := string(append(whole, want[done:]...))
		u := b.Unmasker()
		if got := cuts(r, want, 9, u.Write, u.Close); got != clear {
			t.Fatalf("%q\n%q", got, clear)
		}
	})
}
