package media

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// The markers of JPEG that matter here (ITU-T T.81, table B.1).
const (
	jpegSOI  = 0xd8
	jpegEOI  = 0xd9
	jpegSOS  = 0xda
	jpegAPP0 = 0xe0
	jpegAPP1 = 0xe1
	jpegAPP2 = 0xe2
)

// cleanJPEG keeps the segments that make up the image, the colour profile and
// the orientation. Application segments, comments, and what follows the end of
// the image (a second image, a film) go.
func cleanJPEG(in []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(in)+64), 0xff, jpegSOI)
	behind := len(out) // where the orientation goes: behind the first APP0
	turn, scans := 0, 0
	for in = in[2:]; ; {
		marker, rest := nextMarker(in)
		if marker == jpegEOI || marker == 0 {
			break
		}
		if marker == jpegSOI {
			return nil, errDamaged
		}
		if marker == 1 || marker >= 0xd0 && marker <= 0xd7 { // stands alone, and has no place here
			in = rest
			continue
		}
		if len(rest) < 2 || int(binary.BigEndian.Uint16(rest)) < 2 || int(binary.BigEndian.Uint16(rest)) > len(rest) {
			if scans == 0 {
				return nil, errDamaged
			}
			break // cut off: what was there is shown
		}
		n := int(binary.BigEndian.Uint16(rest))
		body := rest[2:n]
		in = rest[n:]
		if marker == jpegAPP1 && turn == 0 && has(body, "Exif\x00\x00") {
			turn = orientation(body[6:])
		}
		if body = keepJPEG(marker, body); body == nil {
			continue
		}
		out = appendSegment(out, marker, body)
		if marker == jpegAPP0 && behind == 2 {
			behind = len(out)
		}
		if marker == jpegSOS {
			scans++
			n := scanEnd(in)
			out = append(out, in[:n]...)
			in = in[n:]
		}
	}
	if scans == 0 {
		return nil, errDamaged
	}
	out = append(out, 0xff, jpegEOI)
	if turn != 0 {
		out = slices.Insert(out, behind, appendSegment(nil, jpegAPP1, append([]byte("Exif\x00\x00"), onlyOrientation(turn)...))...)
	}
	return out, nil
}

// nextMarker returns the next marker, and what follows it; 0 at the end. Bytes
// before it that belong to nothing are passed over, as decoders do.
func nextMarker(in []byte) (marker byte, rest []byte) {
	for {
		i := bytes.IndexByte(in, 0xff)
		if i < 0 {
			return 0, nil
		}
		for i < len(in) && in[i] == 0xff {
			i++
		}
		if i == len(in) {
			return 0, nil
		}
		if in[i] != 0 {
			return in[i], in[i+1:]
		}
		in = in[i:]
	}
}

// scanEnd returns how long the coded data of a scan are: up to a marker that is
// not one of restart.
func scanEnd(in []byte) int {
	for at := 0; ; {
		i := bytes.IndexByte(in[at:], 0xff)
		if i < 0 || at+i+1 >= len(in) {
			return len(in)
		}
		at += i
		switch c := in[at+1]; {
		case c == 0, c >= 0xd0 && c <= 0xd7:
			at += 2
		case c == 0xff:
			at++
		default:
			return at
		}
	}
}

// keepJPEG returns what stays of a segment, nil for nothing.
func keepJPEG(marker byte, body []byte) []byte {
	switch {
	case marker == jpegAPP0 && has(body, "JFIF\x00") && len(body) >= 14:
		return append(slices.Clone(body[:12]), 0, 0) // without its thumbnail
	case marker == jpegAPP2 && has(body, "ICC_PROFILE\x00") && len(body) > 14:
		if body[12] == 1 && body[13] == 1 {
			cleanICC(body[14:])
		}
		return body
	case marker == 0xee && has(body, "Adobe") && len(body) >= 12: // says how colours are coded
		return body[:12]
	case marker >= jpegAPP0: // APPn, JPGn, COM
		return nil
	}
	return body
}

func appendSegment(out []byte, marker byte, body []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2)) //nolint:gosec // it came out of such a segment
	return append(out, body...)
}
