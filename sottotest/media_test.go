package sottotest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/server"
	"github.com/sotto-chat/sotto/sottotest"
)

// A bot that looks at pictures says so by being a MediaBot. It gets what was sent
// along when it asks for it, without place and device.
func ExampleSotto_SendFile() {
	bot := sotto.MediaFunc(func(ctx context.Context, t *sotto.Turn) error {
		for i := range t.Attachments {
			f, err := t.Fetch(ctx, i)
			if err != nil {
				return err
			}
			c, _, err := image.DecodeConfig(bytes.NewReader(f.Data))
			if err != nil {
				return err
			}
			t.Reply(fmt.Sprintf("It is %d pixels wide.", c.Width))
		}
		return nil
	})
	testBot := func(t *testing.T) {
		t.Helper()
		s := sottotest.Start(t, bot)
		s.SendFile("41", "", "photo.jpg", "image/jpeg", photo(t, 40))
		if got := s.Replies("41"); got[0] != "It is 40 pixels wide." {
			t.Errorf("the person got %q", got)
		}
	}
	_ = testBot // func TestBot(t *testing.T) in your own package
}

const (
	inMaker  = "canary-maker-v8xkw"
	inPlace  = "canary-place-n5tqd"
	inPhoto  = "canary-photo-c2jrm" // the name of the file
	inLetter = "canary-letter-y6pzs"
)

// photo is a picture with the traces of a camera.
func photo(tb testing.TB, width int) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, width, 30)), nil); err != nil {
		tb.Fatal(err)
	}
	tiff := []byte("II*\x00\x08\x00\x00\x00\x01\x00\x0f\x01\x02\x00")
	tiff = binary.LittleEndian.AppendUint32(tiff, uint32(len(inMaker)))
	tiff = append(binary.LittleEndian.AppendUint32(tiff, 26), 0, 0, 0, 0)
	tiff = append(tiff, inMaker...)
	segment := func(body string) string {
		return "\xff\xe1" + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))) + body
	}
	return []byte("\xff\xd8" + segment("Exif\x00\x00"+string(tiff)) + segment("http://ns.adobe.com/xap/1.0/\x00<x>"+inPlace+"</x>") + b.String()[2:])
}

// held is what of a copy is looked at.
type held struct {
	Held bool `json:"held"`
	Also struct {
		Media []struct {
			Type string `json:"type"`
			Data []byte `json:"data"`
		} `json:"media"`
	} `json:"also"`
}

func TestMedia(t *testing.T) {
	t.Parallel()
	ahead := time.Duration(0)
	var got []*sotto.File
	bot := sotto.MediaFunc(func(ctx context.Context, turn *sotto.Turn) error {
		for i, a := range turn.Attachments {
			f, err := turn.Fetch(ctx, i)
			if err != nil {
				turn.Reply("refused: " + sotto.KindOf(err).String())
				continue
			}
			got = append(got, f)
			turn.Reply(fmt.Sprintf("%s %s %s is %s: %s", a.Kind, a.MIME, a.Ext, f.MIME, turn.Text))
		}
		return nil
	})
	s := sottotest.Start(t, bot, sottotest.Config{Now: func() time.Time { return time.Now().Add(ahead) }})
	in := photo(t, 40)
	s.SendFile("41", "look, "+email, inPhoto+".jpg", "image/png", in)
	s.SendFile("41", "", inPhoto+".txt", "text/plain", []byte("this is "+inLetter))
	s.SendFile("41", "", "page.gif", "image/gif", []byte("<html>"+inLetter))
	replies := strings.Join(s.Replies("41"), "|")
	if want := "file image/png .jpg is image/jpeg: look, " + email + "|file text/plain .txt is text/plain: |refused: invalid"; replies != want {
		t.Errorf("the person got %q, want %q", replies, want)
	}
	if len(got) != 2 || bytes.Contains(got[0].Data, []byte("canary")) || bytes.Contains(got[0].Data, []byte("Exif")) {
		t.Fatal("the bot sees place and device")
	}
	if _, err := jpeg.Decode(bytes.NewReader(got[0].Data)); err != nil {
		t.Error(err)
	}
	for _, text := range []string{inMaker, inPlace, inPhoto, inLetter, email, string(in[len(in)-60:])} {
		if at := s.Search(text); len(at) > 0 {
			t.Errorf("%.20q is at rest in %v", text, at)
		}
	}
	var b held
	if err := json.Unmarshal(s.Export("41"), &b); err != nil {
		t.Fatal(err)
	}
	if m := b.Also.Media; len(m) != 2 || m[0].Type != "image/jpeg" || !bytes.Equal(m[0].Data, got[0].Data) || !strings.Contains(string(m[1].Data), inLetter) {
		t.Errorf("the copy has %d files", len(m))
	}
	// Its own last day comes before that of the texts.
	s.Stop()
	ahead = 25 * time.Hour
	s.Restart()
	var r server.Report
	if err := s.Operate(server.OpRetention, server.Retention{}, &r); err != nil {
		t.Fatal(err)
	}
	b = held{}
	out := s.Export("41")
	if err := json.Unmarshal(out, &b); err != nil || len(b.Also.Media) != 0 || !b.Held {
		t.Errorf("after a day: %d files, %v", len(b.Also.Media), err)
	}
	if bytes.Contains(out, []byte(base64.StdEncoding.EncodeToString([]byte("this is "+inLetter)))) {
		t.Error("the file is still in the copy")
	}
	s.SendFile("41", "", "b.jpg", "image/jpeg", in)
	s.Settle()
	if err := json.Unmarshal(s.Export("41"), &b); err != nil || len(b.Also.Media) != 1 {
		t.Errorf("%d files, %v", len(b.Also.Media), err)
	}
	s.Erase("41")
	b = held{}
	if err := json.Unmarshal(s.Export("41"), &b); err != nil || len(b.Also.Media) != 0 || b.Held {
		t.Errorf("after the erasure %d files, %v", len(b.Also.Media), err)
	}
	if s.Verify() == 0 {
		t.Error("the log is empty")
	}
}

// A file may be larger than an answer of the network's API, up to the bound that
// the operator sets; with a retention of nothing it is for the turn only.
func TestMediaSettings(t *testing.T) {
	t.Parallel()
	s := sottotest.Start(t, sotto.MediaFunc(func(ctx context.Context, turn *sotto.Turn) error {
		f, err := turn.Fetch(ctx, 0)
		if err != nil {
			turn.Reply("refused: " + sotto.KindOf(err).String())
			return nil
		}
		turn.Reply(fmt.Sprint(f.MIME, " ", len(f.Data)))
		return nil
	}), sottotest.Config{Settings: "media: { limit: 4MiB, retention: 0s, types: [text/plain] }"})
	s.SendFile("41", "", "a.txt", "text/plain", bytes.Repeat([]byte("text"), 3<<18))
	s.SendFile("41", "", "b.txt", "text/plain", bytes.Repeat([]byte("text"), 1<<20+1))
	s.SendFile("41", "", "c.jpg", "image/jpeg", photo(t, 10))
	if got := strings.Join(s.Replies("41"), "|"); got != "text/plain 3145728|refused: invalid|refused: invalid" {
		t.Errorf("the person got %q", got)
	}
	var b held
	if err := json.Unmarshal(s.Export("41"), &b); err != nil || len(b.Also.Media) != 0 {
		t.Errorf("%d files are kept, %v", len(b.Also.Media), err)
	}
}

// A bot that did not ask for attachments is not shown any, and nothing is
// fetched: the person is told to write in words.
func TestMediaNotAsked(t *testing.T) {
	t.Parallel()
	s := sottotest.Start(t, sotto.BotFunc(func(_ context.Context, turn *sotto.Turn) error {
		turn.Reply(fmt.Sprintf("%s %d %v", turn.Text, len(turn.Attachments), turn.Fetch == nil))
		return nil
	}))
	s.SendFile("41", "", "a.jpg", "image/jpeg", photo(t, 10))
	s.SendFile("41", "with words", "a.jpg", "image/jpeg", photo(t, 10))
	got := s.Replies("41")
	if len(got) != 2 || !strings.Contains(got[0], "in words") || got[1] != "with words 0 true" {
		t.Errorf("the person got %q", got)
	}
	if bytes.Contains(s.LeftTheHouse(), []byte("getFile")) {
		t.Error("a file was fetched that nobody asked for")
	}
}
