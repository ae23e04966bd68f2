package sottotest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/server"
	"github.com/sotto-chat/sotto/sottotest"
)

// The canaries: each stands in one place only, so that a find says where it
// came from.
const (
	inText    = "canary-text-q7vkz"
	inReply   = "canary-reply-x2mwd"
	inError   = "canary-error-p9rtb"
	inPanic   = "canary-panic-k4hsn"
	inButton  = "canary-button-j8dgc"
	inForged  = "canary-forged-w3lyf"
	inPath    = "canary-path-t6bnm"
	inEdit    = "canary-edit-h5xqp"
	inFile    = "canary-file-r1zvk.pdf"
	inCaption = "canary-caption-g9kjw"
	firstName = "Canaryfirst"
	lastName  = "Canarylast"
	userName  = "canary_username_b4w"
	email     = "canary.mail@canary-domain.example"
	phone     = "+49 30 90182047"
	card      = "4929 1234 5678 9015"
	userID    = "7349126501837"
	fbUser    = "68120954371260"
	webText   = "canary-web-m3pzt"
	wrongUser = "5550199887766"
)

// nervous is a bot that shows what bots do wrong.
type nervous struct {
	mu   sync.Mutex
	seen []string
}

func (n *nervous) Turn(ctx context.Context, t *sotto.Turn) error {
	n.mu.Lock()
	n.seen = append(n.seen, t.Text, t.Payload)
	n.mu.Unlock()
	lines, err := t.History(ctx, 10)
	if err != nil {
		return err
	}
	n.mu.Lock()
	for _, l := range lines {
		n.seen = append(n.seen, l.Text)
	}
	n.mu.Unlock()
	switch {
	case strings.Contains(t.Text, inError):
		t.Reply(t.Text)
		return fmt.Errorf("cannot answer %q: %w", t.Text, errors.New(inError))
	case strings.Contains(t.Text, inPanic):
		panic(t.Text)
	}
	t.Reply(inReply+" to "+t.Text, sotto.Button{Label: "Pick " + inButton, Payload: inButton})
	return nil
}

// update is a message of a Telegram user with names of their own.
func update(n *channeltest.Network, id int, inside string) channeltest.Webhook {
	body := fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":%d,"from":{"id":%s,"is_bot":false,"first_name":%q,"last_name":%q,"username":%q,"language_code":"en"},"chat":{"id":%s,"first_name":%q,"type":"private"},"date":1700000000,%s}}`,
		id, id, userID, firstName, lastName, userName, userID, firstName, inside)
	return channeltest.Webhook{Header: n.Sign(channeltest.Telegram, body), Body: body}
}

// A person with marked data goes through everything; afterwards no mark is
// found in any file, log line or metric, in no form.
func TestCanaries(t *testing.T) {
	t.Parallel()
	bot := new(nervous)
	s := sottotest.Start(t, bot)
	c := &canaries{t: t, s: s, extra: map[string]string{}}
	c.converse()
	c.misbehave()
	c.webChat()
	c.search("after the conversation")
	c.operate()
	c.search("after export, refusals and a sweep")

	s.Restart()
	c.search("after a restart")

	got := strings.Join(s.Replies(userID), "\n")
	for _, want := range []string{inReply, inText, email, phone, card} {
		if !strings.Contains(got, want) {
			t.Errorf("%q did not come back to the person", want)
		}
	}
	bot.mu.Lock()
	seen := strings.Join(bot.seen, "\n")
	bot.mu.Unlock()
	for _, no := range []string{email, phone, card, userID, userName, firstName, inForged} {
		if strings.Contains(seen, no) {
			t.Errorf("the bot saw %q", no)
		}
	}
	if !strings.Contains(seen, inText) || !strings.Contains(seen, "[EMAIL_1]") {
		t.Error("the bot did not see the masked text")
	}
	c.eraseForGood()
}

// canaries walks through a Sotto and remembers more things to look for.
type canaries struct {
	t     *testing.T
	s     *sottotest.Sotto
	extra map[string]string
}

// search looks for everything that must not be there.
func (c *canaries) search(when string) {
	c.t.Helper()
	files := c.s.Files()
	for _, lawful := range []string{"kek", "sotto.yaml"} {
		if len(files[lawful]) == 0 {
			c.t.Fatalf("there is no %s", lawful)
		}
		c.extra["content of "+lawful] = strings.TrimSpace(string(files[lawful]))
		delete(files, lawful)
	}
	delete(c.extra, "content of sotto.yaml")
	for _, must := range []string{"data/data.db", "data/keys.db", "head", "log", "metrics"} {
		if len(files[must]) == 0 {
			c.t.Fatalf("%s: there is nothing in %s, so the search proves nothing", when, must)
		}
	}
	look := map[string]string{}
	for _, text := range []string{
		inText, inReply, inError, inPanic, inButton, inForged, inPath, inEdit, inFile, inCaption, firstName, lastName, userName,
		email, phone, card, userID, fbUser, webText, wrongUser,
		strings.ReplaceAll(phone, " ", ""), strings.ReplaceAll(card, " ", ""), "canary", "[EMAIL_1]",
	} {
		look[text] = text
	}
	for i, secret := range c.s.Secrets() {
		look[fmt.Sprint("secret ", i)] = secret
	}
	maps.Copy(look, c.extra)
	for name, text := range look {
		if at := sottotest.Search(files, text); len(at) > 0 {
			c.t.Errorf("%s: %s is at rest in %v", when, name, at)
		}
	}
}

func (c *canaries) telegram(id int, inside string) {
	c.t.Helper()
	if status := c.s.Deliver(channeltest.Telegram, update(c.s.Network, id, inside)); status != http.StatusOK {
		c.t.Fatalf("webhook: %d", status)
	}
}

func text(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return `"text":` + string(b)
}

// converse is what a person does, while the network fails now and then.
func (c *canaries) converse() {
	n := c.s.Network
	c.telegram(1, text(inText))
	c.s.Wait(userID, 2)
	n.Fail(channeltest.Fault{Status: http.StatusInternalServerError, Body: `{"ok":false,"error_code":500,"description":"` + inText + `"}`})
	c.telegram(2, text("Mail "+email+" or call "+phone+" or charge "+card))
	n.Fail(channeltest.Fault{Status: http.StatusTooManyRequests, After: 1})
	c.telegram(3, text(inError+" "+email))
	c.telegram(4, text(inPanic+" "+phone))
	c.telegram(5, `"caption":"`+inCaption+`","document":{"file_id":"AgADcanary-fileid","file_unique_id":"canaryu","file_name":"`+inFile+`","mime_type":"application/pdf"}`)
	c.s.Press(userID, inButton)
	c.s.Deliver(channeltest.Telegram, n.Edit(channeltest.Telegram, userID, "2", inEdit))
	c.s.Deliver(channeltest.Telegram, n.Delete(channeltest.Telegram, userID, "2"))
	c.s.Say("messenger/"+fbUser, inText+" "+email)
	c.s.Press("messenger/"+fbUser, inButton)
	c.s.Say(userID, "/mydata")
	c.s.Say(userID, "/privacy")
	c.s.Settle()
}

// misbehave is what strangers and broken networks do.
func (c *canaries) misbehave() {
	n := c.s.Network
	forged := n.Text(channeltest.Telegram, userID, inForged)
	forged.Header.Set("X-Telegram-Bot-Api-Secret-Token", inForged)
	c.status(http.StatusUnauthorized, c.s.Deliver(channeltest.Telegram, forged))
	for _, body := range []string{`{"update_id":1,"message":{"text":"` + inForged, inForged, `{"` + inForged + `":1}`} {
		c.s.Deliver(channeltest.Telegram, channeltest.Webhook{Header: n.Sign(channeltest.Telegram, []byte(body)), Body: []byte(body)})
		c.s.Deliver(channeltest.Messenger, channeltest.Webhook{Header: n.Sign(channeltest.Messenger, []byte(body)), Body: []byte(body)})
	}
	huge := []byte(`{"update_id":1,"message":{"text":"` + strings.Repeat(inForged, 1<<17) + `"}}`)
	status, err := n.PushRaw(c.t.Context(), c.s.Hook(channeltest.Telegram), channeltest.Telegram, huge)
	if err == nil { // else the connection was cut before all of it was sent
		c.status(http.StatusRequestEntityTooLarge, status)
	}
	for _, path := range []string{
		"/hooks/telegram/" + inPath, "/" + inPath, "/hooks/messenger/test?hub.mode=subscribe&hub.verify_token=" + inPath + "&hub.challenge=1",
		"/privacy?" + inPath, "/chat/files/" + inPath,
	} {
		resp, body := c.get(path, http.Header{"User-Agent": {inPath}, "Accept-Language": {inPath}, "Cookie": {"sotto_chat=" + inPath}, "X-Forwarded-For": {inPath}}) //nolint:bodyclose // get has read and closed it
		if resp.StatusCode == http.StatusOK && bytes.Contains(body, []byte(inPath)) {
			c.t.Errorf("%s is repeated to the caller", path)
		}
	}
}

func (c *canaries) status(want, got int) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("status %d, want %d", got, want)
	}
}

func (c *canaries) get(path string, h http.Header) (*http.Response, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.s.URL()+path, http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header = h
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		c.t.Fatal(err)
	}
	return resp, b
}

// webChat is a visitor of the web chat.
func (c *canaries) webChat() {
	post := func(path, body string, cookie *http.Cookie) *http.Response {
		c.t.Helper()
		r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.s.URL()+path, strings.NewReader(body))
		if err != nil {
			c.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if cookie != nil {
			r.AddCookie(cookie)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			c.t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			c.t.Fatal(err)
		}
		return resp
	}
	resp := post("/chat/start", `{}`, nil) //nolint:bodyclose // post has closed it
	if len(resp.Cookies()) != 1 {
		c.t.Fatalf("start: status %d, cookies %v", resp.StatusCode, resp.Cookies())
	}
	cookie := resp.Cookies()[0]
	raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		c.t.Fatal(err)
	}
	c.extra["the web chat's cookie"] = cookie.Value
	c.extra["the visitor's number"] = hex.EncodeToString(raw[:16])
	c.extra["the visitor's bytes"] = string(raw[:16])
	for i, said := range []string{webText, webText + " " + email, inPanic} {
		resp := post("/chat/messages", fmt.Sprintf(`{"id":"canary-id-%d","text":%q}`, i, said), cookie) //nolint:bodyclose // post has closed it
		if resp.StatusCode != http.StatusAccepted {
			c.t.Errorf("web chat: status %d", resp.StatusCode)
		}
	}
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.s.URL()+"/chat/events", http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	r.AddCookie(cookie)
	stream, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer stream.Body.Close() //nolint:errcheck // it was read
	var got []byte
	for !bytes.Contains(got, []byte(inReply)) || !bytes.Contains(got, []byte(email)) || !bytes.Contains(got, []byte("went wrong")) {
		b := make([]byte, 4096)
		n, err := stream.Body.Read(b)
		if err != nil {
			c.t.Fatalf("the stream ended: %v after %q", err, got)
		}
		got = append(got, b[:n]...)
	}
}

// operate is what an operator does, well and badly.
func (c *canaries) operate() {
	s := c.s
	if b := s.Export(userID); !bytes.Contains(b, []byte(email)) || !bytes.Contains(b, []byte(inText)) {
		c.t.Errorf("the export lacks what was said: %s", b)
	}
	var out any
	for _, w := range []server.Who{
		{Channel: "telegram", Account: inPath, User: wrongUser},
		{Channel: inPath, Account: "test", User: wrongUser},
		{Channel: "telegram", Account: "test"},
		{Person: inPath},
	} {
		if err := s.Operate(server.OpExport, w, &out); err == nil {
			c.t.Errorf("an export of %+v worked", w)
		}
	}
	s.Export(wrongUser)
	s.Erase(wrongUser)
	if err := s.Operate(inPath, userID, &out); err == nil {
		c.t.Error("an unknown operation worked")
	}
	if err := s.Operate(server.OpExport, inPath, &out); err == nil {
		c.t.Error("an argument of the wrong form worked")
	}
	if err := s.Operate(server.OpRetention, server.Retention{}, &out); err != nil {
		c.t.Error(err)
	}
	if err := s.Operate(server.OpExplain, server.Explain{Who: server.Who{Channel: "telegram", Account: "test", User: userID}, Purpose: sotto.PurposeReply}, &out); err != nil {
		c.t.Error(err)
	}
}

// eraseForGood erases the person. What a copy of the data is worth then is in
// TestBackupAfterErasure.
func (c *canaries) eraseForGood() {
	s, t := c.s, c.t
	s.Press(userID, "sotto:delete:yes") // by the person
	s.Settle()
	if r := s.Erase("messenger/" + fbUser); r.Keys == 0 { // by the operator
		t.Error("no key was destroyed")
	}
	s.Restart()
	for _, user := range []string{userID, "messenger/" + fbUser} {
		var b struct {
			Held *bool `json:"held"`
		}
		raw := s.Export(user)
		if err := json.Unmarshal(raw, &b); err != nil || b.Held == nil || *b.Held || bytes.Contains(raw, []byte("canary")) {
			t.Errorf("after the erasure of %s: %s", user, raw)
		}
	}
	c.search("after the erasure")
	s.Verify()
}
