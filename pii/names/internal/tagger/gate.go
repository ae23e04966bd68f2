package tagger

// caseMode is how capitals are used around a word.
type caseMode uint8

const (
	sentence caseMode = iota // as the books say
	allLower
	allUpper
	headline // Nearly Every Word
)

// window is a chunk of tokens with what holds for all of it.
type window struct {
	m    *Model
	tok  [chunk]token
	n    int
	mode caseMode
	lang uint8
	src  string
}

// soft separators leave two words in one phrase.
const soft = sepSpace | sepDash | sepApostrophe | sepLine

// look looks every word up and lets the gate decide. It reports whether any
// word came through.
func (w *window) look(text string) bool {
	w.src, w.lang = text, LangEN
	var lowers, caps, uppers int
	for i := range w.n {
		t := &w.tok[i]
		switch t.shape {
		case lower:
			lowers++
		case capped, mixed:
			caps++
		case upper:
			uppers++
		case cap1, digits, masked:
		}
		if t.shape == masked {
			t.class, t.flags = 0, 0
			continue
		}
		t.class = w.m.lex.find(t.hash)
		t.flags = w.m.lex.classes[t.class].flags
	}
	w.mode = modeOf(lowers, caps, uppers)
	through := false
	for i := range w.n {
		t := &w.tok[i]
		t.cand = w.gate(i)
		through = through || t.cand
	}
	return through
}

func modeOf(lowers, caps, uppers int) caseMode {
	switch {
	case caps+uppers == 0:
		return allLower
	case uppers >= 2 && uppers > 2*(lowers+caps), uppers == 1 && lowers+caps == 0:
		return allUpper
	case caps >= 4 && caps > 2*lowers:
		return headline
	}
	return sentence
}

// gate decides about one word from the word and what stands before it.
//
//nolint:gocognit // a list of cases
func (w *window) gate(i int) bool {
	t := &w.tok[i]
	if t.shape >= digits || t.len > maxWordLen {
		return false
	}
	name := t.flags&NameFlags != 0
	known := t.flags&knownWord != 0
	if i > 0 && w.tok[i-1].flags&CueEnd != 0 && t.len > 1 {
		if w.selfWord(i) {
			return false
		}
		if w.cued(i) {
			return true
		}
	}
	if t.flags&PhraseHead != 0 {
		if n, _ := w.phrase(i); n > 0 {
			return true
		}
	}
	capital := t.shape != lower && w.mode != allUpper
	if capital && w.mode == sentence && !w.starts(i) {
		return t.len > 1 && (t.flags&Function == 0 || name) || w.initial(i)
	}
	if t.shape == cap1 {
		return w.initial(i)
	}
	if capital {
		return name && t.flags&(Function|Ambiguous) == 0 || !known && w.latin(t) || name && w.follows(i)
	}
	if name {
		if t.flags&(Function|Ambiguous|TimeWord|GreetWord) != 0 {
			return false
		}
		if t.flags&First != 0 && t.flags&Common2 == 0 || !known {
			return true
		}
		return t.flags&(CityBig|Country) != 0
	}
	return t.class == 0 && t.len > 2 && w.latin(t)
}

// latin reports whether a word is written in Latin letters. In other alphabets
// only names of the lexicon and words behind a cue count: their languages bend
// words too much for the lists.
func (w *window) latin(t *token) bool { return w.src[t.start] < 0xcd }

// cued reports whether the words in front of word i make a candidate even of a
// word that is rarely a name.
func (w *window) cued(i int) bool {
	t := &w.tok[i]
	person := t.flags&personFlag != 0
	if !person && t.flags&(Function|Feeling|GreetWord|Common2) != 0 {
		return false
	}
	switch w.cue(i) {
	case Intro:
		return true
	case IAm, IAmThe, ThisIs, Greet, Bye, Title, Kin, Called, Field:
		return person && (t.flags&Function == 0 || t.flags&Ambiguous != 0 || t.shape == capped && w.mode == sentence)
	case NoCue, AskFor, LiveIn, In, WorkAt, By, cueEnd:
	}
	return false
}

// selfWord reports whether word i says what somebody is and not who: I'm German.
func (w *window) selfWord(i int) bool {
	if f := w.tok[i].flags; f&(Nation|Jobs|Feeling) == 0 || f&First != 0 {
		return false
	}
	c := w.cue(i)
	return c == IAm || c == IAmThe || c == ThisIs
}

// starts reports whether a capital at word i is there because a sentence begins.
func (w *window) starts(i int) bool {
	if i == 0 {
		return true
	}
	sep := w.tok[i].sep
	if sep&(sepBang|sepLine|sepQuote|sepColon|sepOther|sepOpen) != 0 || sep == sepDash|sepSpace {
		return true
	}
	if w.tok[i-1].shape == masked || w.tok[i-1].shape == digits && i == 1 {
		return true
	}
	return sep&sepStop != 0 && w.tok[i-1].shape != cap1 && w.tok[i-1].flags&TitleWord == 0
}

// initial reports whether word i is one letter with a full stop before another
// initial or a word with a capital.
func (w *window) initial(i int) bool {
	if w.tok[i].shape != cap1 || i+1 >= w.n {
		return false
	}
	next := &w.tok[i+1]
	return next.sep&sepStop != 0 && next.sep&sepHard == 0 && (next.shape == cap1 || next.shape == capped || next.shape == upper)
}

// follows reports whether a name may go on behind word i.
func (w *window) follows(i int) bool {
	return i+1 < w.n && w.tok[i+1].shape != lower && w.tok[i+1].shape < digits && w.tok[i+1].sep&^soft == 0
}

// widen lets words through that are no names alone but may be part of one
// beside a candidate: particles, "of", words with a capital, family names.
func (w *window) widen() {
	for i := 1; i < w.n; i++ {
		if t := &w.tok[i]; !t.cand && w.tok[i-1].cand && t.shape < digits && w.widens(t, &w.tok[i-1]) {
			t.cand = t.flags&Particle == 0 || w.behind(i)
		}
	}
	for i := w.n - 2; i >= 0; i-- {
		t, next := &w.tok[i], &w.tok[i+1]
		if !t.cand && next.cand && t.shape < digits && next.sep&^(soft|sepStop) == 0 && (t.flags&NameFlags != 0 && t.flags&(Function|Ambiguous) == 0 ||
			t.shape != lower && t.flags&(PlaceWord|OrgWord|Ambiguous|First|Last) != 0) {
			t.cand = true
		}
	}
}

func (w *window) widens(t, before *token) bool {
	if t.sep&^(soft|sepStop|sepAnd) != 0 || t.sep&sepStop != 0 && before.shape != cap1 && before.flags&TitleWord == 0 {
		return false
	}
	switch {
	case t.flags&(Particle|Suffix|OrgWord|PlaceWord) != 0:
		return true
	case t.shape == cap1:
		return true
	case t.shape != lower && w.mode != allUpper:
		return t.flags&Function == 0
	}
	return t.flags&(Last|LastRare|First|Famous) != 0 && t.flags&Function == 0 && before.flags&NameFlags != 0
}

// behind reports whether a candidate follows the particles at i, and lets more
// particles through ("de la").
func (w *window) behind(i int) bool {
	for k := i + 1; k < w.n && k <= i+2; k++ {
		if w.tok[k].sep&^soft != 0 {
			return false
		}
		if w.tok[k].cand || w.tok[k].shape != lower && w.tok[k].shape < digits {
			return true
		}
		if w.tok[k].flags&Particle == 0 {
			return false
		}
	}
	return false
}

// phrase returns how many words the longest known phrase at word i has, and what
// it names; 0 for none.
func (w *window) phrase(i int) (words int, kind Kind) {
	if w.tok[i].flags&PhraseHead == 0 || i+1 >= w.n || w.tok[i+1].flags&PhraseNext == 0 || w.tok[i+1].sep&^(soft|sepStop|sepAnd) != 0 {
		return 0, None
	}
	h := join(w.tok[i].hash, w.tok[i+1].hash)
	if !w.m.lex.mayBegin(h) {
		return 0, None
	}
	for k := i + 2; ; k++ {
		if now := phraseKind(w.m.lex.classes[w.m.lex.find(h)].flags); now != None {
			words, kind = k-i, now
		}
		if k >= w.n || k == i+maxPhrase || w.tok[k].sep&^(soft|sepStop|sepAnd) != 0 {
			return words, kind
		}
		h = join(h, w.tok[k].hash)
	}
}

// phrases marks the words of known phrases.
func (w *window) phrases() {
	for i := 0; i < w.n; i++ {
		n, kind := w.phrase(i)
		for k := range n {
			w.tok[i+k].cand = true
			w.tok[i+k].phrase = 2 * uint8(kind)
		}
		if n > 0 {
			w.tok[i].phrase--
			i += n - 1
		}
	}
}

func phraseKind(f Flags) Kind {
	switch {
	case f&PhrasePerson != 0:
		return Person
	case f&PhraseCity != 0:
		return Location
	case f&PhraseOrg != 0:
		return Org
	}
	return None
}

// cue returns the turn of phrase that ends in front of word i: the longest.
func (w *window) cue(i int) Cue {
	if i == 0 || w.tok[i-1].flags&CueEnd == 0 {
		return NoCue
	}
	if w.tok[i].sep&(sepBang|sepOther|sepClose) != 0 {
		return NoCue
	}
	best := NoCue
	var words [maxPhrase + 1]uint64
	for n := 1; n <= len(words) && n <= i; n++ {
		t := &w.tok[i-n]
		words[n-1] = t.hash
		h := words[n-1]
		for k := n - 2; k >= 0; k-- {
			h = join(h, words[k])
		}
		if c := w.m.cues.find(h, n); c != NoCue {
			best = c
		}
		if n < i && t.sep&^(soft|sepComma) != 0 {
			break
		}
	}
	if best == IAm && w.lang == LangDE && w.tok[i-1].len == 2 && w.tok[i-1].shape != cap1 {
		return In // im, am: prepositions
	}
	return best
}

// language is the language whose function words are most.
func (w *window) language() uint8 {
	var votes uint64
	for i := range w.n {
		votes += w.m.lex.classes[w.tok[i].class].votes
	}
	best, most := uint8(LangOther), uint64(0)
	for l := range uint8(lanes) {
		if v := votes >> (8 * l) & 0xff; v > most {
			best, most = l, v
		}
	}
	if most == 0 {
		return lanes
	}
	return best
}
