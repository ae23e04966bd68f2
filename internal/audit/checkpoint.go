package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/store"
)

// checkpoint is a signed head: how many entries there were, and their root.
type checkpoint struct {
	origin     string
	size       int64
	root       tlog.Hash
	extensions []string
	note       []byte // as it was signed
}

// timeExtension begins the extension line with the time of signing. The
// checkpoint format (C2SP tlog-checkpoint) advises against extension lines
// because a log's monitors cannot check what they say. Here it serves only the
// person who reads about a fault, and nothing is decided by it.
const timeExtension = "time "

// text is the body of the note.
func (c *checkpoint) text() string {
	lines := append([]string{c.origin, strconv.FormatInt(c.size, 10), c.root.String()}, c.extensions...)
	return strings.Join(lines, "\n") + "\n"
}

// time returns when the checkpoint was signed; zero where it does not say.
func (c *checkpoint) time() time.Time {
	for _, e := range c.extensions {
		if at, ok := strings.CutPrefix(e, timeExtension); ok {
			if t, err := time.Parse(time.RFC3339, at); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// signedAt says when the checkpoint was signed, for a message.
func (c *checkpoint) signedAt() string {
	if t := c.time(); !t.IsZero() {
		return " signed at " + t.Format(time.RFC3339)
	}
	return ""
}

// parseCheckpoint reads the body of a note.
func parseCheckpoint(text string) (*checkpoint, error) {
	body, ok := strings.CutSuffix(text, "\n")
	lines := strings.Split(body, "\n")
	if !ok || len(lines) < 3 {
		return nil, errors.New("a checkpoint has three lines or more")
	}
	if slices.Contains(lines, "") {
		return nil, errors.New("a checkpoint has no empty line")
	}
	c := &checkpoint{origin: lines[0], extensions: lines[3:]}
	var err error
	if c.size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.size < 0 || strconv.FormatInt(c.size, 10) != lines[1] {
		return nil, errors.New("the size in a checkpoint is a decimal number")
	}
	if c.root, err = tlog.ParseHash(lines[2]); err != nil || c.root.String() != lines[2] {
		return nil, errors.New("the root in a checkpoint is 32 bytes in base64")
	}
	return c, nil
}

// openCheckpoint checks the signature of a checkpoint and reads it.
func openCheckpoint(msg []byte, v note.Verifier) (*checkpoint, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return nil, fmt.Errorf("it is not signed by %s: %w", v.Name(), err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return nil, err
	}
	if c.origin != v.Name() {
		return nil, errors.New("it is a checkpoint of another log")
	}
	c.note = msg
	return c, nil
}

// newSigner makes the signer and verifier of a seed (C2SP signed-note, type 1).
func newSigner(name string, seed [32]byte) (note.Signer, note.Verifier, string, error) {
	const algEd25519 = 1
	pub := ed25519.PublicKey(ed25519.NewKeyFromSeed(seed[:])[ed25519.SeedSize:])
	id := sha256.Sum256(append(append([]byte(name), '\n', algEd25519), pub...))
	signer, badSigner := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, binary.BigEndian.Uint32(id[:]),
		base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed[:]...))))
	vkey, badKey := note.NewEd25519VerifierKey(name, pub)
	verifier, badVerifier := note.NewVerifier(vkey)
	if errors.Join(badSigner, badKey, badVerifier) != nil {
		// What note says of a signer's key is not passed on: it is secret.
		return nil, nil, "", fmt.Errorf("the origin %q cannot be the name of a key", name)
	}
	return signer, verifier, vkey, nil
}

// Checkpoint signs and stores the current head and returns it as a signed note.
// The head file holds it when Checkpoint returns nil.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	const op = "audit.checkpoint"
	l.signing.Lock()
	defer l.signing.Unlock()
	if l.last == nil || l.last.size != l.Size() {
		signed := new(checkpoint)
		if err := l.db.Write(ctx, func(tx *store.Tx) error { return l.sign(tx, signed) }); err != nil {
			return nil, sotto.E(op, sotto.KindOther, err)
		}
		l.last = signed
	}
	if l.cfg.HeadFile != "" && (l.headed == nil || l.headed.size != l.last.size) {
		if err := writeHead(l.cfg.HeadFile, l.last.note); err != nil {
			return nil, sotto.E(op, sotto.KindUnavailable, err)
		}
		l.headed = l.last
	}
	return l.last.note, nil
}

// sign makes and stores the checkpoint of what the transaction sees.
func (l *Log) sign(tx *store.Tx, into *checkpoint) error {
	st, err := l.stage(tx)
	if err != nil {
		return err
	}
	e := st.edge
	c := checkpoint{
		origin: l.cfg.Origin, size: e.size, root: e.root(),
		extensions: []string{timeExtension + l.cfg.Now().UTC().Format(time.RFC3339)},
	}
	if c.note, err = note.Sign(&note.Note{Text: c.text()}, l.signer); err != nil {
		return err
	}
	if err := writeTile(tx, e.partial(0)); err != nil {
		return err
	}
	// Of the checkpoints inside one tile only the newest is of use: the tile
	// tells the rest. So the table grows with the log and not with time.
	if _, err := tx.Exec(`DELETE FROM audit_checkpoint WHERE size > $1 AND size < $2`, (e.size-1)&^(tileWidth-1), e.size); err != nil {
		return err
	}
	if _, err := tx.Exec(`INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2) ON CONFLICT (size) DO UPDATE SET note = excluded.note`, e.size, c.note); err != nil {
		return err
	}
	*into = c
	return nil
}

// Run signs heads as they grow until ctx ends, and once more then. A
// checkpoint that fails is tried again; only the last one's error is returned.
func (l *Log) Run(ctx context.Context) error {
	tick := time.NewTicker(l.cfg.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_, err := l.Checkpoint(context.WithoutCancel(ctx))
			return err
		case <-tick.C:
		}
		if _, err := l.Checkpoint(ctx); err != nil && ctx.Err() == nil {
			l.cfg.Logger.LogAttrs(ctx, slog.LevelError, "the audit log could not be signed", slog.Any("error", err))
		}
	}
}

// maxHead bounds the head file, in bytes. A note has some hundreds.
const maxHead = 1 << 16

// readHead reads the head file; nil where there is none.
func readHead(name string, v note.Verifier) (*checkpoint, error) {
	if name == "" {
		return nil, nil
	}
	info, err := os.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, sotto.E("audit.head", sotto.KindUnavailable, err)
	}
	if info.Size() > maxHead {
		return nil, corrupt("the head file has %d bytes", info.Size())
	}
	msg, err := os.ReadFile(name) //nolint:gosec // the operator's own setting
	if err != nil {
		return nil, sotto.E("audit.head", sotto.KindUnavailable, err)
	}
	c, err := openCheckpoint(msg, v)
	if err != nil {
		return nil, corrupt("the head file: %w", err)
	}
	return c, nil
}

// writeHead replaces the head file in one step.
func writeHead(name string, msg []byte) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".head-*")
	if err != nil {
		return err
	}
	_, err = f.Write(msg)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// syncDir makes a rename in a folder durable.
func syncDir(name string) error {
	dir, err := os.Open(name) //nolint:gosec // the operator's own setting
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
