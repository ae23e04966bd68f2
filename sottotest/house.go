package sottotest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/sotto-chat/sotto/channel/channeltest"
)

// recorder writes down every call before the network gets it.
type recorder struct {
	to *channeltest.Network

	mu  sync.Mutex
	all bytes.Buffer
}

// maxCall is more than any call of a bot has.
const maxCall = 64 << 20

// ServeHTTP writes down and passes on.
func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxCall))
	if err != nil {
		return // the caller went away
	}
	head, err := httputil.DumpRequest(req, false)
	if err != nil {
		return
	}
	r.mu.Lock()
	r.all.Write(head)
	r.all.Write(body)
	r.all.WriteString("\r\n")
	r.mu.Unlock()
	req.Body = io.NopCloser(bytes.NewReader(body))
	r.to.ServeHTTP(w, req)
}

// LeftTheHouse returns every byte that the server has sent to the networks
// since the start: request lines, headers and bodies, in order.
func (s *Sotto) LeftTheHouse() []byte {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return bytes.Clone(s.out.all.Bytes())
}

// Log returns everything that the server has written to its log, at level
// debug, and to its standard output.
func (s *Sotto) Log() string { return string(s.log.bytes()) }

// Files returns what is at rest: every file of the server, data, keys, log head
// and configuration, by its path below [Sotto.Dir]; its log as "log"; and its
// metrics, if it runs, as "metrics".
func (s *Sotto) Files() map[string][]byte {
	s.t.Helper()
	out := map[string][]byte{"log": s.log.bytes()}
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone between listing and looking: a database's own business
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path) //nolint:gosec // the test's own directory
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.root, path)
		out[filepath.ToSlash(rel)] = b
		return err
	})
	s.must(err)
	if s.serve != nil {
		out["metrics"] = s.get("/metrics")
	}
	return out
}

func (s *Sotto) get(path string) []byte {
	s.t.Helper()
	ctx, cancel := s.patience()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+path, http.NoBody)
	s.must(err)
	resp, err := s.http.Do(r)
	s.must(err)
	b, err := io.ReadAll(resp.Body)
	s.must(errors.Join(err, resp.Body.Close()))
	return b
}

// Search looks for a text in [Sotto.Files] and returns where it is, as "file:
// form". The forms are the text itself, in letters of either case, reversed, in
// UTF-16 of both byte orders, in hexadecimal digits, in base64 (both alphabets,
// wherever it begins in what is encoded), and percent-encoded. A text should be
// long enough, 6 bytes at least, not to be found by chance.
func (s *Sotto) Search(text string) []string {
	s.t.Helper()
	return Search(s.Files(), text)
}

// Search is [Sotto.Search] in files of the caller's choice.
func Search(files map[string][]byte, text string) []string {
	forms := formsOf(text)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b := files[name]
		var lower []byte
		for _, f := range forms {
			in := b
			if f.fold {
				if lower == nil {
					lower = fold(b)
				}
				in = lower
			}
			if bytes.Contains(in, f.bytes) {
				out = append(out, name+": "+f.name)
			}
		}
	}
	return out
}

// fold returns b with the letters A to Z in lower case, and all other bytes as
// they are: most files are no text.
func fold(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// form is one way in which a text can stand in bytes.
type form struct {
	name  string
	bytes []byte
	fold  bool // bytes are lower case, and so must be what is searched
}

func formsOf(text string) []form {
	low := fold([]byte(text))
	out := []form{{"plain", low, true}, {"hex", []byte(hex.EncodeToString([]byte(text))), true}}
	reversed := []rune(string(low))
	slices.Reverse(reversed)
	out = append(out, form{"reversed", []byte(string(reversed)), true})
	units := utf16.Encode([]rune(text))
	little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	out = append(out, form{"utf-16le", little, false}, form{"utf-16be", big, false})
	for i := range 3 {
		out = append(
			out,
			form{fmt.Sprintf("base64+%d", i), inBase64(base64.RawStdEncoding, text, i), false},
			form{fmt.Sprintf("base64url+%d", i), inBase64(base64.RawURLEncoding, text, i), false},
		)
	}
	var all strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&all, "%%%02x", c)
	}
	out = append(out, form{"percent", []byte(all.String()), true})
	for _, q := range []string{url.QueryEscape(text), url.PathEscape(text)} {
		if q != text {
			out = append(out, form{"percent", fold([]byte(q)), true})
		}
	}
	// What is too short in some form would be found everywhere.
	return slices.DeleteFunc(out, func(f form) bool { return len(f.bytes) < 4 })
}

// inBase64 is the part of an encoding that does not depend on what stands
// before and behind, if before bytes (modulo 3) stand before.
func inBase64(enc *base64.Encoding, text string, before int) []byte {
	b := append(make([]byte, before), text...)
	whole := len(b) / 3 * 3 // bytes beyond share a digit with what follows
	skip := 0
	if before > 0 {
		skip = 4
	}
	digits := enc.EncodeToString(b[:whole])
	if len(digits) <= skip {
		return nil
	}
	return []byte(digits[skip:])
}
