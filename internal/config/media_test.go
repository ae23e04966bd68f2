package config

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMediaProblems(t *testing.T) {
	runProblems(t, []problemTest{
		{"ranges", chat + `
media: { limit: 1KiB, retention: 31d, types: [image, "*/*", "Image/PNG", "a/b/c"], timeout: 11m }
`, []string{
			`sotto.yaml:3: media.limit: has to be between 64KiB and 64MiB`,
			`sotto.yaml:3: media.timeout: has to be between 1s and 10m`,
			`sotto.yaml:3: media.retention: is longer than that of the purpose reply, which is what people are told`,
			`sotto.yaml:3: media.types: want types such as image/png or image/*`,
		}},
		{"less than nothing", chat + "media: { limit: 65MiB, retention: -1h, types: [] }\n", []string{
			`sotto.yaml:2: media.limit: has to be between 64KiB and 64MiB`,
			`sotto.yaml:2: media.retention: cannot be less than nothing; 0s keeps no files`,
			`sotto.yaml:2: media.types: is empty; leave it out, or name what bots may fetch`,
		}},
	})
}

// What is kept of files ends, unless it is said, with what is kept of texts.
func TestMediaDefaults(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Media
	}{
		{chat, Media{16 << 20, day, mediaTypes(), 30 * time.Second}},
		{chat + "purposes: { reply: { retention: 6h } }\n", Media{16 << 20, 6 * time.Hour, mediaTypes(), 30 * time.Second}},
		{chat + "media: { limit: 1MiB, retention: 0s, types: [image/png], timeout: 5s }\n", Media{1 << 20, 0, []string{"image/png"}, 5 * time.Second}},
		{chat + "media: { retention: 30d }\n", Media{16 << 20, 30 * day, mediaTypes(), 30 * time.Second}},
	} {
		dir := t.TempDir()
		path := write(t, dir, "sotto.yaml", tt.text, 0o600)
		c, err := Load(path, environment(t, "SOTTO_KEK", "x"))
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(path), err)
		}
		if diff := cmp.Diff(tt.want, c.Media); diff != "" {
			t.Error(diff)
		}
	}
}
