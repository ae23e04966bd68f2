package wire

import (
	"crypto/hmac"
	"crypto/sha256"
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

// HexMAC checks signatures with HMAC-SHA256. The zero value and nil match nothing.
type HexMAC struct{ keyed []*sync.Pool } // of hash.Hash, one pool for each secret

// NewHexMAC returns a check for secrets, of which any may have signed. A zero
// secret signs nothing.
func NewHexMAC(secrets channel.Secrets) *HexMAC {
	m := &HexMAC{}
	for _, s := range secrets {
		if s.IsZero() {
			continue
		}
		// The state after the key is worked out once for each hash, not for each call.
		m.keyed = append(m.keyed, &sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(s.Reveal())) }})
	}
	return m
}

// Match reports whether signature is prefix and then the HMAC-SHA256 of body
// under one of the secrets, in 64 lower-case hexadecimal digits.
func (m *HexMAC) Match(signature, prefix string, body []byte) bool {
	if m == nil || len(signature) != len(prefix)+2*sha256.Size || signature[:len(prefix)] != prefix {
		return false
	}
	digits := signature[len(prefix):]
	for i := range len(digits) {
		if !digit(digits[i]) && (digits[i] < 'a' || digits[i] > 'f') {
			return false
		}
	}
	var sums struct{ want, got [sha256.Size]byte } // in one piece: both go to the heap
	if _, err := hex.Decode(sums.want[:], []byte(digits)); err != nil {
		return false
	}
	match := false
	for _, pool := range m.keyed {
		h, ok := pool.Get().(hash.Hash)
		if !ok {
			return false
		}
		h.Reset()
		h.Write(body)
		h.Sum(sums.got[:0])
		match = hmac.Equal(sums.got[:], sums.want[:]) || match
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
