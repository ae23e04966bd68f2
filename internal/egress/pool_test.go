package egress

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
)

// counting serves h and counts connections.
func counting(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var conns atomic.Int64
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv, &conns
}

func whole(t *testing.T, v *View, r *http.Request) string {
	t.Helper()
	resp, err := v.Do(r)
	if err != nil {
		t.Error(err)
		return ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	return string(body)
}

// state returns how many connections a place has, idle and in all.
func state(v *View) (idle, slots, waiting int) {
	p := v.pools[0]
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle), p.slots, len(p.waiting)
}

func wantState(t *testing.T, v *View, idle, slots int) {
	t.Helper()
	if i, s, w := state(v); i != idle || s != slots || w != 0 {
		t.Errorf("%d idle of %d, %d waiting; want %d of %d", i, s, w, idle, slots)
	}
}

// Many requests at a time share the connections that there may be, and every
// one gets its own answer.
func TestPerHost(t *testing.T) {
	var now, most atomic.Int64
	srv, conns := counting(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(time.Millisecond)
		io.WriteString(w, r.URL.RawQuery) //nolint:errcheck // a test server
	})
	v := view(t, Config{PerHost: 3, IdlePerHost: 2}, srv.URL)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			q := string(rune('a'+i%26)) + string(rune('a'+i/26))
			if got := whole(t, v, get(t, srv.URL+"?"+q)); got != q {
				t.Errorf("%q got the answer of %q", q, got)
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 || conns.Load() > 10 {
		t.Errorf("%d at a time on %d connections", most.Load(), conns.Load())
	}
	wantState(t, v, 2, 2)
	v.client.Close()
	wantState(t, v, 0, 0)
	if v.pools[0].timer != nil {
		t.Error("the place is looked after without need")
	}
}

// Who waits for a connection waits no longer than the request may take, and
// leaves nothing behind.
func TestPerHostWait(t *testing.T) {
	release := make(chan struct{})
	srv, _ := counting(t, func(http.ResponseWriter, *http.Request) { <-release })
	v := view(t, Config{PerHost: 1}, srv.URL)
	var wg sync.WaitGroup
	wg.Go(func() { whole(t, v, get(t, srv.URL)) })
	for _, slots, _ := state(v); slots == 0; _, slots, _ = state(v) {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	want(t, v, post(t, srv.URL).WithContext(ctx), sotto.KindUnavailable, "too long", false)
	gone, leave := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, leave)
	want(t, v, post(t, srv.URL).WithContext(gone), sotto.KindUnavailable, "cancelled", false)
	close(release)
	wg.Wait()
	wantState(t, v, 1, 1)
	whole(t, v, post(t, srv.URL))
}

// A connection that comes in the moment in which the waiting ends is not lost.
func TestPerHostLate(t *testing.T) {
	v := view(t, Config{PerHost: 1}, "https://api.example")
	p := v.pools[0]
	for range 200 {
		if c, err := p.take(t.Context(), time.Now().Add(time.Hour)); c != nil || err != nil {
			t.Fatal(c, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := p.take(ctx, time.Now().Add(time.Hour)); err == nil {
				p.put(nil)
			}
		})
		wg.Go(cancel)
		p.put(nil)
		wg.Wait()
		wantState(t, v, 0, 0)
	}
}

func TestIdleTime(t *testing.T) {
	srv, conns := counting(t, func(http.ResponseWriter, *http.Request) {})
	v := view(t, Config{}, srv.URL)
	whole(t, v, get(t, srv.URL))
	v.pools[0].prune(2) // the end of the first tick, during which it was used
	wantState(t, v, 1, 1)
	whole(t, v, get(t, srv.URL))
	v.pools[0].prune(2)
	wantState(t, v, 1, 1)
	v.pools[0].prune(2)
	wantState(t, v, 0, 0)
	whole(t, v, get(t, srv.URL))
	if conns.Load() != 2 {
		t.Errorf("%d connections", conns.Load())
	}
}

// A kept connection on which the other side said something, or which it closed,
// is not used: the next answer would not belong to the next request.
func TestUnasked(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for name, more := range map[string]string{"at once": ok + ok, "too much": ok + "x", "later": ok, "closed": ok, "interim": ok + "HTTP/1.1 100 Continue\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			var conns atomic.Int64
			base := raw(t, func(c net.Conn) {
				conns.Add(1)
				readRequest(c)
				io.WriteString(c, more) //nolint:errcheck // a test server
				switch name {
				case "closed":
					return
				case "later":
					time.Sleep(10 * time.Millisecond)
					io.WriteString(c, ok) //nolint:errcheck // a test server
				}
				readRequest(c)
			})
			v := view(t, Config{}, base)
			for range 3 {
				if got := whole(t, v, post(t, base)); got != "ok" {
					t.Errorf("got %q", got)
				}
				time.Sleep(30 * time.Millisecond)
			}
			if conns.Load() != 3 {
				t.Errorf("%d connections", conns.Load())
			}
		})
	}
}

// The same within TLS, where the other side's own messages do not count.
func TestUnaskedTLS(t *testing.T) {
	var conns atomic.Int64
	say := make(chan bool)
	srv, roots := tlsServer(t, false, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack() //nolint:errcheck // the test sees what follows
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close() //nolint:errcheck // the test sees what follows
		conns.Add(1)
		for {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") //nolint:errcheck // a test server
			if <-say {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno") //nolint:errcheck // a test server
				return
			}
			if _, err := http.ReadRequest(rw.Reader); err != nil {
				return
			}
		}
	}))
	v := view(t, Config{Roots: roots}, srv.URL)
	for _, unasked := range []bool{false, false, true, true} {
		if got := whole(t, v, get(t, srv.URL)); got != "ok" {
			t.Errorf("got %q", got)
		}
		say <- unasked
		time.Sleep(20 * time.Millisecond)
	}
	if conns.Load() != 2 {
		t.Errorf("%d connections", conns.Load())
	}
}

// A request on a kept connection that breaks before anything of the answer is
// made once more if that does no harm, on a new connection, and not a third time.
func TestRepeat(t *testing.T) {
	tests := []struct {
		name   string
		change func(r *http.Request)
		repeat bool
	}{
		{"post", func(*http.Request) {}, false},
		{"get", func(r *http.Request) { r.Method = http.MethodGet }, true},
		{"key", func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") }, true},
		{"delete", func(r *http.Request) { r.Method = http.MethodDelete }, false},
	}
	for _, always := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				var conns, requests atomic.Int64
				base := raw(t, func(c net.Conn) {
					first := conns.Add(1) == 1
					br := bufio.NewReader(c)
					for n := 0; ; n++ {
						r, err := http.ReadRequest(br)
						if err != nil {
							return
						}
						body, err := io.ReadAll(r.Body)
						if err != nil || string(body) != "said in confidence" {
							t.Errorf("%q, %v", body, err)
						}
						requests.Add(1)
						if n > 0 || always && !first {
							return
						}
						io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") //nolint:errcheck // a test server
					}
				})
				v := view(t, Config{}, base)
				whole(t, v, post(t, base))
				r := post(t, base)
				tt.change(r)
				if tt.repeat && !always {
					whole(t, v, r)
				} else {
					want(t, v, r, sotto.KindUnavailable, "closed", true)
				}
				wanted := int64(2)
				if tt.repeat {
					wanted = 3
				}
				if requests.Load() != wanted || conns.Load() != wanted-1 {
					t.Errorf("%d requests on %d connections", requests.Load(), conns.Load())
				}
			})
		}
	}
}

// broken is a connection that breaks when something is written.
type broken struct {
	net.Conn
	n   int
	err error
}

func (b *broken) Write([]byte) (int, error) { return b.n, b.err }

// A kept connection that breaks in the moment in which the request is written:
// what counts is whether something of it went out.
func TestWriteBreaks(t *testing.T) {
	srv, conns := counting(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body) //nolint:errcheck // a test server
	})
	v := view(t, Config{}, srv.URL)
	breakIt := func(n int) {
		v.client.Close()
		whole(t, v, post(t, srv.URL))
		c := v.pools[0].idle[0]
		c.raw.Conn = &broken{c.raw.Conn, n, &net.OpError{Op: "write", Err: io.EOF}}
		conns.Store(0)
	}
	breakIt(0)
	if got := whole(t, v, post(t, srv.URL)); got != "said in confidence" || conns.Load() != 1 {
		t.Errorf("%q on %d connections", got, conns.Load())
	}
	breakIt(5)
	want(t, v, post(t, srv.URL), sotto.KindUnavailable, "closed", true)
	if conns.Load() != 0 {
		t.Error("a request was repeated of which something was written")
	}
	breakIt(0)
	srv.Listener.Close() //nolint:errcheck // the test sees what follows
	want(t, v, post(t, srv.URL), sotto.KindUnavailable, "refused", false)
	wantState(t, v, 0, 0)
}

// A context that ends ends the request, wherever it is, and leaves no connection.
func TestCancel(t *testing.T) {
	base := raw(t, func(c net.Conn) {
		readRequest(c)
		time.Sleep(50 * time.Millisecond)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc") //nolint:errcheck // a test server
		time.Sleep(5 * time.Second)
	})
	v := view(t, Config{}, base)
	for _, after := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(after, cancel)
		r := post(t, base).WithContext(ctx)
		begin := time.Now()
		want(t, v, r, sotto.KindUnavailable, "cancelled", true)
		if time.Since(begin) > time.Second {
			t.Error("it took long")
		}
		wantState(t, v, 0, 0)
	}
	// The caller's own deadline is told as such, and sooner than ours.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := v.Do(post(t, base).WithContext(ctx)) //nolint:bodyclose // there is none
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// Nobody reads from a connection that has gone to somebody else.
func TestReadAfterEnd(t *testing.T) {
	srv, conns := counting(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.RawQuery) //nolint:errcheck // a test server
	})
	v := view(t, Config{}, srv.URL)
	first, err := v.Do(get(t, srv.URL+"?first"))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Body.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := v.Do(get(t, srv.URL+"?second"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := first.Body.Read(make([]byte, 10)); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read %d, %v", n, err)
	}
	if err := first.Body.Close(); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(second.Body); string(b) != "second" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	second.Body.Close() //nolint:errcheck // the test sees what follows
	if conns.Load() != 1 {
		t.Errorf("%d connections", conns.Load())
	}
}

// Who closes a connection while a long request is on its way may have said why.
func TestEarlyAnswer(t *testing.T) {
	base := raw(t, func(c net.Conn) {
		br := bufio.NewReader(c)
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno") //nolint:errcheck // a test server
		c.(*net.TCPConn).CloseWrite()                                                      //nolint:errcheck // the test sees what follows
		io.Copy(io.Discard, io.LimitReader(br, 1<<20))                                     //nolint:errcheck // a test server
	})
	v := view(t, Config{}, base)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base, io.LimitReader(zeros{}, 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := v.Do(r)
	if err != nil { // the system may throw the answer away with the connection
		if v.Stats().Unclear != 1 {
			t.Errorf("%v, %+v", err, v.Stats())
		}
		return
	}
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Error(resp.Status)
	}
	resp.Body.Close() //nolint:errcheck // the test sees what follows
	wantState(t, v, 0, 0)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
