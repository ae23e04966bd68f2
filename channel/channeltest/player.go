package channeltest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
	"github.com/sotto-chat/sotto/channel/sim"
)

// PlayerSpec pairs an adapter with the player of its network for [RunPlayer].
type PlayerSpec struct {
	// Player makes the player.
	Player func(play.Config) play.Player
	// New makes an adapter of what the player's Settings say.
	New func(settings map[string]string, client channel.Doer) (channel.Adapter, error)
	// Others are credentials that differ from the player's default ones.
	Others play.Config
	// Group is the network's id of a group; "" where bots meet no groups.
	Group string
	// Acts are kinds that the player has to know beside a message; default none.
	Acts []sotto.EventKind
	// Keyboard says that buttons show as such and come back as text, so that they
	// are reported as numbered.
	Keyboard bool
	// NoToken says that an answer carries nothing that belongs to the account.
	NoToken bool
	// MaxText is a length in bytes that no message of the network has, default 100,000.
	MaxText int
}

// RunPlayer checks that an adapter and the player of its network, which were
// written apart, understand each other: whatever people do arrives as what it
// was, only under the right credentials; the network's questions are answered
// rightly; what the bot says is shown as it was said; and what the network
// refuses is sorted as it has to be.
func RunPlayer(t *testing.T, spec PlayerSpec) {
	t.Helper()
	spec.MaxText = cmp.Or(spec.MaxText, 100_000)
	s := &pair{PlayerSpec: spec}
	t.Run("acts", s.acts)
	t.Run("questions", s.questions)
	t.Run("sends", s.sends)
	t.Run("refusals", s.refusals)
}

// pair is an adapter and a player.
type pair struct{ PlayerSpec }

// meet starts a player and an adapter that trusts it, and calls through client.
func (s *pair) meet(t *testing.T, c play.Config, client channel.Doer) (*sim.Sim, channel.Adapter) {
	t.Helper()
	net, err := sim.New(sim.Config{Player: s.Player(c)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = net.Close() })
	a, err := s.New(net.Player().Settings(net.URL()), client)
	if err != nil {
		t.Fatal("an adapter as the player's settings say:", err)
	}
	return net, a
}

// request is a webhook as it arrives.
func request(t *testing.T, w play.Webhook) *channel.Request {
	t.Helper()
	q, err := url.ParseQuery(w.Query)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for k, v := range w.Header {
		h[http.CanonicalHeaderKey(k)] = v
	}
	return &channel.Request{Method: cmp.Or(w.Method, http.MethodPost), Header: h, Query: q, Body: w.Body, Now: time.Now()} //nolint:forbidigo // the player signs by the machine's clock
}

// odd is a text that is escaped on its way in one network or another.
const odd = "whisper h\u00e9 \U0001F600 \"q\" \\ <b> & &amp; *s* 'x'"

// scene is something that somebody does.
type scene struct {
	act  play.Act
	want func(e channel.Event) bool
}

// scenes are everything that is done, about a message with the given id.
func (s *pair) scenes(id, group string) []scene {
	always := func(channel.Event) bool { return true }
	about := func(e channel.Event) bool { return e.ID == id }
	list := []scene{
		{play.Act{Kind: sotto.EventMessage, Text: odd}, func(e channel.Event) bool { return e.Text == odd && (group == "" || !e.Addressed) }},
		{play.Act{Kind: sotto.EventMessage, Text: odd, ReplyTo: id}, func(e channel.Event) bool { return e.Text == odd }},
		{play.Act{Kind: sotto.EventMessage, Text: "look", File: &channel.File{Name: "a.png", MIME: "image/png", Data: []byte("\x89PNG bytes")}}, func(e channel.Event) bool {
			return len(e.Attachments) == 1 && e.Attachments[0].Kind == "image"
		}},
		{play.Act{Kind: sotto.EventMessage, File: &channel.File{Name: "a.pdf", MIME: "application/pdf", Data: []byte("%PDF bytes")}}, func(e channel.Event) bool {
			return len(e.Attachments) == 1 && e.Attachments[0].Kind == "file"
		}},
		{play.Act{Kind: sotto.EventButton, Text: "Yes", Payload: "Y|1", ID: id}, func(e channel.Event) bool { return e.Payload == "Y|1" }},
		{play.Act{Kind: sotto.EventEdit, Text: odd, ID: id}, func(e channel.Event) bool { return e.Text == odd && e.ID == id }},
		{play.Act{Kind: sotto.EventDelete, ID: id}, about},
		{play.Act{Kind: sotto.EventReaction, Text: "👍", ID: id}, about},
		{play.Act{Kind: sotto.EventReceipt, ID: id}, always},
		{play.Act{Kind: sotto.EventJoin}, always},
		{play.Act{Kind: sotto.EventLeave}, always},
		{play.Act{Kind: sotto.EventBlock}, always},
		{play.Act{Kind: sotto.EventUnblock}, always},
		{play.Act{Kind: sotto.EventOptIn}, always},
		{play.Act{Kind: sotto.EventOptOut}, always},
		{play.Act{Kind: sotto.EventEcho, Text: odd}, always},
	}
	if group != "" {
		list = append(list, scene{
			play.Act{Kind: sotto.EventMessage, Text: "whisper to you", Addressed: true},
			func(e channel.Event) bool {
				return e.Addressed && e.Group && strings.Contains(e.Text, "whisper to you")
			},
		})
		for i := range list {
			list[i].act.Group = group
		}
	}
	return list
}

func (s *pair) acts(t *testing.T) {
	net, a := s.meet(t, play.Config{}, new(http.Client))
	_, other := s.meet(t, s.Others, new(http.Client))
	seen := map[string]bool{}
	known := map[sotto.EventKind]bool{}
	groups := []string{""}
	if s.Group != "" {
		groups = append(groups, s.Group)
	}
	for _, group := range groups {
		first, err := net.Player().Webhook(play.Act{Kind: sotto.EventMessage, Text: "first", Group: group})
		if err != nil {
			t.Fatalf("a message (group %q): %v", group, err)
		}
		for _, sc := range s.scenes(first.ID, group) {
			w, err := net.Player().Webhook(sc.act)
			if errors.Is(err, play.ErrNoSuch) {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", sc.act.Kind, err)
				continue
			}
			known[sc.act.Kind] = true
			r := request(t, w)
			if err := a.Verify(r); err != nil {
				t.Errorf("%s: the adapter does not believe the network: %v", sc.act.Kind, err)
			}
			if other.Verify(r) == nil {
				t.Errorf("%s: verified under other credentials", sc.act.Kind)
			}
			s.read(t, a, sc, w, seen)
		}
	}
	for _, k := range append([]sotto.EventKind{sotto.EventMessage}, s.Acts...) {
		if !known[k] {
			t.Errorf("the player knows no %s", k)
		}
	}
	var list []string
	for k := range known {
		list = append(list, string(k))
	}
	slices.Sort(list)
	t.Logf("%s: %s", a.Channel(), strings.Join(list, ", "))
}

// read checks what an adapter makes of a webhook.
func (s *pair) read(t *testing.T, a channel.Adapter, sc scene, w play.Webhook, seen map[string]bool) {
	t.Helper()
	b, err := a.Decode(w.Body)
	if err != nil || b.Unknown != 0 {
		t.Errorf("%s: %d unknown, %v", sc.act.Kind, b.Unknown, err)
		return
	}
	found := false
	for _, e := range b.Events {
		if seen[e.Delivery] || e.Delivery == "" {
			t.Errorf("%s: the delivery key %q is empty or not new", sc.act.Kind, e.Delivery)
		}
		seen[e.Delivery] = true
		if e.Kind != sc.act.Kind {
			continue
		}
		found = true
		if !sc.want(e) {
			t.Errorf("%+v reads as %+v", sc.act, e)
		}
		if (e.Kind == sotto.EventMessage || e.Kind == sotto.EventButton) && (e.Sender == "" || e.Conversation == "" || e.Group != (sc.act.Group != "")) {
			t.Errorf("%s in group %q: sender %q, conversation %q, group %v", e.Kind, sc.act.Group, e.Sender, e.Conversation, e.Group)
		}
		if e.Kind == sotto.EventMessage && w.ID != "" && e.ID != w.ID {
			t.Errorf("the message has the id %q, the network calls it %q", e.ID, w.ID)
		}
	}
	if !found {
		t.Errorf("%+v is not found in %+v", sc.act, b.Events)
	}
}

// questions asks what the network asks, rightly and under other credentials.
func (s *pair) questions(t *testing.T) {
	net, a := s.meet(t, play.Config{}, new(http.Client))
	other, _ := s.meet(t, s.Others, new(http.Client))
	for i, q := range net.Player().Questions() {
		status, header, body := answerTo(t, a, request(t, q))
		if err := net.Player().Answered(q, status, header, body); err != nil {
			t.Errorf("question %d: %v (status %d, body %q)", i+1, err, status, body)
		}
		if err := net.Player().Answered(q, http.StatusOK, http.Header{}, []byte("whatever")); err == nil && len(body) > 0 {
			t.Errorf("question %d: the player takes any answer", i+1)
		}
	}
	strange, right := other.Player().Questions(), 0
	for _, q := range strange { // some networks ask whether a wrong proof is refused
		status, header, body := answerTo(t, a, request(t, q))
		if err := other.Player().Answered(q, status, header, body); err == nil && status != http.StatusUnauthorized {
			right++
		}
	}
	if right > 0 {
		t.Errorf("%d of %d questions of somebody else are answered rightly", right, len(strange))
	}
}

// answerTo is what a server answers with an adapter.
func answerTo(t *testing.T, a channel.Adapter, r *channel.Request) (int, http.Header, []byte) {
	t.Helper()
	if r.Method == http.MethodPost && a.Verify(r) != nil {
		return http.StatusUnauthorized, http.Header{}, nil
	}
	if h, ok := a.(channel.Handshaker); ok {
		resp, answered, err := h.Handshake(r)
		if err != nil {
			return http.StatusForbidden, http.Header{}, nil
		}
		if answered {
			return cmp.Or(resp.Status, http.StatusOK), http.Header{"Content-Type": {resp.ContentType}}, resp.Body
		}
	}
	b, err := a.Decode(r.Body)
	if err != nil || r.Method != http.MethodPost {
		return http.StatusBadRequest, http.Header{}, nil
	}
	if x, ok := a.(channel.Answerer); ok {
		if resp := x.Answer(r, b); resp != nil {
			return cmp.Or(resp.Status, http.StatusOK), http.Header{"Content-Type": {resp.ContentType}}, resp.Body
		}
	}
	return http.StatusOK, http.Header{}, nil
}

// met returns an event to answer.
func met(t *testing.T, net *sim.Sim, a channel.Adapter) channel.Event {
	t.Helper()
	w, err := net.Player().Webhook(play.Act{Kind: sotto.EventMessage, Text: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Decode(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Events {
		if e.Kind == sotto.EventMessage {
			return e
		}
	}
	t.Fatal("a message is none")
	return channel.Event{}
}

// visible returns the messages among what was shown since from.
func visible(net *sim.Sim, from int) []play.Shown {
	return slices.DeleteFunc(net.Shown()[from:], func(x play.Shown) bool { return x.Kind != "message" && x.Kind != "edit" })
}

func (s *pair) sends(t *testing.T) {
	net, a := s.meet(t, play.Config{}, new(http.Client))
	send := func(name string, change func(m *channel.Outgoing)) (channel.Sent, []play.Shown) {
		t.Helper()
		e := met(t, net, a)
		m := &channel.Outgoing{Conversation: e.Conversation, Handle: e.Handle, Text: odd, Key: "key-" + name}
		change(m)
		from := len(net.Shown())
		sent, err := a.Send(t.Context(), m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return sent, visible(net, from)
	}
	text := func(shown []play.Shown) string {
		var parts []string
		for _, x := range shown {
			parts = append(parts, x.Text)
		}
		return strings.Join(parts, "")
	}
	sent, shown := send("text", func(*channel.Outgoing) {})
	if len(shown) != 1 || shown[0].Text != odd || sent.ID != "" && shown[0].ID != sent.ID || shown[0].To == "" {
		t.Errorf("the text shows as %+v, sent as %q", shown, sent.ID)
	}
	_, shown = send("long", func(m *channel.Outgoing) { m.Text = strings.Repeat("word and ", s.MaxText/45) })
	if got, want := strings.Fields(text(shown)), strings.Fields(strings.Repeat("word and ", s.MaxText/45)); len(shown) < 1 || len(strings.Join(got, "")) != len(strings.Join(want, "")) {
		t.Errorf("a long text shows in %d messages of %d bytes in all", len(shown), len(text(shown)))
	}
	buttons := []sotto.Button{{Label: "Yes", Payload: "Y|1"}, {Label: "No", Payload: "N|1"}}
	sent, shown = send("buttons", func(m *channel.Outgoing) { m.Text, m.Buttons = "Pick", buttons })
	var got []sotto.Button
	for _, x := range shown {
		got = append(got, x.Buttons...)
	}
	switch {
	case s.Keyboard && sent.Numbered:
		if !slices.EqualFunc(got, buttons, func(a, b sotto.Button) bool { return a.Label == b.Label }) {
			t.Errorf("the keyboard shows as %+v", got)
		}
	case sent.Numbered && len(got) == 0 && (!strings.Contains(text(shown), "1") || !strings.Contains(text(shown), "Yes")),
		sent.Numbered && len(got) > 0 && (len(got) != 2 || got[0].Label != "Yes" || got[1].Label != "No"):
		t.Errorf("numbered buttons show as %+v", shown)
	case !sent.Numbered && !slices.Equal(got, buttons):
		t.Errorf("the buttons show as %+v", got)
	}
	if !a.Traits().NoFiles {
		file := &channel.File{Name: "data.json", MIME: "application/json", Data: []byte(`{"a":1}`)}
		_, shown = send("file", func(m *channel.Outgoing) { m.Text, m.File = "Your data", file })
		if !slices.ContainsFunc(shown, func(x play.Shown) bool { return x.File != nil && bytes.Equal(x.File.Data, file.Data) }) || !strings.Contains(text(shown), "Your data") {
			t.Errorf("the file shows as %+v", shown)
		}
	}
	s.others(t, net, a)
}

// others tries what is no message: typing and acknowledgements.
func (s *pair) others(t *testing.T, net *sim.Sim, a channel.Adapter) {
	t.Helper()
	if typer, ok := a.(channel.Typer); ok {
		e := met(t, net, a)
		if err := typer.Typing(t.Context(), &channel.Outgoing{Conversation: e.Conversation, Handle: e.Handle, ReplyTo: e.ID}); err != nil {
			t.Error("typing:", err)
		}
	}
	ack, ok := a.(channel.Acknowledger)
	if !ok {
		return
	}
	w, err := net.Player().Webhook(play.Act{Kind: sotto.EventButton, Text: "Yes", Payload: "Y"})
	if err != nil {
		return
	}
	b, err := a.Decode(w.Body)
	if err != nil || len(b.Events) == 0 {
		t.Fatal(err)
	}
	if callback := b.Events[0].Callback; callback != "" {
		if err := ack.Acknowledge(t.Context(), callback); err != nil {
			t.Error("acknowledging:", err)
		}
	}
}

// tamper sends requests on, with another text in them.
type tamper struct {
	mu   sync.Mutex
	from string
	to   string
}

// Do implements channel.Doer.
func (d *tamper) Do(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.from != "" && r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		b = bytes.ReplaceAll(b, []byte(d.from), []byte(d.to))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		r.GetBody = nil
	}
	return new(http.Client).Do(r)
}

func (s *pair) refusals(t *testing.T) {
	way := &tamper{}
	net, a := s.meet(t, play.Config{}, way)
	send := func(a channel.Adapter) error {
		e := met(t, net, a)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := a.Send(ctx, &channel.Outgoing{Conversation: e.Conversation, Handle: e.Handle, Text: "whisper", Key: "key"})
		return err
	}
	is := func(name string, err error, want channel.Class, after time.Duration) {
		t.Helper()
		var e *channel.SendError
		if !errors.As(err, &e) || e.Class != want || e.RetryAfter < after {
			t.Errorf("%s: %v, want %v after %v", name, err, want, after)
		}
	}
	faulty := func(name string, f sim.Fault, want channel.Class, after time.Duration) {
		t.Helper()
		net.Fail(f)
		err := send(a)
		var e *channel.SendError
		once := a.Traits().Idempotent || met(t, net, a).Handle != ""
		if want == channel.Retry && f.Status >= 500 && once && errors.As(err, &e) && e.Class == channel.Unknown {
			return // a handle may be used up, and a repeated key is shown once
		}
		is(name, err, want, after)
	}
	before := len(visible(net, 0))
	way.from, way.to = "whisper", strings.Repeat("x", s.MaxText)
	is("a text that is too long", send(a), channel.Bad, 0)
	way.from = ""
	if !s.NoToken {
		stranger, err := s.New(s.Player(s.Others).Settings(net.URL()), new(http.Client))
		if err != nil {
			t.Fatal(err)
		}
		is("another token", send(stranger), channel.Auth, 0)
	}
	if shown := visible(net, before); len(shown) != 0 {
		t.Errorf("shown all the same: %+v", shown)
	}
	wait := 2 * time.Second
	if !tells(net.Player()) {
		wait = 0
	}
	faulty("too often", sim.Fault{Status: http.StatusTooManyRequests, After: 3 * time.Second}, channel.Retry, wait)
	for _, status := range []int{500, 502, 503} {
		faulty("out of order", sim.Fault{Status: status}, channel.Retry, 0)
	}
	faulty("cut", sim.Fault{Cut: true}, channel.Unknown, 0)
	if err := send(a); err != nil {
		t.Error("once all is well again:", err)
	}
}

// tells reports whether a network says how long it wants to be left alone.
func tells(p play.Player) bool {
	var said [2]string
	for i, d := range []time.Duration{3 * time.Second, time.Hour} {
		w := httptest.NewRecorder()
		p.Refuse(w, http.StatusTooManyRequests, d)
		said[i] = fmt.Sprint(w.Header(), w.Body)
	}
	return said[0] != said[1]
}
