// Package media is what people send along that is not text: it is fetched when
// the bot asks for it and not before, cleaned, and kept for its own time.
//
// It promises:
//
//   - Nothing is fetched unless the bot asks and the gate permits it; then once,
//     from where the network's adapter finds it, within bounds of size, time,
//     number and memory.
//   - What a file is decides its content ([Clean]); types that the operator does
//     not list are refused. Where and with which device it was made is taken out
//     before the bot or the disk gets it. What came from the network itself is
//     never stored.
//   - A file is sealed under the person's key, in parts, and ends on a last day of
//     its own. It stands in the person's copy, and goes with the person's erasure
//     and with the message that it came with. Where nothing is to be kept, it is
//     fetched for the turn only.
//   - Of one person no more than a bounded amount is kept; what is beyond reaches
//     the bot and is not stored.
//
// It does not look at what a picture shows, does not unpack or decode files, and
// does not search them for viruses.
//
// The files: fetch.go is the way of a file to the bot, store.go its way to the
// disk, clean.go sends it to whoever knows its type.
package media

import (
	"context"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/clock"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/ids"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Config connects the media. All fields without a default are required.
type Config struct {
	DB       *store.DB
	Vault    *vault.Vault
	Gate     *gate.Gate
	Now      clock.Clock
	Adapters map[string]channel.Adapter // by account; may be filled later

	// Allow returns a context under which an adapter may fetch that much for so
	// long. Default: the context as it is.
	Allow func(ctx context.Context, body int64, timeout time.Duration) context.Context

	Limit     int64         // bytes of one file; default 16 MiB
	Timeout   time.Duration // of fetching one file; default 30s
	Types     []string      // that are accepted, "image/png" or "image/*"; default [DefaultTypes]
	Retention time.Duration // how long a file is kept; default 0: not at all
	PerTurn   int           // files that a bot may fetch in a turn; default 10
	PerPerson int64         // bytes kept of one person; default 4 times Limit
	Memory    int64         // bytes of files in memory at once, while bots look at them; default 8 times Limit
}

// DefaultTypes are images, sound, films, PDF and text.
func DefaultTypes() []string {
	return []string{"image/*", "audio/*", "video/*", "application/pdf", "text/plain"}
}

func (c *Config) fill() {
	def := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.Limit, 16<<20)
	def(&c.PerPerson, 4*c.Limit)
	def(&c.Memory, 8*c.Limit)
	c.Memory = max(c.Memory, c.Limit)
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.PerTurn <= 0 {
		c.PerTurn = 10
	}
	if c.Types == nil {
		c.Types = DefaultTypes()
	}
	if c.Allow == nil {
		c.Allow = func(ctx context.Context, _ int64, _ time.Duration) context.Context { return ctx }
	}
}

// Media fetches and keeps files.
type Media struct {
	cfg  Config
	ids  *ids.Source
	room room
}

// Open prepares the tables, and removes parts of files that a crash kept from
// being stored whole. [Media.Number] has to be called before a file is kept.
func Open(ctx context.Context, cfg Config) (*Media, error) {
	cfg.fill()
	m := &Media{cfg: cfg, room: room{free: cfg.Memory}}
	err := cfg.DB.Migrate(ctx, "media", []string{
		`CREATE TABLE media (
			id BIGINT PRIMARY KEY, person BLOB NOT NULL, conversation BLOB NOT NULL, message BLOB NOT NULL, record BIGINT NOT NULL,
			purpose TEXT NOT NULL, at BIGINT NOT NULL, expires BIGINT NOT NULL, size BIGINT NOT NULL, sealed BLOB NOT NULL)`,
		`CREATE INDEX media_person ON media (person, id)`,
		`CREATE INDEX media_expires ON media (expires)`,
		`CREATE TABLE media_part (id BIGINT PRIMARY KEY, media BIGINT NOT NULL, person BLOB NOT NULL, expires BIGINT NOT NULL, sealed BLOB NOT NULL)`,
		`CREATE INDEX media_part_media ON media_part (media)`,
		`CREATE INDEX media_part_person ON media_part (person, id)`,
		`CREATE INDEX media_part_expires ON media_part (expires)`,
	})
	if err != nil {
		return nil, err
	}
	_, err = cfg.DB.DeleteChunks(ctx, `SELECT id FROM media_part WHERE media NOT IN (SELECT id FROM media) LIMIT $1`, deletePart, partRows)
	return m, err
}

// Number gives the source of row numbers, which is made when all tables are open.
func (m *Media) Number(s *ids.Source) { m.ids = s }

// accepts reports whether the operator lists a type.
func (m *Media) accepts(mime string) bool {
	main, _, _ := strings.Cut(mime, "/")
	for _, t := range m.cfg.Types {
		if t == mime || t == main+"/*" {
			return true
		}
	}
	return false
}

// ref is the place of a file's row.
func (*Media) ref(id int64, p sotto.PersonID) vault.Ref {
	return vault.Ref{Table: Table, Row: id, Field: "sealed", Person: p, Purpose: sotto.PurposeReply}
}

// partRef is the place of a part.
func (*Media) partRef(id int64, p sotto.PersonID) vault.Ref {
	return vault.Ref{Table: PartTable, Row: id, Field: "sealed", Person: p, Purpose: sotto.PurposeReply}
}
