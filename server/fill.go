package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/people"
	"github.com/sotto-chat/sotto/internal/store"
	"github.com/sotto-chat/sotto/internal/transcript"
	"github.com/sotto-chat/sotto/internal/vault"
)

// Fill describes made-up data to measure with.
type Fill struct {
	Account string // such as "telegram/shop"
	Users   int    // persons "1" to "Users" say the same amount
	Turns   int    // all that is said by them together
	Big     int    // what the person "big" says on top
	Bytes   int    // length of what is said in a turn
}

// fillRows is how many turns one transaction stores.
const fillRows = 512

// FillData stores made-up turns on the data of a configuration, on which no
// server may run. It is for measuring.
func FillData(ctx context.Context, cfg Config, f Fill) (err error) {
	s, err := configure(cfg)
	if err != nil {
		return err
	}
	p, err := s.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	w := filler{s: s, p: p, f: f, text: strings.Repeat("where is my parcel? ", 1+f.Bytes/20)[:f.Bytes]}
	for i := range f.Turns {
		if err := w.turn(ctx, fmt.Sprint(1+i%f.Users), i < f.Users); err != nil {
			return err
		}
	}
	for i := range f.Big {
		if err := w.turn(ctx, "big", i == 0); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

type filler struct {
	s    *Server
	p    *parts
	f    Fill
	text string
	rows []transcript.Row
	new  []sotto.PersonID
}

func (w *filler) turn(ctx context.Context, user string, first bool) error {
	name := people.Channel(w.f.Account)
	now := w.s.now()
	r := transcript.Row{
		ID: w.p.ids.Next(), Person: w.p.vault.PersonID(name, w.f.Account, user), Conversation: w.p.vault.ConversationID(name, w.f.Account, user),
		Purpose: sotto.PurposeReply, At: now, Expires: now.Add(w.s.retention()),
	}
	said := transcript.Said{In: w.text, Out: []string{w.text}}
	var err error
	if r.Sealed, err = w.p.vault.Seal(ctx, transcript.Ref(&r), vault.Reply, now, said.Encode()); err != nil {
		return err
	}
	w.rows = append(w.rows, r)
	if first {
		w.new = append(w.new, r.Person)
	}
	if len(w.rows) < fillRows {
		return nil
	}
	return w.flush(ctx)
}

func (w *filler) flush(ctx context.Context) error {
	now := w.s.now()
	err := w.p.db.Write(ctx, func(tx *store.Tx) error {
		for _, id := range w.new {
			st := people.State{Account: w.f.Account, Notice: w.p.notice.Version(), NoticeAt: now, Since: now, Language: "en"}
			if err := w.p.people.Put(tx, id, st); err != nil {
				return err
			}
		}
		return w.p.transcript.Add(tx, w.rows)
	})
	w.rows, w.new = w.rows[:0], w.new[:0]
	return err
}
