package wire

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/channel"
)

func TestFetch(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("stolen")) }))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ten":
			_, _ = w.Write([]byte("0123456789"))
		case "/chunked":
			for range 5 {
				_, _ = w.Write([]byte("01"))
				_ = http.NewResponseController(w).Flush()
			}
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/busy":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/gateway":
			w.WriteHeader(http.StatusGatewayTimeout)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("x"))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer srv.Close()
	for _, tt := range []struct {
		path  string
		limit int64
		want  string
		class channel.Class
		code  string
		after time.Duration
	}{
		{"/ten", 10, "0123456789", 0, "", 0},
		{"/ten", 9, "", channel.Bad, "too_large", 0},
		{"/chunked", 10, "0101010101", 0, "", 0},
		{"/chunked", 9, "", channel.Bad, "too_large", 0},
		{"/away", 100, "", channel.Bad, "host", 0},
		{"/busy", 100, "", channel.Retry, "429", 7 * time.Second},
		{"/gateway", 100, "", channel.Retry, "504", 0},
		{"/cut", 1000, "", channel.Retry, "broken", 0},
		{"/none", 100, "", channel.Bad, "404", 0},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Fetch(srv.Client(), r, tt.limit)
		var e *channel.SendError
		if tt.class == 0 {
			if err != nil || string(got) != tt.want {
				t.Errorf("%s: %q, %v", tt.path, got, err)
			}
			continue
		}
		if !errors.As(err, &e) || got != nil || e.Class != tt.class || e.Code != tt.code || e.RetryAfter != tt.after {
			t.Errorf("%s: %q, %v", tt.path, got, err)
		}
		if strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: the error shows the address", tt.path)
		}
	}
}
