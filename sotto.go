// Package sotto is the vocabulary of Sotto and the interface of a bot's author.
//
// Sotto stands between social networks and a chatbot and keeps what people
// write private: sealed before it is stored, opened only for a stated purpose,
// and deleted on its last day. A bot gets all of that without asking for it:
//
//	bot := sotto.BotFunc(func(ctx context.Context, t *sotto.Turn) error {
//		t.Reply("You said: " + t.Text)
//		return nil
//	})
//
// This package holds the words that all other packages share: [PersonID],
// [Event], [Turn], [Purpose], [Category], [Basis], [Recipient] and [Error]. It
// does no input or output and needs only the standard library, so whoever has
// read it can read the rest. A running Sotto is made by package
// [github.com/sotto-chat/sotto/server].
package sotto

import (
	"encoding/hex"
	"fmt"
)

// PersonID is the keyed pseudonym of a person: one account on one channel.
// It is an HMAC under a key that never leaves the vault, so it tells nobody
// outside who the person is and cannot be computed from a platform id without
// that key. Linking two of them takes the person's own act.
type PersonID [16]byte

// String returns the pseudonym in 32 hexadecimal digits. It is safe in logs.
func (p PersonID) String() string { return hex.EncodeToString(p[:]) }

// IsZero reports whether p names nobody.
func (p PersonID) IsZero() bool { return p == PersonID{} }

// ParsePersonID reads the form that [PersonID.String] writes.
func ParsePersonID(s string) (PersonID, error) {
	var p PersonID
	err := parseID(s, p[:], "person")
	return p, err
}

// ConversationID is the keyed pseudonym of a conversation: a person, or a
// group, and the bot on one channel. Events of one conversation are handled in
// order, one at a time.
type ConversationID [16]byte

// String returns the pseudonym in 32 hexadecimal digits. It is safe in logs.
func (c ConversationID) String() string { return hex.EncodeToString(c[:]) }

func parseID(s string, into []byte, what string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(into) {
		return fmt.Errorf("%s id: want %d hexadecimal digits", what, 2*len(into))
	}
	copy(into, b)
	return nil
}

// Purpose is why personal data is used. Data kept for one purpose does not
// open for another.
type Purpose string

// The purposes that every Sotto knows. Own purposes are declared in the
// configuration. Only [PurposeReply], [PurposeSecurity] and [PurposeLegal] are
// on unless the operator and, where consent is the basis, the person turn
// others on.
const (
	PurposeReply       Purpose = "reply"       // answer the person
	PurposePersonalise Purpose = "personalise" // remember for better answers
	PurposeAnalytics   Purpose = "analytics"   // count and improve
	PurposeTrain       Purpose = "train"       // train or tune a model
	PurposeMarketing   Purpose = "marketing"   // advertise
	PurposeSupport     Purpose = "support"     // let staff help
	PurposeSecurity    Purpose = "security"    // protect the service and its people
	PurposeLegal       Purpose = "legal"       // answer rights requests, keep what a law demands
)

// Basis is the legal basis of a purpose (GDPR Art. 6(1)(a) to (f)).
type Basis string

// The six legal bases of GDPR Art. 6(1).
const (
	BasisConsent            Basis = "consent"
	BasisContract           Basis = "contract"
	BasisLegalObligation    Basis = "legal_obligation"
	BasisVitalInterest      Basis = "vital_interest"
	BasisPublicInterest     Basis = "public_interest"
	BasisLegitimateInterest Basis = "legitimate_interest"
)

// Category is a kind of personal data.
type Category string

// The categories that every Sotto knows.
const (
	CategoryMessage    Category = "message"    // what was written
	CategoryContact    Category = "contact"    // how a person is reached: e-mail, phone, address on a network
	CategoryIdentifier Category = "identifier" // account names and numbers
	CategoryLocation   Category = "location"
	CategoryFinancial  Category = "financial"
	CategoryHealth     Category = "health"
)

// Recipient is who gets personal data. The form is a kind, or a kind and a
// name: "bot", "person", "staff:privacy", "vendor:acme", "model:local".
type Recipient string

// The recipients that every Sotto knows.
const (
	RecipientBot     Recipient = "bot"
	RecipientPerson  Recipient = "person"
	RecipientPrivacy Recipient = "staff:privacy" // whoever answers rights requests
	RecipientSystem  Recipient = "system"        // Sotto's own machinery: delivery, deletion
)

// Kind returns the part before the colon.
func (r Recipient) Kind() string {
	for i := range len(r) {
		if r[i] == ':' {
			return string(r[:i])
		}
	}
	return string(r)
}
