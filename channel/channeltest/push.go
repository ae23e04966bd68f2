package channeltest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Webhook is a call that a network makes to a bot, signed.
type Webhook struct {
	Header http.Header
	Body   []byte
	ID     string // of the message it is about
}

// Sign returns the header with which a network sends body.
func (n *Network) Sign(channelName string, body []byte) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	if channelName == Telegram {
		h["X-Telegram-Bot-Api-Secret-Token"] = []string{n.conf.TelegramSecret}
		return h
	}
	m := hmac.New(sha256.New, []byte(n.conf.MessengerSecret))
	m.Write(body)
	h["X-Hub-Signature-256"] = []string{"sha256=" + hex.EncodeToString(m.Sum(nil))}
	return h
}

// Push delivers a webhook to url and returns the status of the answer.
func (n *Network) Push(ctx context.Context, url string, h Webhook) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(h.Body))
	if err != nil {
		return 0, fmt.Errorf("fake network: %w", err)
	}
	r.Header = h.Header.Clone()
	resp, err := n.conf.Client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("fake network: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return 0, fmt.Errorf("fake network: %w", err)
	}
	return resp.StatusCode, nil
}

// PushRaw signs a body and delivers it.
func (n *Network) PushRaw(ctx context.Context, url, channelName string, body []byte) (status int, err error) {
	return n.Push(ctx, url, Webhook{Header: n.Sign(channelName, body), Body: body})
}

// PushText delivers a message of user that says text.
func (n *Network) PushText(ctx context.Context, url, channelName, user, text string) (status int, err error) {
	return n.Push(ctx, url, n.Text(channelName, user, text))
}

// PushButton delivers a press of user on the button with payload.
func (n *Network) PushButton(ctx context.Context, url, channelName, user, payload string) (status int, err error) {
	return n.Push(ctx, url, n.Button(channelName, user, payload))
}

// Body returns a signed message of user, whose body has n bytes, or somewhat
// more if n is below the 400 that the networks' own fields take. It is cheap:
// for load measurements.
func (n *Network) Body(channelName, user string, size int) (body []byte, header http.Header) {
	const filler = "The parcel has not come yet, and I would like to know where it is. "
	h := n.message(channelName, user, "")
	if room := size - len(h.Body); room > 0 {
		text := strings.Repeat(filler, room/len(filler)+1)[:room]
		h.Body = bytes.Replace(h.Body, []byte(`"text":""`), []byte(`"text":"`+text+`"`), 1)
	}
	return h.Body, n.Sign(channelName, h.Body)
}

// Text is a message of user that says text.
func (n *Network) Text(channelName, user, text string) Webhook {
	return n.signed(channelName, n.message(channelName, user, text))
}

func (n *Network) signed(channelName string, h Webhook) Webhook {
	h.Header = n.Sign(channelName, h.Body)
	return h
}

// message is a message without its signature. Its form is that of real ones.
func (n *Network) message(channelName, user, text string) Webhook {
	id := n.next.Add(1)
	if channelName == Telegram {
		return n.update(id, "message", fmt.Sprintf(`"message_id":%d,"from":%s,"chat":%s,"date":%d,"text":%s`,
			id, from(user), private(user), n.conf.Now().Unix(), quote(text)))
	}
	return n.item(id, user, fmt.Sprintf(`"message":{"mid":"m_%d","text":%s}`, id, quote(text)))
}

// Button is a press of user on the button with payload.
func (n *Network) Button(channelName, user, payload string) Webhook {
	id := n.next.Add(1)
	if channelName == Telegram {
		return n.signed(channelName, n.update(id, "callback_query", fmt.Sprintf(
			`"id":"%d","from":%s,"message":{"message_id":%d,"chat":%s,"date":%d,"text":"Pick"},"chat_instance":"1","data":%s`,
			id, from(user), id, private(user), n.conf.Now().Unix(), quote(payload))))
	}
	return n.signed(channelName, n.item(id, user, fmt.Sprintf(
		`"message":{"mid":"m_%d","text":%s,"quick_reply":{"payload":%s}}`, id, quote(payload), quote(payload))))
}

// Edit is user's change of an earlier message.
func (n *Network) Edit(channelName, user, messageID, text string) Webhook {
	id := n.next.Add(1)
	if channelName == Telegram {
		return n.signed(channelName, n.update(id, "edited_message", fmt.Sprintf(
			`"message_id":%s,"from":%s,"chat":%s,"date":%d,"edit_date":%d,"text":%s`,
			messageID, from(user), private(user), n.conf.Now().Unix(), n.conf.Now().Unix(), quote(text))))
	}
	return n.signed(channelName, n.item(id, user, fmt.Sprintf(
		`"message_edit":{"mid":%s,"text":%s,"num_edit":%d}`, quote(messageID), quote(text), id)))
}

// Delete is user's deletion of an earlier message. Telegram tells it only in
// business chats, and this is one of those.
func (n *Network) Delete(channelName, user, messageID string) Webhook {
	id := n.next.Add(1)
	if channelName == Telegram {
		return n.signed(channelName, n.update(id, "deleted_business_messages", fmt.Sprintf(
			`"business_connection_id":"bc1","chat":%s,"message_ids":[%s]`, private(user), messageID)))
	}
	return n.signed(channelName, n.item(id, user, fmt.Sprintf(`"message":{"mid":%s,"is_deleted":true}`, quote(messageID))))
}

// Block is user's blocking of the bot, and with unblock its end. Messenger
// does not tell it: the nearest there is a refusal of notifications.
func (n *Network) Block(channelName, user string, unblock bool) Webhook {
	id := n.next.Add(1)
	if channelName == Telegram {
		was, is := "member", "kicked"
		if unblock {
			was, is = is, was
		}
		bot := fmt.Sprintf(`{"id":123456789,"is_bot":true,"first_name":"Test","username":%q}`, BotUsername)
		return n.signed(channelName, n.update(id, "my_chat_member", fmt.Sprintf(
			`"chat":%s,"from":%s,"date":%d,"old_chat_member":{"user":%s,"status":%q},"new_chat_member":{"user":%s,"status":%q,"until_date":0}`,
			private(user), from(user), n.conf.Now().Unix(), bot, was, bot, is)))
	}
	status := "STOP_NOTIFICATIONS"
	if unblock {
		status = "RESUME_NOTIFICATIONS"
	}
	return n.signed(channelName, n.item(id, user, fmt.Sprintf(
		`"optin":{"type":"notification_messages","notification_messages_token":"t","notification_messages_status":%q}`, status)))
}

// Group is a line of user in a group, with a mention of the bot if addressed.
// Only Telegram has groups.
func (n *Network) Group(group, user, text string, addressed bool) Webhook {
	id := n.next.Add(1)
	entities := ""
	if addressed {
		text = "@" + BotUsername + " " + text
		entities = fmt.Sprintf(`,"entities":[{"type":"mention","offset":0,"length":%d}]`, len(BotUsername)+1)
	}
	return n.signed(Telegram, n.update(id, "message", fmt.Sprintf(
		`"message_id":%d,"from":%s,"chat":{"id":%s,"title":"Test","type":"supergroup"},"date":%d,"text":%s%s`,
		id, from(user), group, n.conf.Now().Unix(), quote(text), entities)))
}

func (*Network) update(id int64, field, inside string) Webhook {
	return Webhook{Body: fmt.Appendf(nil, `{"update_id":%d,"%s":{%s}}`, id, field, inside), ID: messageID(Telegram, id)}
}

func (n *Network) item(id int64, user, inside string) Webhook {
	now := n.conf.Now().UnixMilli()
	return Webhook{ID: messageID(Messenger, id), Body: fmt.Appendf(nil,
		`{"object":"page","entry":[{"time":%d,"id":%q,"messaging":[{"sender":{"id":%s},"recipient":{"id":%q},"timestamp":%d,%s}]}]}`,
		now, n.conf.PageID, quote(user), n.conf.PageID, now, inside)}
}

func from(user string) string {
	return fmt.Sprintf(`{"id":%s,"is_bot":false,"first_name":"Test","last_name":"Person","username":"person%s","language_code":"en"}`, user, strings.TrimPrefix(user, "-"))
}

func private(user string) string {
	return fmt.Sprintf(`{"id":%s,"first_name":"Test","last_name":"Person","username":"person%s","type":"private"}`, user, strings.TrimPrefix(user, "-"))
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always marshals
	}
	return string(b)
}
