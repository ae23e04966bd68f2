package channeltest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// File is a message of a Telegram user with a document, which the network hands
// out from then on. caption may be "".
func (n *Network) File(user, caption, name, mime string, data []byte) Webhook {
	id := n.next.Add(1)
	file := "file" + strconv.FormatInt(id, 10)
	n.mu.Lock()
	if n.files == nil {
		n.files = make(map[string][]byte)
	}
	n.files[file] = data
	n.mu.Unlock()
	words := ""
	if caption != "" {
		words = `"caption":` + quote(caption) + ","
	}
	return n.signed(Telegram, n.update(id, "message", fmt.Sprintf(
		`"message_id":%d,"from":%s,"chat":%s,"date":%d,%s"document":{"file_id":%q,"file_unique_id":"u%d","file_name":%s,"mime_type":%s,"file_size":%d}`,
		id, from(user), private(user), n.conf.Now().Unix(), words, file, id, quote(name), quote(mime), len(data))))
}

// serveFile answers the two calls with which a bot gets a file, and reports
// whether r was one of them.
func (n *Network) serveFile(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/bot"+n.conf.TelegramToken+"/getFile" {
		var ask struct {
			ID string `json:"file_id"`
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || json.Unmarshal(body, &ask) != nil {
			ask.ID = ""
		}
		data, ok := n.file(ask.ID)
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"ok":false,"error_code":400,"description":"Bad Request: invalid file_id"}`)
			return true
		}
		_, _ = fmt.Fprintf(w, `{"ok":true,"result":{"file_id":%q,"file_unique_id":"u","file_size":%d,"file_path":"documents/%s"}}`, ask.ID, len(data), ask.ID)
		return true
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/file/bot"+n.conf.TelegramToken+"/documents/")
	if !ok {
		return false
	}
	data, ok := n.file(name)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return true
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data)
	return true
}

func (n *Network) file(id string) ([]byte, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	data, ok := n.files[id]
	return data, ok
}
