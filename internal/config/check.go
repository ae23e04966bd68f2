package config

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
)

// Check reports as a *[Problems] which settings are wrong or contradict each
// other. [Load] has done it; whoever changes a field afterwards calls it again.
func (c *Config) Check() error {
	p := &Problems{}
	p.Add(c.check()...)
	return p.Err()
}

// checker collects problems with the line of the key they are about.
type checker struct {
	c     *Config
	found []Problem
}

func (c *Config) check() []Problem {
	k := &checker{c: c}
	k.listen()
	k.certificates()
	k.proxy()
	k.publicURL()
	k.keys()
	k.purposes()
	k.bot()
	k.media()
	k.rest()
	return k.found
}

// say adds a problem of the key, at the line of the key or of the closest key
// around it that stands in the file.
func (k *checker) say(key, format string, args ...any) {
	line := 0
	for at := key; line == 0 && at != ""; {
		line = k.c.lines[at]
		i := strings.LastIndexByte(at, '.')
		at = at[:max(i, 0)]
	}
	k.found = append(k.found, Problem{File: k.c.File, Line: line, Text: key + ": " + fmt.Sprintf(format, args...)})
}

// has reports whether the key stands in the file.
func (k *checker) has(key string) bool { return k.c.lines[key] > 0 }

func (k *checker) listen() {
	c := k.c
	host, port, ok := hostPort(c.Listen)
	if !ok {
		k.say("listen", "want host:port, such as 127.0.0.1:8080")
		return
	}
	if c.Dev && !isLoopback(host) {
		k.say("listen", "development listens on this machine only, such as 127.0.0.1:8080")
		return
	}
	if !isLoopback(host) && c.Domain == "" && c.TLS == (TLS{}) && len(c.Proxy.Trusted) == 0 {
		k.say("listen", "would take messages unencrypted from the network; set domain, tls or proxy.trusted, or listen on 127.0.0.1")
	}
	if c.Domain != "" && port != 443 && c.ACME.Directory == "" {
		k.say("listen", "a public certificate needs port 443; leave listen out, or set acme.directory to an authority of your own")
	}
}

func (k *checker) certificates() {
	c := k.c
	if c.Domain != "" {
		k.domain()
	} else {
		for _, key := range []string{"acme.directory", "acme.email", "acme.ca_file", "acme.http"} {
			if k.has(key) {
				k.say(key, "has no effect without domain")
			}
		}
	}
	if c.TLS != (TLS{}) {
		if c.TLS.Cert == "" || c.TLS.Key == "" {
			k.say("tls", "needs both cert and key")
		}
		k.file("tls.cert", c.TLS.Cert)
		k.file("tls.key", c.TLS.Key)
	}
}

func (k *checker) domain() {
	c := k.c
	if !isDomain(c.Domain) {
		k.say("domain", "want a host name such as chat.example.org, without https:// and port")
	}
	if c.TLS != (TLS{}) {
		k.say("domain", "contradicts tls: certificates are either automatic or given")
	}
	if len(c.Proxy.Trusted) > 0 {
		k.say("domain", "contradicts proxy: behind a proxy, the proxy has the certificate; set public_url instead")
	}
	if c.Dev {
		k.say("domain", "is not for development, which cannot be reached from outside")
	}
	if d := c.ACME.Directory; d != "" {
		if u, err := url.Parse(d); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			k.say("acme.directory", "want an https address")
		}
	}
	if e := c.ACME.Email; e != "" && (strings.Count(e, "@") != 1 || strings.ContainsAny(e, " ,<>")) {
		k.say("acme.email", "want an e-mail address")
	}
	k.file("acme.ca_file", c.ACME.CAFile)
	if _, _, ok := hostPort(c.ACME.HTTP); !ok && c.ACME.HTTP != "" {
		k.say("acme.http", "want host:port, such as :80")
	}
}

func (k *checker) proxy() {
	c := k.c
	for _, p := range c.Proxy.Trusted {
		if !p.IsValid() {
			continue // reported when it was read
		}
		least := 8
		if p.Addr().Is6() {
			least = 16
			if p.Addr().Is4In6() {
				least += 88
			}
		}
		if p.Bits() < least {
			k.say("proxy.trusted", "trusts nearly everybody; name the networks that your proxies are in")
		}
	}
	if k.has("proxy.header") && len(c.Proxy.Trusted) == 0 {
		k.say("proxy.header", "has no effect without proxy.trusted")
	}
	switch h := c.Proxy.Header; {
	case !isHeader(h):
		k.say("proxy.header", "want the name of a header, such as X-Forwarded-For")
	case http.CanonicalHeaderKey(h) == "Forwarded":
		k.say("proxy.header", "the header Forwarded is not supported; let the proxy set X-Forwarded-For")
	}
}

func (k *checker) publicURL() {
	c := k.c
	if c.PublicURL == "" {
		if _, _, ok := hostPort(c.Listen); ok {
			k.say("public_url", "is needed for the links that people get; write the address at which people reach this server")
			k.found[len(k.found)-1].Line = cmp.Or(c.lines["proxy.trusted"], c.lines["tls"], c.lines["listen"])
		}
		return
	}
	if !k.has("public_url") && c.Domain != "" {
		return // made from the domain, which is checked itself
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		k.say("public_url", "want an address such as https://chat.example.org")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		k.say("public_url", "want scheme and host only, such as https://chat.example.org")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		k.say("public_url", "has to be https, because its links lead to personal data")
	case c.Domain != "" && !strings.EqualFold(u.Hostname(), c.Domain):
		k.say("public_url", "names another host than domain; the certificate would not fit")
	}
}

func (k *checker) keys() {
	c := k.c
	if c.Keys.Current == "" {
		k.say("keys.current", "the user has no home directory to keep the key in; set keys.current to credential:NAME, env:NAME or file:PATH")
	} else {
		k.keyRef("keys.current", c.Keys.Current, !c.KeyIsDefaultFile)
	}
	for _, ref := range c.Keys.Old {
		k.keyRef("keys.old", ref, true)
		if ref == c.Keys.Current {
			k.say("keys.old", "names the current key as well")
		}
	}
	switch head := c.Audit.Head; {
	case head == "":
		k.say("audit.head", "the user has no home directory to keep the head of the log in; set audit.head to a file outside the data directory")
	case !c.Dev && inside(c.Data, head):
		k.say("audit.head", "lies in the data directory, where a restored backup would replace it unnoticed; choose a place outside")
	}
}

// keyRef checks a reference to a key-encryption key without reading the key.
func (k *checker) keyRef(key, ref string, present bool) {
	c := k.c
	scheme, rest, _ := strings.Cut(ref, ":")
	switch scheme {
	case "env":
		if _, why := (refs{env: c.env}).variable(rest); why != "" {
			k.say(key, "%s", why)
		}
	case "credential":
		dir, ok := c.env("CREDENTIALS_DIRECTORY")
		switch {
		case rest == "" || rest != filepath.Base(rest) || rest == "." || rest == "..":
			k.say(key, "what follows credential: is not the name of a credential")
		case !ok || !filepath.IsAbs(dir):
			k.say(key, "there are no credentials: systemd has not set CREDENTIALS_DIRECTORY")
		default:
			if _, err := os.Stat(filepath.Join(dir, rest)); err != nil {
				k.say(key, "the credential %s is not there", shown(rest))
			}
		}
	case "file":
		if !c.Dev && inside(c.Data, rest) {
			k.say(key, "the key lies in the data directory; whoever copies the data would have the key to it")
		}
		if present {
			if _, why := (refs{env: c.env, dir: c.Dir}).file(rest); why != "" {
				k.say(key, "%s", why)
			}
		}
	default:
		k.say(key, "want credential:NAME, env:NAME or file:PATH; a key does not stand in the configuration")
	}
}

func (k *checker) purposes() {
	for _, p := range k.c.Purposes {
		key := "purposes." + string(p.Name)
		switch {
		case p.Basis == "" && p.On:
			k.say(key, "is on and has no basis; choose one of %s", strings.Join(knownBases(), ", "))
		case p.Basis != "" && !slices.Contains(knownBases(), string(p.Basis)):
			k.say(key+".basis", "unknown basis%s; want one of %s", Hint(string(p.Basis), knownBases()), strings.Join(knownBases(), ", "))
		}
		if p.Retention <= 0 {
			k.say(key+".retention", "has to be more than nothing; everything personal has a last day")
		}
		if p.Retention > 100*365*day {
			k.say(key+".retention", "is longer than 100 years, which is no last day")
		}
		for _, cat := range p.Categories {
			if !slices.Contains(knownCategories(), string(cat)) {
				k.say(key+".categories", "unknown category%s; want some of %s", Hint(string(cat), knownCategories()), strings.Join(knownCategories(), ", "))
			}
		}
		if len(p.Categories) == 0 {
			k.say(key+".categories", "is empty; leave it out, or name what the purpose uses")
		}
		if p.Name == sotto.PurposeLegal && !p.On {
			k.say(key+".on", "cannot be turned off: people's rights are answered under it")
		}
	}
}

func (k *checker) bot() {
	b := k.c.Bot
	k.oneOf("bot.kind", b.Kind, "answers", "echo")
	k.oneOf("bot.text", b.Text, "masked", "clear")
	if b.Kind == "echo" && b.Sources != "" {
		k.say("bot.sources", "has no effect on the bot echo")
	}
	k.directory("bot.sources", b.Sources)
	k.between("bot.timeout", b.Timeout, 100*time.Millisecond, 10*time.Minute)
}

// mediaTypes are images, sound, films, PDF and text.
func mediaTypes() []string {
	return []string{"image/*", "audio/*", "video/*", "application/pdf", "text/plain"}
}

func (k *checker) media() {
	m := k.c.Media
	if m.Limit < 64<<10 || m.Limit > 64<<20 {
		k.say("media.limit", "has to be between 64KiB and 64MiB")
	}
	k.between("media.timeout", m.Timeout, time.Second, 10*time.Minute)
	reply, _ := k.c.Purpose(sotto.PurposeReply)
	switch {
	case m.Retention < 0:
		k.say("media.retention", "cannot be less than nothing; 0s keeps no files")
	case m.Retention > max(0, reply.Retention):
		k.say("media.retention", "is longer than that of the purpose reply, which is what people are told")
	}
	if len(m.Types) == 0 {
		k.say("media.types", "is empty; leave it out, or name what bots may fetch")
	}
	for _, t := range m.Types {
		if !isMediaType(t) {
			k.say("media.types", "want types such as image/png or image/*")
		}
	}
}

// isMediaType reports whether t is a type, or all of a kind, in lower case.
func isMediaType(t string) bool {
	main, sub, ok := strings.Cut(t, "/")
	return ok && isWord(main) && (sub == "*" || isWord(sub))
}

func isWord(s string) bool {
	for _, c := range []byte(s) {
		if !strings.ContainsRune("+-._", rune(c)) && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 100
}

func (k *checker) rest() {
	c := k.c
	k.oneOf("outbox.unknown", c.Outbox.Unknown, "resend", "drop")
	k.between("outbox.attempts_for", c.Outbox.AttemptsFor, time.Second, 7*day)
	k.between("retention.every", c.Retention.Every, time.Second, day)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "json", "text")
	k.directory("policies", c.Policies)
	if c.Limits.Body < 4<<10 || c.Limits.Body > 64<<20 {
		k.say("limits.body", "has to be between 4KiB and 64MiB")
	}
	if c.Limits.PerPersonPerMinute < 1 {
		k.say("limits.per_person_per_minute", "has to be at least 1")
	}
	if len(c.Languages) == 0 {
		k.say("languages", "is empty; name at least one of %s", strings.Join(Languages(), ", "))
	}
	for i, l := range c.Languages {
		if !slices.Contains(Languages(), l) {
			k.say("languages", "unknown language; want some of %s", strings.Join(Languages(), ", "))
		} else if slices.Contains(c.Languages[:i], l) {
			k.say("languages", "names %s twice", l)
		}
	}
	if fi, err := os.Stat(c.Data); err == nil && !fi.IsDir() {
		k.say("data", "is not a directory")
	}
	if !c.Dev && len(c.Channels) == 0 && c.File != "" {
		k.say("channels", "there is no account on any channel; nobody could write to this bot")
	}
}

func (k *checker) oneOf(key, value string, known ...string) {
	if !slices.Contains(known, value) {
		k.say(key, "want one of %s%s", strings.Join(known, ", "), Hint(value, known))
	}
}

func (k *checker) between(key string, d, least, most time.Duration) {
	if d < least || d > most {
		k.say(key, "has to be between %s and %s", span(least), span(most))
	}
}

func (k *checker) file(key, path string) {
	if path == "" {
		return
	}
	f, err := os.Stat(path)
	switch {
	case err != nil:
		k.say(key, "the file %s cannot be read: %s", shownPath(path), reason(err))
	case !f.Mode().IsRegular():
		k.say(key, "%s is not a regular file", shownPath(path))
	}
}

func (k *checker) directory(key, path string) {
	if path == "" {
		return
	}
	fi, err := os.Stat(path)
	switch {
	case err != nil:
		k.say(key, "the directory %s cannot be read: %s", shownPath(path), reason(err))
	case !fi.IsDir():
		k.say(key, "%s is not a directory", shownPath(path))
	}
}

// span writes a time span the way it is written in the file.
func span(d time.Duration) string {
	if d >= day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// hostPort splits a listen address. The host may be empty, an address, or
// localhost; other names would be resolved by whoever answers DNS.
func hostPort(s string) (host string, port int, ok bool) {
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, false
	}
	port, err = strconv.Atoi(p)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, false
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !strings.EqualFold(host, "localhost") {
		return "", 0, false
	}
	return host, port, true
}

// isDomain reports whether s is a host name in letters, digits and hyphens
// with at least two labels (RFC 1123 2.1), and not an address.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(strings.ToLower(l)) {
			if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
				return false
			}
		}
	}
	_, err := strconv.Atoi(labels[len(labels)-1])
	return err != nil
}

// isHeader reports whether s can name a header (RFC 9110 5.1), in letters,
// digits and hyphens.
func isHeader(s string) bool {
	for _, c := range []byte(s) {
		if c != '-' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
