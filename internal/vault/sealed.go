package vault

import (
	"bytes"
	"database/sql/driver" //nolint:depguard // the type of a value that stores itself; no database is reached by it
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/sotto-chat/sotto"
)

// Ref is where a sealed value lives. All of it is bound to the ciphertext as
// associated data: the value opens nowhere else. Row may be 0; nothing else may
// be empty.
type Ref struct {
	Table   string
	Row     int64
	Field   string
	Person  sotto.PersonID
	Purpose sotto.Purpose
}

var (
	errNobody = errors.New("no person")
	errPlace  = errors.New("a place needs table, field, person, purpose, class and date")
	errSealed = errors.New("a sealed value is not written out")
)

func (r *Ref) complete() bool {
	return r.Table != "" && r.Field != "" && r.Purpose != "" && !r.Person.IsZero()
}

// bind appends the associated data of a value with this header in place r.
func (r *Ref) bind(b, header []byte) []byte {
	b = append(b, header...)
	b = appendPart(b, r.Table)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Row)) //nolint:gosec // the bits count, not the number
	b = appendPart(b, r.Field)
	b = append(b, r.Person[:]...)
	return appendPart(b, string(r.Purpose))
}

// The form of a sealed value: version, class, period, nonce, ciphertext, tag.
const (
	sealedVersion = 1
	headerLen     = 4
	nonceLen      = 12
	tagLen        = 16
	overhead      = headerLen + nonceLen + tagLen
)

// Overhead is how many bytes a sealed value is longer than what it holds.
const Overhead = overhead

// Sealed is ciphertext at rest. Only a vault makes one, and only a database
// column takes one: it prints as "sealed" and refuses to be marshalled. The
// zero value holds nothing and is stored as NULL.
type Sealed struct{ b []byte } //nolint:recvcheck // Scan alone must change it

// Len returns how many bytes are stored.
func (s Sealed) Len() int { return len(s.b) }

// Value gives the bytes to the database (database/sql/driver.Valuer).
func (s Sealed) Value() (driver.Value, error) {
	if len(s.b) == 0 {
		return nil, nil //nolint:nilnil // NULL
	}
	return s.b, nil
}

// Scan takes the bytes from the database (database/sql.Scanner). Bytes that
// cannot be a sealed value are an error of [sotto.KindCorrupt].
func (s *Sealed) Scan(src any) error {
	const op = "vault.scan"
	switch b := src.(type) {
	case nil:
		s.b = nil
	case []byte:
		if len(b) < overhead || b[0] != sealedVersion {
			return sotto.E(op, sotto.KindCorrupt, errors.New("not a sealed value"))
		}
		s.b = bytes.Clone(b) // the driver's memory is reused
	default:
		return sotto.E(op, sotto.KindCorrupt, fmt.Errorf("a column of %T holds no sealed value", src))
	}
	return nil
}

// String returns "sealed".
func (Sealed) String() string { return "sealed" }

// Format writes "sealed" for every verb.
func (Sealed) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("sealed")) }

// LogValue returns "sealed".
func (Sealed) LogValue() slog.Value { return slog.StringValue("sealed") }

// MarshalText refuses.
func (Sealed) MarshalText() ([]byte, error) { return nil, errSealed }

// MarshalJSON refuses.
func (Sealed) MarshalJSON() ([]byte, error) { return nil, errSealed }

// MarshalBinary refuses.
func (Sealed) MarshalBinary() ([]byte, error) { return nil, errSealed }
