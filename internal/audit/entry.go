package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sotto-chat/sotto"
)

// Entry is one entry of the log, as it is read.
type Entry struct {
	Index int64
	Time  time.Time // UTC, to the millisecond
	Kind  string
	Who   Commitment // zero: nobody
	Acts  []Act
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// ParseEntry reads the stored bytes of an entry. It accepts only the one form
// that the log writes, so that an entry and its bytes say the same.
func ParseEntry(data []byte) (Entry, error) {
	const op = "audit.entry"
	var raw struct {
		Index int64  `json:"i"`
		Time  string `json:"t"`
		Kind  string `json:"kind"`
		Who   string `json:"who"`
		Acts  []Act  `json:"acts"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Entry{}, sotto.E(op, sotto.KindCorrupt, errors.New("it is not the JSON of an entry"))
	}
	at, err := time.Parse(timeLayout, raw.Time)
	if err != nil {
		return Entry{}, sotto.E(op, sotto.KindCorrupt, errors.New("its time is not one that the log writes"))
	}
	e := Entry{Index: raw.Index, Time: at, Kind: raw.Kind, Acts: raw.Acts}
	if who, err := hex.DecodeString(raw.Who); err == nil && len(who) == len(e.Who) {
		copy(e.Who[:], who)
	}
	trail := Trail{Kind: e.Kind, Who: e.Who, acts: e.Acts}
	if !bytes.Equal(appendEntry(nil, e.Index, e.Time, &trail), data) {
		return Entry{}, sotto.E(op, sotto.KindCorrupt, errors.New("it is not written as the log writes"))
	}
	return e, nil
}

// saysIndex returns the index that stands in the bytes of an entry.
func saysIndex(data []byte) (int64, error) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"i":`))
	digits, _, found := bytes.Cut(rest, []byte(","))
	if !ok || !found {
		return 0, errors.New("it has no index")
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("its index: %w", err)
	}
	return n, nil
}

// appendEntry writes an entry: compact JSON, fields in a fixed order, empty
// ones left out, as encoding/json would write it.
func appendEntry(b []byte, index int64, at time.Time, t *Trail) []byte {
	b = append(b, `{"i":`...)
	b = strconv.AppendInt(b, index, 10)
	b = append(b, `,"t":"`...)
	b = at.UTC().AppendFormat(b, timeLayout)
	b = append(b, `","kind":`...)
	b = appendText(b, t.Kind)
	if t.Who != (Commitment{}) {
		b = append(b, `,"who":"`...)
		b = hex.AppendEncode(b, t.Who[:])
		b = append(b, '"')
	}
	b = append(b, `,"acts":[`...)
	for i := range t.acts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendAct(b, &t.acts[i])
	}
	return append(b, `]}`...)
}

func appendAct(b []byte, a *Act) []byte {
	b = append(b, `{"verb":`...)
	b = appendText(b, a.Verb)
	b = appendField(b, `,"purpose":`, a.Purpose)
	b = appendField(b, `,"to":`, a.Recipient)
	b = appendList(b, `,"what":[`, a.What)
	if a.Denied {
		b = append(b, `,"denied":true`...)
	}
	b = appendList(b, `,"why":[`, a.Reasons)
	if a.Count != 0 {
		b = append(b, `,"n":`...)
		b = strconv.AppendInt(b, a.Count, 10)
	}
	b = appendField(b, `,"ref":`, a.Ref)
	return append(b, '}')
}

func appendField(b []byte, name, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(append(b, name...), s)
}

func appendList(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, name...)
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, s)
	}
	return append(b, ']')
}

// appendText writes a JSON string. Bytes that are no UTF-8 become U+FFFD.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && r != '\u2028' && r != '\u2029' && (r != utf8.RuneError || n > 1) {
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		b = appendEscape(b, r)
		i += n
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	if r == utf8.RuneError {
		return utf8.AppendRune(b, r)
	}
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
