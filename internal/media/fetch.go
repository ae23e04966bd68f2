package media

import (
	"context"
	"errors"
	"path"
	"strings"
	"sync"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
	"github.com/sotto-chat/sotto/internal/gate"
)

const opFetch = "media.fetch"

// What a bot is told.
var (
	errNone    = errors.New("the message has no such attachment")
	errCannot  = errors.New("the attachment cannot be fetched")
	errOver    = errors.New("the turn is over")
	errMany    = errors.New("more files than a turn may fetch")
	errLarge   = errors.New("the file is too large")
	errType    = errors.New("files of this type are not accepted")
	errHost    = errors.New("the file is not on one of the network's hosts")
	errAnswer  = errors.New("the network sends on to elsewhere, or sends too much")
	errLost    = errors.New("the network does not have the file any more")
	errNetwork = errors.New("the network does not give the file now")
	errRoom    = errors.New("too many files are in use at once")
)

// Turn is the turn that files are fetched in.
type Turn struct {
	Record       int64 // of the journal; a turn that runs again has the same
	Generation   uint64
	Person       sotto.PersonID
	Conversation sotto.ConversationID
	Message      [16]byte // names the message; all zero where the network gave it no id
	Account      string
	Channel      string
	Facts        gate.Facts
	Clear        bool // the bot gets text that is not masked
	Attachments  []channel.Attachment
	Trail        *audit.Trail
}

// Files are the attachments of one message while a bot looks at them. Close them.
type Files struct {
	m    *Media
	turn Turn

	over context.Context //nolint:containedctx // ends with the turn, whatever context the bot fetches with
	end  context.CancelFunc

	mu   sync.Mutex // one fetches at a time
	got  []outcome  // by attachment
	done int        // files that were asked for
	held int64      // bytes of room taken
}

// outcome is what fetching an attachment came to, once that is certain.
type outcome struct {
	file *sotto.File
	err  error
}

// Begin makes the files of a turn. Nothing is fetched yet.
func (m *Media) Begin(ctx context.Context, t Turn) *Files {
	f := &Files{m: m, turn: t, got: make([]outcome, len(t.Attachments))}
	f.over, f.end = context.WithCancel(ctx)
	return f
}

// List returns what the bot is told of the attachments before it asks for one.
// A name may be personal, so only its ending is told; a type that is not written
// as one is left out.
func (f *Files) List() []sotto.Attachment {
	out := make([]sotto.Attachment, len(f.turn.Attachments))
	for i, a := range f.turn.Attachments {
		out[i] = sotto.Attachment{Kind: a.Kind, MIME: declared(a.MIME), Ext: ending(a.Name)}
	}
	return out
}

// declared returns a type without parameters, "" where it is none.
func declared(mime string) string {
	mime, _, _ = strings.Cut(mime, ";")
	mime = strings.ToLower(strings.TrimSpace(mime))
	main, sub, ok := strings.Cut(mime, "/")
	if !ok || len(mime) > 100 || !isToken(main) || !isToken(sub) {
		return ""
	}
	return mime
}

// isToken reports whether s is a word of a type: letters, digits, "." "+" "-" "_".
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c != '.' && c != '+' && c != '-' && c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// ending returns the ending of a file's name, such as ".pdf".
func ending(name string) string {
	e := strings.ToLower(path.Ext(name))
	if len(e) < 2 || len(e) > 8 || strings.Trim(e[1:], "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return ""
	}
	return e
}

// Fetch returns attachment i, cleaned. Asking again is not another download;
// only what may pass is tried again. Kinds of errors: KindInvalid for an
// attachment that is not there, too large, damaged or of a type that is not
// accepted; KindDenied where the gate refuses or the file is not on a host of the
// network; KindNotFound where there is nothing to fetch; KindBusy and
// KindUnavailable for what may pass.
func (f *Files) Fetch(ctx context.Context, i int) (*sotto.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over.Err() != nil:
		return nil, sotto.E(opFetch, sotto.KindInvalid, errOver)
	case i < 0 || i >= len(f.got):
		return nil, sotto.E(opFetch, sotto.KindInvalid, errNone)
	case f.got[i].file != nil || f.got[i].err != nil:
		return f.got[i].file, f.got[i].err
	case f.done >= f.m.cfg.PerTurn:
		return nil, sotto.E(opFetch, sotto.KindInvalid, errMany)
	}
	ctx, cancel := context.WithTimeout(ctx, f.m.cfg.Timeout)
	defer cancel()
	defer context.AfterFunc(f.over, cancel)() //nolint:contextcheck // that is what it is for
	file, err := f.fetch(ctx, &f.turn.Attachments[i])
	f.note(err)
	switch sotto.KindOf(err) { //nolint:exhaustive // the others may pass
	case sotto.KindBusy, sotto.KindUnavailable:
		return nil, err
	}
	f.done++
	f.got[i] = outcome{file, err}
	return file, err
}

// note records what was fetched, or why it was not.
func (f *Files) note(err error) {
	act := audit.Act{Verb: "fetch", Purpose: string(sotto.PurposeReply), Recipient: string(sotto.RecipientBot), What: []string{Table}, Count: 1}
	if err != nil {
		act.Count, act.Denied, act.Reasons = 0, sotto.KindOf(err) == sotto.KindDenied, []string{sotto.KindOf(err).String()}
	}
	f.turn.Trail.Add(act)
}

func (f *Files) fetch(ctx context.Context, a *channel.Attachment) (*sotto.File, error) {
	t := &f.turn
	fetcher, ok := f.m.cfg.Adapters[t.Account].(channel.Fetcher)
	if !ok || a.ID == "" {
		return nil, sotto.E(opFetch, sotto.KindNotFound, errCannot)
	}
	if active(a) {
		return nil, sotto.E(opFetch, sotto.KindInvalid, errActive)
	}
	_, err := f.m.cfg.Gate.Decide(ctx, t.Trail, gate.Use{
		Action: gate.Open, Person: t.Person, Facts: t.Facts, Channel: t.Channel, Purpose: sotto.PurposeReply,
		Categories: []sotto.Category{sotto.CategoryMessage}, Recipient: sotto.RecipientBot, Clear: t.Clear,
	})
	if err != nil {
		return nil, sotto.E(opFetch, sotto.KindOther, err)
	}
	limit := f.m.cfg.Limit
	if err := f.m.room.take(ctx, limit); err != nil {
		return nil, sotto.E(opFetch, sotto.KindBusy, errRoom)
	}
	file, err := f.download(ctx, fetcher, a, limit)
	if err != nil {
		f.m.room.give(limit)
		return nil, err
	}
	kept := min(limit, int64(cap(file.Data)))
	f.m.room.give(limit - kept)
	f.held += kept
	return file, nil
}

func (f *Files) download(ctx context.Context, from channel.Fetcher, a *channel.Attachment, limit int64) (*sotto.File, error) {
	data, err := from.Fetch(f.m.cfg.Allow(ctx, limit, f.m.cfg.Timeout), *a, limit)
	switch {
	case err != nil:
		return nil, sorted(ctx, err)
	case int64(len(data)) > limit:
		return nil, sotto.E(opFetch, sotto.KindInvalid, errLarge)
	}
	mime, clean, err := Clean(data)
	if err != nil {
		return nil, sotto.E(opFetch, sotto.KindOther, err)
	}
	if !f.m.accepts(mime) {
		return nil, sotto.E(opFetch, sotto.KindInvalid, errType)
	}
	return &sotto.File{MIME: mime, Data: clean}, nil
}

// sorted names a failed fetch without anything of the network's answer.
func sorted(ctx context.Context, err error) error {
	var s *channel.SendError
	if ctx.Err() != nil || !errors.As(err, &s) {
		return sotto.E(opFetch, sotto.KindUnavailable, errNetwork)
	}
	switch {
	case s.Code == "too_large":
		return sotto.E(opFetch, sotto.KindInvalid, errLarge)
	case s.Code == "host", s.Code == "denied":
		return sotto.E(opFetch, sotto.KindDenied, errHost)
	case s.Code == "answer": // a redirect, or more than was allowed
		return sotto.E(opFetch, sotto.KindInvalid, errAnswer)
	case s.Class == channel.Retry, s.Class == channel.Unknown, s.Class == channel.Auth:
		return sotto.E(opFetch, sotto.KindUnavailable, errNetwork)
	}
	return sotto.E(opFetch, sotto.KindNotFound, errLost)
}

// active reports whether a file calls itself a page, a script or a program. Text
// that is one cannot be told by its content.
func active(a *channel.Attachment) bool {
	switch ending(a.Name) {
	case ".html", ".htm", ".xhtml", ".shtml", ".svg", ".svgz", ".xml", ".js", ".mjs", ".jse", ".vbs", ".vbe", ".wsf", ".wsh", ".hta", ".bat", ".cmd", ".com", ".exe",
		".scr", ".pif", ".msi", ".dll", ".ps1", ".psm1", ".sh", ".bash", ".zsh", ".py", ".pl", ".rb", ".php", ".jar", ".apk", ".app", ".lnk", ".url", ".reg", ".desktop":
		return true
	}
	mime := declared(a.MIME)
	_, sub, _ := strings.Cut(mime, "/")
	switch sub {
	case "html", "xml", "javascript", "ecmascript", "x-javascript", "x-sh", "x-shellscript", "x-python", "x-php", "x-msdownload", "x-msdos-program", "x-executable",
		"vnd.microsoft.portable-executable", "x-bat", "hta", "java-archive", "vnd.android.package-archive":
		return true
	}
	return strings.HasSuffix(sub, "+xml")
}

// Close ends the turn for whoever still fetches, and gives back the memory. It
// does nothing for a nil Files.
func (f *Files) Close() {
	if f == nil {
		return
	}
	f.end()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.m.room.give(f.held)
	f.held, f.got = 0, nil
}

// room is memory that files may take.
type room struct {
	mu   sync.Mutex
	free int64
	wait []*waiter // first come, first served
}

type waiter struct {
	n     int64
	ready chan struct{}
}

// take waits until there are n bytes.
func (r *room) take(ctx context.Context, n int64) error {
	r.mu.Lock()
	if len(r.wait) == 0 && r.free >= n {
		r.free -= n
		r.mu.Unlock()
		return nil
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	r.wait = append(r.wait, w)
	r.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-w.ready: // it came in the same moment
		r.free += n
	default:
		for i := range r.wait {
			if r.wait[i] == w {
				r.wait = append(r.wait[:i], r.wait[i+1:]...)
				break
			}
		}
	}
	r.serve()
	return ctx.Err()
}

func (r *room) give(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += n
	r.serve()
}

func (r *room) serve() {
	for len(r.wait) > 0 && r.wait[0].n <= r.free {
		r.free -= r.wait[0].n
		close(r.wait[0].ready)
		r.wait = r.wait[1:]
	}
}
