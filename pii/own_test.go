package pii

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func compileOne(t *testing.T, r OwnRule) Recogniser {
	t.Helper()
	rs, err := Compile(r)
	if err != nil {
		t.Fatal(err)
	}
	return rs[0]
}

func TestOwnRules(t *testing.T) {
	rules := `[
		{"name": "customer", "type": "CUSTOMER_NO", "pattern": "K-\\d{6}"},
		{"name": "ticket", "type": "TICKET", "pattern": "(?:no|nr)[. ]*(?P<value>\\d{4})", "ignore_case": true, "words": ["ticket", "Störung", "工单"], "score": 0.1},
		{"name": "orcid", "type": "ORCID", "pattern": "\\d{4}-\\d{4}-\\d{4}-\\d{3}[\\dX]", "check": "iso7064-mod11-2"},
		{"name": "project", "type": "PROJECT", "deny": ["Blue Moon", "Phönix", "C3-PO", "藍月"], "allow": ["phoenix"]},
		{"name": "any", "type": "EMAIL", "pattern": "[a-z]+@intern", "allow": ["info@intern"]}
	]`
	own, err := ReadOwn(strings.NewReader(rules))
	if err != nil {
		t.Fatal(err)
	}
	f := Finder{Own: own}
	for _, c := range [][2]string{
		{"my number is K-123456.", `CUSTOMER_NO "K-123456"`},
		{"XK-123456 K-1234567", "-"},
		{"it is no. 4711", "-"},
		{"ticket No. 4711", `TICKET "4711"`},
		{"STORUNG Nr 4711", `TICKET "4711"`},
		{"工单 no 4711", `TICKET "4711"`},
		{"tickets no 4711", "-"},
		{"no 4711 is a ticket", `TICKET "4711"`},
		{"orcid 0000-0002-1825-0097 0000-0002-1825-0098", `ORCID "0000-0002-1825-0097"`},
		{"0000-0002-1694-233X", `ORCID "0000-0002-1694-233X"`},
		{"we call it BLUE  moon, or Bluemoon", `PROJECT "BLUE  moon"`},
		{"phonix, Phönix! phoenix", `PROJECT "phonix", PROJECT "Phönix"`},
		{"c3 po and C3PO", `PROJECT "c3 po"`},
		{"关于藍月的", `PROJECT "藍月"`},
		{"blue", "-"},
		{"bob@intern, info@intern", `EMAIL "bob@intern"`},
	} {
		if got := show(&f, c[0]); got != c[1] {
			t.Errorf("%q: %s, want %s", c[0], got, c[1])
		}
	}
	m := NewMap()
	masked := f.Mask(m, "K-123456 and k-1, K-654321, [customer_no 1]")
	if want := "[CUSTOMER_NO_1] and k-1, [CUSTOMER_NO_2], [CUSTOMER_NO_3]"; masked != want {
		t.Errorf("got %q, want %q", masked, want)
	}
	if got := m.Unmask("[customer no 2] [CUSTOMER_NO_1] [customer_no_3]"); got != "K-654321 K-123456 [customer_no 1]" {
		t.Errorf("got %q", got)
	}
	sp := f.Find("ticket no 4711")[0]
	if diff := cmp.Diff(Span{Start: 10, End: 14, Type: "TICKET", Score: 0.9, Rule: "own/ticket", Context: "ticket"}, sp); diff != "" {
		t.Error(diff)
	}
}

// TestOwnPlaceholderBeforehand: naming a placeholder of a type of one's own
// before it has values gets nobody a value.
func TestOwnPlaceholderBeforehand(t *testing.T) {
	f := Finder{Own: []Recogniser{compileOne(t, OwnRule{Name: "customer", Type: "CUSTOMER_NO", Pattern: `K-\d{6}`})}}
	m := NewMap()
	text := "[CUSTOMER_NO_1] [customer no 2]"
	if got := f.Mask(m, text); got != text {
		t.Errorf("got %q", got)
	}
	if got := f.Mask(m, "K-123456"); got != "[CUSTOMER_NO_3]" {
		t.Errorf("got %q", got)
	}
	if got := m.Unmask(text + "[CUSTOMER_NO_3]"); got != text+"K-123456" {
		t.Errorf("got %q", got)
	}
}

// TestOwnErrors: each mistake is named.
func TestOwnErrors(t *testing.T) {
	ok := func(change func(*OwnRule)) OwnRule {
		r := OwnRule{Name: "x", Type: "X", Pattern: "a"}
		change(&r)
		return r
	}
	for want, r := range map[string]OwnRule{
		`rule 1: name:`:                ok(func(r *OwnRule) { r.Name = "X Y" }),
		`rule "x": type: "x y"`:        ok(func(r *OwnRule) { r.Type = "x y" }),
		`pattern: there is neither`:    ok(func(r *OwnRule) { r.Pattern = "" }),
		`pattern: error parsing`:       ok(func(r *OwnRule) { r.Pattern = "(" }),
		`where nothing stands`:         ok(func(r *OwnRule) { r.Pattern = `\b(x*|y)$` }),
		`bytes are more than 500`:      ok(func(r *OwnRule) { r.Pattern = strings.Repeat("a", 501) }),
		`a match may have`:             ok(func(r *OwnRule) { r.Pattern = `.{1,600}` }),
		`pattern: invalid`:             ok(func(r *OwnRule) { r.Pattern = `a{2000}` }),
		`check: "sum" is none of luhn`: ok(func(r *OwnRule) { r.Check = "sum" }),
		`before: -1 is not from`:       ok(func(r *OwnRule) { r.Before = -1 }),
		`score_near: 2 is not`:         ok(func(r *OwnRule) { r.ScoreNear = 2 }),
		`words: "!" holds no`:          ok(func(r *OwnRule) { r.Words = []string{"!"} }),
		`deny: "-" has 0 words`:        ok(func(r *OwnRule) { r.Deny = []string{"-"} }),
		`deny: "a b c d e f g h i"`:    ok(func(r *OwnRule) { r.Deny = []string{"a b c d e f g h i"} }),
	} {
		_, err := Compile(r)
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, "pattern: invalid")) || !strings.Contains(err.Error(), "pii: rule") {
			t.Errorf("%s: %v", want, err)
		}
	}
	two := OwnRule{Name: "x", Type: "X", Pattern: "a"}
	if _, err := Compile(two, two); err == nil || !strings.Contains(err.Error(), "another rule") {
		t.Errorf("two of a name: %v", err)
	}
	if _, err := Compile(OwnRule{}); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("all at once: %v", err)
	}
	for _, bad := range []string{"", "{}", `[{"nam": "x"}]`} {
		if _, err := ReadOwn(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// TestOwnChecks: right numbers of each check, and that one digit more is wrong.
// The examples are those that the standards and the organisations give.
func TestOwnChecks(t *testing.T) {
	for name, good := range map[string][]string{
		"luhn": {"79927398713"}, "verhoeff": {"2363"}, "damm": {"5724"}, "gs1": {"4006381333931", "73513537"},
		"mod11": {"0306406152", "080442957X"}, "mod11-7": {"27"},
		"mod97": {"3214282912345698765432161182"}, "iban": {"GB82WEST12345698765432"},
		"iso7064-mod11-2": {"0000000218250097", "000000021694233X", "07940"}, "iso7064-mod37-2": {"G123489654321Y"},
		"iso7064-mod97-10": {"079444"}, "iso7064-mod11-10": {"07945"},
		"iso7064-mod27-26": {}, "iso7064-mod37-36": {"A12425GABC1234002M"},
	} {
		check := checkNamed(name)
		if check == nil {
			t.Fatalf("there is no check %s", name)
		}
		for _, g := range good {
			if !check([]byte(g)) {
				t.Errorf("%s: %s does not pass", name, g)
			}
			for i := range g {
				b := []byte(g)
				b[i] = '0' + (b[i]-'0'+1)%10
				if isDigit(g[i]) && check(b) {
					t.Errorf("%s: %s passes as well as %s", name, b, g)
				}
			}
		}
		// Of all check characters for a number, exactly one passes.
		for _, body := range []string{"1234567", "9081726"} {
			n := 0
			for _, c := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
				if check([]byte(body + string(c))) {
					n++
				}
			}
			if n != 1 && !strings.Contains(name, "97") && name != "iban" && name != "mod11-7" && name != "iso7064-mod27-26" && name != "mod11" && name != "iso7064-mod11-2" {
				t.Errorf("%s: %d check characters fit %s", name, n, body)
			}
		}
		for _, bad := range []string{"", "0", "0000", "00000000"} {
			if check([]byte(bad)) {
				t.Errorf("%s: %q passes", name, bad)
			}
		}
	}
	if len(Checks()) != len(ownChecks) || checkNamed("none") != nil {
		t.Error("the checks are not those that are named")
	}
	if !checkNamed("iso7064-mod27-26")([]byte("AB" + hybridCheck("AB"))) {
		t.Error("mod 27,26 does not pass its own")
	}
}

func hybridCheck(body string) string {
	for c := 'A'; c <= 'Z'; c++ {
		if hybridSystem([]byte(body+string(c)), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			return string(c)
		}
	}
	return ""
}

// TestOwnIsLinear: no pattern and no list makes a long text take longer than its
// length says.
func TestOwnIsLinear(t *testing.T) {
	deny := []string{"a a a a a a a b", "a"}
	for i := range 5000 {
		deny = append(deny, fmt.Sprintf("word%d of many", i))
	}
	own, err := Compile(
		OwnRule{Name: "a", Type: "A", Pattern: `(?:a[a-z ]*!|a)`}, OwnRule{Name: "b", Type: "B", Pattern: `(\d+ ?)+x`, Words: []string{"one", "two"}},
		OwnRule{Name: "c", Type: "C", Deny: deny}, OwnRule{Name: "d", Type: "D", Pattern: `(a?){20}(a){20}`},
	)
	if own == nil { // a pattern may be too long; the others count
		t.Log(err)
		own, err = Compile(OwnRule{Name: "a", Type: "A", Pattern: `(?:a[a-z ]*!|a)`}, OwnRule{Name: "b", Type: "B", Pattern: `(?:\d{1,9} ?){1,9}x`, Words: []string{"one", "two"}}, OwnRule{Name: "c", Type: "C", Deny: deny})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, unit := range []string{"a", "a ", "1 ", "1", "word1 of ", "x"} {
		var one, many time.Duration
		for range 6 {
			one, many = ownTime(own, unit, 1500), ownTime(own, unit, 24000)
			if many <= 80*one+20*time.Millisecond {
				one = 0
				break
			}
		}
		if one > 0 {
			t.Errorf("%q: %v, and %v for sixteen times as much", unit, one, many)
		}
	}
}

func ownTime(own []Recogniser, unit string, n int) time.Duration {
	text := strings.Repeat(unit, n/len(unit))
	best := time.Hour
	for range 3 {
		start := time.Now()
		for _, r := range own {
			r.Recognise(text, func(Span) {})
		}
		best = min(best, time.Since(start))
	}
	return best
}

func TestOwnFindsNothingForNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("counts allocations, to which the race detector adds")
	}
	f := Finder{Own: []Recogniser{compileOne(t, OwnRule{Name: "x", Type: "X", Pattern: `K-\d{6}`, Deny: []string{"blue moon"}})}}
	if n := testing.AllocsPerRun(20, func() { f.Find("hello, how are you? nothing here") }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}

func TestMatchLength(t *testing.T) {
	for pattern, want := range map[string][2]int{
		"abc": {3, 3}, "a|bcd": {1, 3}, "a*b": {1, 65}, "a+": {1, 64}, "[a-zä]{2,3}": {2, 6}, ".": {1, 4}, "(?i)k": {1, 3}, "(a?b)?": {0, 2}, `^\bx\B$`: {1, 1},
		"[^\\x00-\\x{10FFFF}]": {1 << 20, 0}, "(?:)": {0, 0}, "a{3,}": {3, 64}, "(?s).": {1, 4}, "a{70,}": {70, 70},
	} {
		re, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		bound(re)
		least, most := matchLength(re)
		if least != want[0] || most != want[1] {
			t.Errorf("%s: %d to %d, want %v", pattern, least, most, want)
		}
	}
}
