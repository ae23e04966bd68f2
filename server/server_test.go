package server

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/internal/lifecycle"
	"github.com/sotto-chat/sotto/internal/store"
)

func (s *site) noSecret(where, text string) {
	s.t.Helper()
	for _, secret := range []string{secretToken, secretHook, secretApp, secretVerify, secretAccess} {
		if strings.Contains(text, secret) {
			s.t.Errorf("%s holds a secret", where)
		}
	}
}

func TestBannerSaysWhatIsOnAndNoSecret(t *testing.T) {
	s := newSite(t)
	s.start()
	text := s.out.String()
	for _, want := range []string{"messenger/page", "telegram/shop", "webchat/site", "masked", "reply", "30 days", "file:", "/chat", "localhost:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said:\n%s", want, text)
		}
	}
	s.noSecret("the banner", text)
	s.stop()
	s.noSecret("the log", s.log.String())
}

// problems returns what New says of a configuration.
func (s *site) problems(text string) string {
	s.t.Helper()
	s.configure(text)
	_, err := New(s.config(), nil)
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestProblemsWithAccounts(t *testing.T) {
	s := newSite(t)
	const head = "keys: { current: file:./kek }\naudit: { head: ./head }\nchannels:\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"no secret":           {"  telegram: { shop: { token: env:TOKEN } }\n", []string{"sotto.yaml:4", "secret"}},
		"a secret in clear":   {"  telegram: { shop: { token: canary-in-clear, secret: env:HOOK } }\n", []string{"sotto.yaml:4", "token"}},
		"a secret not set":    {"  telegram: { shop: { token: env:NOTHING, secret: env:HOOK } }\n", []string{"NOTHING"}},
		"an unknown key":      {"  telegram: { shop: { token: env:TOKEN, secret: env:HOOK, tokn: x } }\n", []string{"tokn"}},
		"two web chats":       {"  webchat: { a: {}, b: {} }\n", []string{"one web chat already"}},
		"a channel to come":   {"  slack: { a: {} }\n", []string{"slack"}},
		"no channel at all":   {"  smoke: { a: {} }\n", []string{"smoke"}},
		"all of them at once": {"  telegram: { shop: { token: env:NOTHING } }\n  messenger: { page: {} }\n  webchat: { a: {}, b: {} }\n", []string{"NOTHING", "sotto.yaml:5", "one web chat already"}},
	} {
		got := s.problems(head + c.text)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not said in:\n%s", name, want, got)
			}
		}
		if strings.Contains(got, "canary") {
			t.Errorf("%s: a secret is said:\n%s", name, got)
		}
		findings, err := Check(context.Background(), s.config(), false)
		if err != nil || !findings.Bad() || !strings.HasPrefix(findings[0].String(), "WRONG") {
			t.Errorf("%s: Check = %v, %v", name, findings, err)
		}
	}
	if _, err := New(Config{File: filepath.Join(s.dir, "absent.yaml")}, nil); err == nil {
		t.Error("an absent file is read")
	}
}

func TestKeys(t *testing.T) {
	s := newSite(t)
	inside := filepath.Join(s.dir, "data", "kek")
	s.must(os.MkdirAll(filepath.Dir(inside), 0o700))
	s.must(CreateKey(inside))
	if err := CreateKey(inside); sotto.KindOf(err) != sotto.KindExists {
		t.Errorf("a key is made over another: %v", err)
	}
	open := filepath.Join(s.dir, "open")
	s.must(os.WriteFile(open, []byte("x"), 0o644))
	s.env["SHORT"] = "canary-short"
	for name, c := range map[string]struct {
		ref  string
		want string
	}{
		"beside the data": {"file:./data/kek", "lies in the data directory"},
		"no file":         {"file:./absent", "cannot be read"},
		"others read it":  {"file:./open", "chmod"},
		"not set":         {"env:ABSENT", "ABSENT"},
		"not a key":       {"env:SHORT", "invalid"},
		"no reference":    {"canary", "keys.current"},
	} {
		s.configure("listen: 127.0.0.1:0\ndata: ./data\nkeys: { current: \"" + c.ref + "\" }\naudit: { head: ./head }\nchannels: { webchat: { a: {} } }\n")
		srv, err := New(s.config(), nil)
		if err == nil {
			err = srv.Run(context.Background())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "canary-") {
			t.Errorf("%s: a key is said: %v", name, err)
		}
	}
}

func TestRunTellsWhatKeepsItFromStarting(t *testing.T) {
	s := newSite(t)
	s.start()
	second, err := New(s.config(), nil)
	s.must(err)
	if err := second.Run(context.Background()); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("a second server on the data: %v", err)
	}
	addr := s.r.s.Addr()
	s.stop()
	l, err := net.Listen("tcp", addr)
	s.must(err)
	defer l.Close() //nolint:errcheck // the test is over
	c := s.config()
	c.Listen = addr
	third, err := New(c, nil)
	s.must(err)
	if err := third.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("an address in use: %v", err)
	}
	s.start() // what failed has left nothing locked
}

func TestDevelopmentModeServesTheSampleBot(t *testing.T) {
	dir := t.TempDir()
	out := new(buffer)
	srv, err := New(Config{Data: dir + "/data", Listen: "127.0.0.1:0", Out: out}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	select {
	case <-srv.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "development mode") || !strings.Contains(out.String(), "sample shop") {
		t.Errorf("banner:\n%s", out.String())
	}
}

// What a send writes to the log while the server stops is under its last
// signature.
func TestStopSignsTheLogAfterTheLastSend(t *testing.T) {
	s := newSite(t)
	s.bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error { t.Reply(t.Text); return nil })
	s.start()
	entered, release := make(chan struct{}, 9), make(chan struct{})
	s.got = func(int64) { entered <- struct{}{}; <-release }
	s.say(1, 1, "x")
	<-entered
	time.AfterFunc(300*time.Millisecond, func() { close(release) })
	s.stop()
	db, err := store.Open(context.Background(), store.Config{Path: s.r.p.dir.Data(), MustExist: true})
	s.must(err)
	defer db.Close() //nolint:errcheck // only read
	var entries, signed int
	s.must(db.QueryRow(context.Background(), `SELECT count(*) FROM audit_leaf`).Scan(&entries))
	s.must(db.QueryRow(context.Background(), `SELECT max(size) FROM audit_checkpoint`).Scan(&signed))
	if entries != signed || entries < 3 {
		t.Errorf("%d entries, %d of them signed", entries, signed)
	}
}

// A bot that does not mind its context does not keep the server from stopping;
// its message is handled after the next start.
func TestStopWithABotThatHangs(t *testing.T) {
	s := newSite(t)
	entered, never := make(chan struct{}, 1), make(chan struct{})
	t.Cleanup(func() { close(never) })
	s.bot = sotto.BotFunc(func(context.Context, *sotto.Turn) error { entered <- struct{}{}; <-never; return nil })
	s.start()
	s.say(1, 1, "x")
	<-entered
	begin := time.Now()
	s.stop()
	if d := time.Since(begin); d > patience+5*time.Second {
		t.Errorf("it took %s to stop", d)
	}
	if !strings.Contains(s.log.String(), "a turn does not end") {
		t.Error("the operator is not told")
	}
	s.bot = sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error { t.Reply(t.Text); return nil })
	before := s.messages()
	s.start()
	s.wait("it is answered", func() bool { return s.messages() == before+1 })
}

// TestOperations carries out everything, in the running server and by itself.
func TestOperations(t *testing.T) {
	for _, online := range []bool{true, false} {
		s := newSite(t)
		s.start()
		s.say(1, 1, "the secret of one")
		s.say(2, 2, "the secret of two")
		s.wait("both are answered", func() bool { return s.messages() == 4 })
		s.wait("nothing waits", func() bool {
			n, err := s.r.p.journal.Count(context.Background())
			return err == nil && n == 0 && s.r.p.outbox.Held() == 0
		})
		if !online {
			s.stop()
		}
		ctx := context.Background()
		who := Who{Channel: "telegram", Account: "shop", User: "1"}
		var b lifecycle.Bundle
		s.must(Operate(ctx, s.config(), OpExport, who, &b))
		if len(b.Turns) != 1 || b.Turns[0].You != "the secret of one" {
			t.Errorf("online %v: export %+v", online, b.Turns)
		}
		var e Explained
		s.must(Operate(ctx, s.config(), OpExplain, Explain{Who: Who{Person: b.Person}, Purpose: sotto.PurposeReply}, &e))
		if !e.Allowed || e.Person != b.Person || len(e.Reasons) == 0 {
			t.Errorf("online %v: explained %+v", online, e)
		}
		var ps []Policy
		s.must(Operate(ctx, s.config(), OpPolicies, struct{}{}, &ps))
		if len(ps) < 10 {
			t.Errorf("online %v: %d policies", online, len(ps))
		}
		var would, did Report
		s.must(Operate(ctx, s.config(), OpRetention, Retention{DryRun: true}, &would))
		s.must(Operate(ctx, s.config(), OpRetention, Retention{}, &did))
		if !would.DryRun || did.DryRun || would.Turns != did.Turns {
			t.Errorf("online %v: would %+v, did %+v", online, would, did)
		}
		var n int64
		s.must(Operate(ctx, s.config(), OpRotate, struct{}{}, &n))
		var r Receipt
		s.must(Operate(ctx, s.config(), OpErase, who, &r))
		if r.Keys == 0 || len(r.Proof) == 0 {
			t.Errorf("online %v: receipt %+v", online, r)
		}
		var proof json.RawMessage
		s.must(Operate(ctx, s.config(), OpProve, r.Entry, &proof))
		b = lifecycle.Bundle{}
		s.must(Operate(ctx, s.config(), OpExport, who, &b))
		if b.Held {
			t.Errorf("online %v: after the erasure is held %+v", online, b)
		}
		var v Verified
		s.must(Operate(ctx, s.config(), OpVerify, struct{}{}, &v))
		if !v.OK || v.Size == 0 {
			t.Errorf("online %v: verified %+v", online, v)
		}
		findings, err := Check(ctx, s.config(), false)
		if err != nil || findings.Bad() || !strings.HasPrefix(findings[0].String(), "ok") {
			t.Errorf("online %v: check %v, %v", online, findings, err)
		}
		for name, bad := range map[string]Who{
			"nobody named": {}, "no such account": {Channel: "telegram", Account: "other", User: "1"}, "no pseudonym": {Person: "xyz"},
		} {
			if err := Operate(ctx, s.config(), OpExport, bad, &b); err == nil {
				t.Errorf("online %v: %s: exported", online, name)
			}
			if err := Operate(ctx, s.config(), OpErase, bad, &r); err == nil {
				t.Errorf("online %v: %s: erased", online, name)
			}
			if err := Operate(ctx, s.config(), OpExplain, Explain{Who: bad, Purpose: "reply"}, &e); err == nil {
				t.Errorf("online %v: %s: explained", online, name)
			}
		}
		if err := Operate(ctx, s.config(), "dance", struct{}{}, nil); err == nil {
			t.Errorf("online %v: it dances", online)
		}
		if err := Operate(ctx, s.config(), OpProve, "x", &proof); sotto.KindOf(err) != sotto.KindInvalid {
			t.Errorf("online %v: an argument of another form: %v", online, err)
		}
	}
}

func TestChangedLogIsFound(t *testing.T) {
	s := newSite(t)
	s.start()
	s.say(1, 1, "x")
	s.wait("it is answered", func() bool { return s.messages() == 2 })
	s.exec(`UPDATE audit_leaf SET data = x'7b7d' WHERE idx = 0`)
	for _, online := range []bool{true, false} {
		if !online {
			s.stop()
		}
		var v Verified
		s.must(Operate(context.Background(), s.config(), OpVerify, struct{}{}, &v))
		if v.OK || v.Fault == "" {
			t.Errorf("online %v: verified %+v", online, v)
		}
	}
	findings, err := Check(context.Background(), s.config(), false)
	if err != nil || !findings.Bad() {
		t.Errorf("check: %v, %v", findings, err)
	}
}

func TestCheckBeforeTheFirstStartAndOnline(t *testing.T) {
	s := newSite(t)
	findings, err := Check(context.Background(), s.config(), true)
	s.must(err)
	text := ""
	for _, f := range findings {
		text += f.String() + "\n"
	}
	if !strings.Contains(text, "none yet") || !strings.Contains(text, "telegram/shop") || !strings.Contains(text, "messenger/page") {
		t.Errorf("findings:\n%s", text)
	}
	s.noSecret("a finding", text)
	if err := Operate(context.Background(), s.config(), OpPolicies, struct{}{}, nil); err == nil {
		t.Error("an operation made the data")
	}
}

func TestDecoder(t *testing.T) {
	for _, name := range []string{"telegram", "messenger", "webchat"} {
		ad, err := Decoder(name)
		if err != nil || ad.Channel() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decoder("smoke"); sotto.KindOf(err) != sotto.KindNotFound {
		t.Errorf("smoke: %v", err)
	}
	if len(Template()) == 0 {
		t.Error("there is no template")
	}
}

func TestBots(t *testing.T) {
	s := newSite(t)
	help := filepath.Join(s.dir, "help")
	s.must(os.MkdirAll(help, 0o700))
	s.must(os.WriteFile(filepath.Join(help, "a.md"), []byte("# Opening hours\n\nWe are open from nine to five.\n"), 0o600))
	base, err := os.ReadFile(filepath.Join(s.dir, "sotto.yaml"))
	s.must(err)
	for bot, want := range map[string]string{
		"{ kind: echo }": "echo", "{ kind: answers, sources: ./help }": "answers from", "{ kind: answers }": "answers",
		"{ kind: echo, text: clear }": "CLEAR",
	} {
		s.out = new(buffer)
		s.configure(strings.Replace(string(base), "bot: { timeout: 200ms }", "bot: "+bot, 1))
		s.start()
		s.stop()
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("%s: banner:\n%s", bot, s.out.String())
		}
	}
	s.configure(strings.Replace(string(base), "bot: { timeout: 200ms }", "bot: { sources: ./absent }", 1))
	if _, err := New(s.config(), nil); err == nil {
		t.Error("a bot without its sources was made")
	}
}

func TestLocalURL(t *testing.T) {
	s := newSite(t)
	srv, err := New(s.config(), nil)
	s.must(err)
	for addr, want := range map[string]string{"127.0.0.1:1": "http://localhost:1", "[::1]:2": "http://localhost:2", "192.0.2.1:3": "http://192.0.2.1:3"} {
		srv.addr = addr
		if got := srv.localURL(); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
	srv.cfg.Domain = "x.example"
	if !strings.HasPrefix(srv.localURL(), "https://") {
		t.Error("with a domain it is HTTPS")
	}
	if got := span(90 * time.Minute); got != "1h30m0s" {
		t.Error(got)
	}
}

func TestRunIsOverWhenTheContextWas(t *testing.T) {
	s := newSite(t)
	srv, err := New(s.config(), nil)
	s.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := srv.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	s.start()
}

func TestFillData(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	s.must(FillData(ctx, s.config(), Fill{Account: "telegram/shop", Users: 3, Turns: 700, Big: 600, Bytes: 50}))
	for user, want := range map[string]int{"1": 234, "3": 233, "big": 600} {
		var b lifecycle.Bundle
		s.must(Operate(ctx, s.config(), OpExport, Who{Channel: "telegram", Account: "shop", User: user}, &b))
		if len(b.Turns) != want || b.Profile == nil || len(b.Turns[0].You) != 50 || b.Unreadable != 0 {
			t.Errorf("%s has %d turns, want %d", user, len(b.Turns), want)
		}
	}
	s.start()
	if err := FillData(ctx, s.config(), Fill{Account: "telegram/shop", Users: 1}); sotto.KindOf(err) != sotto.KindBusy {
		t.Errorf("data that a server runs on was filled: %v", err)
	}
	if err := FillData(ctx, Config{File: "absent"}, Fill{}); err == nil {
		t.Error("nothing was filled")
	}
}

// The wrong key opens nothing, and says so.
func TestAnotherKey(t *testing.T) {
	s := newSite(t)
	s.start()
	s.stop()
	kek := filepath.Join(s.dir, "kek")
	s.must(os.Rename(kek, kek+".old"))
	s.must(CreateKey(kek))
	srv, err := New(s.config(), nil)
	s.must(err)
	if err := srv.Run(context.Background()); sotto.KindOf(err) != sotto.KindDenied {
		t.Errorf("Run = %v", err)
	}
	var v Verified
	if err := Operate(context.Background(), s.config(), OpVerify, struct{}{}, &v); err == nil {
		t.Error("the log was verified without the key")
	}
	findings, err := Check(context.Background(), s.config(), false)
	if err != nil || !findings.Bad() {
		t.Errorf("check: %v, %v", findings, err)
	}
	// With the old one beside it, and rotated, the new one is enough.
	text, err := os.ReadFile(filepath.Join(s.dir, "sotto.yaml"))
	s.must(err)
	with := strings.Replace(string(text), "keys: { current: file:./kek }", "keys: { current: file:./kek, old: [file:./kek.old] }", 1)
	s.configure(with)
	var n int64
	s.must(Operate(context.Background(), s.config(), OpRotate, struct{}{}, &n))
	s.configure(string(text))
	s.start()
}

func TestDamageIsFoundByACheck(t *testing.T) {
	s := newSite(t)
	s.start()
	s.exec(`CREATE TABLE odd (a INTEGER, b TEXT)`)
	s.exec(`CREATE INDEX odd_a ON odd (a)`)
	s.exec(`INSERT INTO odd VALUES (1, 'x')`)
	s.exec(`PRAGMA writable_schema = ON`)
	s.exec(`UPDATE sqlite_master SET sql = 'CREATE INDEX odd_a ON odd (b)' WHERE name = 'odd_a'`)
	s.stop()
	findings, err := Check(context.Background(), s.config(), false)
	if err != nil || !findings.Bad() {
		t.Errorf("check: %v, %v", findings, err)
	}
}

func TestCheckOfACertificateToCome(t *testing.T) {
	s := newSite(t)
	text, err := os.ReadFile(filepath.Join(s.dir, "sotto.yaml"))
	s.must(err)
	s.configure(strings.Replace(string(text), "listen: 127.0.0.1:0", "domain: bot.example.org\ncontroller: { name: A, contact: a@example.org }", 1))
	findings, err := Check(context.Background(), s.config(), false)
	s.must(err)
	for _, f := range findings {
		if strings.Contains(f.String(), "certificate: none yet") {
			return
		}
	}
	t.Errorf("findings: %v", findings)
}

func TestNoRetentionWhereRepliesAreOff(t *testing.T) {
	s := newSite(t)
	srv, err := New(s.config(), nil)
	s.must(err)
	if srv.retention() != 30*24*time.Hour {
		t.Errorf("retention = %s", srv.retention())
	}
	for i := range srv.cfg.Purposes {
		srv.cfg.Purposes[i].On = false
	}
	if srv.retention() != 0 {
		t.Errorf("retention where replies are off = %s", srv.retention())
	}
	srv.cfg.Purposes = nil
	if srv.retention() != 0 {
		t.Errorf("retention without the purpose = %s", srv.retention())
	}
}

// A log without its head is refused until the operator accepts it, once.
func TestAccept(t *testing.T) {
	s := newSite(t)
	if _, err := Accept(context.Background(), s.config()); err == nil {
		t.Error("a log that is not there was accepted")
	}
	s.start()
	s.stop()
	s.must(os.Remove(filepath.Join(s.dir, "head")))
	srv, err := New(s.config(), nil)
	s.must(err)
	if err := srv.Run(context.Background()); sotto.KindOf(err) != sotto.KindCorrupt {
		t.Errorf("without its head: %v", err)
	}
	v, err := Accept(context.Background(), s.config())
	if err != nil || !v.OK || v.Size == 0 {
		t.Errorf("Accept = %+v, %v", v, err)
	}
	s.start()
}
