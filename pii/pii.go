// Package pii finds personal data in text and masks it.
//
// It knows e-mail addresses, telephone numbers, payment cards, international
// bank account numbers and internet addresses. It can be used alone:
//
//	var f pii.Finder
//	m := pii.NewMap()
//	masked := f.Mask(m, "Write to ada@example.org") // "Write to [EMAIL_1]"
//	clear := m.Unmask("I wrote to [EMAIL_1].")      // "I wrote to ada@example.org."
//
// # How it works
//
// One pass over the text looks at the class of each byte. Only a digit, an at
// sign or a colon can be part of a finding, and each of them is handed to the
// recognisers that want it; they look a bounded way to the left and right, so
// the time is proportional to the length whatever the text is. Digits, signs
// and spaces of other scripts count as their ASCII counterparts. What has a
// checksum must pass it.
//
// # What it promises
//
// Spans are in order, do not overlap, and begin and end between characters.
// Nothing is allocated where nothing is found. Mask then Unmask gives back the
// same text, even where the text itself already holds something like
// "[EMAIL_1]".
//
// # What it does not do
//
// It does not understand: names, street addresses and what people say about
// themselves are not found, and neither is what somebody hides on purpose. So
// masked text is still personal data. Dates, prices and order numbers are left
// alone on purpose, because a bot needs them; a number without a country code
// counts as a telephone number only when its shape or the words before it say so.
package pii

// Span is one finding: text[Start:End], byte offsets.
type Span struct {
	Start, End int
	Type       Type
	Score      float64 // how sure the rule is, above 0 and at most 1
	Rule       string  // which recogniser, such as "phone/national"
	Context    string  // the word nearby that made the rule sure, as it is written in the rule; "" = none was needed
}

// Finder finds. The zero value finds every type. A Finder is safe for many
// goroutines.
type Finder struct {
	// Regions are the ISO 3166 codes of countries whose bare national numbers,
	// such as "5321234567" for TR, count as telephone numbers without any
	// words that say so. Order numbers may then count as well; default none.
	Regions []string

	// Types are the types that are found; default: all.
	Types []Type

	// Threshold is the least score that counts; default 0.5.
	Threshold float64

	// Own are recognisers of one's own, which are asked before the built-in
	// ones: where two findings overlap and are equally sure, theirs stays.
	Own []Recogniser

	// Allow are texts that are never a finding, such as the operator's own
	// telephone number: compared without case, spaces and signs. Default none.
	Allow []string
}

// Recogniser finds something of one's own in a text. It calls add for each
// finding, with byte offsets on the borders of characters, in any order. It is
// used by many goroutines at once.
type Recogniser interface {
	Recognise(text string, add func(Span))
}

// Find returns findings in order, not overlapping. It returns nil where there
// is none.
func (f *Finder) Find(text string) []Span {
	s := scan{text: text, regions: f.Regions}
	s.run()
	return s.found
}
