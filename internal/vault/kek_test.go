package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sotto-chat/sotto"
)

func sameKEK(a, b KEK) bool { return !a.IsZero() && !b.IsZero() && *a.bytes() == *b.bytes() }

func TestParseKEK(t *testing.T) {
	k := NewKEK()
	raw := k.bytes()[:]
	text := strings.Repeat("a2", 16)
	for name, in := range map[string][]byte{
		"raw":         raw,
		"file":        k.Encode(),
		"hex":         []byte(hex.EncodeToString(raw)),
		"upper":       []byte(strings.ToUpper(hex.EncodeToString(raw))),
		"spaced hex":  []byte(" \t" + hex.EncodeToString(raw) + "\r\n"),
		"base64":      []byte(base64.StdEncoding.EncodeToString(raw) + "\n"),
		"base64 bare": []byte(base64.RawStdEncoding.EncodeToString(raw)),
	} {
		if got, err := ParseKEK(in); err != nil || !sameKEK(got, k) {
			t.Errorf("%s: %v", name, err)
		}
	}
	marked := append([]byte{0x81}, bytes.Repeat([]byte{0x90}, 31)...)
	if _, err := ParseKEK(append(bytes.Clone(marked), '\n')); err != nil {
		t.Errorf("raw with a line feed: %v", err)
	}
	for name, in := range map[string]string{
		"empty":               "",
		"space":               "  \n",
		"password":            text,
		"zero":                strings.Repeat("\x00", 32),
		"zero hex":            strings.Repeat("0", 64),
		"short":               text[:31],
		"not hex":             strings.Repeat("g", 64),
		"not base64":          strings.Repeat("!", 44),
		"33 bytes in base64":  strings.Repeat("QUJD", 11),
		"loose end of base64": strings.Repeat("A", 41) + "AB=",
		"broken by a line":    strings.Repeat("A", 20) + "\n" + strings.Repeat("A", 23),
	} {
		got, err := ParseKEK([]byte(in))
		if err == nil || !got.IsZero() {
			t.Errorf("%s is taken", name)
		}
		if len(in) > 20 && err != nil && strings.Contains(err.Error(), in[:8]) {
			t.Errorf("%s: the error holds the content: %v", name, err)
		}
	}
}

// What is accepted is a key that is written and read back as itself, and no
// error repeats the input.
func FuzzParseKEK(f *testing.F) {
	f.Add(NewKEK().Encode())
	f.Add(bytes.Repeat([]byte{0x80}, 32))
	f.Add([]byte(strings.Repeat("QUJD", 11)))
	f.Fuzz(func(t *testing.T, in []byte) {
		k, err := ParseKEK(in)
		if err != nil {
			if len(in) >= 16 && strings.Contains(err.Error(), string(in)) {
				t.Error("the error repeats the input")
			}
			return
		}
		again, err := ParseKEK(k.Encode())
		if err != nil || !sameKEK(again, k) {
			t.Errorf("not read back: %v", err)
		}
	})
}

// Neither type tells its content, however it is printed, logged or marshalled.
func TestSecretsDoNotPrint(t *testing.T) {
	k := NewKEK()
	s := Sealed{b: append([]byte{sealedVersion}, bytes.Repeat([]byte{0xab}, 40)...)}
	holder := struct {
		k KEK
		K KEK
		S Sealed
	}{k, k, s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", k, &k, &s)
		if verb != "%p" { // which asks for an address: sealed bytes have one
			fmt.Fprintf(&out, verb+verb+"\n", s, holder)
		}
		fmt.Fprintf(&out, verb+"\n", struct{ k, K KEK }{k, k})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).InfoContext(t.Context(), "x", slog.Any("key", k), slog.Any("sealed", s), slog.Any("both", holder))
	}
	fmt.Fprint(&out, k.String(), s.String())
	for _, form := range []string{fmt.Sprintf("%x", k.bytes()[:4]), fmt.Sprintf("%X", k.bytes()[:4]), fmt.Sprintf("%d %d %d", k.bytes()[0], k.bytes()[1], k.bytes()[2]), "abab", "171 171", "\xab\xab"} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q is printed", form)
		}
	}
	if got := fmt.Sprintf("%v %d %s %x", k, k, s, s); got != "key key sealed sealed" {
		t.Errorf("printed as %q", got)
	}
	for _, v := range []any{k, s, &k, &s, holder} {
		if b, err := json.Marshal(v); err == nil {
			t.Errorf("marshalled as JSON: %s", b)
		}
		if err := gob.NewEncoder(&out).Encode(v); err == nil {
			t.Errorf("marshalled by gob: %T", v)
		}
	}
	for _, m := range []interface{ MarshalText() ([]byte, error) }{k, s} {
		if _, err := m.MarshalText(); err == nil {
			t.Error("marshalled as text")
		}
	}
	for _, m := range []interface{ MarshalBinary() ([]byte, error) }{k, s} {
		if _, err := m.MarshalBinary(); err == nil {
			t.Error("marshalled as bytes")
		}
	}
	if (KEK{}).Encode() != nil {
		t.Error("no key is encoded")
	}
}

func TestSealedInTheDatabase(t *testing.T) {
	v := open(t, newConfig(t))
	s := seal(t, v, refOf(anna), Reply, july, "text")
	val, err := s.Value()
	if err != nil {
		t.Fatal(err)
	}
	b, ok := val.([]byte)
	if !ok || len(b) != s.Len() {
		t.Fatalf("stored as %T", val)
	}
	b = bytes.Clone(b)
	var back Sealed
	if err := back.Scan(b); err != nil {
		t.Fatal(err)
	}
	clear(b) // the driver's memory is used again
	wantOpen(t, v, refOf(anna), back, "text")
	if val, err := (Sealed{}).Value(); val != nil || err != nil {
		t.Errorf("nothing is stored as %v, %v", val, err)
	}
	if err := back.Scan(nil); err != nil || back.Len() != 0 {
		t.Errorf("NULL: %v, %d", err, back.Len())
	}
	for _, bad := range []any{"text", 7, []byte{}, make([]byte, overhead), []byte{sealedVersion}} {
		wantKind(t, back.Scan(bad), sotto.KindCorrupt)
	}
	_, err = v.open(t.Context(), refOf(anna), Sealed{})
	wantKind(t, err, sotto.KindCorrupt)
}

func env(kv map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := kv[k]; return v, ok }
}

func write(tb testing.TB, path string, mode os.FileMode, content []byte) {
	tb.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		tb.Fatal(err)
	}
}

func TestLoadKEK(t *testing.T) {
	k := NewKEK()
	dir, creds := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "key"), 0o600, k.Encode())
	write(t, filepath.Join(dir, "open"), 0o640, k.Encode())
	write(t, filepath.Join(dir, "writable"), 0o602, k.Encode())
	write(t, filepath.Join(dir, "long"), 0o600, make([]byte, maxKeyFile+1))
	write(t, filepath.Join(dir, "bad"), 0o600, []byte("topsecret-but-wrong"))
	write(t, filepath.Join(creds, "kek"), 0o444, k.Encode())
	if err := os.Symlink(filepath.Join(creds, "kek"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "open"), filepath.Join(creds, "out")); err != nil {
		t.Fatal(err)
	}
	some := map[string]string{"KEY": string(k.Encode()), "EMPTY": "", credentialsDir: creds}
	for _, ref := range []string{
		"file:" + filepath.Join(dir, "key"), "file:" + filepath.Join(creds, "kek"), "file:" + filepath.Join(dir, "link"),
		"env:KEY", "credential:kek",
	} {
		if got, err := LoadKEK(t.Context(), ref, env(some)); err != nil || !sameKEK(got, k) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	for _, c := range []struct {
		ref  string
		env  map[string]string
		want sotto.Kind
	}{
		{"file:" + filepath.Join(dir, "open"), some, sotto.KindDenied},
		{"file:" + filepath.Join(dir, "writable"), some, sotto.KindDenied},
		{"file:" + filepath.Join(creds, "out"), some, sotto.KindDenied}, // a link out of the guarded directory
		{"file:" + filepath.Join(creds, "kek"), nil, sotto.KindDenied},
		{"file:" + filepath.Join(dir, "none"), nil, sotto.KindNotFound},
		{"file:" + filepath.Join(dir, "key", "x"), nil, sotto.KindDenied},
		{"file:" + dir, nil, sotto.KindUnavailable},
		{"file:" + filepath.Join(dir, "long"), nil, sotto.KindInvalid},
		{"file:" + filepath.Join(dir, "bad"), nil, sotto.KindInvalid},
		{"env:NONE", some, sotto.KindNotFound},
		{"env:EMPTY", some, sotto.KindInvalid},
		{"credential:kek", nil, sotto.KindNotFound},
		{"credential:none", some, sotto.KindNotFound},
		{"credential:../kek", some, sotto.KindInvalid},
		{"credential:..", some, sotto.KindInvalid},
		{"credential:" + filepath.Join(creds, "kek"), some, sotto.KindInvalid},
		{"", some, sotto.KindInvalid},
		{"file:", some, sotto.KindInvalid},
		{"topsecret-but-wrong", some, sotto.KindInvalid},
		{"topsecret-but-wrong:x", some, sotto.KindInvalid},
	} {
		got, err := LoadKEK(t.Context(), c.ref, env(c.env))
		wantKind(t, err, c.want)
		if !got.IsZero() {
			t.Errorf("%s gives a key", c.ref)
		}
		if err != nil && strings.Contains(err.Error(), "topsecret") {
			t.Errorf("the error holds the content: %v", err)
		}
	}
	ctx, cancel := cancelled(t)
	cancel()
	_, err := LoadKEK(ctx, "env:KEY", env(some))
	wantKind(t, err, sotto.KindUnavailable)
}

func TestCreateKEKFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "key")
	k, err := CreateKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("file: %v %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v %v", info.Mode(), err)
	}
	got, err := LoadKEK(t.Context(), "file:"+path, env(nil))
	if err != nil || !sameKEK(got, k) {
		t.Errorf("not read back: %v", err)
	}
	before, _ := os.ReadFile(path)
	_, err = CreateKEKFile(path)
	wantKind(t, err, sotto.KindExists)
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("an existing key file was changed")
	}
	_, err = CreateKEKFile(filepath.Join(path, "below", "a-file"))
	wantKind(t, err, sotto.KindUnavailable)
}

func TestBeside(t *testing.T) {
	root := t.TempDir()
	at := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	for _, d := range []string{at("data", "sub"), at("keys"), at("data-2")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{at("data", "key"), at("data", "sub", "key"), at("keys", "key"), at("data-2", "key")} {
		write(t, f, 0o600, nil)
	}
	for link, to := range map[string]string{
		at("keys", "into"): at("data", "sub", "key"), at("data", "out"): at("keys", "key"), at("alias"): at("data"),
		at("keys", "later"): "../data/not-yet", at("loop"): at("loop"), at("future"): at("data", "future"),
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(at("data"))
	for _, c := range []struct {
		key, data string
		want      bool
	}{
		{at("data", "key"), at("data"), true},
		{at("data", "sub", "key"), at("data"), true},
		{"key", at("data"), true},
		{"../keys/key", ".", false},
		{at("keys", "key"), at("data"), false},
		{at("data-2", "key"), at("data"), false}, // a longer name is another directory
		{at("keys", "into"), at("data"), true},   // a link to the inside
		{at("data", "out"), at("data"), false},   // a link to the outside
		{at("data", "key"), at("alias"), true},   // a link as the directory
		{at("alias", "key"), at("data"), true},
		{at("keys", "later"), at("data"), true}, // a link to what is not there yet
		{at("keys", "key"), at("none", "yet"), false},
		{at("none", "yet", "key"), at("none"), true},
		{at("none", "key"), at("none", "yet"), false},
		{at("data", "future", "key"), at("future"), true},
		{at("keys", "key"), "/", true},
	} {
		if got, err := Beside(c.key, c.data); err != nil || got != c.want {
			t.Errorf("%s in %s: got %v, %v", c.key, c.data, got, err)
		}
	}
	for _, c := range [][2]string{{at("loop"), at("data")}, {at("keys", "key"), at("loop", "x")}} {
		_, err := Beside(c[0], c[1])
		wantKind(t, err, sotto.KindInvalid)
	}
	gone := filepath.Join(root, "gone")
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(gone)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	_, err := Beside("key", at("data"))
	wantKind(t, err, sotto.KindInvalid)
	if _, err := resolve("/x", 65); err == nil {
		t.Error("links without end are followed")
	}
	var pe *os.PathError
	if errors.As(syncDir(at("nowhere")), &pe); pe == nil {
		t.Error("a missing directory is synced")
	}
}
