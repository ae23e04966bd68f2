package webstory

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// allowDownloads saves downloads to dir.
func allowDownloads(b *tab, dir string) {
	b.t.Helper()
	_, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func waitForFile(t *testing.T, dir, name, want string) {
	t.Helper()
	var got []byte
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		got, _ = os.ReadFile(filepath.Join(dir, name))
		if string(got) == want {
			return
		}
	}
	t.Errorf("downloaded %q, want %q", got, want)
}

// frame returns the chat's frame as a window of its own, or nil.
func frame(b *tab, chat string) *tab {
	b.t.Helper()
	infos, err := chromedp.Targets(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, i := range infos {
		if i.Type == "iframe" && strings.HasPrefix(i.URL, chat) {
			ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(i.TargetID))
			b.t.Cleanup(cancel)
			return &tab{t: b.t, ctx: ctx}
		}
	}
	return nil
}

// frameShows reports whether the chat's page was let into the frame.
func frameShows(b *tab, chat string) bool {
	b.t.Helper()
	f := frame(b, chat)
	return f != nil && f.is(`document.getElementById('text')`)
}

func (h *house) sayInFrame(b *tab, chat, s string) {
	b.t.Helper()
	var f *tab
	for end := time.Now().Add(10 * time.Second); f == nil; time.Sleep(50 * time.Millisecond) {
		if f = frame(b, chat); time.Now().After(end) {
			b.t.Fatal("the frame is empty")
		}
	}
	f.wait("the framed page is ready", `document.readyState === 'complete' && document.getElementById('text') && !document.getElementById('text').disabled`)
	// Keys would go to what has the focus, which a frame of another site on a busy
	// machine does not always get; the other stories type.
	f.run(chromedp.Evaluate[chromedp.Void](`(() => {
		const text = document.getElementById('text');
		text.value = ` + strconv.Quote(s) + `;
		text.dispatchEvent(new Event('input', { bubbles: true }));
		text.form.requestSubmit();
	})()`))
	f.wait("an answer in the frame", lastBot+`?.includes('You said: `+s+`')`)
}
