module github.com/sotto-chat/sotto/channel/channeltest/oracle

go 1.26.0

replace github.com/sotto-chat/sotto => ../../..

require (
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

require (
	github.com/bwmarrin/discordgo v0.29.0
	github.com/go-telegram/bot v1.19.0
	github.com/line/line-bot-sdk-go/v8 v8.14.0
	github.com/slack-go/slack v0.35.0
	github.com/sotto-chat/sotto v0.0.0
)
