package slack_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/slack"
)

// calls keeps what an adapter posts, a line for each call.
type calls struct {
	mu    sync.Mutex
	lines []string
	// answer says what a path is answered; "" = that it went well.
	answer func(path string) (status int, body string)
	base   string
}

func (c *calls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base = "http://" + r.Host
	with := "without a token"
	if a := r.Header.Get("Authorization"); a == "Bearer "+token {
		with = "with the token"
	} else if a != "" {
		with = a
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	c.lines = append(c.lines, fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL.Path, kind, with, tidy(body)))
	if c.answer != nil {
		if status, text := c.answer(r.URL.Path); status != 0 {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(text, "BASE", c.base))
			return
		}
	}
	switch r.URL.Path {
	case "/api/files.getUploadURLExternal":
		_, _ = fmt.Fprintf(w, `{"ok":true,"upload_url":"%s/upload/v1/x","file_id":"F9"}`, c.base)
	case "/upload/v1/x", "/commands/T1/2/x":
		_, _ = io.WriteString(w, "ok")
	default:
		_, _ = io.WriteString(w, `{"ok":true,"ts":"1700000001.000100"}`)
	}
}

// tidy is JSON with its fields in order, and other bytes as they are.
func tidy(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return string(body)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return string(body)
	}
	return strings.TrimSpace(b.String())
}

func (c *calls) is(t *testing.T, want ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.lines {
		c.lines[i] = strings.ReplaceAll(c.lines[i], c.base, "BASE")
	}
	if diff := cmp.Diff(want, c.lines); diff != "" {
		t.Error(diff)
	}
	c.lines = nil
}

const post = "POST /api/chat.postMessage application/json with the token "

func TestSendForm(t *testing.T) {
	c := &calls{}
	a := start(t, c.ServeHTTP)
	send := func(m *channel.Outgoing) {
		t.Helper()
		sent, err := a.Send(t.Context(), m)
		if err != nil || sent.ID != "1700000001.000100" {
			t.Errorf("%+v, %v", sent, err)
		}
	}
	send(&channel.Outgoing{Conversation: "D41", Text: "a & <!channel> <https://x|y> *b* https://a.example/?b=1&c=2"})
	c.is(t, post+`{"channel":"D41","mrkdwn":false,"text":"a &amp; &lt;!channel&gt; &lt;https://x|y&gt; *b* https://a.example/?b=1&amp;c=2","unfurl_links":false,"unfurl_media":false}`)

	send(&channel.Outgoing{Conversation: "C7", Text: "hi", ReplyTo: "1700000000.000100"})
	c.is(t, post+`{"channel":"C7","mrkdwn":false,"text":"hi","thread_ts":"1700000000.000100","unfurl_links":false,"unfurl_media":false}`)

	send(&channel.Outgoing{Conversation: "C7", Text: "hi", ReplyTo: "1700000000.000100", Handle: "1699999999.000001"})
	c.is(t, post+`{"channel":"C7","mrkdwn":false,"text":"hi","thread_ts":"1699999999.000001","unfurl_links":false,"unfurl_media":false}`)

	send(&channel.Outgoing{Conversation: "C7", Text: "hi", ReplyTo: "no-ts"})
	c.is(t, post+`{"channel":"C7","mrkdwn":false,"text":"hi","unfurl_links":false,"unfurl_media":false}`)

	send(&channel.Outgoing{Conversation: "D41", Text: "Read (https://a.example/b_c?d=1&e=2), @channel", Buttons: []sotto.Button{{Label: "R&D", Payload: "a&b"}, {Label: "No"}}})
	c.is(t, post+`{"blocks":[{"text":{"text":"Read (<https://a.example/b_c?d=1&amp;e=2>), @channel","type":"mrkdwn","verbatim":true},"type":"section"},`+
		`{"elements":[{"action_id":"b1","text":{"emoji":false,"text":"R&amp;D","type":"plain_text"},"type":"button","value":"a&b"},`+
		`{"action_id":"b2","text":{"emoji":false,"text":"No","type":"plain_text"},"type":"button","value":"No"}],"type":"actions"}],`+
		`"channel":"D41","mrkdwn":false,"text":"Read (https://a.example/b_c?d=1&amp;e=2), @channel","unfurl_links":false,"unfurl_media":false}`)
}

// posted is what is looked at of a message with buttons.
type posted struct {
	Text   string `json:"text"`
	Blocks []struct {
		Type     string `json:"type"`
		Elements []any  `json:"elements"`
		Text     struct {
			Text string `json:"text"`
		} `json:"text"`
	} `json:"blocks"`
}

func TestSendManyButtons(t *testing.T) {
	var got posted
	a := start(t, func(w http.ResponseWriter, r *http.Request) {
		got = posted{}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"ok":true,"ts":"1.2"}`)
	})
	var buttons []sotto.Button
	send := func(wantNumbered bool) {
		t.Helper()
		sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "D41", Text: "Pick", Buttons: buttons})
		if err != nil || sent.Numbered != wantNumbered {
			t.Fatalf("%+v, %v", sent, err)
		}
	}
	for i := range 25 {
		buttons = append(buttons, sotto.Button{Label: fmt.Sprint("b", i)})
	}
	send(false)
	rows := 0
	for _, b := range got.Blocks {
		if b.Type == "actions" {
			rows++
			if len(b.Elements) != 5 {
				t.Errorf("%d buttons in a row", len(b.Elements))
			}
		}
	}
	if rows != 5 {
		t.Errorf("%d rows", rows)
	}
	buttons = append(buttons, sotto.Button{Label: "last"})
	send(true)
	if !strings.HasSuffix(got.Text, "\n26. last") || got.Blocks != nil {
		t.Errorf("%+v", got)
	}
	buttons = []sotto.Button{{Label: strings.Repeat("é", 76)}}
	send(true)
	buttons = []sotto.Button{{Label: strings.Repeat("é", 75)}}
	send(false)
	for _, b := range []sotto.Button{{Payload: "x"}, {Label: "x", Payload: strings.Repeat("x", 2001)}} {
		var e *channel.SendError
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "D41", Text: "Pick", Buttons: []sotto.Button{b}}); !errors.As(err, &e) || e.Code != "button" {
			t.Error(err)
		}
	}
}

// Escaping makes a text longer: no section grows over what Slack takes.
func TestSendSections(t *testing.T) {
	var got posted
	a := start(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"ok":true,"ts":"1.2"}`)
	})
	for _, text := range []string{strings.Repeat("&", 4000), strings.Repeat("&& ", 1300), strings.Repeat("http://a ", 440), strings.Repeat("x", 4000), strings.Repeat("😀", 2000), strings.Repeat("http://&/ ", 400)} {
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "D41", Text: text, Buttons: []sotto.Button{{Label: "Ok"}}}); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, b := range got.Blocks {
			if b.Type == "section" {
				if n := len([]rune(b.Text.Text)); n == 0 || n > 3000 {
					t.Errorf("a section of %d characters", n)
				}
				all.WriteString(strings.NewReplacer("<", "", ">", "", "&amp;", "&", " ", "").Replace(b.Text.Text))
			}
		}
		if all.String() != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%d of %d bytes arrive", all.Len(), len(text))
		}
		got = posted{}
	}
}

// What one person alone can see is answered so, and never in the channel.
func TestSendPrivately(t *testing.T) {
	c := &calls{}
	a := start(t, c.ServeHTTP)
	addr := func() string { return c.base + "/commands/T1/2/x" }
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "C7", Text: "first"}); err != nil { // tells the address
		t.Fatal(err)
	}
	c.lines = nil
	const answer = "POST /commands/T1/2/x application/json without a token "
	const direct = post + `{"channel":"U41","mrkdwn":false,"text":"hi","unfurl_links":false,"unfurl_media":false}`
	m := func(handle string) *channel.Outgoing {
		return &channel.Outgoing{Conversation: "C7", Text: "hi", Handle: handle, ReplyTo: "1700000000.000100"}
	}
	if sent, err := a.Send(t.Context(), m("U41 "+addr())); err != nil || sent.ID != "" {
		t.Errorf("%+v, %v", sent, err)
	}
	c.is(t, answer+`{"replace_original":false,"response_type":"ephemeral","text":"hi"}`)

	for name, answered := range map[string]struct {
		status int
		body   string
	}{
		"used":           {404, `{"ok":false,"error":"used_url"}`},
		"expired":        {200, `{"ok":false,"error":"expired_url"}`},
		"gone for ever":  {410, "gone"},
		"forbidden":      {403, "action_prohibited"},
		"no such thing":  {404, "channel_not_found"},
		"of the channel": {200, `{"ok":false,"error":"channel_not_found"}`},
		"unauthorised":   {401, ""},
	} {
		c.answer = func(path string) (int, string) {
			if strings.HasPrefix(path, "/commands/") {
				return answered.status, answered.body
			}
			return 0, ""
		}
		if sent, err := a.Send(t.Context(), m("U41 "+addr())); err != nil || sent.ID != "1700000001.000100" {
			t.Errorf("%s: %+v, %v", name, sent, err)
		}
		c.is(t, answer+`{"replace_original":false,"response_type":"ephemeral","text":"hi"}`, direct)
	}
	for _, status := range []int{429, 500, 504} { // it may be there still, or have arrived
		c.answer = func(string) (int, string) { return status, "" }
		var e *channel.SendError
		if _, err := a.Send(t.Context(), m("U41 "+addr())); !errors.As(err, &e) || e.Class != channel.Retry && e.Class != channel.Unknown {
			t.Errorf("%d: %v", status, err)
		}
		if len(c.lines) != 1 {
			t.Errorf("%d: %v", status, c.lines)
		}
		c.lines = nil
	}
	c.answer = nil
	for name, handle := range map[string]string{
		"another host":          "U41 http://127.0.0.2:1/commands/T1/2/x",
		"another scheme":        "U41 https" + strings.TrimPrefix(addr(), "http"),
		"a name and password":   "U41 " + strings.Replace(addr(), "http://", "http://a:b@", 1),
		"a host in the name":    "U41 " + strings.Replace(addr(), "http://", "http://x@evil.example/", 1),
		"a longer host":         "U41 " + strings.Replace(addr(), "/commands", ".evil.example/commands", 1),
		"no address":            "U41",
		"no address, but words": "U41 http",
	} {
		if _, err := a.Send(t.Context(), m(handle)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.is(t, direct)
	}
	// Once the address is used up, the rest follows directly.
	used := 0
	c.answer = func(path string) (int, string) {
		if strings.HasPrefix(path, "/commands/") {
			if used++; used > 1 {
				return 404, "used_url"
			}
		}
		return 0, ""
	}
	long := m("U41 " + addr())
	long.Text = strings.Repeat("word ", 2000)
	if _, err := a.Send(t.Context(), long); err != nil {
		t.Error(err)
	}
	if len(c.lines) != 4 || !strings.HasPrefix(c.lines[1], answer) || !strings.HasPrefix(c.lines[2], post) || !strings.HasPrefix(c.lines[3], post) {
		t.Errorf("%d calls", len(c.lines))
	}
}

func TestSendFile(t *testing.T) {
	c := &calls{}
	a := start(t, c.ServeHTTP)
	const (
		upload   = "POST /api/files.getUploadURLExternal application/x-www-form-urlencoded with the token filename=my-data.json&length=7"
		store    = `POST /upload/v1/x application/octet-stream without a token {"a":1}`
		complete = "POST /api/files.completeUploadExternal application/json with the token "
	)
	file := &channel.File{Name: "my-data.json", MIME: "application/json", Data: []byte(`{"a":1}`)}
	send := func(m *channel.Outgoing) (channel.Sent, error) {
		m.File = file
		return a.Send(t.Context(), m)
	}
	if _, err := send(&channel.Outgoing{Conversation: "D41", Text: "Your <data>"}); err != nil {
		t.Error(err)
	}
	c.is(t, upload, store, complete+`{"channels":"D41","files":[{"id":"F9","title":"my-data.json"}],"initial_comment":"Your &lt;data&gt;"}`)

	if sent, err := send(&channel.Outgoing{Conversation: "C7", Handle: "1700000000.000100", Text: "Pick", Buttons: []sotto.Button{{Label: "Ok"}}}); err != nil || sent.ID == "" {
		t.Error(sent, err)
	}
	if len(c.lines) != 4 || !strings.Contains(c.lines[2], `"thread_ts":"1700000000.000100"`) || strings.Contains(c.lines[2], "Pick") || !strings.Contains(c.lines[3], "Pick") {
		t.Error(c.lines)
	}
	c.lines = nil
	if _, err := send(&channel.Outgoing{Conversation: "C7", Handle: "U41 " + c.base + "/commands/T1/2/x"}); err != nil {
		t.Error(err)
	}
	c.is(t, upload, store, complete+`{"channels":"U41","files":[{"id":"F9","title":"my-data.json"}]}`)

	for _, tt := range []struct {
		name, path string
		status     int
		body       string
		class      channel.Class
		calls      int
	}{
		{"no scope: files alone are concerned", "/api/files.getUploadURLExternal", 200, `{"ok":false,"error":"missing_scope","needed":"files:write"}`, channel.Bad, 1},
		{"token refused", "/api/files.getUploadURLExternal", 200, `{"ok":false,"error":"token_revoked"}`, channel.Auth, 1},
		{"nothing was shown yet", "/api/files.getUploadURLExternal", 504, "", channel.Retry, 1},
		{"an address elsewhere", "/api/files.getUploadURLExternal", 200, `{"ok":true,"upload_url":"http://127.0.0.2:9/x","file_id":"F9"}`, channel.Bad, 1},
		{"an address with a password", "/api/files.getUploadURLExternal", 200, `{"ok":true,"upload_url":"http://a:b@127.0.0.1/x","file_id":"F9"}`, channel.Bad, 1},
		{"no address", "/api/files.getUploadURLExternal", 200, `{"ok":true}`, channel.Bad, 1},
		{"the store is out of order", "/upload/v1/x", 503, "", channel.Retry, 2},
		{"the store refuses", "/upload/v1/x", 401, "", channel.Bad, 2},
		{"the store is slow", "/upload/v1/x", 504, "", channel.Retry, 2},
		{"it may be shown", "/api/files.completeUploadExternal", 504, "", channel.Unknown, 3},
		{"not in the channel", "/api/files.completeUploadExternal", 200, `{"ok":false,"error":"not_in_channel"}`, channel.Gone, 3},
	} {
		c.answer = func(path string) (int, string) {
			if path == tt.path {
				return tt.status, tt.body
			}
			return 0, ""
		}
		var e *channel.SendError
		if _, err := send(&channel.Outgoing{Conversation: "D41", Text: "x"}); !errors.As(err, &e) || e.Class != tt.class || strings.Contains(err.Error(), "127.0.0") {
			t.Errorf("%s: %v", tt.name, err)
		}
		if len(c.lines) != tt.calls {
			t.Errorf("%s: %d calls", tt.name, len(c.lines))
		}
		c.lines = nil
	}
	// The file is out: what follows it must not bring it again.
	c.answer = func(path string) (int, string) {
		if path == "/api/chat.postMessage" {
			return 429, ""
		}
		return 0, ""
	}
	var e *channel.SendError
	if _, err := send(&channel.Outgoing{Conversation: "D41", Text: "x", Buttons: []sotto.Button{{Label: "Ok"}}}); !errors.As(err, &e) || e.Class != channel.Unknown {
		t.Error(err)
	}
}

func TestFileNames(t *testing.T) {
	c := &calls{}
	a := start(t, c.ServeHTTP)
	for name, want := range map[string]string{
		"": "file", "a/../b\"\r\n.txt": "a_.._b___.txt", "\xff": "_", strings.Repeat("ä", 200): strings.Repeat("ä", 127), "grüß.txt": "grüß.txt",
	} {
		c.lines = nil
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "D41", File: &channel.File{Name: name, Data: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(c.lines[2], `"title":"`+want+`"`) {
			t.Errorf("%q: %s", name, c.lines[2])
		}
	}
}

func TestTyping(t *testing.T) {
	c := &calls{}
	on := start(t, c.ServeHTTP, func(c *slack.Config) { c.Assistant = true })
	off := start(t, c.ServeHTTP)
	for _, tt := range []struct {
		a    *slack.Adapter
		m    channel.Outgoing
		call bool
	}{
		{on, channel.Outgoing{Conversation: "D41", Handle: "1700000000.000100"}, true},
		{on, channel.Outgoing{Conversation: "D41"}, false},
		{on, channel.Outgoing{Conversation: "C7", Handle: "1700000000.000100"}, false},
		{on, channel.Outgoing{Conversation: "D41", Handle: "U41 " + c.base + "/commands/T1/2/x"}, false},
		{off, channel.Outgoing{Conversation: "D41", Handle: "1700000000.000100"}, false},
	} {
		c.lines = nil
		if err := tt.a.Typing(t.Context(), &tt.m); err != nil || len(c.lines) > 1 || (len(c.lines) == 1) != tt.call {
			t.Errorf("%+v: %v, %v", tt.m, c.lines, err)
		}
		if tt.call {
			c.is(t, `POST /api/assistant.threads.setStatus application/json with the token {"channel_id":"D41","status":"…","thread_ts":"1700000000.000100"}`)
		}
	}
}
