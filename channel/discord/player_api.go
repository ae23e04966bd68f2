package discord

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// fault is a refusal of the API.
type fault struct {
	status, code int
	text         string
}

func invalid(what string) *fault {
	return &fault{http.StatusBadRequest, 50035, "Invalid Form Body: " + what}
}

func unknown(code int, what string) *fault {
	return &fault{http.StatusNotFound, code, "Unknown " + what}
}

// Serve implements [play.Player].
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	if strings.HasPrefix(r.URL.Path, "/ephemeral-attachments/") {
		p.download(w, r.URL.Path)
		return nil
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v10/")
	var (
		status int
		result any
		shown  []play.Shown
		f      *fault
	)
	parts := strings.Split(rest, "/")
	switch {
	case !ok:
		f = &fault{http.StatusNotFound, 0, "404: Not Found"}
	case !strings.HasPrefix(r.Header.Get("User-Agent"), "DiscordBot ("):
		f = &fault{http.StatusForbidden, 40333, "internal network error"}
	case parts[0] == "webhooks" && len(parts) >= 3:
		result, shown, f = p.webhook(r, parts[1:], body)
	case subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bot "+p.token)) != 1:
		f = &fault{http.StatusUnauthorized, 0, "401: Unauthorized"}
	case parts[0] == "channels" && len(parts) >= 2:
		status, result, shown, f = p.channel(r, parts[1:], body)
	case parts[0] == "applications" && len(parts) >= 2:
		result, shown, f = p.application(r, parts[1:], body)
	default:
		f = &fault{http.StatusNotFound, 0, "404: Not Found"}
	}
	switch {
	case f != nil:
		reply(w, f.status, obj{"message": f.text, "code": f.code})
	case status == http.StatusNoContent:
		w.WriteHeader(status)
	default:
		reply(w, http.StatusOK, result)
	}
	return shown
}

func reply(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	b, _ := json.Marshal(what) //nolint:errchkjson // numbers and texts
	_, _ = w.Write(b)          // the caller is gone, which is theirs to know
}

// Refuse implements [play.Player].
func (*player) Refuse(w http.ResponseWriter, status int, after time.Duration) {
	if status != http.StatusTooManyRequests {
		reply(w, status, obj{"message": strconv.Itoa(status) + ": " + http.StatusText(status), "code": 0})
		return
	}
	after = max(after, time.Millisecond)
	w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	w.Header().Set("X-RateLimit-Scope", "user")
	reply(w, status, obj{"message": "You are being rate limited.", "retry_after": after.Seconds(), "global": false})
}

func (p *player) download(w http.ResponseWriter, at string) {
	p.mu.Lock()
	f, ok := p.files[at]
	p.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	_, _ = w.Write(f.Data) // the caller is gone, which is theirs to know
}

// playedMessage is what is looked at of a message.
type playedMessage struct {
	Content string `json:"content"`
	Flags   int    `json:"flags"`
	Allowed *struct {
		Parse []string `json:"parse"`
	} `json:"allowed_mentions"`
	Rows []struct {
		Type    int `json:"type"`
		Buttons []struct {
			Type   int    `json:"type"`
			Style  int    `json:"style"`
			Label  string `json:"label"`
			Custom string `json:"custom_id"`
		} `json:"components"`
	} `json:"components"`
	Nonce     string `json:"nonce"`
	Enforce   bool   `json:"enforce_nonce"`
	Reference struct {
		ID string `json:"message_id"`
	} `json:"message_reference"`
	file *channel.File
}

// readMessage reads and judges a message as its form goes.
func readMessage(r *http.Request, body []byte, flags int) (*playedMessage, *fault) {
	m := &playedMessage{}
	media, opts, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "multipart/form-data":
		if body, m.file, err = readForm(multipart.NewReader(bytes.NewReader(body), opts["boundary"])); err != nil {
			return nil, invalid("form")
		}
	case err != nil || media != "application/json":
		return nil, invalid("Content-Type")
	}
	if json.Unmarshal(body, m) != nil {
		return nil, &fault{http.StatusBadRequest, 50109, "The request body contains invalid JSON."}
	}
	switch {
	case strings.TrimSpace(m.Content) == "" && m.file == nil:
		return nil, &fault{http.StatusBadRequest, 50006, "Cannot send an empty message"}
	case utf8.RuneCountInString(m.Content) > 2000:
		return nil, invalid("content")
	case m.Flags&^flags != 0:
		return nil, invalid("flags")
	case len(m.Rows) > 5:
		return nil, invalid("components")
	case len(m.Nonce) > 25:
		return nil, invalid("nonce")
	}
	seen := map[string]bool{}
	for _, row := range m.Rows {
		if row.Type != 1 || len(row.Buttons) < 1 || len(row.Buttons) > 5 {
			return nil, invalid("components")
		}
		for _, b := range row.Buttons {
			n := utf8.RuneCountInString(b.Custom)
			if b.Type != 2 || b.Style < 1 || b.Style > 4 || b.Label == "" || utf8.RuneCountInString(b.Label) > 80 || n < 1 || n > 100 || seen[b.Custom] {
				return nil, invalid("components")
			}
			seen[b.Custom] = true
		}
	}
	return m, nil
}

func readForm(r *multipart.Reader) (payload []byte, file *channel.File, err error) {
	for {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // returned as it is
			return payload, file, nil
		}
		if err != nil {
			return nil, nil, err
		}
		data, err := io.ReadAll(part)
		switch {
		case err != nil:
			return nil, nil, err
		case part.FormName() == "payload_json":
			payload = data
		case strings.HasPrefix(part.FormName(), "files["):
			file = &channel.File{Name: part.FileName(), MIME: part.Header.Get("Content-Type"), Data: data}
		}
	}
}

// shown is the message as people see it.
func (m *playedMessage) shown(to, id string) []play.Shown {
	s := play.Shown{Kind: "message", To: to, ID: id, Text: m.Content, File: m.file, ReplyTo: m.Reference.ID}
	for _, row := range m.Rows {
		for _, b := range row.Buttons {
			s.Buttons = append(s.Buttons, sotto.Button{Label: b.Label, Payload: b.Custom})
		}
	}
	return []play.Shown{s}
}

func (m *playedMessage) result(to, id string, flags int) obj {
	return obj{
		"id": id, "type": 0, "content": m.Content, "channel_id": to, "flags": flags, "application_id": playedApp,
		"author": obj{"id": playedApp, "username": "Sotto Sim", "bot": true}, "components": m.Rows,
	}
}

// webhook answers what is called under an interaction's token.
func (p *player) webhook(r *http.Request, parts []string, body []byte) (any, []play.Shown, *fault) {
	token := parts[1]
	kind, rest, ok := strings.Cut(strings.TrimPrefix(token, "sim_"), "-")
	room, id, split := strings.Cut(rest, "-")
	if !ok || !split || len(kind) != 2 || parts[0] != playedApp {
		return nil, nil, unknown(10015, "Webhook")
	}
	const epoch = 1420070400000
	n, _ := strconv.ParseUint(id, 10, 64) // 0 was long ago
	if p.now().Sub(time.UnixMilli(int64(n>>22)+epoch)) > 15*time.Minute {
		return nil, nil, &fault{http.StatusUnauthorized, 50027, "Invalid Webhook Token"}
	}
	hidden := 0
	if kind[1] == 's' {
		hidden = 64
	}
	p.mu.Lock()
	o := p.original[token]
	if o == nil {
		if len(p.original) >= keptThings {
			clear(p.original)
		}
		o = &playedOriginal{id: snowflake("original/" + id), filled: kind[0] == 'k'}
		p.original[token] = o
	}
	p.mu.Unlock()
	at := strings.Join(parts[2:], "/")
	switch {
	case r.Method == http.MethodGet && at == "messages/@original":
		flags := hidden
		if !o.filled {
			flags |= 128
		}
		return obj{"id": o.id, "content": o.text, "channel_id": room, "flags": flags}, nil, nil
	case r.Method == http.MethodPatch && at == "messages/@original", r.Method == http.MethodPost && at == "" && !o.filled:
		m, f := readMessage(r, body, 4|64)
		if f != nil {
			return nil, nil, f
		}
		p.mu.Lock()
		o.filled, o.text = true, m.Content
		p.mu.Unlock()
		return m.result(room, o.id, hidden), m.shown(room, o.id), nil
	case r.Method == http.MethodPost && at == "":
		m, f := readMessage(r, body, 4|64)
		if f != nil {
			return nil, nil, f
		}
		next := p.id()
		return m.result(room, next, m.Flags), m.shown(room, next), nil
	}
	return nil, nil, &fault{http.StatusMethodNotAllowed, 0, "405: Method Not Allowed"}
}

// channel answers what a bot does in a channel.
func (p *player) channel(r *http.Request, parts []string, body []byte) (int, any, []play.Shown, *fault) {
	room := parts[0]
	p.mu.Lock()
	kind, ok := p.rooms[room]
	p.mu.Unlock()
	if !ok {
		return 0, nil, nil, unknown(10003, "Channel")
	}
	switch what := strings.Join(parts[1:], "/"); {
	case r.Method == http.MethodGet && what == "":
		return 0, obj{"id": room, "type": kind}, nil, nil
	case r.Method == http.MethodPost && what == "typing":
		return http.StatusNoContent, nil, []play.Shown{{Kind: "typing", To: room}}, nil
	case r.Method == http.MethodPost && what == "messages":
		m, f := readMessage(r, body, 4)
		if f != nil {
			return 0, nil, nil, f
		}
		id := p.id()
		p.mu.Lock()
		defer p.mu.Unlock()
		if before := p.nonces[m.Nonce]; m.Enforce && m.Nonce != "" && before != "" {
			return 0, m.result(room, before, m.Flags), nil, nil
		}
		if len(p.nonces) >= keptThings {
			clear(p.nonces)
		}
		p.nonces[m.Nonce] = id
		return 0, m.result(room, id, m.Flags), m.shown(room, id), nil
	}
	return 0, nil, nil, &fault{http.StatusMethodNotAllowed, 0, "405: Method Not Allowed"}
}

// application answers what sets the application up.
func (p *player) application(r *http.Request, parts []string, body []byte) (any, []play.Shown, *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fields := obj{}
	if len(body) > 0 && json.Unmarshal(body, &fields) != nil {
		return nil, nil, &fault{http.StatusBadRequest, 50109, "The request body contains invalid JSON."}
	}
	setup := []play.Shown{{Kind: "setup", Text: r.Method + " " + strings.Join(parts, "/")}}
	switch what := strings.Join(parts, "/"); {
	case what == "@me" && r.Method == http.MethodGet:
		return maps.Clone(p.about), nil, nil
	case what == "@me" && r.Method == http.MethodPatch:
		for _, k := range []string{"interactions_endpoint_url", "event_webhooks_url"} {
			if v, ok := fields[k].(string); ok && !strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "http://127.0.0.1") {
				return nil, nil, invalid(k)
			}
		}
		maps.Copy(p.about, fields)
		return maps.Clone(p.about), setup, nil
	case what == playedApp+"/commands" && r.Method == http.MethodGet:
		return append([]map[string]any{}, p.commands...), nil, nil
	case what == playedApp+"/commands" && r.Method == http.MethodPost:
		name, _ := fields["name"].(string)        // nothing is too short
		text, _ := fields["description"].(string) // likewise
		if n := utf8.RuneCountInString(text); name == "" || len(name) > 32 || name != strings.ToLower(name) || n < 1 || n > 100 {
			return nil, nil, invalid("name, description")
		}
		fields["id"] = snowflake("command/" + name)
		p.commands = slices.DeleteFunc(p.commands, func(c map[string]any) bool { return c["name"] == name })
		p.commands = append(p.commands, fields)
		return fields, setup, nil
	}
	return nil, nil, &fault{http.StatusNotFound, 0, "404: Not Found"}
}
