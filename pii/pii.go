// Package pii finds and masks personal data in text. STUB: contract.
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

// Span is one finding: text[Start:End], byte offsets.
type Span struct {
	Start, End int
	Type       Type
	Score      float64
	Rule       string
}

// Finder finds. The zero value finds every type.
type Finder struct{}

// Find returns findings in order, not overlapping.
func (f *Finder) Find(text string) []Span { return nil }

// Map remembers which placeholder stands for which value. It is held only for one turn.
type Map struct{}

// NewMap returns an empty map.
func NewMap() *Map { return &Map{} }

// Mask replaces findings by placeholders like [EMAIL_1]; the same value gets the same one within a Map.
func (f *Finder) Mask(m *Map, text string) string { return text }

// Unmask puts values back.
func (m *Map) Unmask(text string) string { return text }

// Len returns how many values the map holds.
func (m *Map) Len() int { return 0 }
