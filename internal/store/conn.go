package store

import (
	"context"
	"errors"
	"strings"
	"unsafe"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"
)

// conn is one connection to the SQLite library. It is used by one goroutine at
// a time, so the library's own locks on it are switched off.
//
// The library is called directly and not through database/sql: a message's row
// operations cost half as much that way, and the state of a connection after an
// error is ours to see and to judge.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	stmts map[string]*stmt
	multi map[shape]*stmt

	begin, commit, rollback *stmt // of the writer

	ctx context.Context //nolint:containedctx // of the call in progress, for the progress callback
	// The library holds the callbacks' addresses; these keep them alive.
	onProgress func(*libc.TLS, uintptr) int32
	onCommit   func(*libc.TLS, uintptr, uintptr, uintptr, int32) int32

	walPages int // in the log after the last commit on this connection
}

// maxStmts bounds how many statements a connection keeps prepared. A program
// has some dozens; more means that somebody builds SQL out of data.
const maxStmts = 256

// progressOps is how many steps of the engine's machine pass between two looks
// at the context: about a millisecond.
const progressOps = 20_000

// connConfig says how a connection is opened.
type connConfig struct {
	path    string
	vfs     string // the engine's file layer; "" its default
	flags   int32
	pragmas []string
	wal     bool // count pages in the log instead of the engine's own checkpoints
	cancel  bool // statements end with their context
}

func openConn(cfg connConfig) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), stmts: make(map[string]*stmt), multi: make(map[shape]*stmt)}
	name, err := libc.CString(cfg.path)
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	vfs, err := c.cstring(cfg.vfs)
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	defer libc.Xfree(c.tls, vfs)
	out := c.tls.Alloc(8)
	defer c.tls.Free(8)
	clearPtr(out)
	rc := engine.Xsqlite3_open_v2(c.tls, name, out, cfg.flags|engine.SQLITE_OPEN_NOMUTEX|engine.SQLITE_OPEN_EXRESCODE, vfs)
	c.db = getPtr(out)
	if rc != engine.SQLITE_OK {
		return nil, errors.Join(c.fail(rc), c.close())
	}
	engine.Xsqlite3_busy_timeout(c.tls, c.db, busyTimeout)
	c.hooks(cfg)
	for _, p := range cfg.pragmas {
		if err := c.script("PRAGMA " + p); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// cstring returns a NULL for "".
func (*conn) cstring(s string) (uintptr, error) {
	if s == "" {
		return 0, nil
	}
	return libc.CString(s)
}

func (c *conn) hooks(cfg connConfig) {
	if cfg.cancel {
		c.onProgress = func(*libc.TLS, uintptr) int32 {
			if c.ctx != nil && c.ctx.Err() != nil {
				return 1
			}
			return 0
		}
		engine.Xsqlite3_progress_handler(c.tls, c.db, progressOps, funcPtr(&c.onProgress), 0)
	}
	if cfg.wal {
		c.onCommit = func(_ *libc.TLS, _, _, _ uintptr, pages int32) int32 {
			c.walPages = int(pages)
			return engine.SQLITE_OK
		}
		engine.Xsqlite3_wal_hook(c.tls, c.db, funcPtr(&c.onCommit), 0)
	}
}

// close ends the connection with its statements. The last writing connection
// of a database moves the log into the file.
func (c *conn) close() error {
	if c == nil || c.tls == nil {
		return nil
	}
	c.forget()
	var err error
	if c.db != 0 {
		if rc := engine.Xsqlite3_close_v2(c.tls, c.db); rc != engine.SQLITE_OK {
			err = c.fail(rc)
		}
	}
	c.tls.Close()
	c.tls, c.db = nil, 0
	return err
}

// forget drops all prepared statements.
func (c *conn) forget() {
	for _, s := range c.stmts {
		s.finalize()
	}
	for _, s := range c.multi {
		s.finalize()
	}
	clear(c.stmts)
	clear(c.multi)
}

// fail makes an error of a result code and the connection's own words for it.
func (c *conn) fail(rc int32) error {
	e := &engineError{code: int(rc)}
	if c.db != 0 {
		e.text = libc.GoString(engine.Xsqlite3_errmsg(c.tls, c.db))
		e.errno = int(engine.Xsqlite3_system_errno(c.tls, c.db))
	} else {
		e.text = libc.GoString(engine.Xsqlite3_errstr(c.tls, rc))
	}
	if rc == engine.SQLITE_INTERRUPT && c.ctx != nil && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	return e
}

// inTx reports whether a transaction is open.
func (c *conn) inTx() bool { return engine.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// checkpoint moves pages of the log into the file. With truncate it waits for
// no reader, needs all of them, and leaves an empty log.
func (c *conn) checkpoint(truncate bool) (pages, done int, err error) {
	mode := int32(engine.SQLITE_CHECKPOINT_PASSIVE)
	if truncate {
		mode = engine.SQLITE_CHECKPOINT_TRUNCATE
	}
	out := c.tls.Alloc(16)
	defer c.tls.Free(16)
	clearPtr(out)
	clearPtr(out + 8)
	rc := engine.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, mode, out, out+8)
	if rc != engine.SQLITE_OK {
		return 0, 0, c.fail(rc)
	}
	return int(getInt32(out)), int(getInt32(out + 8)), nil
}

// shrink gives the page cache back.
func (c *conn) shrink() { engine.Xsqlite3_db_release_memory(c.tls, c.db) }

// prepare returns the statement for q, kept for the next use. A statement whose
// rows are still being read is not used twice: the second use gets its own.
func (c *conn) prepare(q string) (*stmt, error) {
	if s, ok := c.stmts[q]; ok {
		if !s.busy {
			return s, nil
		}
		return c.compile(rewrite(q), false)
	}
	s, err := c.compile(rewrite(q), true)
	if err != nil {
		return nil, err
	}
	if len(c.stmts) >= maxStmts {
		c.dropIdle()
	}
	c.stmts[q] = s
	return s, nil
}

func (c *conn) dropIdle() {
	for q, s := range c.stmts {
		if !s.busy {
			s.finalize()
			delete(c.stmts, q)
		}
	}
}

var errManyStatements = errors.New("one statement at a time")

// compile makes a statement out of exactly one piece of SQL.
func (c *conn) compile(q string, keep bool) (*stmt, error) {
	s, rest, err := c.compileFirst(q, keep)
	if err != nil {
		return nil, err
	}
	if s == nil || strings.TrimSpace(rest) != "" {
		s.finalize()
		return nil, errManyStatements
	}
	return s, nil
}

func (c *conn) compileFirst(q string, keep bool) (*stmt, string, error) {
	text, err := libc.CString(q)
	if err != nil {
		return nil, "", err
	}
	defer libc.Xfree(c.tls, text)
	out := c.tls.Alloc(16)
	defer c.tls.Free(16)
	clearPtr(out)
	clearPtr(out + 8)
	var flags uint32
	if keep {
		flags = engine.SQLITE_PREPARE_PERSISTENT
	}
	if rc := engine.Xsqlite3_prepare_v3(c.tls, c.db, text, int32(len(q)+1), flags, out, out+8); rc != engine.SQLITE_OK { //nolint:gosec // SQL is ours and short
		return nil, "", c.fail(rc)
	}
	rest := q[min(len(q), int(getPtr(out+8)-text)):] // the library points into the text or at its end
	p := getPtr(out)
	if p == 0 {
		return nil, rest, nil
	}
	s := &stmt{c: c, p: p, keep: keep, params: int(engine.Xsqlite3_bind_parameter_count(c.tls, p))}
	return s, rest, nil
}

// script runs statements without arguments and without results.
func (c *conn) script(q string) error {
	for strings.TrimSpace(q) != "" {
		s, rest, err := c.compileFirst(q, false)
		if err != nil {
			return err
		}
		if s == nil {
			return nil // a comment
		}
		_, err = s.exec(nil)
		s.finalize()
		if err != nil {
			return err
		}
		q = rest
	}
	return nil
}

// scalar runs a statement and scans its first row.
func (c *conn) scalar(q string, dest ...any) error {
	s, err := c.compile(q, false)
	if err != nil {
		return err
	}
	r := &Rows{st: s}
	defer r.Close() //nolint:errcheck // reading is over
	if !r.Next() {
		if r.Err() != nil {
			return r.Err()
		}
		return ErrNoRows
	}
	return r.Scan(dest...)
}

// funcPtr gives the library the address of a Go function value. What f points
// to must stay reachable as long as the library may call it.
func funcPtr[F any](f *F) uintptr {
	return *(*uintptr)(unsafe.Pointer(f)) //nolint:gosec // the translated library's own form of a function pointer
}

// pointer turns an address in the library's memory, which Go's collector knows
// nothing of and never moves, into a pointer.
func pointer(p uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&p)) //nolint:gosec // not Go's memory
}

func getPtr(p uintptr) uintptr { return *(*uintptr)(pointer(p)) }
func clearPtr(p uintptr)       { *(*uintptr)(pointer(p)) = 0 }
func getInt32(p uintptr) int32 { return *(*int32)(pointer(p)) }

// memory views n bytes of the library's memory. They are copied before the
// next call into the library.
func memory(p uintptr, n int) []byte {
	return unsafe.Slice((*byte)(pointer(p)), n) //nolint:gosec // n is the library's own length
}
