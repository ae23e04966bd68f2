package discord_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/discord"
)

// recorder answers calls by their method and path, and keeps them.
type recorder struct {
	answers map[string]string // status and body; default a message
	calls   []string
	bodies  []map[string]any
	auth    []string
	files   []string
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.Path
	rec.calls = append(rec.calls, call)
	rec.auth = append(rec.auth, r.Header.Get("Authorization"))
	var m map[string]any
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err := r.ParseMultipartForm(1 << 20); err == nil {
			_ = json.Unmarshal([]byte(r.FormValue("payload_json")), &m)
			for _, f := range r.MultipartForm.File["files[0]"] {
				rec.files = append(rec.files, f.Filename+" "+f.Header.Get("Content-Type"))
			}
		}
	} else {
		b, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(b, &m)
	}
	rec.bodies = append(rec.bodies, m)
	a := rec.answers[call]
	if a == "" {
		a = `200 {"id":"77"}`
	}
	status := map[string]int{"200": 200, "204": 204, "400": 400, "401": 401, "403": 403, "404": 404, "500": 500, "502": 502, "504": 504}[a[:3]]
	w.WriteHeader(status)
	_, _ = io.WriteString(w, strings.TrimSpace(a[3:]))
}

func start(t *testing.T, rec *recorder, change func(*discord.Config)) *discord.Adapter {
	t.Helper()
	srv := httptest.NewServer(rec)
	t.Cleanup(srv.Close)
	return newAdapter(t, func(c *discord.Config) {
		c.API, c.CDN, c.Client = srv.URL+"/", srv.URL, srv.Client()
		if change != nil {
			change(c)
		}
	})
}

const (
	hook     = "/webhooks/12/aW50"
	original = hook + "/messages/@original"
	room     = "/channels/55/messages"
)

// deferred makes an adapter answer a command, as the server does.
func deferred(a *discord.Adapter, handle string) {
	a.Answer(&channel.Request{}, channel.Batch{Events: []channel.Event{{Handle: handle, Conversation: "55"}}})
}

func TestWays(t *testing.T) {
	const command, inServer = "cd.12." + live + ".aW50", "cs.12." + live + ".aW50"
	unknown := `404 {"code":10008,"message":"Unknown Message"}`
	noHook := `404 {"code":10015,"message":"Unknown Webhook"}`
	for _, tt := range []struct {
		name    string
		handle  string
		pending bool // this process deferred it
		public  bool
		answers map[string]string
		want    []string
		class   channel.Class // of the first answer; 0 = sent
		code    string
	}{
		{"first answer, then another", command, true, false, nil, []string{"PATCH " + original, "POST " + hook}, 0, ""},
		{"after a restart, still waiting", command, false, false, map[string]string{"GET " + original: `200 {"id":"9","content":"","flags":128}`}, []string{"GET " + original, "PATCH " + original, "POST " + hook}, 0, ""},
		{"after a restart, hidden and waiting", inServer, false, false, map[string]string{"GET " + original: `200 {"id":"9","content":"","flags":192}`}, []string{"GET " + original, "PATCH " + original, "POST " + hook}, 0, ""},
		{"after a restart, filled", command, false, false, map[string]string{"GET " + original: `200 {"id":"9","content":"the notice","flags":4}`}, []string{"GET " + original, "POST " + hook, "POST " + hook}, 0, ""},
		{"after a restart, this very answer", command, false, false, map[string]string{"GET " + original: `200 {"id":"9","content":"answer 1","flags":4}`}, []string{"GET " + original, "POST " + hook}, 0, ""},
		{"after a restart, dismissed", command, false, false, map[string]string{"GET " + original: unknown}, []string{"GET " + original, "POST " + hook, "GET " + original, "POST " + hook}, 0, ""},
		{"after a restart, Discord is ill", command, false, false, map[string]string{"GET " + original: `500 `}, []string{"GET " + original}, channel.Retry, "500"},
		{"after a restart, nobody knows", command, false, false, map[string]string{"GET " + original: `504 `}, []string{"GET " + original}, channel.Retry, "504"},
		{"dismissed", command, true, false, map[string]string{"PATCH " + original: unknown}, []string{"PATCH " + original, "POST " + hook, "POST " + hook}, 0, ""},
		{"the deferral never arrived", command, true, false, map[string]string{"PATCH " + original: noHook}, []string{"PATCH " + original, "POST " + hook, "POST " + hook}, 0, ""},
		{"no hook at all, in private", command, true, false, map[string]string{"PATCH " + original: noHook, "POST " + hook: noHook}, []string{"PATCH " + original, "POST " + hook, "POST " + room, "POST " + hook, "POST " + room}, 0, ""},
		{"no hook at all, in a server", inServer, true, false, map[string]string{"PATCH " + original: noHook}, []string{"PATCH " + original}, channel.Window, "10015"},
		{"early, before our deferral arrived", inServer, true, false, map[string]string{"PATCH " + original: noHook}, []string{"PATCH " + original}, channel.Retry, "10015"},
		{"early, and no message yet", inServer, true, false, map[string]string{"PATCH " + original: unknown}, []string{"PATCH " + original}, channel.Retry, "10008"},
		{"early, before our deferral was made", inServer, false, false, map[string]string{"GET " + original: noHook}, []string{"GET " + original}, channel.Retry, "10015"},
		{"early, a button", "kd.12." + live + ".aW50", false, false, map[string]string{"POST " + hook: noHook}, []string{"POST " + hook}, channel.Retry, "10015"},
		{"over by their clock, in private", "kd.12." + live + ".aW50", false, false, map[string]string{"POST " + hook: `401 {"code":50027}`}, []string{"POST " + hook, "POST " + room, "POST " + hook, "POST " + room}, 0, ""},
		{"over by their clock, in a server", "ks.12." + live + ".aW50", false, false, map[string]string{"POST " + hook: `401 {"code":50027}`}, []string{"POST " + hook}, channel.Window, "50027"},
		{"over, in private", "cd.12." + old + ".aW50", false, false, nil, []string{"POST " + room, "POST " + room}, 0, ""},
		{"over, in a server", "cs.12." + old + ".aW50", false, false, nil, nil, channel.Window, "interaction_over"},
		{"over, in a server, for all", "cs.12." + old + ".aW50", false, true, nil, []string{"POST " + room, "POST " + room}, 0, ""},
		{"button", "kd.12." + live + ".aW50", false, false, nil, []string{"POST " + hook, "POST " + hook}, 0, ""},
		{"no handle, in private", "", false, false, map[string]string{"GET /channels/55": `200 {"id":"55","type":1}`}, []string{"GET /channels/55", "POST " + room, "GET /channels/55", "POST " + room}, 0, ""},
		{"no handle, in a server", "", false, false, map[string]string{"GET /channels/55": `200 {"id":"55","type":0}`}, []string{"GET /channels/55"}, channel.Window, "not_private"},
		{"no handle, nobody knows", "", false, false, map[string]string{"GET /channels/55": `200 []`}, []string{"GET /channels/55"}, channel.Retry, "answer"},
		{"no handle, no such channel", "", false, false, map[string]string{"GET /channels/55": `404 {"code":10003}`}, []string{"GET /channels/55"}, channel.Gone, "10003"},
		{"no handle, for all", "", false, true, nil, []string{"POST " + room, "POST " + room}, 0, ""},
		{"a handle of nobody's", "cd.12.x.aW50/../y", false, false, map[string]string{"GET /channels/55": `200 {"type":3}`}, []string{"GET /channels/55"}, channel.Window, "not_private"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{answers: tt.answers}
			late := time.Duration(0)
			a := start(t, rec, func(c *discord.Config) {
				c.Public, c.Now = tt.public, func() time.Time { return now().Add(late) }
			})
			if tt.pending {
				deferred(a, tt.handle)
			}
			if late = time.Minute; strings.HasPrefix(tt.name, "early") {
				late = 0
			}
			for _, text := range []string{"answer 1", "answer 2"} {
				_, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "55", Handle: tt.handle, Text: text, Key: "k"})
				if tt.class != 0 {
					if e := sendError(t, err); e.Class != tt.class || e.Code != tt.code {
						t.Errorf("%v, want %v %q", e, tt.class, tt.code)
					}
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, rec.calls); diff != "" {
				t.Error(diff)
			}
			for i, call := range rec.calls {
				if bot := !strings.Contains(call, "/webhooks/"); (rec.auth[i] == "Bot "+token) != bot || !bot && rec.auth[i] != "" {
					t.Errorf("%s carries the wrong credential", call)
				}
			}
		})
	}
}

// An answer whose outcome is not known is asked about before it is repeated.
func TestUnknownOutcome(t *testing.T) {
	const handle = "cd.12." + live + ".aW50"
	rec := &recorder{answers: map[string]string{"PATCH " + original: `504 `, "GET " + original: `200 {"id":"9","content":"answer","flags":4}`}}
	a := start(t, rec, nil)
	deferred(a, handle)
	m := &channel.Outgoing{Conversation: "55", Handle: handle, Text: "answer"}
	if _, err := a.Send(t.Context(), m); sendError(t, err).Class != channel.Unknown {
		t.Fatal(err)
	}
	if sent, err := a.Send(t.Context(), m); err != nil || sent.ID != "9" {
		t.Fatal(sent, err)
	}
	if diff := cmp.Diff([]string{"PATCH " + original, "GET " + original}, rec.calls); diff != "" {
		t.Error(diff)
	}
}

func TestForget(t *testing.T) {
	const handle = "cd.12." + live + ".aW50"
	rec := &recorder{answers: map[string]string{"GET " + original: `200 {"id":"9","content":"","flags":128}`}}
	a := start(t, rec, nil)
	deferred(a, handle)
	a.Forget("56")
	a.Forget("55")
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "55", Handle: handle, Text: "x"}); err != nil || rec.calls[0] != "GET "+original {
		t.Error(rec.calls, err)
	}
	new(discord.Adapter).Forget("55")
}

func TestSendForm(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, nil)
	buttons := make([]sotto.Button, 6)
	for i := range buttons {
		buttons[i] = sotto.Button{Label: string(rune('A' + i))}
	}
	buttons[0].Payload = "first"
	for _, handle := range []string{"kd.12." + live + ".aW50", "ks.12." + live + ".aW50", "cd.12." + old + ".aW50"} {
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "55", Handle: handle, Text: "Pick <b> @everyone", Buttons: buttons, ReplyTo: "5", Key: "abc"}); err != nil {
			t.Fatal(err)
		}
	}
	button := func(label, id string) map[string]any {
		return map[string]any{"type": 2.0, "style": 2.0, "label": label, "custom_id": id}
	}
	want := func(flags float64, more map[string]any) map[string]any {
		m := map[string]any{
			"content": "Pick <b> @everyone", "flags": flags, "allowed_mentions": map[string]any{"parse": []any{}},
			"components": []any{
				map[string]any{"type": 1.0, "components": []any{button("A", "first"), button("B", "B"), button("C", "C"), button("D", "D"), button("E", "E")}},
				map[string]any{"type": 1.0, "components": []any{button("F", "F")}},
			},
		}
		maps.Copy(m, more)
		return m
	}
	if diff := cmp.Diff([]map[string]any{
		want(4, nil), want(4|64, nil),
		want(4, map[string]any{"nonce": "abc.0", "enforce_nonce": true, "message_reference": map[string]any{"message_id": "5", "fail_if_not_exists": false}}),
	}, rec.bodies); diff != "" {
		t.Error(diff)
	}
}

func TestSendFile(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, nil)
	f := &channel.File{Name: "data.json", MIME: "application/json", Data: []byte("{}")}
	const handle = "ks.12." + live + ".aW50"
	for _, text := range []string{"", "Your data", strings.Repeat("word ", 500)} {
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "55", Handle: handle, Text: text, File: f}); err != nil {
			t.Fatal(err)
		}
	}
	if len(rec.bodies) != 4 || len(rec.files) != 3 || rec.files[0] != "data.json application/json" {
		t.Fatalf("%d messages, files %q", len(rec.bodies), rec.files)
	}
	attached := []any{map[string]any{"id": 0.0, "filename": "data.json"}}
	for i, has := range []bool{true, true, false, true} {
		if diff := cmp.Diff(attached, rec.bodies[i]["attachments"]); (diff == "") != has {
			t.Errorf("message %d: %v", i, rec.bodies[i]["attachments"])
		}
		if rec.bodies[i]["flags"] != 68.0 {
			t.Errorf("message %d is not hidden", i)
		}
	}
	big := &channel.File{Name: "x", Data: make([]byte, 10<<20+1)}
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "55", Handle: handle, File: big}); sendError(t, err).Code != "file_size" {
		t.Error(err)
	}
}

func TestNumbered(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, nil)
	many := make([]sotto.Button, 26)
	for i := range many {
		many[i].Label = strings.Repeat("x", i+1)
	}
	for name, buttons := range map[string][]sotto.Button{
		"too many":   many,
		"too long":   {{Label: strings.Repeat("é", 81), Payload: "x"}},
		"same twice": {{Label: "A", Payload: "x"}, {Label: "B", Payload: "x"}},
		"carries":    {{Label: "A", Payload: strings.Repeat("x", 101)}},
	} {
		rec.bodies = nil
		sent, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "55", Handle: "kd.12." + live + ".aW50", Text: "Pick", Buttons: buttons})
		if err != nil || !sent.Numbered || rec.bodies[0]["components"] != nil || !strings.HasPrefix(fmt.Sprint(rec.bodies[0]["content"]), "Pick\n1. "+buttons[0].Label) {
			t.Errorf("%s: %+v, %v, %v", name, sent, err, rec.bodies)
		}
	}
}

func TestNonce(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, nil)
	for _, key := range []string{strings.Repeat("k", 40), strings.Repeat("k", 41), "s"} {
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "55", Handle: "cd.12." + old + ".aW50", Text: strings.Repeat("word ", 500), Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, b := range rec.bodies {
		n, _ := b["nonce"].(string)
		if n == "" || len(n) > 25 || seen[n] {
			t.Errorf("nonce %q", n)
		}
		seen[n] = true
	}
}

func TestTyping(t *testing.T) {
	rec := &recorder{answers: map[string]string{"POST /channels/55/typing": "204 "}}
	a := start(t, rec, nil)
	for _, handle := range []string{"kd.12." + live + ".aW50", "ks.12." + live + ".aW50", "cd.12." + live + ".aW50", ""} {
		if err := a.Typing(t.Context(), &channel.Outgoing{Conversation: "55", Handle: handle}); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"POST /channels/55/typing"}, rec.calls); diff != "" {
		t.Error("shown where others see it, or where it shows already:", diff)
	}
	if err := a.Typing(t.Context(), &channel.Outgoing{Conversation: "55/../x"}); sendError(t, err).Class != channel.Bad {
		t.Error(err)
	}
}

func TestSendRefuses(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec, nil)
	for _, to := range []string{"", "x", "55/messages", "-5", "123456789012345678901"} {
		if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: to, Handle: "kd.12." + live + ".aW50", Text: "x"}); sendError(t, err).Class != channel.Bad {
			t.Errorf("%q: %v", to, err)
		}
	}
	if len(rec.calls) != 0 {
		t.Error("sent all the same")
	}
}

func TestFetch(t *testing.T) {
	const path = "/ephemeral-attachments/1/2/a.bin"
	rec := &recorder{answers: map[string]string{"GET " + path: `200 0123456789`, "GET /gone": `404 `, "GET /odd": `401 `, "GET /ill": `502 `}}
	srv := httptest.NewServer(rec)
	defer srv.Close()
	a := newAdapter(t, func(c *discord.Config) { c.CDN, c.Client = srv.URL, srv.Client() })
	get := func(url string, limit int64) (string, error) {
		b, err := a.Fetch(t.Context(), channel.Attachment{ID: url}, limit)
		return string(b), err
	}
	if got, err := get(srv.URL+path+"?ex=1&hm=2", 10); err != nil || got != "0123456789" {
		t.Error(got, err)
	}
	for url, want := range map[string]string{
		srv.URL + path:                            "too_large",
		"https://cdn.discordapp.com/x":            "host",
		strings.Replace(srv.URL, "//", "//u@", 1): "host",
		srv.URL + ".evil.example/x":               "host",
		"file:///etc/passwd":                      "host",
		"":                                        "host",
		srv.URL + "/gone":                         "404",
		srv.URL + "/odd":                          "401",
	} {
		if _, err := get(url, 9); sendError(t, err).Code != want || sendError(t, err).Class != channel.Bad {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
	}
	if _, err := get(srv.URL+"/ill", 9); sendError(t, err).Class != channel.Retry {
		t.Error(err)
	}
	for _, auth := range rec.auth {
		if auth != "" {
			t.Error("the token went to the files' host")
		}
	}
	if _, err := new(discord.Adapter).Fetch(t.Context(), channel.Attachment{ID: "https://cdn.discordapp.com/x"}, 9); err == nil || errors.Is(err, io.EOF) {
		t.Error("the zero value fetches")
	}
}
