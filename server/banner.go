package server

import (
	"fmt"
	"strings"
	"time"
)

// banner says in a few lines what is on, what is off, where data lie, and what
// to open.
func (s *Server) banner(r *running) {
	if s.in.Out == nil {
		return
	}
	mode := "configured by " + s.cfg.File
	if s.cfg.Dev {
		mode = "development mode: this machine only, key beside the data"
	}
	var on, off []string
	for _, p := range s.cfg.Purposes {
		if p.On {
			on = append(on, string(p.Name))
		} else {
			off = append(off, string(p.Name))
		}
	}
	accounts := make([]string, 0, len(s.accounts))
	for _, a := range s.accounts {
		accounts = append(accounts, a.key)
	}
	text := "masked: the bot sees placeholders for e-mail, phone, card, IBAN and IP"
	if s.cfg.Bot.Text == "clear" {
		text = "CLEAR: the bot sees what people write, where a policy permits it"
	}
	base := s.localURL()
	lines := [][2]string{
		{"Sotto", mode},
		{"channels", join(accounts, "none")},
		{"bot", s.botName() + ", text " + text},
		{"purposes on", join(on, "none")},
		{"purposes off", join(off, "none")},
		{"kept", fmt.Sprintf("what is said for %s, then deleted; keys of a month end with it", span(s.retention()))},
		{"data", s.cfg.Data + " (sealed); key " + s.cfg.Keys.Current},
		{"audit log", fmt.Sprintf("%d entries; head copied to %s", r.p.log.Size(), s.cfg.Audit.Head)},
		{"webhooks", base + "/hooks/<channel>/<account>; privacy notice " + s.cfg.PublicURL + "/privacy"},
	}
	if r.web != nil {
		lines = append(lines, [2]string{"open", base + "/chat"})
	} else {
		lines = append(lines, [2]string{"listening", base})
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%-13s %s\n", l[0], l[1])
	}
	_, _ = s.in.Out.Write([]byte(b.String())) // nobody to tell
}

// localURL is where this process answers.
func (s *Server) localURL() string {
	scheme := "http"
	if s.cfg.Domain != "" || s.cfg.TLS.Cert != "" {
		scheme = "https"
	}
	host := s.addr
	for _, loopback := range []string{"127.0.0.1:", "[::1]:"} {
		if port, ok := strings.CutPrefix(host, loopback); ok {
			host = "localhost:" + port
		}
	}
	return scheme + "://" + host
}

func (s *Server) botName() string {
	switch {
	case s.in.File == "" && s.cfg.Bot.Sources == "" && s.cfg.Bot.Kind == "answers":
		return "the sample shop's help pages"
	case s.cfg.Bot.Kind == "answers" && s.cfg.Bot.Sources != "":
		return "answers from " + s.cfg.Bot.Sources
	}
	return s.cfg.Bot.Kind
}

func span(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}

func join(s []string, none string) string {
	if len(s) == 0 {
		return none
	}
	return strings.Join(s, ", ")
}
