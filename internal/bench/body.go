package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"time"
)

// Secrets that both sides of a run share. They protect nothing: both sides are
// on this machine and end with the run.
const (
	TelegramSecret = "bench-secret"
	TelegramToken  = "1:bench"
	AppSecret      = "bench-app-secret"
	PageID         = "1234"
)

// size is that of a webhook body: what the networks send for a short message is
// between 400 bytes and 1.5 KiB.
const size = 1024

// writer makes signed webhook calls of one connection, without allocating.
type writer struct {
	channel string
	body    []byte
	req     []byte
	mac     hash.Hash
	pad     []byte
}

func newWriter(channel string) *writer {
	w := &writer{channel: channel, mac: hmac.New(sha256.New, []byte(AppSecret))}
	const words = "could you tell me when the parcel with my two blue cups will arrive, please? "
	for len(w.pad) < size {
		w.pad = append(w.pad, words...)
	}
	return w
}

// request returns the bytes of one call for event n of user u, valid until the
// next. users and events are counted from 1.
func (w *writer) request(u, n int64) []byte {
	w.body = w.body[:0]
	if w.channel == "telegram" {
		w.telegram(u, n)
	} else {
		w.messenger(u, n)
	}
	r := w.req[:0]
	r = append(r, "POST /hooks/"...)
	r = append(r, w.channel...)
	r = append(r, "/bench HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n"...)
	if w.channel == "telegram" {
		r = append(r, "X-Telegram-Bot-Api-Secret-Token: "+TelegramSecret+"\r\n"...)
	} else {
		w.mac.Reset()
		w.mac.Write(w.body)
		var sum [sha256.Size]byte
		r = append(r, "X-Hub-Signature-256: sha256="...)
		r = hex.AppendEncode(r, w.mac.Sum(sum[:0]))
		r = append(r, "\r\n"...)
	}
	r = append(r, "Content-Length: "...)
	r = strconv.AppendInt(r, int64(len(w.body)), 10)
	r = append(r, "\r\n\r\n"...)
	r = append(r, w.body...)
	w.req = r
	return r
}

// fill makes a body of the size that is wanted: what there is, words, the end.
func (w *writer) fill(b []byte, end string) {
	b = append(b, w.pad[:size-len(b)-len(end)]...)
	b = append(b, end...)
	w.body = b
}

func (w *writer) telegram(u, n int64) {
	b := w.body
	b = append(b, `{"update_id":`...)
	b = strconv.AppendInt(b, n, 10)
	b = append(b, `,"message":{"message_id":`...)
	b = strconv.AppendInt(b, n, 10)
	b = append(b, `,"from":{"id":`...)
	b = strconv.AppendInt(b, u, 10)
	b = append(b, `,"is_bot":false,"first_name":"Ada","last_name":"Example","username":"ada_example","language_code":"en"},"chat":{"id":`...)
	b = strconv.AppendInt(b, u, 10)
	b = append(b, `,"first_name":"Ada","last_name":"Example","username":"ada_example","type":"private"},"date":`...)
	b = strconv.AppendInt(b, time.Now().Unix(), 10) //nolint:forbidigo // what a network would write
	b = append(b, `,"text":"`...)
	w.fill(b, `"}}`)
}

func (w *writer) messenger(u, n int64) {
	b := w.body
	b = append(b, `{"object":"page","entry":[{"id":"`+PageID+`","time":1795000000000,"messaging":[{"sender":{"id":"`...)
	b = strconv.AppendInt(b, u, 10)
	b = append(b, `"},"recipient":{"id":"`+PageID+`"},"timestamp":`...)
	b = strconv.AppendInt(b, time.Now().UnixMilli(), 10) //nolint:forbidigo // what a network would write
	b = append(b, `,"message":{"mid":"m_`...)
	b = strconv.AppendInt(b, n, 10)
	b = append(b, `","text":"`...)
	w.fill(b, `"}}]}]}`)
}
