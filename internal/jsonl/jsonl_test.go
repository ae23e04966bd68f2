package jsonl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto/internal/jsonl"
)

func TestOrder(t *testing.T) {
	var in, want strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&in, "%d\n", i)
		if i%7 == 0 {
			in.WriteString("\n") // an empty line counts, and gives nothing
		}
		fmt.Fprintf(&want, "<%d>\n", i)
	}
	var out bytes.Buffer
	err := jsonl.Each(t.Context(), strings.NewReader(in.String()), &out, func(_ int64, line, out []byte) ([]byte, error) {
		if n, err := strconv.Atoi(string(line)); err == nil && n%97 == 0 {
			time.Sleep(time.Millisecond)
		}
		return fmt.Appendf(out, "<%s>\n", line), nil
	})
	if err != nil || out.String() != want.String() {
		t.Errorf("%v, %d bytes of %d", err, out.Len(), want.Len())
	}
}

func TestNumbers(t *testing.T) {
	var out bytes.Buffer
	err := jsonl.Each(t.Context(), strings.NewReader("a\n\nb\r\nc"), &out, func(n int64, line, out []byte) ([]byte, error) {
		return fmt.Appendf(out, "%d%s ", n, line), nil
	})
	if err != nil || out.String() != "1a 3b 4c " {
		t.Errorf("%q, %v", out.String(), err)
	}
}

var errTest = errors.New("test")

type broken struct{ after int }

func (b *broken) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, errTest
	}
	return len(p), nil
}

func TestErrors(t *testing.T) {
	echo := func(_ int64, line, out []byte) ([]byte, error) { return append(append(out, line...), '\n'), nil }
	many := strings.Repeat("a line\n", 100000)
	if err := jsonl.Each(t.Context(), strings.NewReader(many), &broken{after: 1000}, echo); !errors.Is(err, errTest) {
		t.Error("broken output:", err)
	}
	if err := jsonl.Each(t.Context(), io.MultiReader(strings.NewReader(many), failing{}), io.Discard, echo); !errors.Is(err, errTest) {
		t.Error("broken input:", err)
	}
	var out bytes.Buffer
	err := jsonl.Each(t.Context(), strings.NewReader(many), &out, func(n int64, line, out []byte) ([]byte, error) {
		if n == 5000 {
			return out, errTest
		}
		return echo(n, line, out)
	})
	if !errors.Is(err, errTest) || strings.Count(out.String(), "\n") != 4999 {
		t.Errorf("broken work: %v after %d lines", err, strings.Count(out.String(), "\n"))
	}
	if err := jsonl.Each(t.Context(), strings.NewReader(strings.Repeat("x", jsonl.MaxLine+1)), io.Discard, echo); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Error("too long:", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := jsonl.Each(ctx, endless{}, io.Discard, echo); !errors.Is(err, context.Canceled) {
		t.Error("cancelled:", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errTest }

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
		if i%10 == 9 {
			p[i] = '\n'
		}
	}
	return len(p), nil
}
