package server

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/internal/audit"
)

// Beside its webhook an account of Meta's networks has two addresses, for
// people who turn to the network and not to the bot:
//
//	/hooks/<channel>/<account>/deletion     erase what you hold of me
//	/hooks/<channel>/<account>/deauthorise  the app may not act for me any more

// maxWish bounds a call on them: it is one short form.
const maxWish = 16 << 10

// wish answers a call on one of the two addresses. What is answered is the same
// whether anything is held of the person or not.
func (h *hooks) wish(w http.ResponseWriter, r *http.Request) {
	path, deletion := strings.CutSuffix(r.URL.Path, "/deletion")
	path, deauthorised := strings.CutSuffix(path, "/deauthorise")
	k := h.by[path]
	if k == nil || deletion == deauthorised {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	deleter, ok := k.adapter.(channel.DataDeleter)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := readAll(nil, r, maxWish)
	if err != nil {
		k.counts.Refused.Inc()
		w.WriteHeader(refusal(err))
		return
	}
	user, err := deleter.DataDeletion(&channel.Request{Method: r.Method, Header: r.Header, Body: body, Now: h.s.now()})
	if err != nil {
		k.counts.Forged.Inc()
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if deauthorised {
		h.deauthorised(w, r, k)
		return
	}
	code, err := h.p.deletion.Receive(r.Context(), k.account, user)
	if err != nil {
		k.counts.Unstored.Inc()
		h.s.log.LogAttrs(r.Context(), slog.LevelError, "a wish to be deleted was not stored; the network will pass it on again",
			slog.String("account", k.account), slog.String("cause", sotto.KindOf(err).String()))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	writeResponse(w, deleter.Confirmation(h.s.cfg.PublicURL+"/deletion?id="+code, code))
}

// deauthorised writes down that somebody took the app's permission back. The
// network ends the token by itself if it was theirs; sends show that at once.
func (h *hooks) deauthorised(w http.ResponseWriter, r *http.Request, k *hook) {
	trail := audit.NewTrail("deauthorise", audit.Commitment{})
	trail.Add(audit.Act{Verb: "deauthorise", Ref: k.account})
	if _, err := h.p.log.Write(r.Context(), trail); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.s.log.LogAttrs(r.Context(), slog.LevelWarn, "somebody has removed the app on the network; if it was who connected the account, connect it again",
		slog.String("account", k.account))
	w.WriteHeader(http.StatusOK)
}
