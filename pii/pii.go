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

// Type names a kind of personal data.
type Type string

// The types of this version.
const (
	Email      Type = "EMAIL"
	Phone      Type = "PHONE"
	CreditCard Type = "CREDIT_CARD"
	IBAN       Type = "IBAN"
	IP         Type = "IP"
)

// types lists all types, for whoever has to recognise their names.
func types() [5]Type { return [...]Type{Email, Phone, CreditCard, IBAN, IP} }

// Span is one finding: text[Start:End], byte offsets.
type Span struct {
	Start, End int
	Type       Type
	Score      float64 // how sure the rule is, above 0 and at most 1
	Rule       string  // which recogniser, such as "phone/national"
}

// Finder finds. The zero value finds every type. A Finder is safe for many
// goroutines.
type Finder struct {
	// Regions are the ISO 3166 codes of countries whose bare national numbers,
	// such as "5321234567" for TR, count as telephone numbers without any
	// words that say so. Order numbers may then count as well; default none.
	Regions []string
}

// Find returns findings in order, not overlapping. It returns nil where there
// is none.
func (f *Finder) Find(text string) []Span {
	s := scan{text: text, regions: f.Regions}
	s.run()
	return s.found
}
