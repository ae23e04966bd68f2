// Command echo is the smallest bot: it says back what it was told. It runs in
// development mode, on this machine only, with its data in ./sotto-data; open
// the address that it prints. It answers masked text: try an e-mail address.
package main

import (
	"context"
	"log"
	"os"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/server"
)

func main() {
	bot := sotto.BotFunc(func(_ context.Context, t *sotto.Turn) error {
		t.Reply("You said: " + t.Text)
		return nil
	})
	s, err := server.New(server.Config{Out: os.Stdout}, bot)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.Run(context.Background()))
}
