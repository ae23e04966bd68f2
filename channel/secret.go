package channel

import (
	"crypto/subtle"
	"errors"
)

// Secret is a credential. It prints as "[secret]", refuses to be marshalled,
// and is compared in constant time. The zero value is no secret at all and
// matches nothing.
type Secret struct{ s string }

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{s: s} }

// Reveal returns the credential itself, for the one call that needs it.
func (s Secret) Reveal() string { return s.s }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.s == "" }

// Equal reports in constant time whether the secret is t; a zero secret equals nothing.
func (s Secret) Equal(t string) bool {
	return s.s != "" && subtle.ConstantTimeCompare([]byte(s.s), []byte(t)) == 1
}

// String returns "[secret]".
func (Secret) String() string { return "[secret]" }

// GoString returns "[secret]".
func (Secret) GoString() string { return "[secret]" }

// MarshalText refuses: a secret is never written out.
func (Secret) MarshalText() ([]byte, error) { return nil, errors.New("a secret is not written out") }

// Secrets are the credentials that are valid at the same time while one is
// replaced by another; the first is used for signing, all for verifying.
type Secrets []Secret
