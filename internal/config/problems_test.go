package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const chat = "channels: { webchat: { site: {} } }\n"

// problemTest is a file and every line that it is answered with.
type problemTest struct {
	name, text string
	want       []string // nil = at least five, whatever they say
}

func TestProblems(t *testing.T) {
	runProblems(t, []problemTest{
		{"many at once", `
lisen: x
listen: nowhere
bot: { kind: ansers, text: masked, timout: 3s }
purposes:
  reply: { retention: 0d, basis: consnt }
  analytics: { on: true }
channels:
  telegrm: { a: {} }
  webchat: { site: {} }
`, []string{
			`sotto.yaml:2: unknown key "lisen", did you mean "listen"?`,
			`sotto.yaml:3: listen: want host:port, such as 127.0.0.1:8080`,
			`sotto.yaml:4: bot: unknown key "timout", did you mean "timeout"?`,
			`sotto.yaml:4: bot.kind: want one of answers, echo, did you mean "answers"?`,
			`sotto.yaml:6: purposes.reply.basis: unknown basis, did you mean "consent"?; want one of consent, contract, legal_obligation, vital_interest, public_interest, legitimate_interest`,
			`sotto.yaml:6: purposes.reply.retention: has to be more than nothing; everything personal has a last day`,
			`sotto.yaml:7: purposes.analytics: is on and has no basis; choose one of consent, contract, legal_obligation, vital_interest, public_interest, legitimate_interest`,
			`sotto.yaml:9: channels: unknown channel "telegrm", did you mean "telegram"?`,
		}},
		{"wrong types", chat + `
listen: [a]
data: 5
domain:
bot: clear
controller: [x]
languages: { en: de }
limits: { body: big, per_person_per_minute: "60" }
retention: { every: 1y }
proxy: { trusted: [everybody] }
purposes: { analytics: { on: 1 } }
`, []string{
			`sotto.yaml:3: listen: want one value, not a list or keys`,
			`sotto.yaml:4: data: want text; put the value in quotes`,
			`sotto.yaml:5: domain: has no value`,
			`sotto.yaml:6: bot: want keys and values`,
			`sotto.yaml:7: controller: want keys and values`,
			`sotto.yaml:8: languages: want a list, such as [a, b]`,
			`sotto.yaml:8: languages: is empty; name at least one of de, en`,
			`sotto.yaml:9: limits.body: want a size, such as 512KiB or 1MiB`,
			`sotto.yaml:9: limits.per_person_per_minute: want a whole number`,
			`sotto.yaml:10: retention.every: want a time span with its unit, such as 30d, 12h, 90s`,
			`sotto.yaml:11: proxy.trusted: want a network such as 10.0.0.0/8, or an address`,
			`sotto.yaml:11: public_url: is needed for the links that people get; write the address at which people reach this server`,
			`sotto.yaml:12: purposes.analytics.on: want true or false`,
		}},
		{"keys twice", `
data: a
data: b
channels:
  webchat:
    site: {}
    Site: {}
    site: {}
    -x: {}
`, []string{
			`sotto.yaml:3: "data" stands here twice; the first is on line 2`,
			`sotto.yaml:7: channels.webchat: an account's name has 1 to 63 of a-z, 0-9, _ and -, and begins with a letter or digit`,
			`sotto.yaml:7: channels.webchat: two accounts have the name "site"; the first is on line 6`,
			`sotto.yaml:8: "site" stands here twice; the first is on line 6`,
			`sotto.yaml:8: channels.webchat: two accounts have the name "site"; the first is on line 7`,
			`sotto.yaml:9: channels.webchat: an account's name has 1 to 63 of a-z, 0-9, _ and -, and begins with a letter or digit`,
		}},
		{"secrets", `
channels:
  telegram:
    a: { token: env:TG_MISSING, secret: env:EMPTY }
    b: { token: file:nowhere, secret: "env:` + canary + `", more: [file:open, file:nothing, file:dir, file:] }
keys: { current: ` + canary + `, old: [env:TG_MISSING, file:nowhere, "credential:../x", credential:y] }
`, []string{
			`sotto.yaml:4: channels.telegram.a.token: the environment variable TG_MISSING is not set`,
			`sotto.yaml:4: channels.telegram.a.secret: the environment variable EMPTY is empty`,
			`sotto.yaml:5: channels.telegram.b.token: the file nowhere cannot be read: no such file or directory`,
			`sotto.yaml:5: channels.telegram.b.secret: what follows env: is not the name of an environment variable`,
			`sotto.yaml:5: channels.telegram.b.more: the file open can be read by everybody; run chmod o-rwx on it`,
			`sotto.yaml:5: channels.telegram.b.more: the file nothing is empty`,
			`sotto.yaml:5: channels.telegram.b.more: the file dir is not a regular file`,
			`sotto.yaml:5: channels.telegram.b.more: file: needs the path of a file`,
			`sotto.yaml:6: keys.current: want credential:NAME, env:NAME or file:PATH; a key does not stand in the configuration`,
			`sotto.yaml:6: keys.old: the environment variable TG_MISSING is not set`,
			`sotto.yaml:6: keys.old: the file nowhere cannot be read: no such file or directory`,
			`sotto.yaml:6: keys.old: what follows credential: is not the name of a credential`,
			`sotto.yaml:6: keys.old: there are no credentials: systemd has not set CREDENTIALS_DIRECTORY`,
		}},
	})
}

func TestContradictions(t *testing.T) {
	runProblems(t, []problemTest{
		{"public without encryption", chat + "listen: 0.0.0.0:8080\n", []string{
			`sotto.yaml:2: listen: would take messages unencrypted from the network; set domain, tls or proxy.trusted, or listen on 127.0.0.1`,
			`sotto.yaml:2: public_url: is needed for the links that people get; write the address at which people reach this server`,
		}},
		{"domain contradicts", chat + `
domain: chat.example.org
listen: :8443
public_url: https://other.example.org
tls: { cert: nocert }
proxy: { trusted: [10.0.0.0/8] }
`, []string{
			`sotto.yaml:3: domain: contradicts tls: certificates are either automatic or given`,
			`sotto.yaml:3: domain: contradicts proxy: behind a proxy, the proxy has the certificate; set public_url instead`,
			`sotto.yaml:4: listen: a public certificate needs port 443; leave listen out, or set acme.directory to an authority of your own`,
			`sotto.yaml:5: public_url: names another host than domain; the certificate would not fit`,
			`sotto.yaml:6: tls: needs both cert and key`,
			`sotto.yaml:6: tls.cert: the file nocert cannot be read: no such file or directory`,
		}},
		{"domain is none", chat + "domain: https://chat.example.org\n", []string{
			`sotto.yaml:2: domain: want a host name such as chat.example.org, without https:// and port`,
		}},
		{"acme", chat + "domain: a.example\nacme: { directory: http://x, email: nobody, ca_file: none, http: port }\n", []string{
			`sotto.yaml:3: acme.directory: want an https address`,
			`sotto.yaml:3: acme.email: want an e-mail address`,
			`sotto.yaml:3: acme.ca_file: the file none cannot be read: no such file or directory`,
			`sotto.yaml:3: acme.http: want host:port, such as :80`,
		}},
		{"no effect", chat + "acme: { email: a@b.example }\nproxy: { header: X-Real-IP }\nbot: { kind: echo, sources: dir }\n", []string{
			`sotto.yaml:2: acme.email: has no effect without domain`,
			`sotto.yaml:3: proxy.header: has no effect without proxy.trusted`,
			`sotto.yaml:4: bot.sources: has no effect on the bot echo`,
		}},
		{"everybody is a proxy", chat + "public_url: https://a.example\nproxy: { trusted: [0.0.0.0/0, \"::/0\", \"::ffff:0:0/96\", 0.0.0.0/1], header: Forwarded }\n", []string{
			`sotto.yaml:3: proxy.trusted: trusts nearly everybody; name the networks that your proxies are in`,
			`sotto.yaml:3: proxy.header: the header Forwarded is not supported; let the proxy set X-Forwarded-For`,
		}},
		{"public url", chat + "public_url: http://chat.example.org\n", []string{
			`sotto.yaml:2: public_url: has to be https, because its links lead to personal data`,
		}},
		{"key and head beside the data", chat + "data: d\nkeys: { current: file:d/kek }\naudit: { head: d/x/head }\n", []string{
			`sotto.yaml:3: keys.current: the key lies in the data directory; whoever copies the data would have the key to it`,
			`sotto.yaml:3: keys.current: the file d/kek cannot be read: no such file or directory`,
			`sotto.yaml:4: audit.head: lies in the data directory, where a restored backup would replace it unnoticed; choose a place outside`,
		}},
		{"the key is old as well", chat + "keys: { current: env:TG_TOKEN, old: [env:TG_TOKEN] }\n", []string{
			`sotto.yaml:2: keys.old: names the current key as well`,
		}},
		{"purposes", chat + `
purposes:
  repply: {}
  Sale: {}
  legal: { on: false }
  own: { on: true, basis: consent, categories: [mesage], retention: -1d }
  train: { categories: [], retention: 90000d }
`, []string{
			`sotto.yaml:4: purposes: unknown purpose "repply", did you mean "reply"?`,
			`sotto.yaml:5: purposes: a purpose's name has 1 to 32 of a-z, 0-9 and _, and begins with a letter`,
			`sotto.yaml:6: purposes.legal.on: cannot be turned off: people's rights are answered under it`,
			`sotto.yaml:7: purposes.own.retention: has to be more than nothing; everything personal has a last day`,
			`sotto.yaml:7: purposes.own.categories: unknown category, did you mean "message"?; want some of message, contact, identifier, location, financial, health`,
			`sotto.yaml:8: purposes.train.retention: is longer than 100 years, which is no last day`,
			`sotto.yaml:8: purposes.train.categories: is empty; leave it out, or name what the purpose uses`,
		}},
		{"ranges", chat + `
languages: [en, en, xx]
outbox: { unknown: maybe, attempts_for: 8d }
retention: { every: 1ms }
limits: { body: 1KiB, per_person_per_minute: 0 }
log: { level: loud, format: xml }
policies: none
data: sotto.yaml
bot: { timeout: 1h30m }
`, []string{
			`sotto.yaml:3: languages: names en twice`,
			`sotto.yaml:3: languages: unknown language; want some of de, en`,
			`sotto.yaml:4: outbox.unknown: want one of resend, drop`,
			`sotto.yaml:4: outbox.attempts_for: has to be between 1s and 7d`,
			`sotto.yaml:5: retention.every: has to be between 1s and 1d`,
			`sotto.yaml:6: limits.body: has to be between 4KiB and 64MiB`,
			`sotto.yaml:6: limits.per_person_per_minute: has to be at least 1`,
			`sotto.yaml:7: log.level: want one of debug, info, warn, error`,
			`sotto.yaml:7: log.format: want one of json, text`,
			`sotto.yaml:8: policies: the directory none cannot be read: no such file or directory`,
			`sotto.yaml:9: data: is not a directory`,
			`sotto.yaml:10: bot.timeout: has to be between 100ms and 10m`,
		}},
	})
}

func TestSyntax(t *testing.T) {
	runProblems(t, []problemTest{
		{"not YAML", "a: b: " + canary + "\n", []string{`sotto.yaml:1: is not YAML: mapping values are not allowed in this context`}},
		{"unknown reference", "data: *" + canary + "\n", []string{`sotto.yaml: is not YAML: a value that begins with & or * needs quotes`}},
		{"references", "data: &x a\nlisten: *x\n", []string{
			`sotto.yaml:1: anchors (&) and references (*) are not supported; a value that begins with & or * needs quotes`,
			`sotto.yaml:2: anchors (&) and references (*) are not supported; a value that begins with & or * needs quotes`,
		}},
		{"two documents", chat + "---\nx: y\n", []string{`sotto.yaml:2: a second document begins here; a configuration is one document`}},
		{"a list", "- a\n", []string{`sotto.yaml:1: want keys and values, such as "listen: 127.0.0.1:8080"`}},
		{"nothing", "# nothing\n", []string{`sotto.yaml: channels: there is no account on any channel; nobody could write to this bot`}},
		{"key is a list", "[a, b]: c\n", []string{`sotto.yaml:1: a key has to be one word`}},
		{"merge", "bot:\n  <<: { kind: echo }\n" + chat, []string{`sotto.yaml:2: bot: unknown key (not shown)`}},
		{"deep", "a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), []string{`sotto.yaml:1: is nested too deep`}},
		{"secret as a key", "channels: { telegram: { shop: {}, \"" + canary + "\": {} }, \"" + canary + "\": {} }\npurposes: { \"" + canary + "\": {} }\n\"" + canary + "\": x\n", []string{
			`sotto.yaml:1: channels.telegram: an account's name has 1 to 63 of a-z, 0-9, _ and -, and begins with a letter or digit`,
			`sotto.yaml:1: channels: unknown channel (not shown)`,
			`sotto.yaml:2: purposes: a purpose's name has 1 to 32 of a-z, 0-9 and _, and begins with a letter`,
			`sotto.yaml:3: unknown key (not shown)`,
		}},
		{"secret everywhere", "data: \"\"\nlisten: \"" + canary + "\"\ndomain: \"" + canary + "\"\nlog: { level: \"" + canary + "\" }\nbot: { kind: \"" + canary + "\" }\nlanguages: [\"" + canary + "\"]\nproxy: { trusted: [\"" + canary + "\"], header: \"" + canary + "\" }\n" + chat, nil},
	})
}

func runProblems(t *testing.T, tests []problemTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, "sotto.yaml", tt.text, 0o600)
			write(t, dir, "open", "x", 0o604)
			write(t, dir, "nothing", "\n", 0o600)
			if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path, environment(t))
			got := relative(t, err, dir)
			if tt.want == nil {
				if len(got) < 5 {
					t.Errorf("only %q", got)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.yaml"), environment(t))
	if diff := cmp.Diff([]string{"none.yaml: cannot be read: no such file or directory"}, relative(t, err, dir)); diff != "" {
		t.Error(diff)
	}
	big := write(t, dir, "big.yaml", strings.Repeat("# nothing\n", 1<<17), 0o600)
	if _, err := Load(big, environment(t)); err == nil {
		t.Error("a huge file was read")
	}
}

// Secrets that a service manager mounts may be readable by everybody who can
// see the mount.
func TestMountedSecret(t *testing.T) {
	creds := t.TempDir()
	write(t, creds, "token", "v\n", 0o644)
	r := refs{dir: t.TempDir(), env: environment(t, "CREDENTIALS_DIRECTORY", creds)}
	if s, why := r.resolve("file:" + creds + "/token"); why != "" || s.Reveal() != "v" {
		t.Errorf("%q", why)
	}
	outside := write(t, t.TempDir(), "token", "v\n", 0o644)
	if err := os.Symlink(outside, filepath.Join(creds, "link")); err != nil {
		t.Fatal(err)
	}
	if _, why := r.resolve("file:" + creds + "/link"); why == "" {
		t.Error("a link out of the credentials hides the mode of its file")
	}
}

// A link must not hide that the key lies in the data directory.
func TestKeyBehindLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data"), "kek", "k", 0o600)
	if err := os.Symlink(filepath.Join(dir, "data", "kek"), filepath.Join(dir, "kek")); err != nil {
		t.Fatal(err)
	}
	path := write(t, dir, "sotto.yaml", chat+"data: data\nkeys: { current: file:kek }\n", 0o600)
	_, err := Load(path, environment(t))
	if err == nil || !strings.Contains(err.Error(), "lies in the data directory") {
		t.Errorf("%v", err)
	}
}

func TestScalars(t *testing.T) {
	durations := map[string]time.Duration{"30d": 720 * time.Hour, "2w": 336 * time.Hour, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "-1d": -24 * time.Hour}
	for s, want := range durations {
		if got, ok := ParseDuration(s); !ok || got != want {
			t.Errorf("%q is %v", s, got)
		}
	}
	for _, s := range []string{"", "30", "d", "1.5d", "1y", "0", "9999999d", "30 d"} {
		if d, ok := ParseDuration(s); ok {
			t.Errorf("%q is %v", s, d)
		}
	}
	sizes := map[string]int64{"0": 0, "4096": 4096, "1KiB": 1024, "1 MiB": 1 << 20, "2GiB": 2 << 30, "3kB": 3000, "3MB": 3e6, "5B": 5}
	for s, want := range sizes {
		if got, ok := ParseSize(s); !ok || got != want {
			t.Errorf("%q is %v", s, got)
		}
	}
	for _, s := range []string{"", "x", "-1", "1TiB", "9999999999GiB", "1.5MiB"} {
		if n, ok := ParseSize(s); ok {
			t.Errorf("%q is %v", s, n)
		}
	}
}

// FuzzLoad: no bytes make the loader panic, every problem has a line that is
// in the file, and no value that stands in the file is printed.
func FuzzLoad(f *testing.F) {
	f.Add(string(template))
	f.Add(chat)
	f.Add("a: &a [*a]\n")
	f.Add("channels: { telegram: { a: { token: env:X, s: [file:y] } } }")
	f.Add("? {a: b}\n: c\n---\n...")
	f.Add("proxy: { trusted: [\"::ffff:1.2.3.4/100\", 1.2.3.4%x] }\nlisten: \"[::1%a]:0\"")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(text+"\nlog: { level: "+`"`+canary+`", format: [`+`"`+canary+`"] }`), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path, func(string) (string, bool) { return "", false })
		p := relative(t, err, "")
		for _, line := range p {
			if line == "" {
				t.Errorf("an empty problem in %q", p)
			}
		}
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + strings.Count(text, "\u0085") + strings.Count(text, "\u2028") + strings.Count(text, "\u2029") + 3
		var into struct {
			Token []string `yaml:"token"`
		}
		if err != nil {
			for _, q := range err.(*Problems).List { //nolint:errcheck // relative has checked it
				if q.Line < 0 || q.Line > lines {
					t.Errorf("line %d of %d", q.Line, lines)
				}
			}
		}
		for _, a := range c.Channels {
			a.Section.Decode(&into)
		}
	})
}
