// Package config reads the configuration and refuses, before anything starts,
// what cannot be right.
//
// It promises that everything wrong is reported at once, each with file, line
// and a reason that can be acted on: unknown keys (with the key that was
// probably meant), wrong types, keys that stand twice, secrets that cannot be
// found, and settings that contradict each other. A file that names only its
// channels is complete; every default is the safe one.
//
// Secrets are given by reference (env:NAME, file:PATH) and never stand in the
// file. No problem ever shows a value from the file, because the value may be
// a secret that was put in the wrong place.
//
// It does not know the settings of the networks: the section of an account is
// kept as a [Section] and decoded into the adapter's own Config by the
// composition root. It does not open sockets, databases or key stores.
//
// The files: load.go is the way from file to [Config], decode.go fills Go
// values from YAML, check.go holds the contradictions.
package config

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/sotto-chat/sotto"
)

// Config is everything that an operator can set. Paths are absolute.
type Config struct {
	File string `yaml:"-"` // the file it came from, as given; "" = none
	Dir  string `yaml:"-"` // what relative paths are relative to: the file's directory, or the working directory
	Dev  bool   `yaml:"-"` // development: loopback only, keys beside the data

	Listen    string    `yaml:"listen"`     // host:port; default 127.0.0.1:8080, with a domain :443
	Data      string    `yaml:"data"`       // directory of databases and certificates; default ./sotto-data
	PublicURL string    `yaml:"public_url"` // where people reach this Sotto; default from Domain or Listen
	Domain    string    `yaml:"domain"`     // turns on HTTPS with automatic certificates; default none
	TLS       TLS       `yaml:"tls"`
	ACME      ACME      `yaml:"acme"`
	Proxy     Proxy     `yaml:"proxy"`
	Keys      Keys      `yaml:"keys"`
	Audit     Audit     `yaml:"audit"`
	Policies  string    `yaml:"policies"`  // directory of the operator's *.cedar files; default none
	Languages []string  `yaml:"languages"` // that Sotto speaks with people, the first where theirs is unknown; default [en, de]
	Retention Retention `yaml:"retention"`
	Limits    Limits    `yaml:"limits"`
	Log       Log       `yaml:"log"`

	Controller Controller `yaml:"controller"`
	Purposes   Purposes   `yaml:"purposes"` // by name; default reply, security and legal are on
	Channels   Accounts   `yaml:"channels"` // in the order of the file; default none, in development a web chat
	Bot        Bot        `yaml:"bot"`
	Outbox     Outbox     `yaml:"outbox"`
	Media      Media      `yaml:"media"`
	PII        PII        `yaml:"pii"`

	// KeyIsDefaultFile reports that no key was configured and that Keys.Current
	// names a file of Sotto's own choice, which is created on the very first
	// start.
	KeyIsDefaultFile bool `yaml:"-"`

	env   Env
	lines map[string]int // line of each key that stands in the file
}

// TLS names certificate files that somebody else renews.
type TLS struct {
	Cert string `yaml:"cert"` // PEM, the leaf first; default none
	Key  string `yaml:"key"`  // PEM; default none
}

// ACME says where certificates come from (RFC 8555).
type ACME struct {
	Directory string `yaml:"directory"` // https; default Let's Encrypt
	Email     string `yaml:"email"`     // for notices of the authority; default none
	CAFile    string `yaml:"ca_file"`   // PEM roots trusted for Directory instead of the system's; default the system's
	HTTP      string `yaml:"http"`      // host:port for challenges and redirects; default port 80 on Listen's host
}

// Proxy names the reverse proxy that stands in front.
type Proxy struct {
	Trusted []netip.Prefix `yaml:"trusted"` // the only source of client addresses; default none
	Header  string         `yaml:"header"`  // default X-Forwarded-For
}

// Keys are references to key-encryption keys: env:NAME, file:PATH (absolute
// here) or credential:NAME.
type Keys struct {
	Current string   `yaml:"current"` // default see [Load]
	Old     []string `yaml:"old"`     // still open what was sealed under them; default none
}

// Controller is who answers for the processing (GDPR Art. 13(1)(a) and (b)).
type Controller struct {
	Name      string `yaml:"name"`
	Contact   string `yaml:"contact"`
	DPO       string `yaml:"dpo"`       // how the data protection officer is reached; default none
	Complaint string `yaml:"complaint"` // the supervisory authority; default none
}

// Purpose is a declared purpose.
type Purpose struct {
	Name       sotto.Purpose    `yaml:"-"`
	On         bool             `yaml:"on"`        // default false
	Basis      sotto.Basis      `yaml:"basis"`     // no default where the purpose is on
	Retention  time.Duration    `yaml:"retention"` // counted for each message; default 30d
	Categories []sotto.Category `yaml:"categories"`
}

// Bot says who answers.
type Bot struct {
	Kind    string        `yaml:"kind"`    // answers or echo; default answers
	Sources string        `yaml:"sources"` // directory that the answerer reads; default the built-in shop
	Text    string        `yaml:"text"`    // masked or clear: what the bot sees; default masked
	Timeout time.Duration `yaml:"timeout"` // of one turn; default 20s
}

// Outbox says what happens to replies that could not be delivered.
type Outbox struct {
	Unknown     string        `yaml:"unknown"`      // resend (maybe twice) or drop (maybe never) where the outcome of a send is unknown; default resend
	AttemptsFor time.Duration `yaml:"attempts_for"` // how long a reply is tried; default 24h, at most 7d
}

// PII says what of what people write bots do not see. By default that is what
// identifies people; dates, places, organisations, ages and links stay.
type PII struct {
	Mask    []string `yaml:"mask"`    // types that are masked beside those, such as DATE; default none
	Leave   []string `yaml:"leave"`   // types that are left as they are, such as USERNAME; default none
	Regions []string `yaml:"regions"` // countries (ISO 3166) whose bare national numbers count; default none
	Allow   []string `yaml:"allow"`   // texts that are never masked, such as the shop's own telephone number; default none
	Own     string   `yaml:"own"`     // JSON file of recognisers of one's own; default none
}

// Media says what a bot may fetch of what people send along, and for how long it
// is kept.
type Media struct {
	Limit     Bytes         `yaml:"limit"`     // of one file; default 16MiB
	Retention time.Duration `yaml:"retention"` // 0s = for the turn only; default 24h, or that of the purpose reply if it is shorter
	Types     []string      `yaml:"types"`     // by content, such as image/png or image/*; default [image/*, audio/*, video/*, application/pdf, text/plain]
	Timeout   time.Duration `yaml:"timeout"`   // of fetching one file; default 30s
}

// Audit says where the head of the log is written outside the database.
type Audit struct {
	Head string `yaml:"head"` // default see [Load]
}

// Retention says how often what has reached its last day is deleted.
type Retention struct {
	Every time.Duration `yaml:"every"` // default 1h
}

// Bytes is a number of bytes, written "1MiB".
type Bytes int64

// Limits bound what one call and one person can cause.
type Limits struct {
	Body               Bytes `yaml:"body"`                  // of a webhook call; default 1MiB
	PerPersonPerMinute int   `yaml:"per_person_per_minute"` // messages; default 60
}

// Log says what is logged.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; default info
	Format string `yaml:"format"` // json or text; default json, in development text
}

// Slog returns the level as package slog names it.
func (l Log) Slog() slog.Level {
	switch l.Level {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}

// Purpose returns the declared purpose of that name.
func (c *Config) Purpose(name sotto.Purpose) (Purpose, bool) {
	for _, p := range c.Purposes {
		if p.Name == name {
			return p, true
		}
	}
	return Purpose{}, false
}

// Line returns the line on which a key such as "proxy.trusted" stands, and 0
// where the file does not have it.
func (c *Config) Line(key string) int { return c.lines[key] }

// Languages returns the languages that Sotto's own texts exist in.
func Languages() []string { return []string{"de", "en"} }
