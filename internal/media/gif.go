package media

// cleanGIF keeps frames, their timing and the loop (GIF89a, 17 to 27). Comments,
// text and the extensions of applications go, and what follows the end.
func cleanGIF(in []byte) ([]byte, error) {
	if len(in) < 13 {
		return nil, errDamaged
	}
	out := make([]byte, 0, len(in)+1)
	n := 13 + colours(in[10])
	if len(in) < n {
		return nil, errDamaged
	}
	out = append(out, in[:n]...)
	in = in[n:]
	frames := 0
	for len(in) > 0 && in[0] != 0x3b {
		var head int
		keep := true
		switch {
		case in[0] == 0x2c && len(in) >= 11: // an image, its colours, and the size of its codes
			head = 11 + colours(in[9])
			frames++
		case in[0] == 0x21 && len(in) >= 2:
			head = 2
			keep = in[1] == 0xf9 || in[1] == 0xff && loops(in[2:])
		default:
			return nil, errDamaged
		}
		n := blocks(in, head)
		if n < 0 {
			return nil, errDamaged
		}
		if keep {
			out = append(out, in[:n]...)
		}
		in = in[n:]
	}
	if frames == 0 {
		return nil, errDamaged
	}
	return append(out, 0x3b), nil
}

// colours is the length of the colour table that a flag byte announces.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// blocks returns where the sub-blocks that begin at from have ended, or -1.
func blocks(in []byte, from int) int {
	for from < len(in) {
		n := int(in[from])
		from += 1 + n
		if n == 0 {
			return from
		}
	}
	return -1
}

// loops reports whether an application extension says how often to play, and
// nothing else.
func loops(in []byte) bool {
	const size = 1 + 11 + 1 + 3 + 1
	return len(in) >= size && (has(in, "\x0bNETSCAPE2.0\x03") || has(in, "\x0bANIMEXTS1.0\x03")) && in[size-1] == 0
}
