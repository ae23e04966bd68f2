package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/sotto-chat/sotto"
)

var errClosed = errors.New("the database is closed") //nolint:gochecknoglobals // a sentinel

// writer runs all writes, in groups, until the database is closed.
func (db *DB) writer() {
	defer close(db.done)
	stmts := make(map[string]*sql.Stmt)
	defer func() {
		for _, s := range stmts {
			_ = s.Close() //nolint:errcheck // the connection closes next
		}
	}()
	group := make([]job, 0, db.cfg.MaxGroup)
	for j := range db.jobs {
		group = append(group[:0], j)
	fill:
		for len(group) < db.cfg.MaxGroup {
			select {
			case j, ok := <-db.jobs:
				if !ok {
					break fill
				}
				group = append(group, j)
			default:
				break fill
			}
		}
		db.commitGroup(stmts, group)
		clear(group)
	}
}

func (db *DB) commitGroup(stmts map[string]*sql.Stmt, group []job) {
	err := db.transact(stmts, group)
	if err == nil || len(group) == 1 {
		finish(group, err)
		return
	}
	// One of them failed, or the commit did. Each stands for itself now.
	for i := range group {
		finish(group[i:i+1], db.transact(stmts, group[i:i+1]))
	}
}

func finish(group []job, err error) {
	for _, j := range group {
		j.done(err)
	}
}

// transact runs the jobs in one transaction. Jobs of one batch run together,
// at the place of the first of them.
func (db *DB) transact(stmts map[string]*sql.Stmt, group []job) error {
	ctx := context.Background()
	raw, err := db.conn.BeginTx(ctx, nil)
	if err != nil {
		return sotto.E("store.begin", kindOf(err), err)
	}
	tx := &Tx{ctx: ctx, db: db, tx: raw, stmts: stmts}
	if err := tx.runGroup(group); err != nil {
		_ = raw.Rollback() //nolint:errcheck // the first error is the one that counts
		return err
	}
	if err := raw.Commit(); err != nil {
		_ = raw.Rollback() //nolint:errcheck // the first error is the one that counts
		return sotto.E("store.commit", kindOf(err), err)
	}
	for _, f := range tx.onCommit {
		f()
	}
	return nil
}

func (tx *Tx) runGroup(group []job) error {
	ran := make([]batchRunner, 0, 8)
	items := make([]any, 0, len(group))
	for i, j := range group {
		if slices.Contains(ran, j.run) {
			continue
		}
		ran = append(ran, j.run)
		items = items[:0]
		for _, k := range group[i:] {
			if k.run == j.run {
				items = append(items, k.item)
			}
		}
		if err := j.run.runItems(tx, items); err != nil {
			return err
		}
	}
	return nil
}
