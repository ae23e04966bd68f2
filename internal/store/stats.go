package store

import (
	"github.com/sotto-chat/sotto"
)

// groupSizes is the number of classes of group sizes: 1, 2–3, 4–7 … 512 and more.
const groupSizes = 10

// Stats are numbers about the work of the writer since Open.
type Stats struct {
	Commits     int64             // transactions that are durable
	Items       int64             // pieces of work in them
	Groups      [groupSizes]int64 // transactions by size: 1 piece, 2–3, 4–7 … 512 and more
	Largest     int64             // most pieces in one transaction
	Failed      int64             // transactions that were rolled back
	Retries     int64             // groups whose pieces were run again one by one
	Panics      int64             // callbacks that panicked
	Reopened    int64             // times the writer's connection was opened anew
	Checkpoints int64             // times the whole log was moved into the file
	Queue       int               // pieces of work that wait now
	Readers     int               // readers that are open and idle now
	LogBytes    int64             // write-ahead log now
}

// Stats returns the numbers as they are now. It is cheap and never waits for
// the writer.
func (db *DB) Stats() Stats {
	s := Stats{
		Commits: db.stats.commits.Load(), Items: db.stats.items.Load(), Largest: db.stats.largest.Load(),
		Failed: db.stats.failed.Load(), Retries: db.stats.retries.Load(), Panics: db.stats.panics.Load(),
		Reopened: db.stats.reopened.Load(), Checkpoints: db.stats.checkpoints.Load(),
		Queue: db.queue.len(), Readers: db.readers.count(), LogBytes: db.stats.walPages.Load() * pageSize,
	}
	for i := range s.Groups {
		s.Groups[i] = db.stats.sizes[i].Load()
	}
	return s
}

// Size returns how many bytes the database takes on the disk, its write-ahead
// log included.
func (db *DB) Size() (int64, error) {
	var total int64
	for _, p := range []string{db.cfg.Path, db.cfg.Path + "-wal"} {
		n, err := size(p)
		if err != nil {
			return 0, sotto.E("store.size", sotto.KindUnavailable, err)
		}
		total += n
	}
	return total, nil
}

// Path returns where the database is.
func (db *DB) Path() string { return db.cfg.Path }
