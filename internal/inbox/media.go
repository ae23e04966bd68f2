package inbox

import (
	"context"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/media"
	"github.com/sotto-chat/sotto/internal/store"
)

// wantsMedia reports whether the bot is one that gets attachments.
func wantsMedia(cfg *Config) bool {
	bot, ok := cfg.Bot.(sotto.MediaBot)
	return ok && cfg.Media != nil && bot.Media()
}

// wordless reports whether a message says nothing that the bot could read.
func (t *turn) wordless() bool {
	return t.ev.Text == "" && t.ev.Payload == "" && (!t.in.media || len(t.ev.Attachments) == 0)
}

// attach lets a bot that wants them have the attachments; nil for another.
func (t *turn) attach(ctx context.Context, bt *sotto.Turn) *media.Files {
	if !t.in.media {
		return nil
	}
	f := t.in.cfg.Media.Begin(ctx, media.Turn{
		Record: t.rec.ID, Generation: t.res.generation, Person: t.rec.Person, Conversation: t.rec.Conversation, Message: t.messageKey(),
		Account: t.rec.Account, Channel: t.name(), Facts: t.st.Facts(), Clear: t.in.cfg.Clear, Attachments: t.ev.Attachments, Trail: t.trail,
	})
	bt.Attachments, bt.Fetch = f.List(), f.Fetch
	return f
}

// keepFiles stores what the bot has fetched. Of groups nothing is kept.
func (t *turn) keepFiles(ctx context.Context, f *media.Files) error {
	if f == nil || t.ev.Group {
		f.Close()
		return nil
	}
	return f.Keep(ctx)
}

// forgetFiles deletes what came with a message that the person deleted on the
// network.
func (in *Inbox) forgetFiles(tx *store.Tx, r *result) error {
	if in.cfg.Media == nil || r.forgotten == [16]byte{} {
		return nil
	}
	_, err := in.cfg.Media.ForgetMessage(tx, r.person, r.forgotten)
	return err
}
