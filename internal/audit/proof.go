package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sotto-chat/sotto"
)

// Proof shows that an entry is in the log that a checkpoint signs. It needs
// nothing but the log's public key to be checked, now or later: it goes into
// receipts.
type Proof struct {
	Leaf       string      `json:"leaf"`       // the entry's bytes, see ParseEntry
	Index      int64       `json:"index"`      // of the entry
	Size       int64       `json:"size"`       // entries that the checkpoint covers
	Hashes     []tlog.Hash `json:"hashes"`     // the way from the entry to the root (RFC 6962, section 2.1.1), base64
	Checkpoint string      `json:"checkpoint"` // the signed note
}

// Prove returns the proof of an entry, as JSON. It signs a checkpoint if none
// covers the entry yet. An entry that does not exist is an error of
// [sotto.KindNotFound].
func (l *Log) Prove(ctx context.Context, index int64) ([]byte, error) {
	const op = "audit.prove"
	if index < 0 || index >= l.Size() {
		return nil, sotto.E(op, sotto.KindNotFound, fmt.Errorf("there is no entry %d", index))
	}
	c, err := l.covering(ctx, index)
	if err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	p, err := prove(onDB(ctx, l.db), c, index)
	if err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	if err := p.check(c); err != nil {
		// Never hand out a proof that proves nothing.
		return nil, sotto.E(op, sotto.KindCorrupt, err)
	}
	return json.Marshal(p)
}

// prove reads an entry and its way to the root of c.
func prove(q querier, c *checkpoint, index int64) (*Proof, error) {
	p := &Proof{Index: index, Size: c.size, Checkpoint: string(c.note)}
	if err := eachLeaf(q, index, index+1, func(_ int64, data []byte) error {
		p.Leaf = string(data)
		return nil
	}); err != nil {
		return nil, err
	}
	r := newReader(q)
	var err error
	if r.size, err = lastIndex(q); err != nil {
		return nil, err
	}
	p.Hashes, err = tlog.ProveRecord(c.size, index, r)
	return p, err
}

// covering returns a checkpoint that covers the entry.
func (l *Log) covering(ctx context.Context, index int64) (*checkpoint, error) {
	l.signing.Lock()
	c := l.last
	l.signing.Unlock()
	if c != nil && c.size > index {
		return c, nil
	}
	msg, err := l.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	return openCheckpoint(msg, l.verifier)
}

// check reports why p does not show that its leaf is in the log of c.
func (p *Proof) check(c *checkpoint) error {
	if p.Size != c.size {
		return fmt.Errorf("the proof is for %d entries, its checkpoint covers %d", p.Size, c.size)
	}
	if p.Index < 0 || p.Index >= p.Size {
		return fmt.Errorf("there is no entry %d among %d", p.Index, p.Size)
	}
	if err := tlog.CheckRecord(p.Hashes, p.Size, c.root, p.Index, tlog.RecordHash([]byte(p.Leaf))); err != nil {
		return fmt.Errorf("entry %d is not in the log that the checkpoint signs", p.Index)
	}
	return nil
}

// VerifyProof checks a proof as [Log.Prove] makes it against the log's public
// key ([Log.VerifierKey]). It needs no log, no database and no network. A proof
// that is malformed is an error of [sotto.KindInvalid]; one that does not hold,
// of [sotto.KindCorrupt].
func VerifyProof(bundle []byte, verifierKey string) (Proof, error) {
	const op = "audit.proof"
	v, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Proof{}, sotto.E(op, sotto.KindInvalid, fmt.Errorf("the verifier key: %w", err))
	}
	var p Proof
	d := json.NewDecoder(bytes.NewReader(bundle))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || d.More() {
		return Proof{}, sotto.E(op, sotto.KindInvalid, errors.New("it is not the JSON of a proof"))
	}
	c, err := openCheckpoint([]byte(p.Checkpoint), v)
	if err != nil {
		return Proof{}, sotto.E(op, sotto.KindCorrupt, fmt.Errorf("the checkpoint: %w", err))
	}
	if err := p.check(c); err != nil {
		return Proof{}, sotto.E(op, sotto.KindCorrupt, err)
	}
	return p, nil
}

// SignedAt returns when the proof's checkpoint was signed, as it says itself;
// zero where it says nothing.
func (p *Proof) SignedAt() time.Time {
	text, _, _ := bytes.Cut([]byte(p.Checkpoint), []byte("\n\n"))
	c, err := parseCheckpoint(string(text) + "\n")
	if err != nil {
		return time.Time{}
	}
	return c.time()
}
