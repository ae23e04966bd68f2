package channeltest

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

func (s *Spec) decode(t *testing.T) {
	a := s.adapter(t, "", nil)
	one := func(body []byte) channel.Event {
		t.Helper()
		b, err := a.Decode(body)
		if err != nil || len(b.Events) != 1 || b.Unknown != 0 {
			t.Fatalf("%d events, %d unknown, %v; want one event", len(b.Events), b.Unknown, err)
		}
		return b.Events[0]
	}
	text := "h\u00e9llo \U0001F600 \"quoted\"\n\\ <b>"
	e := one(s.Message(1, text))
	if e.Kind != sotto.EventMessage || e.Text != text || e.Sender != "41" || e.Conversation == "" || e.ID == "" || e.Delivery == "" || e.Time.IsZero() {
		t.Errorf("the message reads as %+v", e)
	}
	if again := one(s.Message(1, text)); !reflect.DeepEqual(e, again) {
		t.Error("the same body reads differently the second time")
	}
	if pretty := one(append([]byte(" \r\n\t"), append(s.Message(1, text), ' ', '\n')...)); pretty.Delivery != e.Delivery {
		t.Error("white space around the body changes the delivery key")
	}
	if next := one(s.Message(2, text)); next.Delivery == e.Delivery {
		t.Error("two messages share a delivery key")
	}
	if body := s.Message(1, text); !utf8.Valid(body) || !reflect.DeepEqual(one(body), one(bytes.Clone(body))) {
		t.Error("an event depends on where its body lies")
	}
	s.batch(t, a)
	for _, body := range s.Unknown {
		b, err := a.Decode([]byte(body))
		if err != nil || len(b.Events) != 0 || b.Unknown != 1 {
			t.Errorf("unknown kind: %d events, %d unknown, %v", len(b.Events), b.Unknown, err)
		}
	}
	for _, body := range s.Empty {
		b, err := a.Decode([]byte(body))
		if err != nil || len(b.Events) != 0 || b.Unknown != 0 {
			t.Errorf("empty body: %d events, %d unknown, %v", len(b.Events), b.Unknown, err)
		}
	}
	if b, err := s.Zero.Decode(s.Message(1, text)); err != nil || len(b.Events) != 1 {
		t.Error("decoding needs a configuration")
	}
}

// batch checks that the bad events of a body do not spoil the good one.
func (s *Spec) batch(t *testing.T, a channel.Adapter) {
	t.Helper()
	if s.Batch == nil {
		return
	}
	b, err := a.Decode(s.Batch("hello"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range b.Events {
		if e.Kind == sotto.EventMessage {
			got = append(got, e.Text)
		}
	}
	if len(got) != 1 || got[0] != "hello" || b.Unknown != 2 {
		t.Errorf("messages %q, %d unknown; want the good one and 2", got, b.Unknown)
	}
}

// hostile gives the adapter bytes that no network sends.
func (s *Spec) hostile(t *testing.T) {
	a := s.adapter(t, "", nil)
	good := string(s.Message(1, "whisper"))
	refuse := map[string]string{
		"empty":          "",
		"white space":    " \n ",
		"no JSON":        "whisper",
		"number":         "1",
		"null":           "null",
		"string":         `"whisper"`,
		"array":          "[]",
		"trailing bytes": good + "x",
		"two bodies":     good + good,
		"cut":            good[:len(good)-1],
		"zero byte":      good + "\x00",
		"deep arrays":    strings.Repeat("[", 100000),
		"deep objects":   strings.Repeat(`{"a":`, 100000),
		"deep, closed":   `{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
		"byte order":     "\ufeff" + good,
		"unquoted":       strings.Replace(good, `"`, "", 2),
		"control byte":   strings.Replace(good, "whisper", "whis\x01per", 1),
		"bad escape":     strings.Replace(good, "whisper", `whis\qper`, 1),
		"bad number":     `{"x":01}`,
	}
	for name, body := range refuse {
		b, err := a.Decode([]byte(body))
		if err == nil || len(b.Events) != 0 || b.Unknown != 0 {
			t.Errorf("%s: %d events, %v; want an error and nothing else", name, len(b.Events), err)
			continue
		}
		s.quiet(t, err)
	}
	for i, body := range s.Foreign {
		if b, err := a.Decode([]byte(body)); err == nil || len(b.Events) != 0 {
			t.Errorf("body %d of another network is understood", i)
		}
	}
	for i := range len(good) {
		if _, err := a.Decode([]byte(good[:i])); err == nil {
			t.Errorf("understood when cut at byte %d", i)
		}
	}
	odd := map[string]struct{ from, to, want string }{
		"invalid UTF-8":  {"whisper", "whis\xffper", "whis\ufffdper"},
		"lone surrogate": {"whisper", `whis\ud800per`, "whis\ufffdper"},
		"escaped":        {"whisper", `\u0077hisper`, "whisper"},
		"zero":           {"whisper", `whis\u0000per`, "whis\x00per"},
	}
	for name, o := range odd {
		b, err := a.Decode([]byte(strings.Replace(good, o.from, o.to, 1)))
		if err != nil || len(b.Events) != 1 || b.Events[0].Text != o.want {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
	s.mangled(t, a, good)
}

// mangled replaces each value of the body in turn by others and looks for a
// panic and for texts that are not UTF-8.
func (s *Spec) mangled(t *testing.T, a channel.Adapter, good string) {
	t.Helper()
	for i := range len(good) {
		if good[i] != ':' {
			continue
		}
		end := i + 1 + strings.IndexAny(good[i+1:], ",}]")
		for _, v := range []string{`null`, `0`, `-1`, `1e400`, `9999999999999999999999`, `""`, `"x"`, `[]`, `{}`, `[null]`, `true`, "\"\xff\""} {
			b, err := a.Decode([]byte(good[:i+1] + v + good[end:]))
			if err != nil {
				continue
			}
			for _, e := range b.Events {
				if e.Delivery == "" || !utf8.ValidString(e.Text+e.Sender+e.ID+e.Conversation+e.Delivery) {
					t.Errorf("with %s at byte %d: %+v", v, i, e)
				}
			}
		}
	}
}
