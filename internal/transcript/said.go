package transcript

import "github.com/sotto-chat/sotto/internal/codec"

// Said is what a row seals: one turn.
type Said struct {
	In     string   // what the person wrote
	Button string   // what a pressed button carried
	Out    []string // what the bot answered
}

// saidForm is the version of the form in which turns are sealed.
const saidForm = 1

// Encode returns the plain form of a turn, to be sealed.
func (s *Said) Encode() []byte {
	size := 16 + len(s.In) + len(s.Button)
	for _, o := range s.Out {
		size += 4 + len(o)
	}
	w := codec.NewWriter(saidForm, size)
	w.Str(s.In)
	w.Str(s.Button)
	w.Len(len(s.Out))
	for _, o := range s.Out {
		w.Str(o)
	}
	return w.Bytes()
}

// Decode reads the plain form of a turn. Anything else is an error of
// sotto.KindCorrupt.
func (s *Said) Decode(b []byte) error {
	r := codec.NewReader(b, saidForm)
	s.In, s.Button = r.Str(), r.Str()
	if n := r.Len(); n > 0 {
		s.Out = make([]string, n)
	}
	for i := range s.Out {
		s.Out[i] = r.Str()
	}
	return r.End()
}
