package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sotto-chat/sotto"
)

func serve(t *testing.T, dir string) *Server {
	t.Helper()
	m := NewMux()
	m.Handle("echo", func(_ context.Context, arg json.RawMessage) (any, error) { return arg, nil })
	m.Handle("fail", func(context.Context, json.RawMessage) (any, error) {
		return nil, sotto.E("x", sotto.KindDenied, errors.New("no such luck"))
	})
	m.Handle("big", func(context.Context, json.RawMessage) (any, error) { return strings.Repeat("x", 20<<20), nil })
	s, err := Listen(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestCall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 60))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindNotFound {
		t.Fatalf("without a server: %v", err)
	}
	s := serve(t, dir)
	if info, err := os.Stat(filepath.Join(dir, socketName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v; want mode 0600", info, err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := Dial(dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close() //nolint:errcheck // the test ends
			var out string
			if err := c.Call(context.Background(), "echo", "hello", &out); err != nil || out != "hello" {
				t.Errorf("echo = %q, %v", out, err)
			}
			err = c.Call(context.Background(), "fail", nil, &out)
			if sotto.KindOf(err) != sotto.KindDenied || !strings.Contains(err.Error(), "no such luck") {
				t.Errorf("fail: %v", err)
			}
			if err := c.Call(context.Background(), "none", nil, &out); sotto.KindOf(err) != sotto.KindNotFound {
				t.Errorf("an unknown operation: %v", err)
			}
			if err := c.Call(context.Background(), "big", nil, &out); err != nil || len(out) != 20<<20 {
				t.Errorf("big: %d bytes, %v", len(out), err)
			}
		})
	}
	wg.Wait()
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Call(context.Background(), "echo", bytes.Repeat([]byte("x"), 2<<20), new(string)); sotto.KindOf(err) != sotto.KindInvalid {
		t.Errorf("a large argument: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Call(context.Background(), "echo", "x", new(string)); sotto.KindOf(err) != sotto.KindUnavailable {
		t.Errorf("after the server ended: %v", err)
	}
	if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindNotFound {
		t.Errorf("after the server ended: %v", err)
	}
}

func TestALeftOverSocketIsReplaced(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	if err := s.http.Close(); err != nil { // as a killed process leaves it
		t.Fatal(err)
	}
	s.wg.Wait()
	if _, err := os.Stat(filepath.Join(dir, socketName)); err != nil {
		t.Fatalf("no socket is left: %v", err)
	}
	if _, err := Dial(dir); sotto.KindOf(err) != sotto.KindNotFound {
		t.Errorf("a left-over socket: %v", err)
	}
	serve(t, dir)
	c, err := Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out string
	if err := c.Call(context.Background(), "echo", "x", &out); err != nil {
		t.Error(err)
	}
}
