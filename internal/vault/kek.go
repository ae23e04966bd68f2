package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
)

// KEK is a key-encryption key: 256 bits that wrap every other key. It prints as
// "key", is not comparable, and refuses to be marshalled. The zero value is no
// key and wraps nothing.
type KEK struct {
	// bytes returns the key. Only a function is never followed by whatever prints
	// a value that holds a KEK in a field of its own.
	bytes func() *[32]byte
}

func kekOfBytes(b [32]byte) KEK { return KEK{bytes: func() *[32]byte { return &b }} }

// NewKEK makes a random key-encryption key.
func NewKEK() KEK {
	var b [32]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return kekOfBytes(b)
}

// ParseKEK reads a key-encryption key: 32 raw bytes, 64 hexadecimal digits, or
// standard base64 with or without padding, also with white space around it.
// 32 printable characters are refused, since a password is not a key, and so
// are 32 zero bytes. No error repeats any of the content.
func ParseKEK(b []byte) (KEK, error) {
	if len(b) != 32 {
		b = bytes.TrimSpace(b)
	}
	raw := make([]byte, 32)
	defer clear(raw)
	switch len(b) {
	case 32:
		if printable(b) {
			return KEK{}, errors.New("key-encryption key: 32 printable characters are a password, want 64 hexadecimal digits")
		}
		copy(raw, b)
	case hex.EncodedLen(32):
		if _, err := hex.Decode(raw, b); err != nil {
			return KEK{}, errors.New("key-encryption key: not hexadecimal digits only")
		}
	case base64.RawStdEncoding.EncodedLen(32), base64.StdEncoding.EncodedLen(32):
		enc := base64.StdEncoding.Strict()
		if len(b) == base64.RawStdEncoding.EncodedLen(32) {
			enc = base64.RawStdEncoding.Strict()
		}
		got, err := enc.AppendDecode(nil, b)
		if err != nil || len(got) != 32 {
			return KEK{}, errors.New("key-encryption key: not base64 of 32 bytes")
		}
		copy(raw, got)
		clear(got)
	default:
		return KEK{}, fmt.Errorf("key-encryption key: %d bytes are neither 32 raw bytes, 64 hexadecimal digits, nor base64 of 32 bytes", len(b))
	}
	if [32]byte(raw) == [32]byte{} {
		return KEK{}, errors.New("key-encryption key: all zero")
	}
	return kekOfBytes([32]byte(raw)), nil
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

// Encode returns the content of a key file: 64 hexadecimal digits and a line
// feed. It returns nil for the zero value.
func (k KEK) Encode() []byte {
	if k.IsZero() {
		return nil
	}
	return append(hex.AppendEncode(nil, k.bytes()[:]), '\n')
}

// IsZero reports whether there is no key.
func (k KEK) IsZero() bool { return k.bytes == nil }

// String returns "key".
func (KEK) String() string { return "key" }

// Format writes "key" for every verb.
func (KEK) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("key")) }

// LogValue returns "key".
func (KEK) LogValue() slog.Value { return slog.StringValue("key") }

// MarshalText refuses: a key is never written out but by [KEK.Encode].
func (KEK) MarshalText() ([]byte, error) { return nil, errors.New("a key is not written out") }

// MarshalBinary refuses, as [KEK.MarshalText] does.
func (KEK) MarshalBinary() ([]byte, error) { return nil, errors.New("a key is not written out") }

// mark recognises a key-encryption key without telling anything about it.
func (k KEK) mark() []byte {
	m := hkdf(k.bytes()[:], "sotto.kek.mark.1")
	return m[:16]
}

// aead returns what wraps under k. It is a derived key, so that the mark and
// the wrapping have nothing in common.
func (k KEK) aead() cipher.AEAD { return newAEAD(hkdf(k.bytes()[:], "sotto.kek.wrap.1")) }

// newAEAD returns AES-256-GCM whose Seal puts a random nonce of 12 bytes before
// the ciphertext and whose Open expects it there.
func newAEAD(key [32]byte) cipher.AEAD {
	defer clear(key[:])
	block, _ := aes.NewCipher(key[:])           // fails only for keys of another length
	a, _ := cipher.NewGCMWithRandomNonce(block) // fails only for blocks that are not AES
	return a
}
