package media

import (
	"encoding/binary"
	"slices"
)

// cleanRIFF keeps the chunks of a WebP image or a WAV sound that are needed.
func cleanRIFF(in []byte) (mime string, clean []byte, err error) {
	switch string(in[8:12]) {
	case "WEBP":
		clean, err = cleanWebP(in)
		return "image/webp", clean, err
	case "WAVE":
		clean, err = cleanWAV(in)
		return "audio/wav", clean, err
	}
	return "", nil, errUnknown
}

// chunks calls f for each chunk of in: its name, its content, and all of it with
// its padding. A last chunk that is cut off is an error, except for one named last.
func chunks(in []byte, last string, f func(name string, body, whole []byte)) error {
	for len(in) > 0 {
		if len(in) < 8 {
			return errDamaged
		}
		name, n := string(in[:4]), int64(binary.LittleEndian.Uint32(in[4:]))
		if n > int64(len(in)-8) {
			if name != last {
				return errDamaged
			}
			n = int64(len(in) - 8)
			binary.LittleEndian.PutUint32(in[4:], uint32(n)) //nolint:gosec // within the file
		}
		end := min(8+n+n&1, int64(len(in)))
		f(name, in[8:8+n], in[:end])
		in = in[end:]
	}
	return nil
}

// inside returns the content of the outer chunk; what follows it goes.
func inside(in []byte) []byte {
	n := int64(binary.LittleEndian.Uint32(in[4:])) + 8
	return in[12:max(12, min(n, int64(len(in))))]
}

func finishRIFF(out []byte) []byte {
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8)) //nolint:gosec // within the file
	return out
}

func appendWhole(out, whole []byte) []byte {
	out = append(out, whole...)
	if len(whole)&1 == 1 {
		out = append(out, 0)
	}
	return out
}

// cleanWebP keeps image, animation and colour profile (RFC 9649, 2), and the
// orientation.
func cleanWebP(in []byte) ([]byte, error) {
	const exif, xmp = 0x08, 0x04
	out := append(make([]byte, 0, len(in)+64), in[:12]...)
	flags, turn, image := -1, 0, false
	if body := inside(in); !has(body, "VP8X") && !has(body, "VP8 ") && !has(body, "VP8L") {
		return nil, errDamaged
	}
	err := chunks(inside(in), "", func(name string, body, whole []byte) {
		switch name {
		case "VP8X":
			if flags < 0 && len(body) >= 10 {
				flags = len(out) + 8
				whole[8] &^= exif | xmp
				out = appendWhole(out, whole)
			}
		case "VP8 ", "VP8L":
			image = true
			out = appendWhole(out, whole)
		case "ALPH", "ANIM":
			out = appendWhole(out, whole)
		case "ICCP":
			cleanICC(body)
			out = appendWhole(out, whole)
		case "ANMF":
			image = true
			out = appendFrame(out, body)
		case "EXIF":
			if has(body, "Exif\x00\x00") {
				body = body[6:]
			}
			turn = orientation(body)
		}
	})
	if err != nil || !image {
		return nil, errDamaged
	}
	if turn != 0 && flags >= 0 {
		out[flags] |= exif
		t := onlyOrientation(turn)
		out = append(out, "EXIF"...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(t))) //nolint:gosec // 26
		out = append(out, t...)
	}
	return finishRIFF(out), nil
}

// appendFrame adds a frame of an animation without chunks that are unknown.
func appendFrame(out, body []byte) []byte {
	if len(body) < 16 {
		return out
	}
	at := len(out)
	out = append(out, "ANMF\x00\x00\x00\x00"...)
	out = append(out, body[:16]...)
	err := chunks(body[16:], "", func(name string, _, whole []byte) {
		if name == "ALPH" || name == "VP8 " || name == "VP8L" {
			out = appendWhole(out, whole)
		}
	})
	if err != nil {
		return out[:at]
	}
	binary.LittleEndian.PutUint32(out[at+4:], uint32(len(out)-at-8)) //nolint:gosec // within the file
	return out
}

// cleanWAV keeps the form of the sound and the sound.
func cleanWAV(in []byte) ([]byte, error) {
	keep := []string{"fmt ", "data", "fact", "cue ", "smpl", "inst", "wavl", "slnt", "PEAK"}
	out := append(make([]byte, 0, len(in)+16), in[:12]...)
	sound := false
	err := chunks(inside(in), "data", func(name string, _, whole []byte) {
		if slices.Contains(keep, name) {
			sound = sound || name == "data"
			out = appendWhole(out, whole)
		}
	})
	if err != nil || !sound {
		return nil, errDamaged
	}
	return finishRIFF(out), nil
}
