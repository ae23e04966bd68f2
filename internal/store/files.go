package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	engine "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
)

// headerSize is the length of the header of an SQLite file
// (https://www.sqlite.org/fileformat.html#the_database_header).
const headerSize = 100

// inspect looks at the files of the database at path. The error wraps
// [os.ErrNotExist] where there is none at all, and is of [sotto.KindCorrupt]
// where something is left that no normal end and no crash leaves behind.
func inspect(path string) error {
	const op = "store.open"
	corrupt := func(format string, args ...any) error {
		return sotto.E(op, sotto.KindCorrupt, fmt.Errorf("%s: "+format+"; restore a backup, or move the remaining files away", append([]any{path}, args...)...))
	}
	log, err := size(path + "-wal")
	if err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	f, err := os.Open(path) //nolint:gosec // the operator's own path
	switch {
	case errors.Is(err, os.ErrNotExist) && log > 0:
		return corrupt("the file is gone, and its write-ahead log is still there")
	case errors.Is(err, os.ErrNotExist):
		return err
	case err != nil:
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	st, err := f.Stat()
	if err != nil {
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	if !st.Mode().IsRegular() {
		return sotto.E(op, sotto.KindInvalid, fmt.Errorf("%s is not a regular file", path))
	}
	head := make([]byte, headerSize)
	switch n, err := io.ReadFull(f, head); {
	case n == 0 && errors.Is(err, io.EOF):
		return corrupt("the file is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return corrupt("the file has %d bytes, less than its header", n)
	case err != nil:
		return sotto.E(op, sotto.KindUnavailable, err)
	}
	if what := judgeHeader(head, st.Size(), log > 0); what != "" {
		return corrupt("%s", what)
	}
	return nil
}

func size(path string) (int64, error) {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// judgeHeader says what is wrong with the header of a file of size bytes, or
// "". With a log beside it the file may be shorter than the header says: a
// crash in the middle of a copy leaves it so, and the log holds the rest.
func judgeHeader(head []byte, size int64, log bool) string {
	if !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) {
		return "the file is not a database"
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 65536
	}
	if page < 512 || page&(page-1) != 0 {
		return "the header names an impossible page size"
	}
	if id := binary.BigEndian.Uint32(head[68:]); id != applicationID && id != 0 {
		return "the file is a database of another program"
	}
	pages := int64(binary.BigEndian.Uint32(head[28:]))
	valid := bytes.Equal(head[24:28], head[92:96]) // else an old program wrote it, and pages means nothing
	if valid && !log && size < pages*page {
		return fmt.Sprintf("the file was cut off: it has %d bytes of %d", size, pages*page)
	}
	return ""
}

// create makes an empty database. It gets its name when it is whole, so that a
// crash leaves no file that looks like a damaged one.
func create(path string) (err error) {
	tmp := path + ".new"
	for _, p := range []string{tmp, tmp + "-journal", tmp + "-wal", tmp + "-shm"} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	// Made here and not by the engine, which would let the umask decide who reads it.
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator's own path
	if err != nil {
		return diskError(err)
	}
	if err := f.Close(); err != nil {
		return diskError(err)
	}
	c, err := openConn(connConfig{
		path: tmp, flags: engine.SQLITE_OPEN_READWRITE,
		pragmas: []string{
			fmt.Sprintf("page_size=%d", pageSize), "synchronous=FULL",
			fmt.Sprintf("application_id=%d", applicationID), "journal_mode=WAL",
		},
	})
	if err != nil {
		return err
	}
	if err := c.close(); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return diskError(err)
	}
	return diskError(syncDir(filepath.Dir(path)))
}

// diskError gives an error of the file system the engine's form, so that all
// are judged in one place.
func diskError(err error) error {
	if err == nil {
		return nil
	}
	return &engineError{code: engine.SQLITE_CANTOPEN, errno: errnoOf(err), text: err.Error()}
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own path
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// identity remembers which files are open, to notice when their names come to
// mean others: what is written then would be gone after a restart.
type identity struct {
	path      string
	file, wal os.FileInfo
}

func (id *identity) remember(path string) (err error) {
	id.path = path
	if id.file, err = os.Stat(path); err != nil {
		return err
	}
	id.wal, err = os.Stat(path + "-wal")
	return err
}

// same reports whether the names still mean the files that are open.
func (id *identity) same() bool {
	f, err := os.Stat(id.path)
	if err != nil || !os.SameFile(f, id.file) {
		return false
	}
	w, err := os.Stat(id.path + "-wal")
	return err == nil && os.SameFile(w, id.wal)
}

// still is the last look before work is acknowledged.
func (db *DB) still() error {
	if !db.file.same() {
		return sotto.E("store.commit", sotto.KindCorrupt, errMoved)
	}
	return nil
}
