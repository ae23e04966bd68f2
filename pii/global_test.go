package pii

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// hostileUnits make up texts that cost the recognisers of this package's global
// types the most: what begins like a finding and is none, over and over.
func hostileUnits() []string {
	return []string{
		"a.b", "a.com", "a.com.", "www.", "a.com/", "x.de ", "a-.", "http://", "https://a", "://", "http://a@", "http://a.de/(((",
		"@a ", "@a.", "@a@b", "@a:", "a#1234 ", "discord ", "insta is ", "my insta: ", "insta ", "my telegram ",
		"password ", "password: ", "password is ", "pw is \"", "pass: ", "pin ", "pin is ", "otp ", "code ", "verification code ",
		"token ", "key a1b2c3d4e5f6a7b8c9 ", "a1b2c3d4e5f6a7b8c9d0", "eyJ", "eyJa.", "eyJaaaaaaaaaaaaa.eyJ", "sk-", "sk-a1", "xoxb-1-",
		"AKIA", "AIza", "ghp_", "-----BEGIN ", begin + "PRIVATE KEY-----", begin + "PRIVATE KEY-----\n-----END ",
		"0x", "0xaB", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee ", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb ", "bc1q", "bc1 ", "1a",
		"44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3B ",
		"routing 071000014 ", "sort code 12-", "account 123456 ", "kontonummer 1 ", "bic ", "bic: deut", "blz 100 ",
		"00:1A:", "aa:bb:cc:dd:ee:f", "aabb.ccdd.", "aa-", "1:aa:",
		"at ", "a at b dot ", "(at) ", "a dot ", "dot ", "a (at) b (dot) ", "@ ", " @ a . ", "a arroba b punto ",
		"&#64;", "&#", "&", "&amp;", "&#x40", "a\u200b", "\u200bа", "аa", "аa ", "ａ", "𝐚", "𝟒",
		"1 2 ", "4 ", "1-", "4 1 ", "1 22 ", "1 - ", "+ 4 ", "one ", "one two ", "double ", "double one ", "null eins ",
		"密码", "密码是", "パスワード", "微信", "é", "éa ", "contraseña ", "пароль ", "ǅ",
		"4111 1111 1111 1112 ", "DE 89 ", "D E 8 9 ", "1.2.3.4 ", "version 1.2.3.4 ", "::1%", "fe80::1%e ", "wa.me/1", "https://wa.me/4915112345678 ",
		"\"a\"@", "\"@", "\"\\\"", "a@b dot ", "a @ b . c", "G-1", "call ", "my number ", "__", "a_", "_a.",
	}
}

// TestHostileGlobal: none of them takes more time than its length allows. The
// comparison is with the same number of bytes in a text four times shorter, so a
// busy machine does no harm.
func TestHostileGlobal(t *testing.T) {
	if testing.Short() {
		t.Skip("compares times, which the race detector distorts")
	}
	var f Finder
	f.Find("+4915112345678")
	for _, unit := range hostileUnits() {
		var short, long time.Duration
		n := 0
		for range 8 {
			short, n = measure(&f, unit, 4_000)
			if long, _ = measure(&f, unit, 64_000); long <= 80*short+20*time.Millisecond {
				n = 0
				break
			}
		}
		if n > 0 {
			t.Errorf("%q: %v for %d bytes, %v for sixteen times as many", unit, short, n, long)
		}
	}
}

// fixed finds a word wherever it stands.
type fixed struct {
	word string
	span Span
}

func (r fixed) Recognise(text string, add func(Span)) {
	for at := 0; ; {
		i := strings.Index(text[at:], r.word)
		if i < 0 || r.word == "" {
			add(Span{Start: -1, End: 1, Type: Email, Score: 1})
			add(Span{Start: 0, End: len(text) + 1, Type: Email, Score: 1})
			add(Span{Start: 1, End: 1, Type: Email, Score: 1})
			add(Span{Start: 0, End: 1, Type: Email, Score: 2})
			return
		}
		sp := r.span
		sp.Start, sp.End = at+i, at+i+len(r.word)
		add(sp)
		at = sp.End
	}
}

// TestOptions: what a Finder is told, it does.
func TestOptions(t *testing.T) {
	const text = "ada@example.org, https://example.org/?m=eve@example.org, +49 151 12345678"
	for name, c := range map[string]struct {
		f    Finder
		text string
		want []string
	}{
		"types": {Finder{Types: []Type{Phone}}, text, []string{"PHONE +49 151 12345678"}},
		"a type inside of another": {
			Finder{Types: []Type{Email}}, text, []string{"EMAIL ada@example.org", "EMAIL eve@example.org"},
		},
		"a type that is something else": {Finder{Types: []Type{Phone}}, "card 4111 1111 1111 1111", nil},
		"none of the types":             {Finder{Types: []Type{MAC}}, text, nil},
		"a high threshold": {
			Finder{Threshold: 0.95, Types: []Type{Email, URL, Phone}},
			text,
			[]string{"EMAIL ada@example.org", "URL https://example.org/?m=eve@example.org"},
		},
		"a low threshold": {Finder{Threshold: 0.3, Types: []Type{BankRouting}}, "021000021", []string{"BANK_ROUTING 021000021"}},
		"a region":        {Finder{Regions: []string{"US"}, Types: []Type{BankRouting}}, "021000021", []string{"BANK_ROUTING 021000021"}},
		"allowed": {
			Finder{Allow: []string{"ADA@example.org", "+49-151/12345678", ""}, Types: []Type{Email, URL, Phone}},
			text,
			[]string{"URL https://example.org/?m=eve@example.org"},
		},
		"allowed in another alphabet": {Finder{Allow: []string{"Иван@почта.рф"}, Types: []Type{Email}}, "иван@ПОЧТА.рф", nil},
		"not allowed":                 {Finder{Allow: []string{"ada"}, Types: []Type{Email}}, "ada@example.org", []string{"EMAIL ada@example.org"}},
		"own": {
			Finder{Own: []Recogniser{fixed{"blue", Span{Type: "SHADE", Score: 0.9}}}},
			"the blue one, é",
			[]string{"SHADE blue"},
		},
		"own is as sure": {
			Finder{Own: []Recogniser{fixed{"a@b.de", Span{Type: "SHADE", Score: 0.96}}}, Types: []Type{Email, "SHADE"}},
			"a@b.de",
			[]string{"SHADE a@b.de"},
		},
		"own is as sure and shorter": {
			Finder{Own: []Recogniser{fixed{"b.de", Span{Type: "SHADE", Score: 0.96}}}, Types: []Type{Email, "SHADE"}},
			"a@b.de",
			[]string{"SHADE b.de"},
		},
		"own is less sure": {
			Finder{Own: []Recogniser{fixed{"a@b.de", Span{Type: "SHADE", Score: 0.6}}}, Types: []Type{Email, "SHADE"}},
			"a@b.de x a@c.de",
			[]string{"EMAIL a@b.de", "EMAIL a@c.de"},
		},
		"two of one's own": {
			Finder{Own: []Recogniser{
				fixed{"blue sky", Span{Type: "SKY", Score: 0.9}}, fixed{"blue", Span{Type: "SHADE", Score: 0.9}},
			}, Types: []Type{"SHADE", "SKY"}},
			"blue, blue sky",
			[]string{"SHADE blue", "SKY blue sky"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, sp := range c.f.Find(c.text) {
				got = append(got, string(sp.Type)+" "+c.text[sp.Start:sp.End])
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestKeccak: the published value for the empty text, and one of more than a block.
func TestKeccak(t *testing.T) {
	const empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
	if got := hexOf(keccak256(nil)); got != empty {
		t.Error(got)
	}
	if keccak256(make([]byte, 136)) == keccak256(make([]byte, 137)) {
		t.Error("the length does not count")
	}
}

func hexOf(b [32]byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

// TestViewOffsets: each byte of a view says where it comes from, in order and
// on the borders of characters.
func TestViewOffsets(t *testing.T) {
	for _, text := range append(hostileUnits(), quiet()...) {
		checkView(t, strings.Repeat(text, 3))
	}
}

func checkView(t *testing.T, text string) {
	t.Helper()
	var v view
	for i := range tricks(32) {
		v.make(text, i)
		last := int32(0)
		for k := range v.text {
			from, to := v.from[k], v.to[k]
			if from < last || to <= from || int(to) > len(text) ||
				utf8.ValidString(text) && (!utf8.RuneStart(text[from]) || int(to) < len(text) && !utf8.RuneStart(text[to])) {
				t.Fatalf("%q with %b: byte %d of %q is %d to %d, after %d", text, i, k, v.text, from, to, last)
			}
			last = from
		}
		if len(v.from) != len(v.text) || len(v.to) != len(v.text) {
			t.Fatalf("%q with %b: %d bytes, %d, %d", text, i, len(v.text), len(v.from), len(v.to))
		}
	}
}

// FuzzFind: findings are in order, do not overlap, and lie inside the text on
// the borders of characters; a view's offsets are right; masking and unmasking
// gives the text back.
func FuzzFind(f *testing.F) {
	for _, u := range append(hostileUnits(), quiet()...) {
		f.Add(u + u)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var finder Finder
		last := 0
		for _, sp := range finder.Find(text) {
			if sp.Start < last || sp.End <= sp.Start || sp.End > len(text) || sp.Type == "" || sp.Rule == "" ||
				sp.Score < 0.5 || sp.Score > 1 {
				t.Fatalf("%q: %+v after %d", text, sp, last)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[sp.Start:sp.End]) {
				t.Fatalf("%q: %+v is inside of a character", text, sp)
			}
			last = sp.End
		}
		checkView(t, text)
		m := NewMap()
		if got := m.Unmask(finder.Mask(m, text)); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
