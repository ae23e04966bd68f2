package server

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/datadir"
	"github.com/sotto-chat/sotto/internal/deletion"
	"github.com/sotto-chat/sotto/internal/gate"
	"github.com/sotto-chat/sotto/internal/handout"
	"github.com/sotto-chat/sotto/internal/ids"
	"github.com/sotto-chat/sotto/internal/inbox"
	"github.com/sotto-chat/sotto/internal/journal"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/media"
	"github.com/sotto-chat/sotto/internal/notice"
	"github.com/sotto-chat/sotto/internal/offers"
	"github.com/sotto-chat/sotto/internal/outbox"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
	"github.com/sotto-chat/sotto/internal/wording"
)

// parts is everything that works on the data.
type parts struct {
	dir        *datadir.Dir
	db         *store.DB
	vault      *vault.Vault
	gate       *gate.Gate
	log        *audit.Log
	people     *people.People
	journal    *journal.Journal
	transcript *transcript.Transcript
	offers     *offers.Offers
	outbox     *outbox.Outbox
	inbox      *inbox.Inbox
	life       *lifecycle.Lifecycle
	handout    *handout.Desk
	media      *media.Media
	deletion   *deletion.Desk
	ids        *ids.Source
	book       *wording.Book
	notice     notice.Notice
	adapters   map[string]channel.Adapter
}

// open opens the data. create allows a new data directory; elsewhere data that
// is not there is an error.
func (s *Server) open(ctx context.Context, create bool) (p *parts, err error) {
	p = &parts{inbox: inbox.New(), adapters: make(map[string]channel.Adapter)}
	opened := p // a return of an error clears p
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.close())
		}
	}()
	if p.gate, err = gate.New(gate.Config{Dir: s.cfg.Policies, Purposes: s.rules(), Now: s.now}); err != nil {
		return nil, err
	}
	if p.book, err = wording.Load(); err != nil {
		return nil, err
	}
	p.notice = s.notice()
	if err = p.notice.Check(); err != nil {
		return nil, err
	}
	if err = p.openData(ctx, s, create); err != nil {
		return nil, err
	}
	if err = p.openTables(ctx, s); err != nil {
		return nil, err
	}
	return p, p.dir.Seal()
}

// openData takes the data directory and opens the key store and the database in
// it, and nothing that writes to them.
func (p *parts) openData(ctx context.Context, s *Server, create bool) error {
	kek, old, err := s.keys(ctx, create)
	if err != nil {
		return err
	}
	if p.dir, err = datadir.Open(s.cfg.Data, datadir.Options{Create: create, Now: s.now}); err != nil {
		return err
	}
	fresh := p.dir.Fresh()
	if p.vault, err = vault.Open(ctx, vault.Config{Path: p.dir.Keys(), Create: fresh, Current: kek, Old: old, Now: s.now}); err != nil {
		return err
	}
	// Measured: a larger cache saves reading index pages again, and a shorter
	// log keeps the pauses short in which it is moved into the file.
	p.db, err = store.Open(ctx, store.Config{Path: p.dir.Data(), MustExist: !fresh, CacheKiB: 24 << 10, LogPages: 1500})
	return err
}

func (p *parts) openTables(ctx context.Context, s *Server) (err error) {
	if s.in.AcceptHead {
		if err = setAside(s.cfg.Audit.Head, s.now()); err != nil {
			return err
		}
	}
	if p.log, err = audit.Open(ctx, p.db, audit.Config{HeadFile: s.cfg.Audit.Head, AcceptNoHead: s.in.AcceptHead, Seed: p.vault.Seed("audit"), Now: s.now, Logger: s.log}); err != nil {
		return err
	}
	if p.people, err = people.Open(ctx, p.db, 20000); err != nil {
		return err
	}
	if p.transcript, err = transcript.Open(ctx, p.db); err != nil {
		return err
	}
	p.journal, err = journal.Open(ctx, journal.Config{DB: p.db, Committed: p.inbox.Committed, Generation: p.vault.Generation})
	if err != nil {
		return err
	}
	if p.offers, err = offers.Open(ctx, offers.Config{DB: p.db, Vault: p.vault, Now: s.now}); err != nil {
		return err
	}
	p.outbox, err = outbox.Open(ctx, outbox.Config{
		Offers: p.offers, DB: p.db, Vault: p.vault, Gate: p.gate, Log: p.log, People: p.people, Adapters: p.adapters,
		Unknown: outbox.Unknown(s.cfg.Outbox.Unknown), Now: s.now, Logger: s.log, Done: p.inbox.Done,
	})
	if err != nil {
		return err
	}
	if err = p.openDesks(ctx, s); err != nil {
		return err
	}
	p.life, err = lifecycle.Open(ctx, lifecycle.Config{
		DB: p.db, Vault: p.vault, Gate: p.gate, Log: p.log, People: p.people, Journal: p.journal, Transcript: p.transcript,
		Outbox: p.outbox, IDs: p.ids, Now: s.now, Logger: s.log, Retention: s.retention(), Every: s.cfg.Retention.Every,
		Also: []lifecycle.Part{lifecycle.PartOf(p.handout), lifecycle.PartOf(p.deletion), lifecycle.PartOf(p.offers), lifecycle.PartOf(p.media), lifecycle.PartOf(p.media.Parts())},
	})
	return err
}

// openDesks opens what people reach over the web beside the chat, and numbers
// what is stored from here on.
func (p *parts) openDesks(ctx context.Context, s *Server) (err error) {
	p.handout, err = handout.Open(ctx, handout.Config{DB: p.db, Vault: p.vault, Gate: p.gate, Log: p.log, People: p.people, Now: s.now})
	if err != nil {
		return err
	}
	if p.media, err = media.Open(ctx, s.mediaConfig(p)); err != nil {
		return err
	}
	if p.ids, err = p.numbers(ctx, s); err != nil {
		return err
	}
	p.media.Number(p.ids)
	p.deletion, err = deletion.Open(ctx, deletion.Config{
		DB: p.db, Vault: p.vault, Gate: p.gate, Log: p.log, People: p.people, IDs: p.ids, Now: s.now, Logger: s.log,
		Erase: func(ctx context.Context, id sotto.PersonID, by sotto.Recipient) (string, error) {
			return p.life.Erase(ctx, id, by)
		},
	})
	return err
}

// setAside renames a head file that is not to be compared with any more.
func setAside(name string, at time.Time) error {
	err := os.Rename(name, name+at.UTC().Format(".20060102T150405Z"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return sotto.E("server.head", sotto.KindUnavailable, err)
	}
	return nil
}

// numbers continues the row numbers behind the largest in use.
func (p *parts) numbers(ctx context.Context, s *Server) (*ids.Source, error) {
	var after int64
	for _, most := range []func(context.Context) (int64, error){p.journal.MaxID, p.transcript.MaxID, p.outbox.MaxID, p.offers.MaxID, p.handout.MaxID, p.media.MaxID} {
		n, err := most(ctx)
		if err != nil {
			return nil, err
		}
		after = max(after, n)
	}
	return ids.NewSource(s.now, after), nil
}

// connect gives the inbox the bot, so that turns can run.
func (p *parts) connect(ctx context.Context, s *Server) error {
	return p.inbox.Connect(ctx, inbox.Config{
		DB: p.db, Vault: p.vault, Gate: p.gate, Log: p.log, People: p.people, Journal: p.journal, Transcript: p.transcript,
		Outbox: p.outbox, Offers: p.offers, Handout: p.handout, Media: p.media, Public: s.cfg.PublicURL, Rights: p.life, IDs: p.ids, Now: s.now, Logger: s.log, Bot: s.bot, Adapters: p.adapters,
		Mask: s.mask, Book: p.book, Notice: p.notice, Retention: s.retention(), Clear: s.cfg.Bot.Text == "clear",
		PerMinute: s.cfg.Limits.PerPersonPerMinute, Timeout: s.cfg.Bot.Timeout, SendFor: s.cfg.Outbox.AttemptsFor,
	})
}

// close closes what is open, the data before its lease.
func (p *parts) close() error {
	var errs []error
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	if p.vault != nil {
		errs = append(errs, p.vault.Close())
	}
	if p.dir != nil {
		errs = append(errs, p.dir.Close())
	}
	return errors.Join(errs...)
}

func (s *Server) rules() []gate.PurposeRule {
	var out []gate.PurposeRule
	for _, p := range s.cfg.Purposes {
		out = append(out, gate.PurposeRule{Purpose: p.Name, Basis: p.Basis, On: p.On})
	}
	return out
}

func (s *Server) retention() time.Duration {
	for _, p := range s.cfg.Purposes {
		if p.Name == sotto.PurposeReply && p.On {
			return p.Retention
		}
	}
	return 0
}

func (s *Server) notice() notice.Notice {
	n := notice.Notice{
		Controller: s.controller(), Contact: cmp.Or(s.cfg.Controller.Contact, s.cfg.PublicURL), DPO: s.cfg.Controller.DPO,
		Complaint: s.cfg.Controller.Complaint, Link: s.cfg.PublicURL + "/privacy",
	}
	for _, p := range s.cfg.Purposes {
		n.Purposes = append(n.Purposes, notice.Purpose{Name: p.Name, Basis: p.Basis, Categories: p.Categories, Retention: p.Retention, On: p.On})
	}
	return n
}

// controller is who answers for the data. An operator who does not say is
// known by the address of the chat.
func (s *Server) controller() string {
	if s.cfg.Controller.Name != "" {
		return s.cfg.Controller.Name
	}
	if s.cfg.Dev {
		return "the Sotto demonstration"
	}
	if u, err := url.Parse(s.cfg.PublicURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return s.cfg.PublicURL
}

// keys loads the key-encryption keys, and makes the default one where nothing
// was configured and nothing exists yet.
func (s *Server) keys(ctx context.Context, create bool) (vault.KEK, []vault.KEK, error) {
	path, isFile := fileRef(s.cfg.Keys.Current)
	if isFile && !s.cfg.Dev {
		beside, err := vault.Beside(path, s.cfg.Data)
		if err != nil {
			return vault.KEK{}, nil, err
		}
		if beside {
			return vault.KEK{}, nil, sotto.E("server.keys", sotto.KindDenied, errors.New("the key-encryption key lies in the data directory: whoever takes one takes both; move it elsewhere, or run with --dev"))
		}
	}
	if isFile && s.cfg.KeyIsDefaultFile && create && datadir.Absent(s.cfg.Data) {
		if err := CreateKey(path); err != nil && sotto.KindOf(err) != sotto.KindExists {
			return vault.KEK{}, nil, err
		}
	}
	current, err := vault.LoadKEK(ctx, s.cfg.Keys.Current, s.in.Env)
	if err != nil {
		return vault.KEK{}, nil, err
	}
	var old []vault.KEK
	for _, ref := range s.cfg.Keys.Old {
		k, err := vault.LoadKEK(ctx, ref, s.in.Env)
		if err != nil {
			return vault.KEK{}, nil, err
		}
		old = append(old, k)
	}
	return current, old, nil
}

// CreateKey makes a key-encryption key in a new file that only its owner can
// read. An existing file is an error of [sotto.KindExists].
func CreateKey(path string) error {
	_, err := vault.CreateKEKFile(path)
	return err
}

func fileRef(ref string) (string, bool) {
	const file = "file:"
	if len(ref) > len(file) && ref[:len(file)] == file {
		return filepath.Clean(ref[len(file):]), true
	}
	return "", false
}
