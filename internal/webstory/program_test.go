package webstory

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sotto-chat/sotto/server"
)

// program runs the whole program in development mode and returns its address.
func program(t *testing.T) string {
	t.Helper()
	s, err := server.New(server.Config{
		Listen: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data"), Logger: slog.New(slog.DiscardHandler),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-s.Ready():
	case err := <-ended:
		t.Fatalf("it did not start: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("it did not start in 20 s")
	}
	return "http://" + s.Addr()
}

// TestWholeProgram is what a person meets who opens a fresh Sotto: the notice
// before the answer, the answer with its source, their data, and its end.
func TestWholeProgram(t *testing.T) {
	b := newBrowser(t)
	url := program(t)
	said := b.listen(url)
	dir := t.TempDir()
	allowDownloads(b, dir)
	b.size(1000, 1000, false)
	b.run(chromedp.Navigate(url + "/"))
	b.reach()
	b.say("How long does delivery take?")
	b.wait("an answer with its source", `document.getElementById('log').textContent.includes('Source: ')`)
	if !b.is(`(t => t.includes('automated assistant') && t.indexOf('automated assistant') < t.indexOf('Source: '))(document.getElementById('log').textContent)`) {
		t.Error("the notice does not come before the answer")
	}
	b.picture("chat")
	b.say("Who was the first emperor of Rome?")
	b.wait("it says that it does not know", lastBot+`?.match(/don.t know/i)`)
	b.say("/mydata")
	b.wait("the copy is offered", `document.querySelector('a.file')`)
	b.run(chromedp.Focus(chromedp.CSS("a.file")), chromedp.KeyEvent("\r"))
	if got := download(t, dir, "my-data.json"); !strings.Contains(got, "How long does delivery take?") {
		t.Errorf("the copy does not hold what was said: %s", got)
	}
	b.run(chromedp.Focus(chromedp.CSS("#text")))
	b.say("/delete")
	b.wait("it asks back", `[...document.querySelectorAll('.choice')].some((c) => c.textContent === 'Yes, erase it')`)
	b.run(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll('.choice')].find((c) => c.textContent === 'Yes, erase it').click()`))
	b.wait("the talk is gone from the page", `!document.getElementById('log').textContent.includes('emperor')`)

	resp, err := http.Get(url + "/privacy")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(page), "30 days") {
		t.Errorf("the notice's page: %d, %v", resp.StatusCode, err)
	}
	said.none(t)
}

// download waits for a file that the page was asked to save.
func download(t *testing.T, dir, name string) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil && len(b) > 0 {
			return string(b)
		}
	}
	t.Fatalf("%s was not downloaded", name)
	return ""
}
