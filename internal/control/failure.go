package control

import (
	"encoding/json"
	"errors"

	"github.com/sotto-chat/sotto"
)

// failure is an error on its way over the socket. Kinds go by name, so that
// two versions of the program understand each other.
type failure struct {
	Op   string `json:"op,omitempty"`
	Kind string `json:"kind"`
	Text string `json:"text,omitempty"`
}

// encodeFailure writes an error on one line of ASCII, as a trailer needs it.
func encodeFailure(err error) []byte {
	f := failure{Kind: sotto.KindOf(err).String(), Text: err.Error()}
	var e *sotto.Error
	if errors.As(err, &e) && e.Error() == err.Error() && e.Kind == sotto.KindOf(err) { // it is the outermost
		f.Op, f.Text = e.Op, ""
		if e.Err != nil {
			f.Text = e.Err.Error()
		}
	}
	b, _ := json.Marshal(f) //nolint:errchkjson // three plain strings
	return ascii(b)
}

// ascii escapes what is not ASCII in a JSON text, where it stands in strings
// only.
func ascii(b []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r)) //nolint:gosec // below 0x7f
		case r > 0xffff:
			r -= 0x10000
			for _, u := range []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff} {
				out = append(out, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
			}
		default:
			out = append(out, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
	}
	return out
}

// decodeFailure makes an error out of what encodeFailure wrote. An error that
// had no operation gets that of the call.
func decodeFailure(op string, b []byte) error {
	var f failure
	if err := json.Unmarshal(b, &f); err != nil || f.Kind == "" {
		return sotto.E("control.call", sotto.KindUnavailable, errors.New("the server's answer is not understood"))
	}
	if f.Op != "" {
		op = f.Op
	}
	var cause error
	if f.Text != "" {
		cause = errors.New(f.Text)
	}
	return sotto.E(op, kindNamed(f.Kind), cause)
}

func kindNamed(name string) sotto.Kind {
	for k := sotto.KindOther; k <= sotto.KindUnavailable; k++ {
		if k.String() == name {
			return k
		}
	}
	return sotto.KindOther // a newer version's
}
