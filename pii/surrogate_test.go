package pii

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func testKey(tb testing.TB, seed string) Key {
	tb.Helper()
	k, err := NewKey([]byte(strings.Repeat(seed, 16)))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func surrogate(k Key, t Type, value string, u Use) string {
	return string(Surrogate{Key: k}.Append(nil, Finding{Type: t, Value: value, Use: u}))
}

// TestSurrogateIsOfItsType: a surrogate is found as the type of its value, has
// its signs and length, is the same again, and is never the value.
func TestSurrogateIsOfItsType(t *testing.T) {
	k, other := testKey(t, "a"), testKey(t, "b")
	r := rand.New(rand.NewPCG(7, 8))
	values := map[Type][]string{
		Email:        {"ada@example.com", "Ada.Lovelace+x@mail.example.co.uk", "a@b.de", "ADA_99@EXAMPLE.NET"},
		CreditCard:   {"4111 1111 1111 1111", "5555555555554444", "3782-822463-10005", "6011111111111117", "2200000000000004", "30569309025904"},
		IBAN:         {"DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "MT84 MALT 0110 0001 2345 MTLC AST0 01S", "de89370400440532013000", "NO93 8601 1117 947"},
		Phone:        {"+49 151 12345678", "+49 (0)151 2345678", "+1 (415) 555-2671", "+1-415-555-2671 x769", "+44 7911 123456", "+33 6 12 34 56 78", "+46 70 123 45 67", "+353 87 123 4567", "+61 412 345 678", "0049 30 1234567", "+90 532 123 45 67", "+34 612 345 678", "+55 11 91234-5678", "+49 30 12345678"},
		IP:           {"8.8.8.8", "10.0.0.0/8", "2001:4860::8888", "fe80::1/64"},
		MAC:          {"3c:22:fb:12:34:56", "3C-22-FB-12-34-56"},
		URL:          {"https://shop.example.com/order/4711?x=1", "http://www.beispiel.de", "https://example.com/a%20b"},
		CryptoWallet: {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"},
		Secret:       {"ghp_16C7e42F292c6912E7710c838347Ae178B4a"},
		BankRouting:  {"021000021", "011401533"},
	}
	for typ := range nationalTable().byType {
		for range 4 {
			values[typ] = append(values[typ], valid(typ, r))
		}
	}
	values[FIHETU] = append(values[FIHETU], "131052-308T")
	values[BRCPF] = append(values[BRCPF], "529.982.247-25")
	values[PLPESEL] = append(values[PLPESEL], "44051401359")
	for typ, vs := range values {
		for _, v := range vs {
			got := surrogate(k, typ, v, Use{})
			if strings.HasPrefix(got, "[") || normal(typ, got) == normal(typ, v) {
				t.Errorf("%s %q became %q", typ, v, got)
				continue
			}
			if seenAlone(typ, v) && !seenAlone(typ, got) {
				t.Errorf("%s %q became %q, which is not found", typ, v, got)
			}
			if again := surrogate(k, typ, v, Use{}); again != got {
				t.Errorf("%s %q became %q, then %q", typ, v, got, again)
			}
			if elsewhere := surrogate(other, typ, v, Use{}); elsewhere == got && typ != Phone {
				t.Errorf("%s %q is %q under two keys", typ, v, got)
			}
			if typ != Email && typ != IP && typ != URL && (utf8.RuneCountInString(got) != utf8.RuneCountInString(v) || signs(got) != signs(v)) {
				t.Errorf("%s %q became %q, of another form", typ, v, got)
			}
		}
	}
}

// signs are what is neither letter nor digit.
func signs(s string) string {
	return strings.Map(func(r rune) rune {
		if c := fold(r); r >= utf8.RuneSelf && c != other || r < utf8.RuneSelf && (isAlpha(byte(r)) || isDigit(byte(r))) {
			return -1
		}
		return r
	}, s)
}

// TestSurrogateOfSpellings: one value has one surrogate, in its spelling.
func TestSurrogateOfSpellings(t *testing.T) {
	k := testKey(t, "a")
	for _, c := range []struct {
		typ  Type
		a, b string
	}{
		{CreditCard, "4111 1111 1111 1111", "4111-1111-1111-1111"},
		{IBAN, "DE89 3704 0044 0532 0130 00", "de89370400440532013000"},
		{Email, "ada@example.com", "ADA@example.com"},
		{Phone, "+49 151 12345678", "+49(151)12345678"},
		{Person, "Anna Schmidt", "ANNA SCHMIDT"},
		{PLPESEL, "44051401359", "440514-01359"},
	} {
		a, b := normal(c.typ, surrogate(k, c.typ, c.a, Use{})), normal(c.typ, surrogate(k, c.typ, c.b, Use{}))
		if a != b {
			t.Errorf("%s %q and %q are %q and %q", c.typ, c.a, c.b, a, b)
		}
	}
}

func TestSurrogateNames(t *testing.T) {
	k := testKey(t, "a")
	at := func(s string) string { return surrogate(k, Person, s, Use{}) }
	full := at("Anna Schmidt")
	first, last, ok := strings.Cut(full, " ")
	if !ok || at("Anna") != first || at("Frau Schmidt") != "Frau "+last || at("anna schmidt") != strings.ToLower(full) || at("Anna's") != first+"'s" {
		t.Errorf("%q %q %q %q %q", full, at("Anna"), at("Frau Schmidt"), at("anna schmidt"), at("Anna's"))
	}
	for _, name := range []string{"Анна Петрова", "王小明", "محمد علي", "Νίκος", "דוד", "राम", "김민수", "さくら", "J. R. R. Tolkien", "José", "Alex", "安"} {
		got := at(name)
		if got == name || scriptOf(got) != scriptOf(name) && !strings.HasPrefix(got, "[") {
			t.Errorf("%q became %q", name, got)
		}
	}
	for i := range neutral {
		for _, n := range neutral[i] {
			if at(n) == n {
				t.Errorf("%q stays", n)
			}
			if scriptOf(n) != i {
				t.Errorf("%q is of script %d, not %d", n, scriptOf(n), i)
			}
		}
	}
}

func TestSurrogateRest(t *testing.T) {
	k := testKey(t, "a")
	us := Use{Region: "US"}
	if got := surrogate(k, Phone, "(415) 723-2671", us); !strings.HasPrefix(got, "(415) 555-01") {
		t.Errorf("got %q", got)
	}
	if got := surrogate(k, Phone, "0151 2345678", Use{Region: "DE"}); !strings.HasPrefix(got, "0171 39200") {
		t.Errorf("got %q", got)
	}
	for _, c := range [][2]string{{string(Address), "Hauptstr. 5"}, {string(Location), "Berlin"}, {string(Medical), "asthma"}, {string(Age), "young"}, {string(Date), "tomorrow"}, {string(Secret), "-----BEGIN X"}, {string(CryptoWallet), "x"}, {string(MAC), "12"}, {string(CreditCard), "1"}, {string(IBAN), "DE"}} {
		if got := surrogate(k, Type(c[0]), c[1], Use{}); got != "["+c[0]+"]" {
			t.Errorf("%s %q became %q", c[0], c[1], got)
		}
	}
	for _, c := range []struct {
		typ   Type
		value string
	}{
		{Age, "34 Jahre"},
		{Username, "@ada_99"},
		{"ORDER_NO", "AB-1234"},
		{Passport, "C01X00T47"},
		{VehiclePlate, "B-МЖ ٣٤"},
		{Secret, "hunter2"},
		{Email, "ada at example dot org"},
		{PLPESEL, "00000000000"},
		{DateOfBirth, "3 May 1984"},
	} {
		got := surrogate(k, c.typ, c.value, Use{})
		if got == c.value || strings.HasPrefix(got, "[") {
			t.Errorf("%s %q became %q", c.typ, c.value, got)
		}
		if again := surrogate(k, c.typ, c.value, Use{}); again != got {
			t.Errorf("%s %q became %q, then %q", c.typ, c.value, got, again)
		}
	}
	if got := string((Surrogate{}).Append(nil, Finding{Type: Email, Value: "ada@example.org"})); got != "[EMAIL]" {
		t.Errorf("without a key: %q", got)
	}
}
