package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// maxICC is more than any colour profile of an image has.
const maxICC = 4 << 20

// cleanPNG keeps the chunks that make up the image and its colours (PNG 3rd
// edition, 11), of animations too, and the orientation.
func cleanPNG(in []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(in)+64), pngMagic...)
	turn, image := 0, false
	front := 0 // where the orientation goes: before the image
	for in = in[len(pngMagic):]; len(in) > 0; {
		if len(in) < 12 {
			return nil, errDamaged
		}
		n := int64(binary.BigEndian.Uint32(in))
		if n > int64(len(in)-12) {
			return nil, errDamaged
		}
		whole, name, body := in[:n+12], string(in[4:8]), in[8:n+8]
		in = in[n+12:]
		if (len(out) == len(pngMagic)) != (name == "IHDR") {
			return nil, errDamaged
		}
		switch name {
		case "IEND":
			if !image {
				return nil, errDamaged
			}
			out = appendChunk(out, "IEND", nil)
			if turn != 0 {
				tail := bytes.Clone(out[front:])
				out = append(appendChunk(out[:front], "eXIf", onlyOrientation(turn)), tail...)
			}
			return out, nil
		case "IDAT":
			if !image {
				image, front = true, len(out)
			}
			out = append(out, whole...)
		case "IHDR", "PLTE", "tRNS", "cHRM", "gAMA", "sRGB", "cICP", "mDCV", "cLLI", "sBIT", "bKGD", "hIST", "pHYs", "acTL", "fcTL", "fdAT":
			out = append(out, whole...)
		case "iCCP":
			out = appendICC(out, body)
		case "eXIf":
			turn = orientation(body)
		}
	}
	return nil, errDamaged
}

func appendChunk(out []byte, name string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body))) //nolint:gosec // within the file
	at := len(out)
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
}

// appendICC adds a colour profile that names no device. One that cannot be read
// is left out.
func appendICC(out, body []byte) []byte {
	i := bytes.IndexByte(body, 0)
	if i < 0 || i+2 > len(body) || body[i+1] != 0 {
		return out
	}
	r, err := zlib.NewReader(bytes.NewReader(body[i+2:]))
	if err != nil {
		return out
	}
	profile, err := io.ReadAll(io.LimitReader(r, maxICC+1))
	if err != nil || len(profile) > maxICC {
		return out
	}
	cleanICC(profile)
	packed := bytes.NewBufferString("icc\x00\x00")
	w := zlib.NewWriter(packed)
	if _, err := w.Write(profile); err != nil || w.Close() != nil || packed.Len() > len(body)+maxICC/64 {
		return out
	}
	return appendChunk(out, "iCCP", packed.Bytes())
}
