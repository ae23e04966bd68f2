// Package store is the one place that talks to a database: connections,
// migrations, and transactions that many callers share.
//
// SQL is written by the domains, in the subset that SQLite and PostgreSQL have
// in common ($1 parameters, ON CONFLICT, RETURNING); nothing that only
// one engine has leaves this package.
//
// # Writing
//
// A database has one writer. Callers hand it work with [DB.Write] or a [Batch];
// it takes all work that waits, runs it in one transaction, makes it durable
// with one fsync, and only then lets the callers go on. If any piece of work
// fails, the transaction is rolled back and each piece is run again in a
// transaction of its own, so that one caller's fault stays that caller's, a
// panic included. Work may therefore run more than once: it must have no
// effect outside the transaction but through [Tx.OnCommit].
//
// The queue is bounded. Write and Do wait for room as long as their context
// lasts; Submit never waits and is refused when twice as much waits, so that
// callbacks, which run on the writer's goroutine, cannot stop it. A context
// that ends takes work back that has not begun; work that has begun is waited
// for, so that its caller always learns what happened.
//
// # Reading
//
// Queries see what is committed when they begin, on a few connections that are
// opened when needed and closed when idle.
//
// # What it promises
//
// When Write or Do returns nil, the change survives a crash of the process and
// of the machine (SQLite: WAL with synchronous=FULL). A full disk is an error
// of [sotto.KindFull], nothing of the group is kept, and the next write is
// tried afresh: no restart is needed when there is room again. After an error
// of the disk the writer's connection is closed and opened anew, so that
// nothing is built on what may not be there. A damaged file is an error of
// [sotto.KindCorrupt], from Open or from the first use of the damaged part; no
// file is ever made anew where there was one. A second process, or a second
// Open, gets an error of [sotto.KindBusy] that names the holder.
//
// # What it does not do
//
// It does not encrypt: what it is given is sealed already. It does not protect
// against a disk that says "written" and lies, nor work on network file
// systems.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	engine "modernc.org/sqlite/lib"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/lease"
)

// Config says which database to open.
type Config struct {
	Path         string        // the SQLite file; its directory exists
	CacheKiB     int           // page cache of the writer; each reader has an eighth of it; default 4096
	Readers      int           // most queries that are read at once; default 4
	MaxGroup     int           // most pieces of work in one transaction; default 512
	MaxQueue     int           // pieces of work that wait before Write and Do wait for room; default 4096
	MaxBytes     int64         // the file grows no further than this; default 0: as the disk allows
	LogPages     int           // pages of 4 KiB in the write-ahead log before it is moved into the file; default 4000
	Idle         time.Duration // an unused reader is closed, and the writer's cache given back, after this; default 1m
	MustExist    bool          // an absent file is an error instead of a new database; default false
	SecureDelete bool          // what is deleted is overwritten with zeros; default false
	Log          *slog.Logger  // is told of panics in callbacks; default none

	vfs string // the writer's file layer; default vfsName; another one in tests of failing disks
}

// The engine's page, in bytes, and how long a connection waits for another's
// lock, in milliseconds.
const (
	pageSize    = 4096
	busyTimeout = 5000
)

// applicationID marks a file as a database of Sotto ("Sott").
const applicationID = 0x536f7474

func (c Config) withDefaults() Config {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.CacheKiB, 4096)
	def(&c.Readers, 4)
	def(&c.MaxGroup, 512)
	def(&c.MaxQueue, 4096)
	def(&c.LogPages, 4000)
	if c.vfs == "" {
		c.vfs = vfsName
	}
	if c.Idle <= 0 {
		c.Idle = time.Minute
	}
	return c
}

// DB is an open database. Close it to end the writer.
type DB struct {
	cfg     Config
	lease   *lease.Lease
	readers *readers
	queue   *queue
	jobs    jobs
	w       *writer
	done    chan struct{} // the writer has ended
	file    identity
	stats   counters
}

// Open opens the database and starts its writer. The error is of
// [sotto.KindBusy] where somebody has it open, of [sotto.KindCorrupt] where the
// files are not what a database leaves behind, and of [sotto.KindNotFound]
// where there is none and Config.MustExist is set.
func Open(ctx context.Context, cfg Config) (_ *DB, err error) {
	const op = "store.open"
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	db := &DB{cfg: cfg, queue: newQueue(cfg.MaxQueue), done: make(chan struct{})}
	db.cfg.Path, err = filepath.Abs(cfg.Path)
	if err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	if db.lease, err = lease.Acquire(db.cfg.Path + ".lock"); err != nil {
		return nil, sotto.E(op, sotto.KindOther, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.lease.Release())
		}
	}()
	tuneEngine()
	if err := db.findOrMake(); err != nil {
		return nil, err
	}
	c, err := db.openWriter()
	if err != nil {
		return nil, sotto.E(op, kindOf(err), err)
	}
	db.readers = newReaders(cfg.Readers, cfg.Idle, db.openReader)
	db.w = &writer{db: db, c: c}
	go db.w.run() //nolint:contextcheck // the writer outlives the call
	return db, nil
}

// findOrMake looks at the files before the engine does, which would make a new
// database of some kinds of damage.
func (db *DB) findOrMake() error {
	const op = "store.open"
	err := inspect(db.cfg.Path)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return err
	case db.cfg.MustExist:
		return sotto.E(op, sotto.KindNotFound, err)
	}
	if err := create(db.cfg.Path); err != nil {
		return sotto.E(op, kindOf(err), err)
	}
	return nil
}

func (db *DB) openWriter() (*conn, error) {
	secure := "OFF"
	if db.cfg.SecureDelete {
		secure = "ON"
	}
	pages := int64(0xfffffffe) // the engine's own limit
	if db.cfg.MaxBytes > 0 {
		pages = max(1, db.cfg.MaxBytes/pageSize)
	}
	c, err := openConn(connConfig{
		path: db.cfg.Path, vfs: db.cfg.vfs, flags: engine.SQLITE_OPEN_READWRITE, wal: true,
		pragmas: append(commonPragmas(db.cfg.CacheKiB),
			"synchronous=FULL", "foreign_keys=ON", "secure_delete="+secure,
			fmt.Sprintf("journal_size_limit=%d", 2*db.cfg.LogPages*pageSize),
			fmt.Sprintf("max_page_count=%d", pages)),
	})
	if err != nil {
		return nil, err
	}
	if err := db.ready(c); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// ready checks that the connection sees a database of ours in WAL mode, which
// also recovers what a crash left in the log, and prepares what every
// transaction needs.
func (db *DB) ready(c *conn) error {
	var mode string
	if err := c.scalar("PRAGMA journal_mode=WAL", &mode); err != nil {
		return err
	}
	var id, tables int64
	if err := c.scalar("PRAGMA application_id", &id); err != nil {
		return err
	}
	if err := c.scalar("SELECT count(*) FROM sqlite_schema", &tables); err != nil {
		return err
	}
	switch {
	case mode != "wal":
		return &engineError{code: engine.SQLITE_CANTOPEN, text: "the file system does not support a write-ahead log"}
	case id != applicationID:
		return &engineError{code: engine.SQLITE_NOTADB, text: "the file is a database of another program"}
	}
	var err error
	for q, st := range map[string]**stmt{"BEGIN IMMEDIATE": &c.begin, "COMMIT": &c.commit, "ROLLBACK": &c.rollback} {
		if *st, err = c.prepare(q); err != nil {
			return err
		}
	}
	return db.file.remember(db.cfg.Path)
}

func (db *DB) openReader() (*conn, error) {
	return openConn(connConfig{
		path: db.cfg.Path, flags: engine.SQLITE_OPEN_READONLY, cancel: true,
		pragmas: commonPragmas(max(64, db.cfg.CacheKiB/8)),
	})
}

func commonPragmas(cacheKiB int) []string {
	return []string{
		fmt.Sprintf("cache_size=-%d", cacheKiB),
		"temp_store=MEMORY",
		"trusted_schema=OFF", // a damaged or foreign schema calls no functions
		"cell_size_check=ON", // finds damage where it is and not later
	}
}

// Close waits for the work that was handed in and closes the database.
func (db *DB) Close() error {
	if !db.queue.close() {
		<-db.done
		return nil
	}
	<-db.done
	err := errors.Join(db.readers.close(), db.w.c.close())
	if err != nil {
		err = sotto.E("store.close", kindOf(err), err)
	}
	return errors.Join(err, db.lease.Release())
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
		switch {
		case err != nil && !errors.Is(err, ErrNoRows):
			return err
		case have == len(steps) && err == nil:
			return nil
		case have > len(steps):
			return sotto.E("store.migrate", sotto.KindInvalid, fmt.Errorf("%s is at version %d, this program knows %d: it is older than the data", component, have, len(steps)))
		}
		for i, s := range steps[have:] {
			// A 64-bit primary key is the row's own number in SQLite only under this name.
			if err := tx.c.script(dialect(s)); err != nil {
				return sotto.E("store.migrate", kindOf(err), fmt.Errorf("%s, step %d: %w", component, have+i+1, err))
			}
		}
		_, err = tx.Exec(`INSERT INTO store_version (component, version) VALUES ($1, $2) ON CONFLICT (component) DO UPDATE SET version = excluded.version`, component, len(steps))
		return err
	})
}

// SetMaxBytes changes [Config.MaxBytes]. A limit below the size that the file
// has lets nothing shrink; it only stops the growth.
func (db *DB) SetMaxBytes(ctx context.Context, n int64) error {
	return db.apart(ctx, func(w *writer) error {
		w.db.cfg.MaxBytes = n
		return w.drop() // the next work opens the connection with the new limit
	})
}

// Check reads the whole file and reports the first damage found.
func (db *DB) Check(ctx context.Context) error {
	var res string
	if err := db.QueryRow(ctx, "PRAGMA integrity_check(1)").Scan(&res); err != nil {
		return err
	}
	if res != "ok" {
		return sotto.E("store.check", sotto.KindCorrupt, errors.New(res))
	}
	return nil
}

// dialect turns a migration into SQLite's own words: a 64-bit primary key is
// the row's own number only under the name INTEGER, and a table whose last line
// is ") -- clustered" is kept in the order of its primary key.
func dialect(sql string) string {
	sql = strings.ReplaceAll(sql, "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
	return strings.ReplaceAll(sql, ") -- clustered", ") WITHOUT ROWID")
}
