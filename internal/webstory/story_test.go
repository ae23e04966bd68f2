package webstory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/webchat"
)

// house is the chat with a scripted bot and an outbox behind it.
type house struct {
	t    *testing.T
	chat *webchat.Adapter
	srv  *httptest.Server
	net  *cut

	mu      sync.Mutex
	seen    map[string]bool
	waiting []*channel.Outgoing
	n       int
	last    string // the visitor heard last
}

// cut is a listener whose connections can be torn.
type cut struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

func (c *cut) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		if c.down {
			c.mu.Unlock()
			_ = conn.Close()
			continue
		}
		c.conns = append(c.conns, conn)
		c.mu.Unlock()
		return conn, nil
	}
}

// tear breaks all connections; while down is set, new ones break as well.
func (c *cut) tear(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func newHouse(t *testing.T, change func(*webchat.Config)) *house {
	t.Helper()
	h := &house{t: t, seen: map[string]bool{}}
	cfg := webchat.Config{
		Title: "Nordlicht Supplies", PrivacyURL: "/privacy", CookieKey: [32]byte{7},
		Receive: h.receive, Awake: h.awake,
	}
	if change != nil {
		change(&cfg)
	}
	chat, err := webchat.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.chat = chat
	h.srv = httptest.NewUnstartedServer(chat)
	h.net = &cut{Listener: h.srv.Listener}
	h.srv.Listener = h.net
	t.Cleanup(func() { chat.Close(); h.srv.CloseClientConnections(); h.srv.Close() })
	return h
}

func (h *house) start() string { h.srv.Start(); return h.srv.URL }

func (h *house) receive(_ context.Context, e channel.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.seen[e.Delivery] {
		h.seen[e.Delivery] = true
		h.last = e.Conversation
		go h.answer(e) //nolint:contextcheck // the bot's work outlives the call that brought the message
	}
	return nil
}

// answer is the bot's script.
func (h *house) answer(e channel.Event) {
	say := func(text string, buttons ...sotto.Button) {
		h.send(&channel.Outgoing{Conversation: e.Conversation, Text: text, Buttons: buttons})
	}
	switch {
	case e.Payload != "":
		say("You chose " + e.Payload + ".")
	case strings.HasPrefix(e.Text, "How long"):
		_ = h.chat.Typing(context.Background(), &channel.Outgoing{Conversation: e.Conversation})
		time.Sleep(150 * time.Millisecond)
		say("You can send goods back within 30 days of delivery. We refund the price to the way you paid, usually within 5 working days.\n\nSource: Returns — help/returns.md#how-long",
			sotto.Button{Label: "Start a return", Payload: "return"}, sotto.Button{Label: "Who pays the postage?", Payload: "postage"})
	case e.Text == "attack":
		say(attack)
	case e.Text == "link":
		say("See https://example.org/a?b=1&c=(d). Not javascript:alert(1) or http://[bad.")
	case e.Text == "file":
		h.send(&channel.Outgoing{Conversation: e.Conversation, Text: "Your data:", File: &channel.File{Name: "my-data.json", MIME: "application/json", Data: []byte(`{"a":1}`)}})
	case e.Text == "long":
		say(strings.Repeat("Averylongwordwithoutanyspace", 30))
	default:
		say("You said: " + e.Text)
	}
}

const attack = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script><a href="javascript:document.title='owned'">x</a>{{7*7}}</div>`

func (h *house) send(m *channel.Outgoing) {
	h.mu.Lock()
	h.n++
	m.Key = fmt.Sprint("key-", h.n)
	h.mu.Unlock()
	h.try(m)
}

func (h *house) try(m *channel.Outgoing) {
	_, err := h.chat.Send(context.Background(), m)
	var se *channel.SendError
	if errors.As(err, &se) && se.Class == channel.Retry {
		h.mu.Lock()
		h.waiting = append(h.waiting, m)
		h.mu.Unlock()
		return
	}
	if err != nil {
		h.t.Error(err)
	}
}

func (h *house) awake(conversation string) {
	h.mu.Lock()
	var due, later []*channel.Outgoing
	for _, m := range h.waiting {
		if m.Conversation == conversation {
			due = append(due, m)
		} else {
			later = append(later, m)
		}
	}
	h.waiting = later
	h.mu.Unlock()
	go func() {
		for _, m := range due {
			h.try(m)
		}
	}()
}

const lastBot = `[...document.querySelectorAll('#log .bot .bubble')].at(-1)?.textContent`

func TestVisitorTalks(t *testing.T) {
	b := newBrowser(t)
	h := newHouse(t, nil)
	url := h.start()
	said := b.listen(url)
	b.size(1100, 760, false)
	b.dark(false)

	b.run(chromedp.Navigate(url + "/chat"))
	b.reach()
	time.Sleep(300 * time.Millisecond) // give the page time to store something, if it would
	if c := b.cookies(); len(c) != 0 {
		t.Errorf("%d cookies before the first message: %s", len(c), c[0].Name)
	}
	if n := b.stored(); n != 0 {
		t.Errorf("%d things stored before the first message", n)
	}
	b.picture("1-welcome")

	b.say("How long do I have to send something back?")
	b.wait("the answer is announced", `document.querySelector('[role=log][aria-live=polite]').textContent.includes('within 30 days')`)
	if got := b.text("performance.getEntriesByType('navigation').length"); got != "1" {
		t.Errorf("the page was loaded %s times", got)
	}
	cookies := b.cookies()
	if len(cookies) != 1 || !cookies[0].HTTPOnly || cookies[0].SameSite != "Strict" {
		t.Errorf("cookies after the first message: %+v", cookies)
	}
	if n := b.stored(); n != 0 {
		t.Errorf("%d further things stored after the first message", n)
	}
	b.picture("2-answer")

	// From the field back to the second button, which is pressed by keyboard.
	if !b.is(`document.activeElement.id === 'text'`) {
		t.Error("the focus left the field")
	}
	b.run(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(kb.ModifierShift)))
	if got := b.text(`document.activeElement.textContent`); got != "Who pays the postage?" {
		t.Errorf("Shift+Tab leads to %q", got)
	}
	b.picture("3-focus")
	b.keys(" ")
	b.wait("the answer to the button", lastBot+`?.includes('You chose postage.')`)
	if !b.is(`document.activeElement.id === 'text' && [...document.querySelectorAll('.choice')].every((c) => c.disabled)`) {
		t.Error("after a choice the focus is not in the field, or the buttons can be pressed again")
	}
	b.say("Thank you")
	b.wait("the reply", lastBot+`?.includes('You said: Thank you')`)
	b.picture("4-talk")
	b.dark(true)
	b.picture("5-dark")
	b.dark(false)

	// A second window of the same visitor shows the same talk.
	second := b.window()
	second.run(chromedp.Navigate(url + "/chat"))
	second.reach()
	second.wait("the other window knows the talk", `document.querySelectorAll('#log .row').length === 6`)
	second.say("from window two")
	b.wait("what was said there is shown here", `document.getElementById('log').textContent.includes('from window two')`)
	b.wait("and so is the answer", lastBot+`?.includes('You said: from window two')`)
	said.none(t)
}

func TestTextStaysText(t *testing.T) {
	b := newBrowser(t)
	h := newHouse(t, nil)
	url := h.start()
	said := b.listen(url)
	b.run(chromedp.Navigate(url + "/chat"))
	b.reach()
	b.say("attack")
	b.wait("the text is shown", lastBot+`?.includes('{{7*7}}')`)
	b.say(attack)
	b.wait("it comes back", lastBot+`?.includes('You said: <img')`)
	if b.is(`document.querySelector('#log img, #log script, #log a') || document.title === 'owned'`) {
		t.Error("text became markup")
	}
	b.say("link")
	b.wait("a link", `document.querySelector('#log a')`)
	if got := b.text(`[...document.querySelectorAll('#log a')].map((a) => a.href + ' ' + a.rel).join()`); got != "https://example.org/a?b=1&c=(d) noopener noreferrer nofollow" {
		t.Errorf("links: %s", got)
	}
	// Even a script that got into the page may not write markup, run text or call out.
	for _, js := range []string{
		`document.body.innerHTML = '<p>x</p>'`,
		`document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned = 1'}))`,
	} {
		if b.is(`(() => { try { ` + js + `; return window.owned } catch { return false } })()`) {
			t.Errorf("the policy lets %s pass", js)
		}
	}
	said.none(t, "TrustedHTML", "TrustedScript", "Content Security Policy")
}

func TestConnectionDrops(t *testing.T) {
	b := newBrowser(t)
	h := newHouse(t, nil)
	url := h.start()
	b.run(chromedp.Navigate(url + "/chat"))
	b.reach()
	b.say("one")
	b.wait("an answer", lastBot+`?.includes('You said: one')`)

	h.net.tear(true)
	h.mu.Lock()
	who := h.last
	h.mu.Unlock()
	h.send(&channel.Outgoing{Conversation: who, Text: "said while you were away"})
	b.wait("the page says so", `document.getElementById('status').textContent.includes('connection is lost')`)
	b.picture("6-lost")
	h.net.tear(false)
	b.wait("the line arrives", lastBot+`?.includes('said while you were away')`)
	b.wait("the page calms down", `document.getElementById('status').textContent === ''`)
	b.say("two")
	b.wait("it goes on", lastBot+`?.includes('You said: two')`)
	if n := b.text(`document.querySelectorAll('#log .row').length`); n != "5" {
		t.Errorf("%s lines, want 5: none lost, none twice", n)
	}

	// A message that cannot be sent says so and can be sent again, once.
	h.net.tear(true)
	b.say("three")
	b.wait("it failed visibly", `document.querySelector('.failed .again')`)
	h.net.tear(false)
	b.run(chromedp.Focus(chromedp.CSS(".again")), chromedp.KeyEvent(kb.Enter))
	b.wait("it arrived", lastBot+`?.includes('You said: three')`)
	if n := b.text(`document.querySelectorAll('#log .row').length`); n != "7" {
		t.Errorf("%s lines, want 7", n)
	}
}

func TestSmallScreen(t *testing.T) {
	b := newBrowser(t)
	h := newHouse(t, func(c *webchat.Config) { c.Title = "A rather long name of a company, in full" })
	url := h.start()
	said := b.listen(url)
	b.size(320, 568, true)
	b.run(chromedp.Navigate(url + "/chat"))
	wide := `document.documentElement.scrollWidth > innerWidth || document.getElementById('scroll').scrollWidth > document.getElementById('scroll').clientWidth`
	b.wait("ready", `!document.getElementById('text').disabled`)
	if b.is(wide) {
		t.Error("the welcome scrolls sideways")
	}
	b.picture("7-phone-welcome")
	b.run(chromedp.Focus(chromedp.CSS("#text")))
	b.say("How long?")
	b.wait("buttons", `document.querySelectorAll('.choice').length === 2`)
	b.picture("8-phone")
	if b.is(`[...document.querySelectorAll('button')].some((e) => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44))`) {
		t.Error("a button is smaller than 44 pixels")
	}
	b.say("long")
	b.wait("a long word", lastBot+`?.includes('Averylong')`)
	if b.is(wide) {
		t.Error("a long word makes the page scroll sideways")
	}
	said.none(t)
}

func TestGerman(t *testing.T) {
	b := newBrowser(t)
	h := newHouse(t, nil)
	url := h.start()
	call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Mozilla/5.0 (story)", AcceptLanguage: "de-DE,de"})
	b.run(chromedp.Navigate(url + "/chat"))
	b.wait("ready", `!document.getElementById('text').disabled`)
	if b.text(`document.documentElement.lang`) != "de" || !b.is(`document.body.innerText.includes('Wie können wir helfen?')`) {
		t.Error("the page is not German")
	}
	b.picture("9-german")
}

func TestErasedAndFile(t *testing.T) {
	b := newBrowser(t)
	h := newHouse(t, nil)
	url := h.start()
	said := b.listen(url)
	dir := t.TempDir()
	allowDownloads(b, dir)
	b.run(chromedp.Navigate(url + "/chat"))
	b.reach()
	b.say("file")
	b.wait("the file is offered", `document.querySelector('a.file')`)
	b.picture("10-file")
	b.run(chromedp.Focus(chromedp.CSS("a.file")), chromedp.KeyEvent(kb.Enter))
	waitForFile(t, dir, "my-data.json", `{"a":1}`)

	h.mu.Lock()
	who := h.last
	h.mu.Unlock()
	h.chat.Forget(who)
	b.wait("the log is empty", `document.querySelectorAll('#log .row').length === 0 && document.getElementById('log').textContent.includes('erased')`)
	for end := time.Now().Add(5 * time.Second); len(b.cookies()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the cookie stays")
		}
	}
	b.picture("11-erased")
	b.run(chromedp.Focus(chromedp.CSS("#text")))
	b.say("hello again")
	b.wait("a new visitor", lastBot+`?.includes('You said: hello again')`)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == who {
		t.Error("the erased visitor came back under the same number")
	}
	said.none(t)
}

func TestWithoutScript(t *testing.T) {
	b := newBrowser(t)
	h := newHouse(t, nil)
	url := h.start()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.run(chromedp.Navigate(url + "/chat"))
	b.picture("12-no-script")
	if shown := value(b, chromedp.Text(chromedp.CSS("noscript p"), chromedp.NodeVisible)); !strings.Contains(shown, "needs JavaScript") {
		t.Errorf("shown: %q", shown)
	}
}

// TestInAnotherSite shows the chat in an iframe of an allowed site, and not in
// that of another.
func TestInAnotherSite(t *testing.T) {
	b := newBrowser(t, chromedp.Flag("ignore-certificate-errors", true), chromedp.Flag("site-per-process", false))
	var chat string
	outer := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><title>shop</title><h1>A shop</h1><iframe title="Chat" src="%s/chat" width="400" height="500"></iframe>`, chat)
	}))
	defer outer.Close()
	allowed := strings.Replace(outer.URL, "127.0.0.1", "localhost", 1) // another site than the chat's 127.0.0.1
	h := newHouse(t, func(c *webchat.Config) { c.Origins = []string{allowed} })
	h.srv.StartTLS()
	chat = h.srv.URL

	b.run(chromedp.Navigate(allowed + "/"))
	h.sayInFrame(b, chat, "hello from the shop")
	b.picture("13-embedded")
	cookies := b.cookies()
	if len(cookies) != 1 || cookies[0].PartitionKey == nil || !cookies[0].Secure {
		t.Errorf("cookies %+v", cookies)
	}
	evil := httptest.NewTLSServer(outer.Config.Handler)
	defer evil.Close()
	b.run(chromedp.Navigate(evil.URL + "/"))
	time.Sleep(300 * time.Millisecond)
	if frameShows(b, chat) {
		t.Error("any site may show the chat")
	}
}
