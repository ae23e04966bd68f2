package pii

// germanic weighs whether the word p is a street by its end: Hauptstraße,
// Kerkstraat, Storgatan; or is such an end that stands alone: Bonner Straße.
func (b *reader) germanic(p int) (street, bool) {
	w := &b.w[p]
	if w.digits || w.n < 3 || w.n > 40 {
		return street{}, false
	}
	var buf [100]byte
	f := b.fold(buf[:], w)
	end, weak := streetSuffix(f)
	if end == 0 {
		return street{}, false
	}
	s := street{from: p, score: 0.8}
	if weak {
		s.score = 0.65
	}
	led := b.near(p, 4, sAddress) || b.at(p-1).is(sHere) && !b.w[p].hard()
	if end == len(f) { // it stands alone, and its name in front of it
		if p == 0 || w.hard() || !b.w[p-1].upper && w.sep != '-' && !led || b.w[p-1].digits || b.w[p-1].is(sStop) && !b.w[p-1].is(sJoint) {
			return street{}, false
		}
		s.from = b.nameBefore(p)
		s.needsMore = weak && !led && w.sep != '-'
		return s, s.from < p
	}
	if notStreets(f) {
		return street{}, false
	}
	if w.sep == '-' && !w.space || w.space && p > 0 && b.w[p-1].upper && w.sep == 0 && w.upper && b.adjective(p-1) {
		s.from = b.nameBefore(p)
	}
	s.needsMore = weak && !led && (!w.upper || !b.clauseAfter(p+1))
	return s, true
}

// clauseAfter reports whether the number behind the word i-1 ends its clause or
// is followed by something that cannot be counted.
func (b *reader) clauseAfter(i int) bool {
	n := b.at(i + 1)
	return n.start == len(b.text) || n.hard() || n.glued() || n.digits || n.is(sHere|sGoesOn|sBe) && !n.is(sMeasure)
}

// adjective reports whether the capitalised word i can be the first part of a
// street's name: Alte Poststraße, Große Bleichen.
func (b *reader) adjective(i int) bool {
	var buf [100]byte
	w := &b.w[i]
	if w.digits || w.n < 4 || w.is(sStop|sAddress|sHere|sWho) {
		return false
	}
	f := b.fold(buf[:], w)
	return f[len(f)-1] == 'e' || f[len(f)-1] == 'r' && f[len(f)-2] == 'e' || f[len(f)-1] == 'n' && f[len(f)-2] == 'e'
}

// nameBefore goes back from p over hyphens and at most three capitalised words.
func (b *reader) nameBefore(p int) int {
	i := p
	for n := 0; i > 0 && n < 5; n++ {
		w, q := &b.w[i], &b.w[i-1]
		if w.sep == '-' && !w.space && !w.line && !q.digits {
			i--
			continue
		}
		if n < 3 && w.sep == 0 && w.space && !w.line && q.upper && !q.digits && !q.is(sAddress|sWho|sBe|sStop) && (q.n >= 4 || !q.is(sHere)) && (i == p || w.is(sJoint) || q.n > 2) && p-i < 2 {
			i--
			continue
		}
		break
	}
	return i
}

// The ends of words that are streets: in German, Dutch, Danish, Norwegian,
// Swedish, Finnish, Hungarian. Weak ones are ends of many other words.
var (
	streetEnds     = [...]string{"strasse", "straat", "gatan", "gata", "gaten", "vagen", "veien", "vegen", "katu", "utca", "gasse", "gracht", "strase"}                                                                                                                                                                                                                                                                                                           //nolint:gochecknoglobals // constant
	streetEndsWeak = [...]string{"str", "weg", "allee", "platz", "ring", "damm", "ufer", "laan", "plein", "kade", "dijk", "singel", "steeg", "vej", "gade", "steig", "stieg", "chaussee", "promenade", "graben", "markt", "kai", "tie", "kuja", "polku", "plads", "stien", "gate", "gang", "wall", "twiete", "dreef", "baan", "boulevard", "hof", "berg", "kamp", "feld", "alle", "grand", "torg", "pad", "bogen", "leite", "siedlung", "zeile", "brink", "stig"} //nolint:gochecknoglobals // constant
)

// streetSuffix returns how long the end is that makes a folded word a street.
func streetSuffix(f []byte) (n int, weak bool) {
	for _, e := range streetEnds {
		if hasSuffix(f, e) {
			return len(e), false
		}
	}
	for _, e := range streetEndsWeak {
		if hasSuffix(f, e) && (len(f) == len(e) || len(f) >= len(e)+3) {
			return len(e), e != "str"
		}
	}
	return 0, false
}

func hasSuffix(f []byte, s string) bool {
	return len(f) >= len(s) && f[len(f)-1] == s[len(s)-1] && string(f[len(f)-len(s):]) == s
}

// noStreets are words that end as streets do and are none.
//
//nolint:gochecknoglobals,misspell // a constant table of German words
var noStreets = [...]string{
	"parkplatz", "sitzplatz", "stellplatz", "arbeitsplatz", "studienplatz", "liegeplatz", "spielplatz", "stehplatz",
	"schlafplatz", "umweg", "heimweg", "hinweg", "ruckweg", "ausweg", "ohrring", "hering",
	"bahnhof", "friedhof", "flughafen", "bauernhof", "supermarkt", "navigate", "aggregate", "delegate",
	"colgate", "investigate", "dieberg", "eingang", "ausgang", "vorgang", "lehrgang", "jahrgang",
	"umgang", "zugang", "rundgang", "durchgang", "frontend", "brand", "boring", "during",
	"monitoring", "string", "spring", "bring", "hardware", "pokemonkarte", "einbahnstrasse", "milchstrasse",
	"seidenstrasse", "sackgasse", "delegation", "halle", "alle", "falle", "gefalle",
}

func notStreets(f []byte) bool {
	for _, x := range noStreets {
		if string(f) == x {
			return true
		}
	}
	return false
}
