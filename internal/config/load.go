package config

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sotto-chat/sotto"
)

// Source says where a configuration comes from.
type Source struct {
	Path   string // the file; "" = none, defaults only
	Env    Env    // default [os.LookupEnv]
	Dev    bool   // development: loopback only, and the keys may lie beside the data
	Listen string // takes the place of the file's listen; default the file's
	Data   string // takes the place of the file's data, relative to the working directory; default the file's
}

// Load reads the file at path. The error is a *[Problems]; the configuration
// is then returned as far as it was understood, so that the sections of the
// accounts can be decoded and all problems be shown together, and must not be
// used for anything else.
//
// Without keys.current the key is, outside development, the systemd credential
// sotto-kek, or the environment variable SOTTO_KEK, or else the file
// <user configuration directory>/sotto/<12 hexadecimal digits of SHA-256 of the
// absolute path of data>.kek; in development it is dev.kek in the data
// directory. Without audit.head the head is written to the same place with the
// ending .head, in development to audit-head in the data directory.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	return Source{Path: path, Env: env}.Load()
}

// Default returns the configuration for running without a file. Whatever is
// wrong with it, such as an unknown home directory, [Config.Check] tells.
func Default(dev bool) *Config {
	c, _ := Source{Dev: dev}.Load() // Check finds the same problems again
	return c
}

// Load is [Load] with all choices.
func (s Source) Load() (*Config, error) {
	env := s.Env
	if env == nil {
		env = os.LookupEnv
	}
	c := defaults()
	c.File, c.Dev, c.env, c.lines = s.Path, s.Dev, env, map[string]int{}
	problems := &Problems{}
	cwd, err := os.Getwd()
	if err != nil {
		problems.Add(Problem{Text: "the working directory is not known: " + reason(err)})
	}
	c.Dir = cwd
	var root *yaml.Node
	if s.Path != "" {
		c.Dir = filepath.Dir(within(cwd, s.Path))
		var found []Problem
		root, found = read(s.Path)
		problems.Add(found...)
		if root == nil && len(found) > 0 {
			return c, problems
		}
	}
	if root != nil {
		d := decoder{file: s.Path, refs: refs{dir: c.Dir, env: env}, lines: c.lines}
		d.structure(root, reflect.ValueOf(c).Elem(), "")
		problems.Add(d.probs...)
	}
	if s.Listen != "" {
		c.Listen = s.Listen
	}
	if s.Data != "" {
		c.Data = within(cwd, s.Data)
	}
	c.complete()
	problems.Add(c.check()...)
	return c, problems.Err()
}

// defaults are the values that do not depend on others.
func defaults() *Config {
	return &Config{
		Data:      "sotto-data",
		Languages: []string{"en", "de"},
		Purposes:  defaultPurposes(),
		Bot:       Bot{Kind: "answers", Text: "masked", Timeout: 20 * time.Second},
		Outbox:    Outbox{Unknown: "resend", AttemptsFor: day},
		Media:     Media{Limit: 16 << 20, Retention: day, Types: mediaTypes(), Timeout: 30 * time.Second},
		Retention: Retention{Every: time.Hour},
		Limits:    Limits{Body: 1 << 20, PerPersonPerMinute: 60},
		Log:       Log{Level: "info"},
	}
}

// complete fills what depends on other values and makes paths absolute.
func (c *Config) complete() {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
		if c.Domain != "" {
			c.Listen = ":443"
		}
	}
	if c.PublicURL == "" {
		c.PublicURL = c.ownURL()
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if c.ACME.HTTP == "" && c.Domain != "" {
		host, _, err := net.SplitHostPort(c.Listen)
		if err == nil {
			c.ACME.HTTP = net.JoinHostPort(host, "80")
		}
	}
	if c.Proxy.Header == "" {
		c.Proxy.Header = "X-Forwarded-For"
	}
	if c.Log.Format == "" {
		c.Log.Format = "json"
		if c.Dev {
			c.Log.Format = "text"
		}
	}
	if reply, ok := c.Purpose(sotto.PurposeReply); ok && c.lines["media.retention"] == 0 {
		c.Media.Retention = min(c.Media.Retention, max(0, reply.Retention))
	}
	for _, p := range []*string{&c.Data, &c.TLS.Cert, &c.TLS.Key, &c.ACME.CAFile, &c.Bot.Sources, &c.Audit.Head, &c.Policies, &c.PII.Own} {
		if *p != "" {
			*p = within(c.Dir, *p)
		}
	}
	c.completeKeys()
	if c.Dev && len(c.Channels) == 0 {
		c.Channels = Accounts{{Channel: "webchat", Name: "dev", Section: Section{
			file: c.File, path: "channels.webchat.dev", refs: refs{dir: c.Dir, env: c.env},
		}}}
	}
}

// completeKeys chooses where the key and the head of the log lie.
func (c *Config) completeKeys() {
	c.Keys.Current = c.absoluteRef(c.Keys.Current)
	for i, old := range c.Keys.Old {
		c.Keys.Old[i] = c.absoluteRef(old)
	}
	own := c.ownFile()
	if c.Keys.Current == "" {
		c.Keys.Current, c.KeyIsDefaultFile = c.defaultKey(own)
	}
	if c.Audit.Head == "" {
		switch {
		case c.Dev:
			c.Audit.Head = filepath.Join(c.Data, "audit-head")
		case own != "":
			c.Audit.Head = own + ".head"
		}
	}
}

func (c *Config) defaultKey(own string) (ref string, isFile bool) {
	if c.Dev {
		return "file:" + filepath.Join(c.Data, "dev.kek"), true
	}
	if dir, ok := c.env("CREDENTIALS_DIRECTORY"); ok && filepath.IsAbs(dir) {
		if _, err := os.Stat(filepath.Join(dir, "sotto-kek")); err == nil {
			return "credential:sotto-kek", false
		}
	}
	if _, ok := c.env("SOTTO_KEK"); ok {
		return "env:SOTTO_KEK", false
	}
	if own == "" {
		return "", false
	}
	return "file:" + own + ".kek", true
}

// ownFile returns the path, without an ending, of what belongs to this data
// directory and must not lie in it; "" where the user has no home.
func (c *Config) ownFile() string {
	dir := userConfigDir(c.env)
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(c.Data))
	return filepath.Join(dir, "sotto", hex.EncodeToString(sum[:6]))
}

func (c *Config) absoluteRef(ref string) string {
	if path, ok := strings.CutPrefix(ref, "file:"); ok && path != "" {
		return "file:" + within(c.Dir, path)
	}
	return ref
}

// ownURL makes the public address from the domain or from where we listen; ""
// where neither says how people reach us.
func (c *Config) ownURL() string {
	if c.Domain != "" {
		return "https://" + strings.ToLower(c.Domain)
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || len(c.Proxy.Trusted) > 0 || !isLoopback(host) {
		return ""
	}
	if c.TLS.Cert != "" {
		return "https://" + net.JoinHostPort(host, port)
	}
	return "http://" + net.JoinHostPort(host, port)
}

// userConfigDir is [os.UserConfigDir] over a given environment.
func userConfigDir(env Env) string {
	get := func(name string) string {
		v, ok := env(name)
		if !ok || !filepath.IsAbs(v) {
			return ""
		}
		return v
	}
	if runtime.GOOS == "windows" {
		return get("AppData")
	}
	home := get("HOME")
	if runtime.GOOS == "darwin" && home != "" {
		return filepath.Join(home, "Library", "Application Support")
	}
	if xdg := get("XDG_CONFIG_HOME"); xdg != "" {
		return xdg
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".config")
}

// isLoopback reports whether host names this machine only.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
