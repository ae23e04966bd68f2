// Package answer is the bot that comes with Sotto: it answers questions from
// Markdown files, and says so when they hold no answer.
//
// Each heading of a file starts a passage. A question is compared with all
// passages of the person's language; the passage that covers most of what was
// asked is the answer, shortened to chat length, with its source named. No
// model is asked and nothing leaves the process.
//
// # What it promises
//
// The same question has the same answer. A question whose content words are
// mostly unknown to the files gets "I don't know", not the nearest passage:
// words are weighed by how rare they are, an unknown word counts as the rarest,
// and a passage must cover most of that weight.
//
// # What it does not do
//
// It does not understand. It knows word forms, compounds and small spelling
// mistakes, but no synonyms beyond those that a file lists in a comment such as
// <!-- also: postage, delivery fee -->. It remembers nothing between turns.
package answer

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/sotto-chat/sotto"
)

// Config says where the answers are and how they are given.
type Config struct {
	// FS holds the Markdown files (*.md, in any folder). It has no default.
	FS fs.FS

	Prefix    string // put before a file's path when it is named as a source, such as "help/"; default ""
	Language  string // of files that do not say it by "lang:" in their front matter or by a folder named en or de; default "en"
	MaxChars  int    // length of an answer without its source, in characters; default 600
	FollowUps int    // buttons for further passages of the same file; default 2; -1 for none
}

func (c Config) withDefaults() Config {
	if c.Language == "" {
		c.Language = "en"
	}
	if c.MaxChars == 0 {
		c.MaxChars = 600
	}
	if c.FollowUps == 0 {
		c.FollowUps = 2
	}
	return c
}

// Bot answers from Markdown files. It is a [sotto.Bot], safe for many turns at
// once.
type Bot struct {
	cfg   Config
	ready chan struct{} // closed when the fields below are set
	langs map[string]*corpus
	pages map[string]*passage // by button payload
	err   error
}

// New reads the files and starts to index them; the first turns wait for the
// index. An error names the file that cannot be read, or says that there is
// none. Ending ctx ends the indexing, after which every turn fails.
func New(ctx context.Context, cfg Config) (*Bot, error) {
	const op = "answer.new"
	cfg = cfg.withDefaults()
	if cfg.FS == nil {
		return nil, sotto.E(op, sotto.KindInvalid, errors.New("no files to answer from"))
	}
	if texts(cfg.Language) == nil {
		return nil, sotto.E(op, sotto.KindInvalid, errors.New("language: want en or de"))
	}
	docs, err := readDocs(cfg)
	if err != nil {
		return nil, sotto.E(op, sotto.KindInvalid, err)
	}
	b := &Bot{cfg: cfg, ready: make(chan struct{})}
	go b.build(ctx, docs)
	return b, nil
}

func (b *Bot) build(ctx context.Context, docs []*doc) {
	defer close(b.ready)
	byLang := map[string][]*passage{}
	b.pages = map[string]*passage{}
	for _, d := range docs {
		byLang[d.lang] = append(byLang[d.lang], d.passages...)
		for _, p := range d.passages {
			if key := p.payload(); key != "" {
				b.pages[key] = p
			}
		}
	}
	b.langs = map[string]*corpus{}
	for lang, ps := range byLang {
		if b.err = ctx.Err(); b.err != nil {
			return
		}
		if b.langs[lang], b.err = newCorpus(lang, ps); b.err != nil {
			return
		}
	}
}

// Turn answers one event.
func (b *Bot) Turn(ctx context.Context, t *sotto.Turn) error {
	select {
	case <-b.ready:
	case <-ctx.Done():
		return sotto.E("answer.turn", sotto.KindUnavailable, ctx.Err())
	}
	if b.err != nil {
		return sotto.E("answer.turn", sotto.KindOther, b.err)
	}
	lang := b.language(t.Language)
	say := texts(lang)
	if t.Kind == sotto.EventButton {
		if p := b.pages[t.Payload]; p != nil {
			b.reply(t, p)
		} else {
			t.Reply(say.dontKnow)
		}
		return nil
	}
	if t.Kind != sotto.EventMessage {
		return nil
	}
	if strings.TrimSpace(t.Text) == "" { // a picture, a sticker
		t.Reply(say.noText)
		return nil
	}
	switch smallTalk(t.Text) {
	case talkGreeting:
		t.Reply(say.greeting, b.topics(lang)...)
		return nil
	case talkThanks:
		t.Reply(say.welcome)
		return nil
	case talkBye:
		t.Reply(say.bye)
		return nil
	case talkNone:
	}
	p, err := b.find(ctx, lang, t.Text)
	if err != nil {
		return err
	}
	if p == nil {
		t.Reply(say.dontKnow, b.topics(lang)...)
		return nil
	}
	b.reply(t, p)
	return nil
}

// language returns the language of ours that is spoken with the person.
func (b *Bot) language(tag string) string {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if texts(primary) != nil {
		return primary
	}
	return b.cfg.Language
}

// find looks for an answer in the person's language, then in the others: people
// write in other languages than their phone is set to. There the question must
// be covered better, for lack of the first sign.
func (b *Bot) find(ctx context.Context, lang, question string) (*passage, error) {
	p, _, err := b.langs[lang].best(ctx, question, accept)
	if p != nil || err != nil {
		return p, err
	}
	var best *passage
	var most float64
	for other, c := range b.langs {
		if other == lang {
			continue
		}
		p, score, err := c.best(ctx, question, acceptOther)
		if err != nil {
			return nil, err
		}
		if p != nil && (score > most || score == most && best != nil && other < best.doc.lang) {
			best, most = p, score
		}
	}
	return best, nil
}

// reply says p, names its source, and offers its neighbours.
func (b *Bot) reply(t *sotto.Turn, p *passage) {
	say := texts(p.doc.lang)
	var buttons []sotto.Button
	ps := p.doc.passages
	for i := 1; i < len(ps) && len(buttons) < b.cfg.FollowUps; i++ {
		next := ps[(p.at+i)%len(ps)]
		if key := next.payload(); key != "" && next.heading != "" {
			buttons = append(buttons, sotto.Button{Label: next.heading, Payload: key})
		}
	}
	source := b.cfg.Prefix + p.doc.path
	if p.anchor != "" {
		source += "#" + p.anchor
	}
	t.Reply(shorten(p.text, b.cfg.MaxChars)+"\n\n"+say.source+": "+p.doc.title+" — "+source, buttons...)
}

// topics offers the first passage of the first files, as examples.
func (b *Bot) topics(lang string) []sotto.Button {
	c := b.langs[lang]
	if c == nil || b.cfg.FollowUps < 0 {
		return nil
	}
	var buttons []sotto.Button
	for _, p := range c.passages {
		if key := p.payload(); p.at == 0 && key != "" && len(buttons) < 4 {
			buttons = append(buttons, sotto.Button{Label: p.doc.title, Payload: key})
		}
	}
	return buttons
}

// shorten cuts s to at most n characters, at the end of a sentence or of a line
// where there is one in the second half, and at a space elsewhere.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	cut := r[:max(n-2, 1)]
	space := -1
	for i := len(cut) - 1; i > len(cut)/2; i-- {
		switch {
		case cut[i] == '\n':
			return strings.TrimSpace(string(cut[:i])) + " …"
		case cut[i] == ' ' && strings.ContainsRune(".!?", cut[i-1]):
			return string(cut[:i]) + " …"
		case cut[i] == ' ' && space < 0:
			space = i
		}
	}
	if space > 0 {
		cut = cut[:space]
	}
	return strings.TrimSpace(string(cut)) + " …"
}
