package media

import (
	"bytes"
	"encoding/binary"
)

// cleanMPEG keeps the frames of MP3 or AAC, with the plain text tags of MP3 at
// both ends. What stands between frames, or behind them, belongs to nothing.
func cleanMPEG(in []byte) (mime string, clean []byte, err error) {
	var tags []byte
	for has(in, "ID3") && len(in) >= 10 {
		n := 10 + int(syncsafe(in[6:10]))
		if in[5]&0x10 != 0 {
			n += 10 // a footer
		}
		if n > len(in) {
			return "", nil, errDamaged
		}
		if tags == nil {
			tags = textTags(in[:n])
		}
		in = in[n:]
	}
	if has(in, "fLaC") {
		clean, err = cleanFLAC(in)
		return "audio/flac", clean, err
	}
	last := in[max(0, len(in)-128):]
	if len(last) < 128 || !has(last, "TAG") {
		last = nil
	}
	last = bytes.Clone(last)
	length, mime := mp3Frame, "audio/mpeg"
	if len(in) > 1 && in[0] == 0xff && in[1]&0xf6 == 0xf0 {
		length, mime, tags, last = adtsFrame, "audio/aac", nil, nil
	}
	frames, out := 0, make([]byte, 0, len(tags)+len(in)+len(last))
	out = append(out, tags...)
	for len(in) > 0 {
		n := length(in)
		if n > 0 && n <= len(in) && (n == len(in) || length(in[n:]) > 0 || frames > 0) {
			out = append(out, in[:n]...)
			in = in[n:]
			frames++
			continue
		}
		skip := bytes.IndexByte(in[1:], 0xff)
		if frames == 0 && tags == nil || skip < 0 { // it has to begin with one
			break
		}
		in = in[1+skip:]
	}
	if frames < 2 {
		return "", nil, errDamaged
	}
	return mime, append(out, last...), nil
}

// mp3Frame returns the length of the frame that in begins with, 0 for none
// (ISO/IEC 11172-3, 2.4.2.3; 13818-3).
func mp3Frame(in []byte) int {
	if len(in) < 4 || in[0] != 0xff || in[1]&0xe0 != 0xe0 {
		return 0
	}
	version, layer := in[1]>>3&3, 4-int(in[1]>>1&3) // versions: 0 = 2.5, 2 = 2, 3 = 1
	rate, freq := in[2]>>4, in[2]>>2&3
	if version == 1 || layer == 4 || rate == 0 || rate == 15 || freq == 3 {
		return 0
	}
	kbit := [5][15]int{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
	row, hz := layer-1, [3]int{44100, 48000, 32000}[freq]
	if version != 3 {
		row = min(layer+2, 4)
		hz /= 4 - int(version)&2
		if version == 0 {
			hz = [3]int{11025, 12000, 8000}[freq]
		}
	}
	pad := int(in[2] >> 1 & 1)
	switch {
	case layer == 1:
		return (12*kbit[row][rate]*1000/hz + pad) * 4
	case layer == 3 && version != 3:
		return 72*kbit[row][rate]*1000/hz + pad
	}
	return 144*kbit[row][rate]*1000/hz + pad
}

// adtsFrame returns the length of the AAC frame that in begins with, 0 for none
// (ISO/IEC 13818-7, 6.2).
func adtsFrame(in []byte) int {
	if len(in) < 7 || in[0] != 0xff || in[1]&0xf6 != 0xf0 || in[2]>>2&15 > 12 {
		return 0
	}
	n := int(in[3]&3)<<11 | int(in[4])<<3 | int(in[5])>>5
	if n < 7 {
		return 0
	}
	return n
}

func syncsafe(b []byte) uint32 {
	return uint32(b[0]&127)<<21 | uint32(b[1]&127)<<14 | uint32(b[2]&127)<<7 | uint32(b[3]&127)
}

// textTags keeps the text frames of an ID3 tag of version 2.3 or 2.4 (id3.org),
// but for those that anybody may name. A tag of another form goes.
func textTags(tag []byte) []byte {
	version, flags := tag[3], tag[5]
	if version != 3 && version != 4 || flags != 0 {
		return nil
	}
	out := []byte{'I', 'D', '3', version, 0, 0, 0, 0, 0, 0}
	for in := tag[10:]; len(in) >= 10 && in[0] != 0; {
		size := binary.BigEndian.Uint32(in[4:])
		if version == 4 {
			size = syncsafe(in[4:8])
		}
		n := 10 + int64(size)
		if n > int64(len(in)) {
			break
		}
		if in[0] == 'T' && string(in[:4]) != "TXXX" && in[9] == 0 {
			out = append(out, in[:n]...)
		}
		in = in[n:]
	}
	n := len(out) - 10
	if n == 0 {
		return nil
	}
	out[6], out[7], out[8], out[9] = byte(n>>21&127), byte(n>>14&127), byte(n>>7&127), byte(n&127)
	return out
}

// cleanFLAC keeps the form of the sound, its table of places, and the sound
// (RFC 9639, 8).
func cleanFLAC(in []byte) ([]byte, error) {
	out := append(make([]byte, 0, len(in)), "fLaC"...)
	at, last := 4, -1
	for more := true; more; {
		if len(in)-at < 4 {
			return nil, errDamaged
		}
		n := 4 + int(in[at+1])<<16 + int(in[at+2])<<8 + int(in[at+3])
		if n > len(in)-at {
			return nil, errDamaged
		}
		more = in[at]&0x80 == 0
		if kind := in[at] & 0x7f; kind == 0 || kind == 3 {
			last = len(out)
			out = append(out, in[at:at+n]...)
			out[last] &= 0x7f
		}
		at += n
	}
	if last < 0 || len(in)-at < 2 || in[at] != 0xff || in[at+1]&0xfe != 0xf8 {
		return nil, errDamaged
	}
	out[last] |= 0x80
	if end := len(in) - 128; end > at && has(in[end:], "TAG") {
		in = in[:end]
	}
	return append(out, in[at:]...), nil
}

// cleanAMR keeps frames of speech (RFC 4867, 5).
func cleanAMR(in []byte) ([]byte, error) {
	sizes := [16]int{13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1}
	at := 6
	if has(in, "#!AMR-WB\n") {
		sizes = [16]int{18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1}
		at = 9
	}
	begin := at
	for at < len(in) && in[at]&0x83 == 0 {
		n := sizes[in[at]>>3&15]
		if n == 0 || n > len(in)-at {
			break
		}
		at += n
	}
	if at == begin {
		return nil, errDamaged
	}
	return in[:at], nil
}
