package server

import (
	"github.com/sotto-chat/sotto/internal/egress"
	"github.com/sotto-chat/sotto/internal/media"
)

// mediaConfig is how files are fetched and kept: never for longer than texts,
// which is what people are told.
func (s *Server) mediaConfig(p *parts) media.Config {
	c := s.cfg.Media
	return media.Config{
		DB: p.db, Vault: p.vault, Gate: p.gate, Now: s.now, Adapters: p.adapters, Allow: egress.Allow,
		Limit: int64(c.Limit), Timeout: c.Timeout, Types: c.Types, Retention: min(c.Retention, s.retention()),
	}
}
