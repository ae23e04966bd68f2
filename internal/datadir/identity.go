package datadir

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/sotto-chat/sotto"
)

// format is the version of the directory's layout that this program writes and
// reads.
const format = 1

// Identity is what a directory says of itself. It holds nothing secret.
type Identity struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"` // random hexadecimal digits; tells two directories apart
	Created time.Time `json:"created"`
	New     bool      `json:"new,omitempty"` // its databases may not be there yet
}

// maxIdentity bounds the file that is read.
const maxIdentity = 4096

func newIdentity(now time.Time) Identity {
	id := make([]byte, 16)
	rand.Read(id) // never fails (crypto/rand)
	return Identity{Format: format, ID: hex.EncodeToString(id), Created: now.UTC().Truncate(time.Second), New: true}
}

// readIdentity reads the identity file. Where there is none, the error is
// [os.ErrNotExist] itself.
func readIdentity(path string) (Identity, error) {
	const op = "datadir.identity"
	f, err := os.Open(path) //nolint:gosec // the operator's own path
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return Identity{}, err
		}
		return Identity{}, fail(op, err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(io.LimitReader(f, maxIdentity+1))
	if err != nil {
		return Identity{}, fail(op, err)
	}
	id, err := parseIdentity(b)
	if err != nil {
		return Identity{}, sotto.E(op, sotto.KindOther, fmt.Errorf("%s: %w", path, err))
	}
	return id, nil
}

// parseIdentity reads what encode writes, and nothing else: an unknown field
// is a newer program's, which this one must not overrule.
func parseIdentity(b []byte) (Identity, error) {
	const op = "datadir.identity"
	var id Identity
	if len(b) > maxIdentity {
		return id, sotto.E(op, sotto.KindCorrupt, errors.New("the file is too long"))
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return id, sotto.E(op, sotto.KindCorrupt, errors.New("the file is damaged: restore a backup of the whole directory"))
	}
	if head.Format > format {
		return id, sotto.E(op, sotto.KindInvalid, fmt.Errorf("it has format %d and was made by a newer version of this program; this one knows up to %d", head.Format, format))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&id); err != nil || !id.valid() || d.More() {
		return Identity{}, sotto.E(op, sotto.KindCorrupt, errors.New("the file is damaged: restore a backup of the whole directory"))
	}
	return id, nil
}

func (id Identity) valid() bool {
	b, err := hex.DecodeString(id.ID)
	return err == nil && (len(b) == 8 || len(b) == 16) && hex.EncodeToString(b) == id.ID && id.Format >= 1
}

func (id Identity) encode() ([]byte, error) {
	b, err := json.MarshalIndent(id, "", "  ")
	return append(b, '\n'), err
}

// write replaces the identity file, durably and at once: a crash leaves the old
// one or the new one.
func (id Identity) write(dir string) (err error) {
	const op = "datadir.identity"
	b, err := id.encode()
	if err != nil {
		return sotto.E(op, sotto.KindOther, err)
	}
	path := filepath.Join(dir, identityFile)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator's own path
	if err != nil {
		return fail(op, err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fail(op, err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own path
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
