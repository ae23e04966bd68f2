package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
)

// hkdf is HKDF-SHA-256 (RFC 5869) without a salt and with 32 bytes of output,
// which is one block: extract, then expand.
func hkdf(secret []byte, info string) [32]byte {
	prk := hmacSHA256(make([]byte, sha256.Size), secret)
	return hmacSHA256(prk[:], append([]byte(info), 1))
}

func hmacSHA256(key, msg []byte) (sum [32]byte) {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(msg) // a hash takes everything
	h.Sum(sum[:0])
	return sum
}

// macPool computes HMAC-SHA-256 under one key without allocating: a state that
// was used once keeps its key schedule when it is reset.
type macPool struct{ p sync.Pool }

type macState struct {
	h   hash.Hash
	msg []byte
	sum []byte
}

func newMACPool(key [32]byte) *macPool {
	return &macPool{p: sync.Pool{New: func() any {
		return &macState{h: hmac.New(sha256.New, key[:]), msg: make([]byte, 0, 160), sum: make([]byte, 0, sha256.Size)}
	}}}
}

// sum16 hashes the parts, each after its length, so that no two lists of parts
// give the same message, and returns the first 16 bytes.
func (m *macPool) sum16(domain string, parts ...string) (out [16]byte) {
	s := m.p.Get().(*macState) //nolint:errcheck,forcetypeassert // the pool makes only these
	s.msg = appendPart(s.msg[:0], domain)
	for _, p := range parts {
		s.msg = appendPart(s.msg, p)
	}
	s.h.Reset()
	_, _ = s.h.Write(s.msg) // a hash takes everything
	s.sum = s.h.Sum(s.sum[:0])
	copy(out[:], s.sum)
	clear(s.msg)
	m.p.Put(s)
	return out
}

func appendPart(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...) //nolint:gosec // no name or id is 4 GiB long
}

// PersonID computes the pseudonym of an account on a channel: the first 128
// bits of HMAC-SHA-256 under the vault's look-up key.
func (v *Vault) PersonID(channel, account, user string) sotto.PersonID {
	return v.lookup.sum16("sotto.person.1", channel, account, user)
}

// ConversationID computes the pseudonym of a conversation in the same way.
func (v *Vault) ConversationID(channel, account, conversation string) sotto.ConversationID {
	return v.lookup.sum16("sotto.conversation.1", channel, account, conversation)
}

// Digest is a keyed hash for look-ups and suppression; domain separates uses.
func (v *Vault) Digest(domain string, parts ...string) [16]byte {
	s := v.lookup
	if len(parts) == 1 {
		return s.sum16("sotto.digest.1", domain, parts[0])
	}
	return s.sum16("sotto.digest.1", append([]string{domain}, parts...)...)
}

// Seed derives a named secret (the signer of the audit log, a cookie key …)
// from the vault's root by HKDF-SHA-256. It is the same for as long as the key
// store exists, also after the key-encryption key was changed.
func (v *Vault) Seed(name string) [32]byte { return hkdf(v.root[:], "sotto.seed.1:"+name) }

// Commitment returns what stands for the person in the audit log: HMAC-SHA-256
// under the person's Profile key, cut to 128 bits. With the key it is lost too,
// and nobody can tell any more whose entries they were. The key is made, and is
// durable at return, if the person has none and create is set; otherwise ok is
// false and the commitment zero.
func (v *Vault) Commitment(ctx context.Context, person sotto.PersonID, create bool) (c audit.Commitment, ok bool, err error) {
	const op = "vault.commitment"
	if person.IsZero() {
		return c, false, sotto.E(op, sotto.KindInvalid, errNobody)
	}
	k, err := v.key(ctx, place{person, Profile, 0}, create)
	switch {
	case err == nil:
		return k.commitment, true, nil
	case sotto.KindOf(err) == sotto.KindNotFound && !create:
		return c, false, nil
	default:
		return c, false, sotto.E(op, sotto.KindOther, err)
	}
}

func commitmentOf(key []byte, person sotto.PersonID) audit.Commitment {
	sum := hmacSHA256(key, append([]byte("sotto.commitment.1"), person[:]...))
	return audit.Commitment(sum[:16])
}
