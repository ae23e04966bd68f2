package tagger

// Flags are what the lexicon knows of a word.
type Flags uint64

// The flags of the lexicon.
const (
	First        Flags = 1 << iota // a first name of the six languages, or of several
	FirstRare                      // a first name elsewhere
	Last                           // a family name
	LastRare                       // a family name elsewhere
	CityBig                        // 500 000 people and more
	CityMid                        // 60 000 and more
	CitySmall                      //
	Country                        // or a region, a state, a continent
	OrgName                        // a firm, a club
	OrgWord                        // inc, gmbh, university
	PlaceWord                      // street, lake, north
	TitleWord                      // mr, dr
	KinWord                        // sister, boss
	TimeWord                       // monday, may
	GreetWord                      // hi, thanks
	Particle                       // de, van
	Function                       // one of the most usual words of the main languages
	Common2                        // among the 2 000 most usual words of a language
	Common10                       // among the 10 000
	English                        // in the English dictionary, without a capital
	Proper                         // in the English dictionary, with a capital
	Ambiguous                      // a name that is far more often a word
	Nation                         // a nationality or language
	Brand                          // a product, a programme, a game
	Famous                         // part of the name of a known person
	Jobs                           // nurse, developer
	Feeling                        // sorry, fine, tired: what follows I'm and is no name
	CueEnd                         // the last word of a cue
	PhraseHead                     // the first word of a phrase
	PhraseNext                     // a second word of a phrase
	Suffix                         // jr, iii
	PersonVerb                     // said, told, married: people do it
	PhraseCity                     // a phrase: place
	PhraseOrg                      // a phrase: organisation
	PhrasePerson                   // a phrase: person
)

// Sets of flags.
const (
	NameFlags  = First | FirstRare | Last | LastRare | CityBig | CityMid | CitySmall | Country | OrgName | Famous | Proper
	knownWord  = Function | Common2 | Common10 | English
	personFlag = First | FirstRare | Last | LastRare | Famous
)

// Langs are the languages that words vote for, one count in each byte.
const (
	LangEN = iota
	LangDE
	LangFR
	LangES
	LangPT
	LangIT
	LangNL
	LangOther
)

// class is what a word's entry in the lexicon points to. Many words share one.
type class struct {
	flags Flags
	votes uint64 // one count for each language whose function word it is
	group uint8  // a coarse summary
}

// Groups summarise flags: the first that fits.
const (
	gUnknown uint8 = iota
	gFirst
	gFirstCommon
	gFirstLast
	gFirstRare
	gLast
	gLastCommon
	gCity
	gCityCommon
	gCitySmall
	gCountry
	gOrg
	gOrgWord
	gPlaceWord
	gTitle
	gKin
	gTime
	gGreet
	gParticle
	gFunction
	gFeeling
	gJob
	gNation
	gBrand
	gFamous
	gCommon2
	gCommon10
	gEnglish
	gProper
	gAmbiguous
	gFirstCity
	gLastCity
)

// Names as such, then words of a class of their own, then words.
func groupOf(f Flags) uint8 {
	common := f&(Function|Common2|Feeling|English|Ambiguous) != 0
	switch {
	case f&TitleWord != 0:
		return gTitle
	case f&KinWord != 0:
		return gKin
	case f&TimeWord != 0:
		return gTime
	case f&GreetWord != 0:
		return gGreet
	case f&Particle != 0:
		return gParticle
	case f&Ambiguous != 0:
		return gAmbiguous
	case f&Feeling != 0:
		return gFeeling
	case f&Nation != 0:
		return gNation
	case f&Jobs != 0:
		return gJob
	case f&OrgWord != 0:
		return gOrgWord
	case f&PlaceWord != 0:
		return gPlaceWord
	case f&Country != 0:
		return gCountry
	case f&Function != 0:
		return gFunction
	case f&OrgName != 0 && f&personFlag == 0:
		return gOrg
	case f&Brand != 0:
		return gBrand
	case f&CityBig != 0 && f&First == 0:
		return gCity
	case f&First != 0 && common:
		return gFirstCommon
	case f&First != 0 && f&(CityBig|CityMid) != 0:
		return gFirstCity
	case f&First != 0 && f&(Last|LastRare) != 0:
		return gFirstLast
	case f&First != 0:
		return gFirst
	case f&Famous != 0 && !common:
		return gFamous
	case f&(Last|LastRare) != 0 && common:
		return gLastCommon
	case f&(CityBig|CityMid) != 0 && common:
		return gCityCommon
	case f&(Last|LastRare) != 0 && f&(CityMid|CitySmall) != 0:
		return gLastCity
	case f&CityMid != 0:
		return gCity
	case f&(Last|LastRare) != 0:
		return gLast
	case f&FirstRare != 0 && !common:
		return gFirstRare
	case f&CitySmall != 0 && !common:
		return gCitySmall
	case f&Common2 != 0:
		return gCommon2
	case f&English != 0:
		return gEnglish
	case f&Common10 != 0:
		return gCommon10
	case f&Proper != 0:
		return gProper
	}
	return gUnknown
}

// lexicon is an open hash table in the model file: 32 bits a slot, the word's
// check above and its class below. Class 0 is an empty slot and an unknown word.
type lexicon struct {
	slots   string // 4 bytes each
	pairs   string // a bit is set where two words may begin a phrase
	shift   uint   // of a hash, to the number of a slot
	classes []class
}

func (x *lexicon) find(hash uint64) uint16 {
	n := uint64(len(x.slots) / 4)
	check := uint32(hash>>8) & 0xffff //nolint:gosec // masked
	for at := hash >> x.shift; ; at = (at + 1) & (n - 1) {
		e := load32(x.slots, int(at)*4) //nolint:gosec // below n
		if e == 0 {
			return 0
		}
		if e>>16 == check {
			return uint16(e) //nolint:gosec // the low half
		}
	}
}

// pairBytes is the size of the set of pairs; most bits are not set.
const pairBytes = 32 << 10

func pairBit(h uint64) uint64 { return h >> 24 % (8 * pairBytes) }

// mayBegin reports whether two words may be the first of a known phrase.
func (x *lexicon) mayBegin(pair uint64) bool {
	at := pairBit(pair)
	return x.pairs[at/8]>>(at%8)&1 != 0
}

func load32(s string, i int) uint32 {
	b := s[i : i+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func load64(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
