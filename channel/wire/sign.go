package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"sync"

	"github.com/sotto-chat/sotto/channel"
)

// One returns the value of a header that must stand exactly once, and whether
// it does. A second one would let two readers of the call disagree on what
// was checked. The name is in canonical form.
func One(h http.Header, name string) (string, bool) {
	v := h[name]
	if len(v) != 1 || v[0] == "" {
		return "", false
	}
	return v[0], true
}

// SecretHeader reports whether the header stands exactly once and is one of
// the secrets. It takes the same time whichever of them it is.
func SecretHeader(h http.Header, name string, secrets channel.Secrets) bool {
	got, ok := One(h, name)
	if !ok {
		return false
	}
	match := false
	for _, s := range secrets {
		match = s.Equal(got) || match
	}
	return match
}

// MAC checks signatures with HMAC-SHA256. The zero value and nil match nothing.
type MAC struct{ keyed []*sync.Pool } // of hash.Hash, one pool for each secret

// NewMAC returns a check for secrets, of which any may have signed. A zero
// secret signs nothing.
func NewMAC(secrets channel.Secrets) *MAC {
	m := &MAC{}
	for _, s := range secrets {
		if s.IsZero() {
			continue
		}
		// The state after the key is worked out once for each hash, not for each call.
		m.keyed = append(m.keyed, &sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(s.Reveal())) }})
	}
	return m
}

// sums are a signature as it was sent and as it should be, in one piece: both
// go to the heap.
type sums struct{ want, got [sha256.Size]byte }

// MatchHex reports whether signature is prefix and then, in 64 lower-case
// hexadecimal digits, the HMAC-SHA256 of head and body, one after the other,
// under one of the secrets.
func (m *MAC) MatchHex(signature, prefix, head string, body []byte) bool {
	if m == nil || len(signature) != len(prefix)+2*sha256.Size || signature[:len(prefix)] != prefix {
		return false
	}
	digits := signature[len(prefix):]
	for i := range len(digits) {
		if !digit(digits[i]) && (digits[i] < 'a' || digits[i] > 'f') {
			return false
		}
	}
	var s sums
	if _, err := hex.Decode(s.want[:], []byte(digits)); err != nil {
		return false
	}
	return m.match(&s, head, body)
}

// MatchBase64 is [MAC.MatchHex] for a signature in standard base64 with its
// padding (RFC 4648, section 4).
func (m *MAC) MatchBase64(signature, prefix, head string, body []byte) bool {
	const size = (sha256.Size + 2) / 3 * 4
	if m == nil || len(signature) != len(prefix)+size || signature[:len(prefix)] != prefix {
		return false
	}
	var room [sha256.Size + 1]byte // the decoder wants room for its padding
	n, err := base64.StdEncoding.Strict().Decode(room[:], []byte(signature[len(prefix):]))
	if err != nil || n != sha256.Size {
		return false
	}
	var s sums
	copy(s.want[:], room[:])
	return m.match(&s, head, body)
}

func (m *MAC) match(s *sums, head string, body []byte) bool {
	match := false
	for _, pool := range m.keyed {
		h, ok := pool.Get().(hash.Hash)
		if !ok {
			return false
		}
		h.Reset()
		if head != "" {
			h.Write([]byte(head))
		}
		h.Write(body)
		h.Sum(s.got[:0])
		match = hmac.Equal(s.got[:], s.want[:]) || match
		h.Reset() // nothing of the body stays behind
		pool.Put(h)
	}
	return match
}

// Usable reports whether there is at least one secret and none is empty.
func Usable(secrets channel.Secrets) bool {
	for _, s := range secrets {
		if s.IsZero() {
			return false
		}
	}
	return len(secrets) > 0
}
