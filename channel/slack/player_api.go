package slack

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// playedUpload is a file on its way to Slack.
type playedUpload struct {
	name string
	size int
	data []byte
}

// Serve implements [play.Player].
func (p *player) Serve(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	switch dir, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); dir {
	case "api":
		return p.method(w, r, rest, body)
	case "upload":
		p.store(w, path.Base(rest), r, body)
	case "files-pri":
		p.download(w, r, rest)
	case "commands", "actions", "app":
		return p.answered(w, r, body)
	default:
		http.Error(w, "not found", http.StatusNotFound)
	}
	return nil
}

// Refuse implements [play.Player].
func (*player) Refuse(w http.ResponseWriter, status int, after time.Duration) {
	code := "service_unavailable"
	if status == http.StatusTooManyRequests {
		code = "ratelimited"
		after = max(after, time.Second)
	}
	if after > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10))
	}
	say(w, status, obj{"ok": false, "error": code})
}

func say(w http.ResponseWriter, status int, answer obj) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	b, err := worded(answer)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // the caller is gone, which is theirs to know
}

func bearer(r *http.Request, token string) bool {
	got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(got), []byte(token)) == 1
}

// arguments are those of a call, whichever of its forms it took: texts as they
// are, everything else as JSON.
type arguments map[string]json.RawMessage

func readArguments(r *http.Request, body []byte) (arguments, string) {
	args := arguments{}
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind { // none is none
	case "application/json":
		if json.Unmarshal(body, &args) != nil {
			return nil, "invalid_json"
		}
	case "application/x-www-form-urlencoded":
		q, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, "invalid_form_data"
		}
		for k, v := range q {
			args[k], _ = json.Marshal(v[0]) //nolint:errchkjson // a text
		}
	default:
		if len(body) > 0 {
			return nil, "invalid_post_type"
		}
	}
	return args, ""
}

func (a arguments) text(name string) string {
	var s string
	if json.Unmarshal(a[name], &s) == nil {
		return s
	}
	return string(a[name])
}

// method carries out a method of the Web API, which answers 200 to errors too.
func (p *player) method(w http.ResponseWriter, r *http.Request, name string, body []byte) []play.Shown {
	manages := strings.HasPrefix(name, "apps.manifest.")
	token := p.token
	if manages {
		token = playedManage
	}
	if !bearer(r, token) {
		code := "invalid_auth"
		if r.Header.Get("Authorization") == "" {
			code = "not_authed"
		}
		say(w, http.StatusOK, obj{"ok": false, "error": code})
		return nil
	}
	args, fault := readArguments(r, body)
	if fault != "" {
		say(w, http.StatusOK, obj{"ok": false, "error": fault})
		return nil
	}
	result, shown, fault := obj{}, []play.Shown(nil), ""
	switch name {
	case "chat.postMessage":
		result, shown, fault = p.post(args)
	case "files.getUploadURLExternal":
		result, fault = p.uploading(args)
	case "files.completeUploadExternal":
		result, shown, fault = p.complete(args)
	case "files.info":
		result, fault = p.info(args)
	case "assistant.threads.setStatus":
		shown, fault = p.status(args)
	case "auth.test":
		w.Header().Set("X-OAuth-Scopes", "app_mentions:read,chat:write,files:read,files:write,im:history,commands")
		result = obj{
			"url": "https://sim.slack.com/", "team": "Sim", "user": "sim", "team_id": playedTeam, "user_id": playedBot,
			"bot_id": "B0SIM0001", "is_enterprise_install": false,
		}
	case "apps.manifest.export", "apps.manifest.update":
		result, shown, fault = p.described(name, args)
	default:
		fault = "unknown_method"
	}
	if fault != "" {
		say(w, http.StatusOK, obj{"ok": false, "error": fault})
		return nil
	}
	answer := obj{"ok": true}
	maps.Copy(answer, result)
	say(w, http.StatusOK, answer)
	return shown
}

// where reads a channel: a person stands for the direct messages with them.
func where(id string) (string, bool) {
	if !regexp.MustCompile(`^[CDGUW][A-Z0-9]{2,}$`).MatchString(id) {
		return "", false
	}
	if id[0] == 'U' || id[0] == 'W' {
		return directWith(id), true
	}
	return id, true
}

// post checks a message as Slack does and returns it as people see it.
func (p *player) post(args arguments) (obj, []play.Shown, string) {
	to, ok := where(args.text("channel"))
	if !ok {
		return nil, nil, "channel_not_found"
	}
	thread := args.text("thread_ts")
	if thread != "" && !regexp.MustCompile(`^[0-9]+\.[0-9]{6}$`).MatchString(thread) {
		return nil, nil, "invalid_thread_ts"
	}
	text, buttons, fault := seenText(args)
	if fault != "" {
		return nil, nil, fault
	}
	id := p.stamp()
	return obj{"channel": to, "ts": id, "message": obj{"type": "message", "user": playedBot, "bot_id": "B0SIM0001", "ts": id, "text": args.text("text")}},
		[]play.Shown{{Kind: "message", To: to, ID: id, ReplyTo: thread, Text: text, Buttons: buttons}}, ""
}

// block is what is looked at of a block.
type block struct {
	Type     string    `json:"type"`
	Text     blockText `json:"text"`
	Elements []struct {
		Type     string    `json:"type"`
		ActionID string    `json:"action_id"`
		Value    string    `json:"value"`
		Text     blockText `json:"text"`
	} `json:"elements"`
}

type blockText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// seenText is what people see of a message: its blocks or, without any, its text.
func seenText(args arguments) (string, []sotto.Button, string) {
	text := args.text("text")
	if utf8.RuneCountInString(text) > 40_000 {
		return "", nil, "msg_too_long"
	}
	var blocks []block
	if raw, ok := args["blocks"]; ok && json.Unmarshal(raw, &blocks) != nil {
		return "", nil, "invalid_blocks_format"
	}
	if len(blocks) == 0 {
		if strings.TrimSpace(text) == "" {
			return "", nil, "no_text"
		}
		return shownText(text), nil, ""
	}
	if len(blocks) > 50 {
		return "", nil, "invalid_blocks"
	}
	var parts []string
	var buttons []sotto.Button
	ids := map[string]bool{}
	for _, b := range blocks {
		switch b.Type {
		case "section":
			n := utf8.RuneCountInString(b.Text.Text)
			if n == 0 || n > 3000 || b.Text.Type != "mrkdwn" && b.Text.Type != "plain_text" {
				return "", nil, "invalid_blocks"
			}
			parts = append(parts, shownText(b.Text.Text))
		case "actions":
			if len(b.Elements) == 0 || len(b.Elements) > 25 {
				return "", nil, "invalid_blocks"
			}
			for _, e := range b.Elements {
				n := utf8.RuneCountInString(e.Text.Text)
				if e.Type != "button" || e.Text.Type != "plain_text" || n == 0 || n > 400 || len(e.Value) > 2000 || e.ActionID == "" || ids[e.ActionID] {
					return "", nil, "invalid_blocks"
				}
				ids[e.ActionID] = true
				label := shownText(e.Text.Text)
				if utf8.RuneCountInString(label) > 75 {
					return "", nil, "invalid_blocks"
				}
				buttons = append(buttons, sotto.Button{Label: label, Payload: e.Value})
			}
		default:
			return "", nil, "invalid_blocks"
		}
	}
	return strings.Join(parts, "\n"), buttons, ""
}

// shownText is a text as people see it: references by their labels, entities as
// characters.
func shownText(s string) string {
	s = regexp.MustCompile(`<([^<>|]*)(\|[^<>]*)?>`).ReplaceAllStringFunc(s, func(ref string) string {
		ref = strings.Trim(ref, "<>")
		if at, label, ok := strings.Cut(ref, "|"); ok && label != "" && at != "" {
			return label
		}
		return strings.TrimRight(ref, "|")
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// answered takes what is posted to where a command or press is answered.
func (p *player) answered(w http.ResponseWriter, r *http.Request, body []byte) []play.Shown {
	p.mu.Lock()
	at, known := p.urls[r.URL.Path]
	var late, used bool
	if known {
		late, used = p.now().Sub(at.at) > 30*time.Minute, at.uses >= 5
		at.uses++
	}
	p.mu.Unlock()
	switch {
	case !known, late:
		say(w, http.StatusNotFound, obj{"ok": false, "error": "expired_url"})
		return nil
	case used:
		say(w, http.StatusNotFound, obj{"ok": false, "error": "used_url"})
		return nil
	}
	args, fault := readArguments(r, body)
	var text string
	var buttons []sotto.Button
	if fault == "" {
		text, buttons, fault = seenText(args)
	}
	if fault != "" {
		say(w, http.StatusBadRequest, obj{"ok": false, "error": fault})
		return nil
	}
	_, _ = w.Write([]byte("ok"))
	to := at.user // nobody else sees it
	p.mu.Lock()
	defer p.mu.Unlock()
	id := p.stampLocked()
	if args.text("response_type") == "in_channel" {
		to = "everybody"
	} else {
		p.hidden[id] = true
		p.remember(id)
	}
	return []play.Shown{{Kind: "message", To: to, ID: id, Text: text, Buttons: buttons}}
}

func (p *player) uploading(args arguments) (obj, string) {
	size, err := strconv.Atoi(args.text("length"))
	if args.text("filename") == "" || err != nil || size <= 0 {
		return nil, "invalid_arguments"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	id := "F0UP" + strconv.FormatInt(p.next, 10)
	p.uploads[id] = &playedUpload{name: args.text("filename"), size: size}
	p.remember(id)
	return obj{"upload_url": p.base + "/upload/v1/" + id, "file_id": id}, ""
}

// store takes the bytes of a file. Whoever has the address may.
func (p *player) store(w http.ResponseWriter, id string, r *http.Request, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.uploads[id]
	if u == nil || r.Method != http.MethodPost || len(body) != u.size || r.Header.Get("Authorization") != "" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	u.data = body
	_, _ = fmt.Fprintf(w, "OK - %d", len(body))
}

func (p *player) complete(args arguments) (obj, []play.Shown, string) {
	var files []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	raw := args["files"]
	var inside string
	if json.Unmarshal(raw, &inside) == nil {
		raw = json.RawMessage(inside)
	}
	if json.Unmarshal(raw, &files) != nil || len(files) != 1 {
		return nil, nil, "invalid_arguments"
	}
	to, ok := where(args.text("channels"))
	if !ok {
		if to, ok = where(args.text("channel_id")); !ok {
			return nil, nil, "channel_not_found"
		}
	}
	p.mu.Lock()
	u := p.uploads[files[0].ID]
	p.mu.Unlock()
	if u == nil || u.data == nil {
		return nil, nil, "file_not_found"
	}
	f := &channel.File{Name: u.name, Data: u.data}
	return obj{"files": []obj{{"id": files[0].ID, "title": files[0].Title}}},
		[]play.Shown{{Kind: "message", To: to, ID: p.stamp(), ReplyTo: args.text("thread_ts"), Text: shownText(args.text("initial_comment")), File: f}}, ""
}

func (p *player) info(args arguments) (obj, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := args.text("file")
	f, ok := p.files[id]
	if !ok {
		return nil, "file_not_found"
	}
	return obj{"file": obj{
		"id": id, "name": f.Name, "mimetype": f.MIME,
		"url_private_download": p.base + "/files-pri/" + playedTeam + "-" + id + "/download/" + url.PathEscape(f.Name),
	}}, ""
}

// download hands out a file. To who has no right Slack shows its page for signing in.
func (p *player) download(w http.ResponseWriter, r *http.Request, rest string) {
	id, _, _ := strings.Cut(strings.TrimPrefix(rest, playedTeam+"-"), "/")
	p.mu.Lock()
	f, ok := p.files[id]
	p.mu.Unlock()
	if !ok || !bearer(r, p.token) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Sign in</title>"))
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	_, _ = w.Write(f.Data)
}

func (*player) status(args arguments) ([]play.Shown, string) {
	to, ok := where(args.text("channel_id"))
	if !ok || args.text("thread_ts") == "" || args.text("status") == "" {
		return nil, "invalid_arguments"
	}
	return []play.Shown{{Kind: "typing", To: to}}, ""
}

// described hands out the app's manifest, or takes another.
func (p *player) described(name string, args arguments) (obj, []play.Shown, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if args.text("app_id") != playedApp {
		return nil, nil, "app_not_found"
	}
	if name == "apps.manifest.export" {
		return obj{"manifest": p.manifest}, nil, ""
	}
	var m map[string]any
	if json.Unmarshal([]byte(args.text("manifest")), &m) != nil || m["display_information"] == nil {
		return nil, nil, "invalid_manifest"
	}
	p.manifest = m
	names := slices.Sorted(maps.Keys(m))
	return obj{"app_id": playedApp, "permissions_updated": true},
		[]play.Shown{{Kind: "setup", Text: "manifest: " + strings.Join(names, ", ")}}, ""
}
