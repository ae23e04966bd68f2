package media

import "encoding/binary"

// orientation reads how an image has to be turned (Exif 2.32, 4.6.5.1 tag 274)
// from a TIFF structure: 2 to 8, or 0 where it is not said, or upright.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	n := int(order.Uint16(tiff[at:]))
	entries := tiff[at+2:]
	for range n {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == 0x112 && order.Uint16(entries[2:]) == 3 {
			if o := int(order.Uint16(entries[8:])); o >= 2 && o <= 8 {
				return o
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}

// onlyOrientation is a TIFF structure that says the orientation and nothing else.
func onlyOrientation(o int) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	b[18] = byte(o) //nolint:gosec // 2 to 8
	return b
}

// cleanICC takes what names the device out of a colour profile (ICC.1:2022, 7),
// in place. A tag whose bytes other tags use as well is left.
func cleanICC(p []byte) {
	const header, entry = 128, 12
	if len(p) < header+4 || string(p[36:40]) != "acsp" {
		return
	}
	clear(p[48:56])  // manufacturer and model
	clear(p[80:100]) // creator, and the checksum, which is not right any more
	n := int(min(binary.BigEndian.Uint32(p[header:]), 256))
	type part struct {
		from, to int64
		drop     bool
	}
	var parts []part
	for i := range n {
		at := header + 4 + i*entry
		if at+entry > len(p) {
			return
		}
		e := part{from: int64(binary.BigEndian.Uint32(p[at+4:]))}
		e.to = e.from + int64(binary.BigEndian.Uint32(p[at+8:]))
		if e.from < int64(header+4+n*entry) || e.to > int64(len(p)) {
			return
		}
		switch string(p[at : at+4]) {
		case "mmod", "dmnd", "dmdd", "vcgt", "ndin", "meta", "dscm", "devs", "psid", "pseq":
			e.drop = true
		}
		parts = append(parts, e)
	}
	for _, d := range parts {
		shared := !d.drop
		for _, k := range parts {
			shared = shared || !k.drop && k.from < d.to && d.from < k.to
		}
		if !shared {
			clear(p[d.from:d.to])
		}
	}
}
