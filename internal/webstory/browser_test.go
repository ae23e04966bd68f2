package webstory

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium returns the browser's path, and skips or fails the test without one.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium on the path: the web chat's story cannot be told, and CI must not pass without it")
	}
	t.Skip("no Chromium on the path (Debian: apt install chromium)")
	return ""
}

// tab is one fresh Chromium.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // chromedp keeps a window in its context
}

func newBrowser(t *testing.T, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en-GB"),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, append(opts, flags...)...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &tab{t: t, ctx: ctx}
	call(b, network.Enable, network.EnableParams{})
	return b
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// value runs one action that returns something.
func value[T any](b *tab, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// call sends one command of the DevTools protocol.
func call[P, R any](b *tab, cmd cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, cmd, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// window opens a further window of the same browser.
func (b *tab) window() *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	w := &tab{t: b.t, ctx: ctx}
	call(w, network.Enable, network.EnableParams{})
	return w
}

// complaints collects what the browser has to say against the page: console
// errors, exceptions, breaches of the policy, and calls to other hosts.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (b *tab) listen(own string) *complaints {
	b.t.Helper()
	c := &complaints{}
	err := chromedp.Listen(b.ctx, func(ev any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventConsoleAPICalled:
			var said []string
			for _, a := range e.Args {
				said = append(said, string(a.Value)+a.Description)
			}
			c.list = append(c.list, "console "+string(e.Type)+": "+strings.Join(said, " "))
		case *runtime.EventExceptionThrown:
			c.list = append(c.list, "exception: "+e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			c.list = append(c.list, "log "+string(e.Entry.Level)+": "+e.Entry.Text+" "+e.Entry.URL)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, own) && !strings.HasPrefix(u, "about:") {
				c.list = append(c.list, "call to another host: "+u)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	return c
}

// none fails the test if there were complaints, but for those that hold one of
// the expected texts.
func (c *complaints) none(t *testing.T, expected ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
next:
	for _, line := range c.list {
		for _, e := range expected {
			if strings.Contains(line, e) {
				continue next
			}
		}
		t.Errorf("the browser complains: %s", line)
	}
	c.list = nil
}

// cookies are all the browser holds, for whichever site.
func (b *tab) cookies() []*network.Cookie {
	b.t.Helper()
	return call(b, storage.GetCookies, storage.GetCookiesParams{}).Cookies
}

// stored is the number of things the page keeps in the browser beside cookies.
func (b *tab) stored() int {
	b.t.Helper()
	return value(b, chromedp.Evaluate[int](`(async () => localStorage.length + sessionStorage.length + (await indexedDB.databases()).length
		+ (window.caches ? (await caches.keys()).length : 0) + (await navigator.serviceWorker?.getRegistrations() ?? []).length
		+ document.cookie.length)()`, chromedp.EvalAwaitPromise))
}

// is evaluates a condition.
func (b *tab) is(js string) bool {
	b.t.Helper()
	return value(b, chromedp.Evaluate[bool]("Boolean("+js+")"))
}

func (b *tab) text(js string) string {
	b.t.Helper()
	return value(b, chromedp.Evaluate[string]("String("+js+")"))
}

// wait waits until a condition holds.
func (b *tab) wait(what, js string) {
	b.t.Helper()
	end := time.Now().Add(15 * time.Second)
	for !b.is(js) {
		if time.Now().After(end) {
			b.t.Fatalf("did not happen in 15 s: %s\npage: %s", what, b.text("document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// reach goes to the message field as a person without a mouse does.
func (b *tab) reach() {
	b.t.Helper()
	b.wait("the field can be used", `document.getElementById('text') && !document.getElementById('text').disabled`)
	for range 6 {
		if b.is(`document.activeElement.id === 'text'`) {
			return
		}
		b.keys(kb.Tab)
	}
	b.t.Fatal("the Tab key does not lead to the message field")
}

// keys presses keys, wherever the focus is.
func (b *tab) keys(keys string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(keys))
}

// say types a message and sends it by keyboard.
func (b *tab) say(s string) {
	b.t.Helper()
	b.keys(s + kb.Enter)
}

// size makes the window a screen of that many pixels.
func (b *tab) size(width, height int64, mobile bool) {
	b.t.Helper()
	opts := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if mobile {
		opts = []chromedp.EmulateViewportOption{chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch}
	}
	b.run(chromedp.EmulateViewport(width, height, opts...))
}

func (b *tab) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// picture keeps a screenshot where pictures are wanted.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("SOTTO_SCREENSHOT_DIR")
	if dir == "" {
		return
	}
	png := value(b, chromedp.CaptureScreenshot())
	if err := os.MkdirAll(dir, 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
