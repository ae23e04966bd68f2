package inbox

import (
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(600, 0)
	l := limiter{most: 2, now: func() time.Time { return now }}
	a, b := sotto.PersonID{1}, sotto.PersonID{2}
	want := []struct {
		p         sotto.PersonID
		ok, first bool
	}{{a, true, false}, {a, true, false}, {a, false, true}, {a, false, false}, {b, true, false}}
	for i, w := range want {
		if ok, first := l.allow(w.p); ok != w.ok || first != w.first {
			t.Errorf("message %d: allow = %v, %v; want %v, %v", i, ok, first, w.ok, w.first)
		}
	}
	now = now.Add(time.Minute)
	if ok, _ := l.allow(a); !ok {
		t.Error("the next minute begins anew")
	}
}
