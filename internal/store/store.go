// Package store is the one place that talks to a database: connections,
// migrations, and transactions that many callers share.
//
// SQL is written by the domains, in the subset that SQLite and PostgreSQL have
// in common ($1 parameters in order, ON CONFLICT, RETURNING); nothing that only
// one engine has leaves this package.
//
// # Writing
//
// A database has one writer. Callers hand it work with [DB.Write] or a [Batch];
// it takes all work that waits, runs it in one transaction, makes it durable
// with one fsync, and only then lets the callers go on. If any piece of work
// fails, the transaction is rolled back and each piece is run again in a
// transaction of its own, so that one caller's fault stays that caller's. Work
// may therefore run more than once: it must have no effect outside the
// transaction but through [Tx.OnCommit].
//
// # What it promises
//
// When Write or Do returns nil, the change survives a crash of the process and
// of the machine (SQLite: WAL with synchronous=FULL). A full disk is an error
// of [sotto.KindFull], nothing of the group is kept, and the next write is
// tried afresh. A damaged file is an error of [sotto.KindCorrupt]; no file is
// ever made anew where there was one.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
)

// Config says which database to open.
type Config struct {
	Path      string // the SQLite file
	CacheKiB  int    // page cache of the writer and of each reader; default 8192
	MaxGroup  int    // most pieces of work in one transaction; default 512
	MaxBytes  int64  // the file grows no further than this; default 0: as the disk allows
	MustExist bool   // an absent file is an error instead of a new database; default false

	// SecureDelete overwrites what is deleted with zeros in the file. The write-ahead
	// log keeps old pages until [DB.Checkpoint]; default false.
	SecureDelete bool
}

func (c Config) withDefaults() Config {
	if c.CacheKiB == 0 {
		c.CacheKiB = 8192
	}
	if c.MaxGroup == 0 {
		c.MaxGroup = 512
	}
	return c
}

// DB is an open database. Close it to end the writer.
type DB struct {
	cfg    Config
	readDB *sql.DB
	write  *sql.DB
	conn   *sql.Conn
	jobs   chan job
	done   chan struct{}
	mu     sync.RWMutex // guards closed against sends on jobs
	closed bool

	readMu    sync.Mutex
	readStmts map[string]*sql.Stmt
}

// Open opens the database and starts its writer.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	const op = "store.open"
	cfg = cfg.withDefaults()
	if cfg.MustExist {
		if _, err := os.Stat(cfg.Path); err != nil {
			return nil, sotto.E(op, sotto.KindNotFound, err)
		}
	}
	db := &DB{
		cfg: cfg, jobs: make(chan job, 4096), done: make(chan struct{}),
		readStmts: make(map[string]*sql.Stmt),
	}
	var err error
	if db.write, err = sql.Open("sqlite", dsn(cfg, false)); err != nil {
		return nil, sotto.E(op, kindOf(err), err)
	}
	db.write.SetMaxOpenConns(1)
	if db.conn, err = db.write.Conn(ctx); err != nil {
		return nil, errors.Join(sotto.E(op, kindOf(err), err), db.write.Close())
	}
	var n int
	if err = db.conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&n); err != nil {
		return nil, errors.Join(sotto.E(op, kindOf(err), err), db.conn.Close(), db.write.Close())
	}
	if db.readDB, err = sql.Open("sqlite", dsn(cfg, true)); err != nil {
		return nil, errors.Join(sotto.E(op, kindOf(err), err), db.conn.Close(), db.write.Close())
	}
	db.readDB.SetMaxOpenConns(4)
	go db.writer()
	return db, nil
}

func dsn(cfg Config, reader bool) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(5000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)")
	q.Add("_pragma", "foreign_keys(ON)")
	q.Add("_pragma", "temp_store(MEMORY)")
	q.Add("_pragma", fmt.Sprintf("cache_size(-%d)", cfg.CacheKiB))
	if reader {
		q.Add("_pragma", "query_only(ON)")
	} else {
		q.Add("_txlock", "immediate")
		if cfg.SecureDelete {
			q.Add("_pragma", "secure_delete(ON)")
		}
		if cfg.MaxBytes > 0 {
			q.Add("_pragma", fmt.Sprintf("max_page_count(%d)", max(1, cfg.MaxBytes/4096)))
		}
	}
	return "file:" + (&url.URL{Path: cfg.Path}).EscapedPath() + "?" + q.Encode()
}

// Close finishes the work that was handed in and closes the database.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	close(db.jobs)
	db.mu.Unlock()
	<-db.done
	db.readMu.Lock()
	defer db.readMu.Unlock()
	var errs []error
	for _, s := range db.readStmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, db.readDB.Close(), db.conn.Close(), db.write.Close())...)
}

// Migrate brings the tables of one component to its newest version: steps that
// have not run yet run in order, in one transaction. A step never changes once
// it has been released; a new one is added.
func (db *DB) Migrate(ctx context.Context, component string, steps []string) error {
	return db.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(`CREATE TABLE IF NOT EXISTS store_version (component TEXT PRIMARY KEY, version BIGINT NOT NULL)`); err != nil {
			return err
		}
		var have int
		err := tx.QueryRow(`SELECT version FROM store_version WHERE component = $1`, component).Scan(&have)
		if err != nil && !errors.Is(err, ErrNoRows) {
			return err
		}
		if have > len(steps) {
			return sotto.E("store.migrate", sotto.KindInvalid, fmt.Errorf("%s is at version %d, this program knows %d: it is older than the data", component, have, len(steps)))
		}
		for _, s := range steps[have:] {
			// A 64-bit primary key is the row's own number in SQLite only under this name.
			if _, err := tx.Exec(strings.ReplaceAll(s, "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`INSERT INTO store_version (component, version) VALUES ($1, $2) ON CONFLICT (component) DO UPDATE SET version = excluded.version`, component, len(steps))
		return err
	})
}

// ErrNoRows is what [Row.Scan] returns where a query found nothing.
var ErrNoRows = sql.ErrNoRows //nolint:gochecknoglobals // a sentinel, never changed

// Rows is a query's result. Close it.
type Rows = sql.Rows

// Row is a query's result of at most one row.
type Row = sql.Row

// Query runs a SELECT on a snapshot of what is committed.
func (db *DB) Query(ctx context.Context, q string, args ...any) (*Rows, error) {
	st, err := db.readStmt(ctx, q)
	if err != nil {
		return nil, sotto.E("store.query", kindOf(err), err)
	}
	rows, err := st.QueryContext(ctx, args...) //nolint:sqlclosecheck,rowserrcheck // the caller's to close
	if err != nil {
		return nil, sotto.E("store.query", kindOf(err), err)
	}
	return rows, nil
}

// QueryRow is Query for at most one row.
func (db *DB) QueryRow(ctx context.Context, q string, args ...any) *Row {
	st, err := db.readStmt(ctx, q)
	if err != nil {
		return db.readDB.QueryRowContext(ctx, q, args...) // reports the same error at Scan
	}
	return st.QueryRowContext(ctx, args...)
}

func (db *DB) readStmt(ctx context.Context, q string) (*sql.Stmt, error) {
	db.readMu.Lock()
	defer db.readMu.Unlock()
	if st, ok := db.readStmts[q]; ok {
		return st, nil
	}
	st, err := db.readDB.PrepareContext(ctx, rewrite(q))
	if err == nil {
		db.readStmts[q] = st
	}
	return st, err
}

// Check reads the whole file and reports the first damage found.
func (db *DB) Check(ctx context.Context) error {
	var res string
	if err := db.readDB.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&res); err != nil {
		return sotto.E("store.check", kindOf(err), err)
	}
	if res != "ok" {
		return sotto.E("store.check", sotto.KindCorrupt, errors.New(res))
	}
	return nil
}

func kindOf(err error) sotto.Kind {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return sotto.KindOther
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return sotto.KindFull
	case sqlite3.SQLITE_IOERR:
		if strings.Contains(err.Error(), "no space") || e.Code() == sqlite3.SQLITE_IOERR_WRITE {
			return sotto.KindFull
		}
		return sotto.KindUnavailable
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return sotto.KindCorrupt
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return sotto.KindBusy
	case sqlite3.SQLITE_CONSTRAINT:
		return sotto.KindExists
	default:
		return sotto.KindOther
	}
}

// rewrite turns $1, $2, … into the engine's cheapest parameters. Parameters
// must be numbered in the order in which they stand, each used once.
func rewrite(q string) string {
	if !strings.Contains(q, "$") {
		return q
	}
	var b strings.Builder
	b.Grow(len(q))
	next := 1
	for i := 0; i < len(q); i++ {
		if q[i] != '$' {
			b.WriteByte(q[i])
			continue
		}
		j, n := i+1, 0
		for j < len(q) && q[j] >= '0' && q[j] <= '9' {
			n = n*10 + int(q[j]-'0')
			j++
		}
		if n != next {
			return q // out of order or repeated: the engine binds it by number itself
		}
		next++
		b.WriteByte('?')
		i = j - 1
	}
	return b.String()
}
