package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
)

// canary stands for a credential in the wrong place; it must never be printed.
const canary = "8412:AAF-canary_Zx9Qw7"

func environment(t *testing.T, more ...string) Env {
	t.Helper()
	home := t.TempDir()
	vars := map[string]string{"HOME": home, "TG_TOKEN": "token-value", "TG_SECRET": "secret-value", "EMPTY": ""}
	for i := 0; i+1 < len(more); i += 2 {
		vars[more[i]] = more[i+1]
	}
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func write(t *testing.T, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string, env Env) (*Config, []string) {
	t.Helper()
	dir := t.TempDir()
	path := write(t, dir, "sotto.yaml", text, 0o600)
	c, err := Load(path, env)
	return c, relative(t, err, dir)
}

// relative returns the problems without the temporary directory.
func relative(t *testing.T, err error, dir string) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Problems](err); !ok {
		t.Fatalf("the error is a %T", err)
	}
	if strings.Contains(err.Error(), canary) {
		t.Errorf("a problem shows a secret: %v", err)
	}
	return strings.Split(strings.ReplaceAll(err.Error(), dir+"/", ""), "\n")
}

func TestOnlyChannels(t *testing.T) {
	c, problems := load(t, `
channels:
  telegram: { shop: { token: env:TG_TOKEN, secret: env:TG_SECRET } }
`, environment(t))
	if problems != nil {
		t.Fatal(problems)
	}
	if c.Listen != "127.0.0.1:8080" || c.PublicURL != "http://127.0.0.1:8080" {
		t.Errorf("listen %q, public URL %q", c.Listen, c.PublicURL)
	}
	if c.Data != filepath.Join(c.Dir, "sotto-data") {
		t.Errorf("data %q", c.Data)
	}
	reply, ok := c.Purpose(sotto.PurposeReply)
	if !ok || !reply.On || reply.Retention != 30*24*time.Hour || reply.Basis != sotto.BasisContract {
		t.Errorf("reply: %+v", reply)
	}
	for _, off := range []sotto.Purpose{sotto.PurposeAnalytics, sotto.PurposeTrain, sotto.PurposeMarketing, sotto.PurposePersonalise, sotto.PurposeSupport} {
		if p, ok := c.Purpose(off); ok && p.On {
			t.Errorf("%s is on", off)
		}
	}
	if !c.KeyIsDefaultFile || !regexp.MustCompile(`^file:/.*/\.config/sotto/[0-9a-f]{12}\.kek$`).MatchString(c.Keys.Current) {
		t.Errorf("key %q, default %v", c.Keys.Current, c.KeyIsDefaultFile)
	}
	if want := strings.TrimSuffix(strings.TrimPrefix(c.Keys.Current, "file:"), ".kek") + ".head"; c.Audit.Head != want {
		t.Errorf("audit head %q, want %q", c.Audit.Head, want)
	}
	if c.Bot.Text != "masked" || c.Outbox.Unknown != "resend" || c.Limits.Body != 1<<20 {
		t.Errorf("%+v %+v %+v", c.Bot, c.Outbox, c.Limits)
	}
}

func TestEverythingSet(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"help", "policies"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "cert.pem", "x", 0o644)
	write(t, dir, "key.pem", "x", 0o600)
	write(t, dir, "kek", "x", 0o600)
	write(t, dir, "old", "x", 0o600)
	path := write(t, dir, "sotto.yaml", `
listen: 0.0.0.0:8443
data: ./data
public_url: https://chat.example.org/
tls: { cert: ./cert.pem, key: ./key.pem }
proxy: { trusted: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32"], header: X-Real-IP }
keys: { current: file:kek, old: [file:./old, env:TG_TOKEN] }
controller: { name: A, contact: B, dpo: C, complaint: D }
purposes:
  reply: { retention: 7d }
  analytics: { on: true, basis: consent, retention: 14d }
  loyalty_points: { on: true, basis: legitimate_interest, categories: [financial] }
channels:
  webchat: { site: { origins: [https://shop.example] }, other: }
  telegram: { shop: { token: env:TG_TOKEN } }
bot: { kind: answers, sources: ./help, text: clear, timeout: 5s }
outbox: { unknown: drop, attempts_for: 2d }
audit: { head: ./head }
policies: ./policies
languages: [de]
retention: { every: 30m }
limits: { body: 512KiB, per_person_per_minute: 5 }
log: { level: debug, format: text }
`, 0o600)
	c, err := Load(path, environment(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32")}, c.Proxy.Trusted, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	got := map[string]any{
		"public": c.PublicURL, "cert": c.TLS.Cert, "key": c.Keys.Current, "old": c.Keys.Old, "head": c.Audit.Head,
		"controller": c.Controller, "sources": c.Bot.Sources, "attempts": c.Outbox.AttemptsFor, "body": int64(c.Limits.Body),
		"level": c.Log.Slog().String(), "default key": c.KeyIsDefaultFile, "languages": c.Languages, "every": c.Retention.Every,
	}
	want := map[string]any{
		"public": "https://chat.example.org", "cert": dir + "/cert.pem", "key": "file:" + dir + "/kek",
		"old": []string{"file:" + dir + "/old", "env:TG_TOKEN"}, "head": dir + "/head",
		"controller": Controller{"A", "B", "C", "D"}, "sources": dir + "/help", "attempts": 48 * time.Hour, "body": int64(512 << 10),
		"level": "DEBUG", "default key": false, "languages": []string{"de"}, "every": 30 * time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var names []string
	for _, p := range c.Purposes {
		names = append(names, fmt.Sprint(p.Name, p.On, p.Basis, p.Retention, p.Categories))
	}
	if diff := cmp.Diff([]string{
		"replytruecontract168h0m0s [message contact]",
		"securitytruelegitimate_interest720h0m0s [message identifier]",
		"legaltruelegal_obligation720h0m0s [message contact identifier]",
		"analyticstrueconsent336h0m0s [message]",
		"loyalty_pointstruelegitimate_interest720h0m0s [financial]",
	}, names); diff != "" {
		t.Error(diff)
	}
	var accounts []string
	for _, a := range c.Channels {
		accounts = append(accounts, fmt.Sprintf("%s/%s:%d", a.Channel, a.Name, a.Section.Line("")))
	}
	if diff := cmp.Diff([]string{"webchat/site:14", "webchat/other:14", "telegram/shop:15"}, accounts); diff != "" {
		t.Error(diff)
	}
}

func TestKeyDefaults(t *testing.T) {
	creds := t.TempDir()
	write(t, creds, "sotto-kek", "k", 0o400)
	data := t.TempDir()
	tests := []struct {
		name, want string
		src        Source
		isFile     bool
	}{
		{"credential first", "credential:sotto-kek", Source{Env: environment(t, "CREDENTIALS_DIRECTORY", creds, "SOTTO_KEK", "x")}, false},
		{"then the variable", "env:SOTTO_KEK", Source{Env: environment(t, "CREDENTIALS_DIRECTORY", t.TempDir(), "SOTTO_KEK", "x")}, false},
		{"development beside the data", "file:" + data + "/dev.kek", Source{Env: environment(t, "SOTTO_KEK", "x"), Dev: true, Data: data}, true},
		{"nowhere", "", Source{Env: func(string) (string, bool) { return "", false }}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tt.src.Load()
			if c.Keys.Current != tt.want || c.KeyIsDefaultFile != tt.isFile {
				t.Errorf("key %q, default %v", c.Keys.Current, c.KeyIsDefaultFile)
			}
			if (err != nil) != (tt.want == "") {
				t.Errorf("error %v", err)
			}
			if tt.want == "" {
				for _, key := range []string{"keys.current", "audit.head"} {
					if !strings.Contains(err.Error(), key) {
						t.Errorf("%q is not named in: %v", key, err)
					}
				}
			}
		})
	}
}

func TestDefault(t *testing.T) {
	c := Default(true)
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if !c.Dev || len(c.Channels) != 1 || c.Channels[0].Channel != "webchat" || c.Log.Format != "text" {
		t.Errorf("%+v", c)
	}
	var into struct {
		Origins []string `yaml:"origins"`
	}
	if p := c.Channels[0].Section.Decode(&into); p != nil {
		t.Error(p)
	}
	c.Listen = "0.0.0.0:8080"
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "this machine only") {
		t.Errorf("a public address in development: %v", err)
	}
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("XDG_CONFIG_HOME", "")
	if c := Default(false); c.Dev || len(c.Channels) != 0 || c.Check() != nil {
		t.Errorf("%+v: %v", c, c.Check())
	}
}

func TestTemplate(t *testing.T) {
	plain := string(Template())
	if _, problems := load(t, plain, environment(t)); problems != nil {
		t.Fatal(problems)
	}
	// What is commented out has to be right as well: every key is known and
	// every default that is shown is the default.
	all := regexp.MustCompile(`(?m)^#( *[a-z_]+:)`).ReplaceAllString(plain, "$1")
	all = strings.Replace(all, "site: {}", "site:", 1)
	c, problems := load(t, all, environment(t, "TELEGRAM_TOKEN", "a", "TELEGRAM_SECRET", "b"))
	var unexpected []string
	for _, p := range problems {
		if strings.Contains(p, "unknown") || strings.Contains(p, "want") || strings.Contains(p, "YAML") {
			unexpected = append(unexpected, p)
		}
	}
	if unexpected != nil {
		t.Error(unexpected)
	}
	d := defaults()
	if c.Bot.Kind != d.Bot.Kind || c.Bot.Timeout != d.Bot.Timeout || c.Outbox != d.Outbox || c.Limits != d.Limits || c.Retention != d.Retention || c.Log.Level != d.Log.Level {
		t.Errorf("a default in the template is none: %+v", c)
	}
	if len(c.Channels) != 2 {
		t.Errorf("%d accounts", len(c.Channels))
	}
}

// Sotto's own texts and the list of languages must not drift apart.
func TestLanguages(t *testing.T) {
	files, err := filepath.Glob("../wording/texts/??.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("there are no texts yet")
	}
	var got []string
	for _, f := range files {
		got = append(got, strings.TrimSuffix(filepath.Base(f), ".yaml"))
	}
	slices.Sort(got)
	if diff := cmp.Diff(got, Languages()); diff != "" {
		t.Error(diff)
	}
}

func TestSectionDecode(t *testing.T) {
	type nested struct {
		Name string `yaml:"name"`
	}
	type common struct {
		API string `yaml:"api"`
	}
	type settings struct {
		common   `yaml:"-"`
		Inline   common            `yaml:",inline"`
		Token    channel.Secret    `yaml:"token,required"`
		Secrets  channel.Secrets   `yaml:"secrets"`
		One      channel.Secrets   `yaml:"one"`
		On       bool              `yaml:"on"`
		Count    int               `yaml:"count"`
		Big      int64             `yaml:"big"`
		Every    time.Duration     `yaml:"every"`
		Size     Bytes             `yaml:"size"`
		Names    []string          `yaml:"names"`
		Labels   map[string]string `yaml:"labels"`
		Nested   nested            `yaml:"nested"`
		Pointer  *nested           `yaml:"pointer"`
		Kept     string            `yaml:"kept"`
		Untagged string
		Skipped  func() `yaml:"-"`
	}
	dir := t.TempDir()
	write(t, dir, "token", "from-file\n", 0o600)
	path := write(t, dir, "sotto.yaml", `
channels:
  telegram:
    shop:
      api: https://api.example
      token: file:./token
      secrets: [env:TG_TOKEN, env:TG_SECRET]
      one: env:TG_TOKEN
      on: true
      count: 3
      big: 9000000000
      every: 2w
      size: 2MiB
      names: single
      labels: { a: b }
      nested: { name: n }
      pointer: { name: p }
`, 0o600)
	c, err := Load(path, environment(t))
	if err != nil {
		t.Fatal(err)
	}
	section := c.Channels[0].Section
	got := settings{Kept: "default"}
	if p := section.Decode(&got); p != nil {
		t.Fatal(p)
	}
	if got.Token.Reveal() != "from-file" || len(got.Secrets) != 2 || got.Secrets[1].Reveal() != "secret-value" || len(got.One) != 1 {
		t.Error("the secrets are not right")
	}
	if got.Inline.API != "https://api.example" || !got.On || got.Count != 3 || got.Big != 9e9 || got.Every != 14*24*time.Hour ||
		got.Size != 2<<20 || got.Names[0] != "single" || got.Labels["a"] != "b" || got.Nested.Name != "n" || got.Pointer.Name != "p" || got.Kept != "default" {
		t.Errorf("%+v", got)
	}
	if section.Line("token") != 6 || section.Line("nothing") != 4 || section.Line("") != 4 || section.File() != path {
		t.Errorf("lines %d %d", section.Line("token"), section.Line("nothing"))
	}
	if p := section.Problem("api", "is refused"); p.Line != 5 || p.Text != "channels.telegram.shop.api: is refused" {
		t.Errorf("%+v", p)
	}
	if p := section.Decode(got); len(p) != 1 {
		t.Error("a struct that is not a pointer was taken")
	}
	var zero Section
	if p := zero.Decode(&struct {
		Token channel.Secret `yaml:"token"`
	}{}); p != nil {
		t.Error(p)
	}
}

func TestSectionProblems(t *testing.T) {
	c, _ := load(t, `
channels:
  telegram:
    shop:
      tokne: env:TG_TOKEN
      secret: `+canary+`
      secrets: [env:TG_TOKEN, `+canary+`]
      on: "yes"
      count: many
      every: 30
      names: { a: b }
      nested: { nams: x }
      text: 12
      `+canary+`: 1
    empty:
`, environment(t))
	var into struct {
		Token   channel.Secret  `yaml:"token,required"`
		Secret  channel.Secret  `yaml:"secret"`
		Secrets channel.Secrets `yaml:"secrets"`
		On      bool            `yaml:"on"`
		Count   int             `yaml:"count"`
		Every   time.Duration   `yaml:"every"`
		Names   []string        `yaml:"names"`
		Text    string          `yaml:"text"`
		Nested  struct {
			Name string `yaml:"name"`
		} `yaml:"nested"`
	}
	p := &Problems{}
	for _, a := range c.Channels {
		p.Add(a.Section.Decode(&into)...)
	}
	want := []string{
		`5: channels.telegram.shop: unknown key "tokne", did you mean "token"?`,
		`5: channels.telegram.shop: the key token is missing`,
		`6: channels.telegram.shop.secret: a secret does not stand in the configuration; write env:NAME or file:PATH`,
		`7: channels.telegram.shop.secrets: a secret does not stand in the configuration; write env:NAME or file:PATH`,
		`8: channels.telegram.shop.on: want true or false`,
		`9: channels.telegram.shop.count: want a whole number`,
		`10: channels.telegram.shop.every: want a time span with its unit, such as 30d, 12h, 90s`,
		`11: channels.telegram.shop.names: want a list, such as [a, b]`,
		`12: channels.telegram.shop.nested: unknown key "nams", did you mean "name"?`,
		`13: channels.telegram.shop.text: want text; put the value in quotes`,
		`14: channels.telegram.shop: unknown key (not shown)`,
		`15: channels.telegram.empty: the key token is missing`,
	}
	var got []string
	for _, q := range p.List {
		got = append(got, strings.TrimPrefix(q.String(), q.File+":"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(p.Error(), canary) {
		t.Error("a problem shows a secret")
	}
}
