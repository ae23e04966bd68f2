package store

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/sotto-chat/sotto"
)

// Checkpoint moves what the write-ahead log holds into the database file and
// empties the log, so that pages that were changed since are on no disk block
// that the file system still counts as ours. It waits a few seconds for readers
// and the writer; an error of [sotto.KindBusy] means that they did not let go.
func (db *DB) Checkpoint(ctx context.Context) error {
	const op = "store.checkpoint"
	var busy, frames, moved int
	err := db.readDB.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err != nil {
		return sotto.E(op, kindOf(err), err)
	}
	if busy != 0 {
		return sotto.E(op, sotto.KindBusy, errors.New("a reader or a writer is at work"))
	}
	return nil
}

// Wrap gives an error that came from scanning a row its kind. A nil error stays nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return sotto.E(op, kindOf(err), err)
}

// Value is what a type that stores itself gives the database (driver.Valuer).
type Value = driver.Value
