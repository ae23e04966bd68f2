package media

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// mutations is how often each sample is damaged.
const mutations = 500

// damage changes a few bytes, often those that say a length, or cuts, or doubles.
func damage(r *rand.Rand, in []byte) []byte {
	b := bytes.Clone(in)
	for range 1 + r.IntN(4) {
		if len(b) < 8 {
			return b
		}
		at := r.IntN(len(b) - 4)
		if r.IntN(3) > 0 {
			at = r.IntN(min(len(b)-4, 400)) // heads are in front
		}
		switch r.IntN(7) {
		case 0:
			b[at] = byte(r.Uint32())
		case 1:
			b[at] ^= 1 << r.IntN(8)
		case 2:
			binary.BigEndian.PutUint32(b[at:], []uint32{0, 1, 7, 8, 9, 0xffff, 0x7fffffff, 0xffffffff, uint32(len(b)), uint32(len(b) - at)}[r.IntN(10)])
		case 3:
			binary.LittleEndian.PutUint32(b[at:], uint32(r.IntN(len(b))))
		case 4:
			b = b[:at]
		case 5:
			n := min(r.IntN(64), len(b)-at)
			b = slices.Insert(b, at, bytes.Clone(b[at:at+n])...)
		case 6:
			b = slices.Delete(b, at, at+min(r.IntN(16), len(b)-at))
		}
	}
	return b
}

// Whatever was done to a file: cleaning ends, a clean file stays as it is, and
// what decoded before decodes to the same pixels.
func TestMutations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) // the same every time
	for name, in := range samples(t) {
		accepted := 0
		for range mutations {
			bad := damage(r, in)
			mime, out, err := Clean(bytes.Clone(bad))
			if err != nil {
				continue
			}
			accepted++
			mime2, again, err := Clean(bytes.Clone(out))
			if err != nil || mime2 != mime || !bytes.Equal(again, out) {
				t.Errorf("%s: %s, then %s, %v: %d bytes, then %d; %x", name, mime, mime2, err, len(out), len(again), bad[:min(len(bad), 2000)])
				break
			}
			before, err := pixelsOf(bad)
			if err != nil {
				continue
			}
			after, err := pixelsOf(out)
			if err != nil {
				t.Errorf("%s does not decode any more: %v; %x", name, err, bad)
				break
			}
			samePixels(t, before, after)
		}
		if accepted == 0 {
			t.Errorf("%s: none was taken", name)
		}
	}
}
