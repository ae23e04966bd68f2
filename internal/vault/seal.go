package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
)

// Seal encrypts plain for the place ref, under the person's key of that class
// and the month of at. The key is made, and is durable, before Seal returns if
// the person has none yet; people who are new at the same time share a commit.
//
// Work that may run while the person is erased takes [Vault.Generation] before
// it seals and compares it in the transaction that stores. Kinds of errors:
// KindInvalid for an incomplete place, otherwise those of the key store.
func (v *Vault) Seal(ctx context.Context, ref Ref, c Class, at time.Time, plain []byte) (Sealed, error) {
	const op = "vault.seal"
	if !ref.complete() || c == 0 || c != Profile && at.IsZero() {
		return Sealed{}, sotto.E(op, sotto.KindInvalid, errPlace)
	}
	pl := place{ref.Person, c, PeriodOf(c, at)}
	k, err := v.key(ctx, pl, true)
	if err != nil {
		return Sealed{}, sotto.E(op, sotto.KindOther, err)
	}
	out := make([]byte, headerLen, overhead+len(plain))
	out[0], out[1] = sealedVersion, byte(c)
	binary.BigEndian.PutUint16(out[2:], uint16(pl.period))
	ad := v.binds.Get().(*[]byte) //nolint:errcheck,forcetypeassert // the pool makes only these
	*ad = ref.bind((*ad)[:0], out)
	out = k.aead.Seal(out, nil, plain, *ad) //nolint:gosec // the nonce is random and made inside
	v.binds.Put(ad)
	return Sealed{out}, nil
}

// Open checks that the permit opens data of ref's person for ref's purpose,
// decrypts, and records an "open" act in the permit's trail; a refusal and a
// failure are recorded as well, with the kind of the error. Kinds of errors:
// KindDenied for a permit that does not fit, KindNotFound where the key is gone
// (erased, or past its last day), KindCorrupt for a value that is damaged or
// was sealed for another place. A value whose key is gone is KindCorrupt too if
// the person has got a newer key of the same class and month.
func (v *Vault) Open(ctx context.Context, p gate.Permit, ref Ref, s Sealed) ([]byte, error) {
	const op = "vault.open"
	if p.Trail() == nil {
		return nil, sotto.E(op, sotto.KindDenied, errors.New("no permit"))
	}
	if err := p.Check(gate.Open, ref.Person, ref.Purpose); err != nil {
		record(p, &ref, sotto.KindDenied)
		return nil, sotto.E(op, sotto.KindDenied, err)
	}
	plain, err := v.open(ctx, ref, s)
	if err != nil {
		record(p, &ref, sotto.KindOf(err))
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	record(p, &ref, opened)
	return plain, nil
}

// opened stands for "no error" in record; no kind has its number.
const opened sotto.Kind = 255

// record adds to the trail of p that a value was opened, or why it was not.
// Values opened one after the other in the same way are one act with a count:
// a history of a hundred lines does not make a hundred acts.
func record(p gate.Permit, ref *Ref, kind sotto.Kind) {
	trail, to := p.Trail(), string(p.Recipient())
	if acts := trail.Acts(); kind == opened && len(acts) > 0 {
		last := &acts[len(acts)-1]
		if last.Verb == "open" && last.Reasons == nil && last.Purpose == string(ref.Purpose) &&
			last.Recipient == to && len(last.What) == 1 && last.What[0] == ref.Table {
			last.Count++
			return
		}
	}
	act := audit.Act{Verb: "open", Purpose: string(ref.Purpose), Recipient: to, What: []string{ref.Table}, Count: 1}
	if kind != opened {
		act.Denied = kind == sotto.KindDenied
		act.Reasons = []string{kind.String()}
		act.Count = 0
	}
	trail.Add(act)
}

// open is Open for whoever has checked the permit.
func (v *Vault) open(ctx context.Context, ref Ref, s Sealed) ([]byte, error) {
	if !ref.complete() {
		return nil, sotto.E("vault.ref", sotto.KindInvalid, errPlace)
	}
	if len(s.b) < overhead || s.b[0] != sealedVersion {
		return nil, sotto.E("vault.parse", sotto.KindCorrupt, errors.New("not a sealed value"))
	}
	pl := place{ref.Person, Class(s.b[1]), Period(binary.BigEndian.Uint16(s.b[2:]))}
	k, err := v.key(ctx, pl, false)
	if err != nil {
		return nil, err
	}
	ad := v.binds.Get().(*[]byte) //nolint:errcheck,forcetypeassert // the pool makes only these
	*ad = ref.bind((*ad)[:0], s.b[:headerLen])
	plain, err := k.aead.Open(make([]byte, 0, len(s.b)-overhead), nil, s.b[headerLen:], *ad)
	v.binds.Put(ad)
	if err != nil {
		return nil, sotto.E("vault.decrypt", sotto.KindCorrupt, errors.New("the sealed value is damaged or was sealed for another place"))
	}
	return plain, nil
}
