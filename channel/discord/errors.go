package discord

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/wire"
)

const (
	codeUnknownMessage     = "10008"
	codeUnknownWebhook     = "10015"
	codeUnknownInteraction = "10062"
)

// sortError sorts a refusal by the code in its body
// (docs.discord.com/developers/topics/opcodes-and-status-codes), and by its
// status where there is none. Its message is prose and is not read.
func sortError(ans wire.Answer) *channel.SendError {
	e := wire.StatusError(ans)
	var said struct {
		Code  int64   `json:"code"`
		After float64 `json:"retry_after"`
	}
	if json.Unmarshal(ans.Body, &said) != nil {
		return e
	}
	if ans.Status == http.StatusTooManyRequests && said.After > 0 && !math.IsInf(said.After, 0) {
		e.RetryAfter = wire.Seconds(strconv.FormatFloat(said.After, 'f', 3, 64))
	}
	if said.Code <= 0 || ans.Status >= http.StatusInternalServerError {
		return e
	}
	e.Code = strconv.FormatInt(said.Code, 10)
	if ans.Status != http.StatusTooManyRequests {
		e.Class = class(said.Code, e.Class)
	}
	return e
}

// class is what a code means for the next attempt.
func class(code int64, otherwise channel.Class) channel.Class {
	switch code {
	case 10015, // the token of an interaction is not known, or not any more
		10062, // nor the interaction
		50027, // not valid
		40060, // answered already, and in another way
		40094: // five follow-ups, for an app that only the person installed
		return channel.Window
	case 50007, // the person takes no messages of this bot
		50278, // or shares no server with it
		50009, // or is not verified enough for it
		10003, // no such channel
		10013, // no such user
		10004, // no such server
		50001, // the bot cannot see the channel
		50013: // or may not write there
		return channel.Gone
	case 20016, 20028, 20029, // slow mode, and limits on writing
		40003, 40004, 40006, 40062, // too fast, or switched off for a while
		110000, 110001, 130000, // overloaded
		40333: // stopped before it reached Discord
		return channel.Retry
	case 40001, 40002, 50014, 20012: // the bot's token, or its account
		return channel.Auth
	case 0:
		return otherwise
	}
	if otherwise == channel.Auth || otherwise == channel.Retry || otherwise == channel.Unknown {
		return otherwise
	}
	return channel.Bad
}
