package media

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/codec"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// The names of the tables, part of what their ciphertext is bound to. A file is
// one row of Table and as many of PartTable as it is long.
const (
	Table     = "media"
	PartTable = "media_part"
)

const (
	partSize   = 256 << 10 // bytes of a file in one row
	perWrite   = 4         // parts that one transaction stores, so that other work goes on in between
	partRows   = 16        // rows that one transaction deletes
	deleteFile = `DELETE FROM media WHERE id IN`
	deletePart = `DELETE FROM media_part WHERE id IN`
)

var errErased = errors.New("the person was erased meanwhile")

// header is what a row of Table seals.
type header struct {
	kind, mime, ext string
	parts           []int64 // rows of PartTable, in order
}

const headerForm = 1

func (h *header) encode() []byte {
	w := codec.NewWriter(headerForm, 64+8*len(h.parts))
	w.Str(h.kind)
	w.Str(h.mime)
	w.Str(h.ext)
	list := make([]byte, 0, 8*len(h.parts))
	for _, id := range h.parts {
		list = binary.BigEndian.AppendUint64(list, uint64(id)) //nolint:gosec // the bits count
	}
	w.Raw(list)
	return w.Bytes()
}

func (h *header) decode(b []byte) error {
	r := codec.NewReader(b, headerForm)
	h.kind, h.mime, h.ext = r.Str(), r.Str(), r.Str()
	for list := r.Raw(); len(list) >= 8; list = list[8:] {
		h.parts = append(h.parts, int64(binary.BigEndian.Uint64(list))) //nolint:gosec // the bits count
	}
	return r.End()
}

// Keep stores what the bot has fetched, if files are kept. It is called when the
// bot has returned, and nothing more is fetched after it; the rows do not wait for the result of the turn, and a turn
// that runs again does not store them twice.
func (f *Files) Keep(ctx context.Context) error {
	f.end()
	f.mu.Lock()
	defer f.mu.Unlock()
	m, t := f.m, &f.turn
	size, files := int64(0), 0
	for _, o := range f.got {
		if o.file != nil {
			size, files = size+int64(len(o.file.Data)), files+1
		}
	}
	if m.cfg.Retention <= 0 || files == 0 {
		return nil
	}
	_, err := m.cfg.Gate.Decide(ctx, t.Trail, gate.Use{
		Action: gate.Store, Person: t.Person, Facts: t.Facts, Channel: t.Channel, Purpose: sotto.PurposeReply,
		Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientSystem,
	})
	if sotto.KindOf(err) == sotto.KindDenied {
		return nil
	}
	if err != nil {
		return err
	}
	there, held, err := m.held(ctx, t.Person, t.Record)
	if err != nil || there {
		return err
	}
	if held+size > m.cfg.PerPerson {
		t.Trail.Add(audit.Act{Verb: "store", What: []string{Table}, Reasons: []string{"as much is held of the person as may be"}})
		return nil
	}
	for i, o := range f.got {
		if o.file == nil {
			continue
		}
		a := &t.Attachments[i]
		err := m.add(ctx, t, &header{kind: a.Kind, mime: o.file.MIME, ext: ending(a.Name)}, o.file.Data)
		if errors.Is(err, errErased) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	t.Trail.Add(audit.Act{Verb: "store", What: []string{Table}, Count: int64(files)})
	return nil
}

// held reports whether the files of a turn are stored, and how many bytes of the
// person there are.
func (m *Media) held(ctx context.Context, p sotto.PersonID, record int64) (there bool, bytes int64, err error) {
	var n int64
	err = m.cfg.DB.QueryRow(ctx, `SELECT coalesce(sum(size), 0), coalesce(sum(record = $2), 0) FROM media WHERE person = $1`, p[:], record).Scan(&bytes, &n)
	return n > 0, bytes, err
}

// add stores a file: its parts in several transactions, and with the last one
// the row that makes it one. Nobody waits for more than a part of it.
func (m *Media) add(ctx context.Context, t *Turn, h *header, data []byte) error {
	now := m.cfg.Now()
	expires, size := now.Add(m.cfg.Retention), int64(len(data))
	id := m.ids.Next()
	for more := true; more; {
		var args []any
		for range perWrite {
			n := min(partSize, len(data))
			part := m.ids.Next()
			sealed, err := m.cfg.Vault.Seal(ctx, m.partRef(part, t.Person), vault.Reply, now, data[:n])
			if err != nil {
				return err
			}
			h.parts = append(h.parts, part)
			args = append(args, part, id, t.Person[:], expires.Unix(), sealed)
			if data = data[n:]; len(data) == 0 {
				more = false
				break
			}
		}
		var whole vault.Sealed
		if !more {
			var err error
			if whole, err = m.cfg.Vault.Seal(ctx, m.ref(id, t.Person), vault.Reply, now, h.encode()); err != nil {
				return err
			}
		}
		err := m.cfg.DB.Write(ctx, func(tx *store.Tx) error {
			if m.cfg.Vault.Generation(t.Person) != t.Generation {
				return errErased // and what is stored goes with it
			}
			if err := tx.Insert(`INSERT INTO media_part (id, media, person, expires, sealed)`, "", 5, args); err != nil || more {
				return err
			}
			_, err := tx.Exec(`INSERT INTO media (id, person, conversation, message, record, purpose, at, expires, size, sealed)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, id, t.Person[:], t.Conversation[:], t.Message[:], t.Record,
				string(sotto.PurposeReply), now.UnixMilli(), expires.Unix(), size, whole)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// File is a stored file, as it stands in a person's copy.
type File struct {
	At         time.Time     `json:"at"`
	Purpose    sotto.Purpose `json:"purpose"`
	Until      time.Time     `json:"kept_until"`
	Kind       string        `json:"kind,omitempty"`
	Type       string        `json:"type,omitempty"`
	Ending     string        `json:"ending,omitempty"` // of the name that it had
	Size       int64         `json:"size"`
	Data       []byte        `json:"data,omitempty"`       // in JSON: base64
	LeftOut    bool          `json:"left_out,omitempty"`   // too much for a chat: whoever runs the bot gives all of it
	Unreadable bool          `json:"unreadable,omitempty"` // it is damaged
}

// chatRoom is how many bytes of files stand in a copy that is sent to the person
// in the chat. A copy that staff makes is whole; PerPerson bounds it.
const chatRoom = 16 << 20

// Export returns the files of a person, oldest first, nil for none.
func (m *Media) Export(ctx context.Context, permit gate.Permit, p sotto.PersonID) (any, error) {
	var out []*File
	left := int64(chatRoom)
	err := m.of(ctx, p, func(id int64, f *File, s vault.Sealed) error {
		if permit.Recipient() == sotto.RecipientPerson {
			if left -= f.Size; left < 0 {
				f.LeftOut = true
				left += f.Size
				out = append(out, f)
				return nil
			}
		}
		err := m.open(ctx, permit, p, id, f, s)
		switch sotto.KindOf(err) { //nolint:exhaustive // the others end the copy
		case sotto.KindNotFound: // its key has ended, and the row goes soon
			return nil
		case sotto.KindCorrupt:
			f.Data, f.Unreadable, err = nil, true, nil
		}
		out = append(out, f)
		return err
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out, nil
}

func (m *Media) of(ctx context.Context, p sotto.PersonID, f func(int64, *File, vault.Sealed) error) error {
	type row struct {
		id     int64
		file   *File
		sealed vault.Sealed
	}
	rows, err := m.cfg.DB.Query(ctx, `SELECT id, purpose, at, expires, size, sealed FROM media WHERE person = $1 ORDER BY id`, p[:])
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // reading is over
	var all []row
	for rows.Next() {
		r := row{file: new(File)}
		var at, expires int64
		if err := rows.Scan(&r.id, &r.file.Purpose, &at, &expires, &r.file.Size, &r.sealed); err != nil {
			return sotto.E("media.read", sotto.KindCorrupt, err)
		}
		r.file.At, r.file.Until = time.UnixMilli(at).UTC(), time.Unix(expires, 0).UTC()
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, r := range all { // the reader is free by now
		if err := f(r.id, r.file, r.sealed); err != nil {
			return err
		}
	}
	return nil
}

// open fills in what a file holds.
func (m *Media) open(ctx context.Context, permit gate.Permit, p sotto.PersonID, id int64, f *File, s vault.Sealed) error {
	plain, err := m.cfg.Vault.Open(ctx, permit, m.ref(id, p), s)
	if err != nil {
		return err
	}
	var h header
	if err := h.decode(plain); err != nil {
		return err
	}
	f.Kind, f.Type, f.Ending = h.kind, h.mime, h.ext
	f.Data = make([]byte, 0, f.Size)
	for _, part := range h.parts {
		var sealed vault.Sealed
		err := m.cfg.DB.QueryRow(ctx, `SELECT sealed FROM media_part WHERE id = $1`, part).Scan(&sealed)
		if errors.Is(err, store.ErrNoRows) {
			return sotto.E("media.read", sotto.KindCorrupt, err)
		}
		if err != nil {
			return err
		}
		if plain, err = m.cfg.Vault.Open(ctx, permit, m.partRef(part, p), sealed); err != nil {
			return err
		}
		f.Data = append(f.Data, plain...)
	}
	return nil
}

// MaxID returns the largest number in the tables, or 0.
func (m *Media) MaxID(ctx context.Context) (int64, error) {
	var n int64
	err := m.cfg.DB.QueryRow(ctx, `SELECT max((SELECT coalesce(max(id), 0) FROM media), (SELECT coalesce(max(id), 0) FROM media_part))`).Scan(&n)
	return n, err
}

// due selects what is past the last day that was written with it, or was stored
// under a longer retention than that of today.
const due = ` WHERE expires <= $1 OR id <= $2 LIMIT $3`

func (m *Media) dueArgs(now time.Time) []any {
	return []any{now.Unix(), now.Add(-m.cfg.Retention).UnixMicro()}
}

// Sweep deletes the files that are past their last day.
func (m *Media) Sweep(ctx context.Context, now time.Time) (int64, error) {
	return m.cfg.DB.DeleteChunks(ctx, `SELECT id FROM media`+due, deleteFile, partRows, m.dueArgs(now)...)
}

const ofPerson = ` WHERE person = $1 AND id <= $2 LIMIT $3`

// Forget deletes the files of a person up to a number.
func (m *Media) Forget(ctx context.Context, p sotto.PersonID, until int64) (int64, error) {
	return m.cfg.DB.DeleteChunks(ctx, `SELECT id FROM media`+ofPerson, deleteFile, partRows, p[:], until)
}

// ForgetMessage deletes the files that came with a message, because the person
// deleted it on the network, and returns how many there were.
func (*Media) ForgetMessage(tx *store.Tx, p sotto.PersonID, message [16]byte) (int64, error) {
	if message == [16]byte{} {
		return 0, nil
	}
	if _, err := tx.Exec(`DELETE FROM media_part WHERE media IN (SELECT id FROM media WHERE person = $1 AND message = $2)`, p[:], message[:]); err != nil {
		return 0, err
	}
	return tx.Exec(`DELETE FROM media WHERE person = $1 AND message = $2`, p[:], message[:])
}
