package telegram_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/channeltest"
	"github.com/sotto-chat/sotto/channel/telegram"
)

const token = "123456:test-Token_aBcDeFgHiJkLmNoPqRsTuVwXyZ"

func refused(status, code int, description, parameters string) channeltest.Answer {
	return channeltest.Answer{Status: status, Body: fmt.Sprintf(
		`{"ok":false,"error_code":%d,"description":%q,"parameters":{%s}}`, code, description, parameters)}
}

func message(id int, text string) []byte {
	t, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":%d,"from":{"id":41,"is_bot":false,"first_name":"A"},"chat":{"id":41,"type":"private"},"date":1700000000,"text":%s}}`, id, id, t)
}

func TestConformance(t *testing.T) {
	channeltest.Run(t, channeltest.Spec{
		New: func(s channeltest.Setup) (channel.Adapter, error) {
			return adapter(telegram.New(telegram.Config{Token: s.Token, Secrets: s.Secrets, API: s.API, Client: s.Client}))
		},
		Zero:    &telegram.Adapter{},
		Secrets: [2]string{"first_Secret-1", "second_Secret-2"},
		Token:   token,
		Header:  "X-Telegram-Bot-Api-Secret-Token",
		Sign:    func(secret string, _ []byte) string { return secret },
		Message: message,
		Unknown: []string{`{"update_id":1,"teleport":{"to":"x"}}`},
		Empty:   []string{`{}`, `{"update_id":1}`},
		Foreign: []string{
			`{"object":"page","entry":[{"id":"1","messaging":[]}]}`,
			`{"destination":"U1","events":[]}`, `{"type":1}`, `{"event":"webhook","timestamp":1}`,
			`{"event":"message","timestamp":1,"message":{"text":"x"}}`, `{"type":"MESSAGE","message":{}}`,
		},
		Conversation: "41",
		Success:      channeltest.Answer{Status: 200, Body: `{"ok":true,"result":{"message_id":77,"chat":{"id":41}}}`},
		MessageID:    "77",
		MaxText:      4096,
		Errors: []channeltest.ErrorCase{
			{Name: "flood", Answer: refused(429, 429, "Too Many Requests: retry after 5", `"retry_after":5`), Class: channel.Retry, Code: "429", RetryAfter: 5 * time.Second},
			{Name: "blocked", Answer: refused(403, 403, "Forbidden: bot was blocked by the user", ""), Class: channel.Gone, Code: "403.blocked"},
			{Name: "deactivated", Answer: refused(403, 403, "Forbidden: user is deactivated", ""), Class: channel.Gone, Code: "403.deactivated"},
			{Name: "kicked", Answer: refused(403, 403, "Forbidden: bot was kicked from the group chat", ""), Class: channel.Gone, Code: "403.kicked"},
			{Name: "never started", Answer: refused(403, 403, "Forbidden: bot can't initiate conversation with a user", ""), Class: channel.Gone, Code: "403.not_started"},
			{Name: "forbidden otherwise", Answer: refused(403, 403, "Forbidden: whisper", ""), Class: channel.Gone, Code: "403"},
			{Name: "no chat", Answer: refused(400, 400, "Bad Request: chat not found", ""), Class: channel.Gone, Code: "400.chat_not_found"},
			{Name: "bad request", Answer: refused(400, 400, "Bad Request: whisper", ""), Class: channel.Bad, Code: "400"},
			{Name: "wrong token", Answer: refused(401, 401, "Unauthorized", ""), Class: channel.Auth, Code: "401"},
			{Name: "unknown token", Answer: refused(404, 404, "Not Found", ""), Class: channel.Auth, Code: "404"},
			{Name: "theirs", Answer: refused(500, 500, "Internal Server Error", ""), Class: channel.Retry, Code: "500"},
			{Name: "refused with status 200", Answer: refused(200, 403, "Forbidden: bot was blocked by the user", ""), Class: channel.Gone, Code: "403.blocked"},
		},
	})
}

// adapter keeps a nil *telegram.Adapter from becoming an interface that is not nil.
func adapter(a *telegram.Adapter, err error) (channel.Adapter, error) {
	if err != nil {
		return nil, err
	}
	return a, nil
}

func TestNewSaysAllAtOnce(t *testing.T) {
	_, err := telegram.New(telegram.Config{
		Token: channel.NewSecret("987654/../x"), Secrets: channel.Secrets{channel.NewSecret("with space")},
		Username: "a b", API: "ftp://x", Timeout: -1,
	})
	if sotto.KindOf(err) != sotto.KindInvalid {
		t.Fatal(err)
	}
	for _, word := range []string{"token", "secret 1", "username", "api", "timeout", "client"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "with space") || strings.Contains(err.Error(), "987654") {
		t.Error("the error shows a secret")
	}
}

// recorder answers from a list and keeps the calls.
type recorder struct {
	answers []string
	calls   []string
	bodies  []map[string]any
	forms   []url.Values
	files   []string
	paths   []string

	files404 bool      // there are no files to be had
	date     time.Time // of the answers
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec.paths = append(rec.paths, r.URL.Path)
	if rec.files404 && strings.HasPrefix(r.URL.Path, "/file/") {
		http.NotFound(w, r)
		return
	}
	if !rec.date.IsZero() {
		w.Header().Set("Date", rec.date.UTC().Format(http.TimeFormat))
	}
	_, method, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	rec.calls = append(rec.calls, method)
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err := r.ParseMultipartForm(1 << 20); err == nil {
			rec.forms = append(rec.forms, r.MultipartForm.Value)
			for _, f := range r.MultipartForm.File["document"] {
				rec.files = append(rec.files, f.Filename+" "+f.Header.Get("Content-Type"))
			}
		}
	} else {
		var m map[string]any
		_ = json.NewDecoder(r.Body).Decode(&m)
		rec.bodies = append(rec.bodies, m)
	}
	a := `{"ok":true,"result":{"message_id":77}}`
	if len(rec.answers) > 0 {
		a, rec.answers = rec.answers[0], rec.answers[1:]
	}
	if strings.Contains(a, `"ok":false`) {
		w.WriteHeader(http.StatusBadRequest)
	}
	_, _ = w.Write([]byte(a))
}

func start(t *testing.T, rec *recorder) *telegram.Adapter {
	t.Helper()
	srv := httptest.NewServer(rec)
	t.Cleanup(srv.Close)
	a, err := telegram.New(telegram.Config{
		Token: channel.NewSecret(token), Secrets: channel.Secrets{channel.NewSecret("s")},
		Username: "@SottoBot", API: srv.URL + "/", Client: srv.Client(),
		Now: func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSendForm(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec)
	if _, err := a.Send(t.Context(), &channel.Outgoing{
		Conversation: "-1001234567890@bc_1", Text: "Pick <b>", ReplyTo: "5",
		Buttons: []sotto.Button{{Label: "Yes", Payload: "Y"}, {Label: "No"}},
	}); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{
		"business_connection_id": "bc_1", "chat_id": -1001234567890.0, "text": "Pick <b>",
		"link_preview_options": map[string]any{"is_disabled": true},
		"reply_parameters":     map[string]any{"message_id": 5.0, "allow_sending_without_reply": true},
		"reply_markup": map[string]any{"inline_keyboard": []any{
			[]any{map[string]any{"text": "Yes", "callback_data": "Y"}},
			[]any{map[string]any{"text": "No", "callback_data": "No"}},
		}},
	}}
	if diff := cmp.Diff(want, rec.bodies); diff != "" {
		t.Error(diff)
	}
}

func TestSendDocument(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec)
	f := &channel.File{Name: "data.json", MIME: "application/json", Data: []byte("{}")}
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: "Your data", File: f, ReplyTo: "5", Buttons: []sotto.Button{{Label: "Ok"}}}); err != nil {
		t.Fatal(err)
	}
	want := []url.Values{{
		"chat_id": {"41"}, "caption": {"Your data"}, "reply_parameters": {`{"message_id":5,"allow_sending_without_reply":true}`},
		"reply_markup": {`{"inline_keyboard":[[{"text":"Ok","callback_data":"Ok"}]]}`},
	}}
	if diff := cmp.Diff(want, rec.forms); diff != "" {
		t.Error(diff)
	}
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "41", Text: strings.Repeat("é", 1025), File: f}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"sendDocument", "sendMessage", "sendDocument"}, rec.calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"data.json application/json", "data.json application/json"}, rec.files); diff != "" {
		t.Error(diff)
	}
}

func TestSendFollowsMigration(t *testing.T) {
	moved := `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-100999}}`
	rec := &recorder{answers: []string{moved}}
	a := start(t, rec)
	if _, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "-5", Text: strings.Repeat("word ", 1000), ReplyTo: "5"}); err != nil {
		t.Fatal(err)
	}
	var to []any
	for _, b := range rec.bodies {
		to = append(to, b["chat_id"])
	}
	if diff := cmp.Diff([]any{-5.0, -100999.0, -100999.0}, to); diff != "" {
		t.Error(diff)
	}
	rec.answers, rec.bodies = []string{moved, moved, moved}, nil
	_, err := a.Send(t.Context(), &channel.Outgoing{Conversation: "-5", Text: "x"})
	var e *channel.SendError
	if !errors.As(err, &e) || e.Class != channel.Bad || len(rec.bodies) != 2 {
		t.Errorf("%v after %d calls", err, len(rec.bodies))
	}
}

func TestSendRefuses(t *testing.T) {
	rec := &recorder{}
	a := start(t, rec)
	for name, m := range map[string]*channel.Outgoing{
		"chat name":        {Conversation: "@channel", Text: "x"},
		"chat zero":        {Conversation: "0", Text: "x"},
		"payload over 64":  {Conversation: "41", Text: "x", Buttons: []sotto.Button{{Label: "a", Payload: strings.Repeat("é", 33)}}},
		"label as payload": {Conversation: "41", Text: "x", Buttons: []sotto.Button{{Label: strings.Repeat("a", 65)}}},
		"101 buttons":      {Conversation: "41", Text: "x", Buttons: make([]sotto.Button, 101)},
	} {
		var e *channel.SendError
		if _, err := a.Send(t.Context(), m); !errors.As(err, &e) || e.Class != channel.Bad {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(rec.calls) != 0 {
		t.Error("sent all the same")
	}
}

func TestTypingAndAcknowledge(t *testing.T) {
	rec := &recorder{answers: []string{`{"ok":true,"result":true}`, `{"ok":true,"result":true}`}}
	a := start(t, rec)
	if err := errors.Join(a.Typing(t.Context(), &channel.Outgoing{Conversation: "41@bc"}), a.Acknowledge(t.Context(), "99")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]map[string]any{
		{"business_connection_id": "bc", "chat_id": 41.0, "action": "typing"}, {"callback_query_id": "99"},
	}, rec.bodies); diff != "" {
		t.Error(diff)
	}
}
