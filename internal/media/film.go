package media

import "encoding/binary"

// moov keeps what is needed to play, and reports whether there is a track of
// pictures. Tags, and tracks that are neither picture nor sound, go.
func (f *film) moov(b box) (pictures bool, err error) {
	err = f.only(b, "mvhd|trak|mvex|iods|prfl|clip|ctab|pssh", func(c box) error {
		switch c.name {
		case "mvhd":
			f.untime(c)
		case "trak":
			kind, err := f.trak(c)
			pictures = pictures || kind == "vide"
			return err
		}
		return nil
	})
	return pictures, err
}

// moof keeps what is needed to play a fragment.
func (f *film) moof(b box) error {
	return f.only(b, "mfhd|traf|pssh", func(c box) error {
		if c.name != "traf" {
			return nil
		}
		return f.only(c, "tfhd|tfdt|trun|sdtp|sbgp|sgpd|subs|saiz|saio|senc", func(box) error { return nil })
	})
}

// track is what a track tells of itself.
type track struct {
	kind                   string
	stsc, stsz, stco, co64 box
	other                  bool // its sizes are told in another way
}

// trak cleans a track, or wipes what it plays and drops it.
func (f *film) trak(b box) (kind string, err error) {
	var t track
	err = f.only(b, "tkhd|edts|tref|mdia|tapt|load|matt", func(c box) error {
		switch c.name {
		case "tkhd":
			f.untime(c)
		case "mdia":
			return f.mdia(c, &t)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	switch t.kind {
	case "vide", "soun", "auxv", "pict":
		return t.kind, nil
	}
	f.dropped = true
	if err := f.wipeSamples(&t); err != nil {
		return "", err
	}
	return t.kind, f.drop(b)
}

func (f *film) mdia(b box, t *track) error {
	return f.only(b, "mdhd|hdlr|minf|elng", func(c box) error {
		switch c.name {
		case "mdhd":
			f.untime(c)
		case "hdlr":
			if c.end-c.body < 12 {
				return errDamaged
			}
			t.kind = string(f.b[c.body+8 : c.body+12])
			clear(f.b[c.body+12 : c.end]) // maker and name
		case "minf":
			return f.minf(c, t)
		}
		return nil
	})
}

func (f *film) minf(b box, t *track) error {
	return f.only(b, "vmhd|smhd|hmhd|nmhd|sthd|gmhd|dinf|stbl|hdlr", func(c box) error {
		switch c.name {
		case "hdlr":
			if c.end-c.body >= 12 {
				clear(f.b[c.body+12 : c.end])
			}
		case "dinf":
			return f.only(c, "dref", f.dref)
		case "stbl":
			return f.stbl(c, t)
		}
		return nil
	})
}

// dref says that the media are in this very file, and not where they once were:
// QuickTime writes paths and volumes there.
func (f *film) dref(b box) error {
	if b.end-b.body < 8 {
		return errDamaged
	}
	return f.each(b.body+8, b.end, func(c box) error {
		if c.end-c.body >= 4 {
			clear(f.b[c.body:c.end])
			f.b[c.body+3] = 1
		}
		return nil
	})
}

func (f *film) stbl(b box, t *track) error {
	return f.only(b, "stsd|stts|ctts|stsc|stsz|stz2|stco|co64|stss|sdtp|sbgp|sgpd|cslg|padb|subs|saiz|saio|stps|stsh", func(c box) error {
		switch c.name {
		case "stsd":
			f.stsd(c, t)
		case "stsc":
			t.stsc = c
		case "stsz":
			t.stsz = c
		case "stz2":
			t.other = true
		case "stco":
			t.stco = c
		case "co64":
			t.co64 = c
		}
		return nil
	})
}

// stsd takes the names of encoder and maker out of the descriptions of pictures
// (ISO/IEC 14496-12, 12.1.3).
func (f *film) stsd(b box, t *track) {
	const vendor, name, least = 20, 50, 86
	if t.kind != "vide" {
		return
	}
	for at := b.body + 8; at < b.end; {
		c, ok := f.next(at, b.end)
		if !ok {
			return
		}
		if c.end-c.start >= least {
			clear(f.b[c.start+vendor : c.start+vendor+4])
			clear(f.b[c.start+name : c.start+name+32])
		}
		at = c.end
	}
}

// untime clears when something was made and changed.
func (f *film) untime(b box) {
	n := 8
	if b.body < b.end && f.b[b.body] == 1 {
		n = 16
	}
	if b.end-b.body >= 4+n {
		clear(f.b[b.body+4 : b.body+4+n])
	}
}

// wipeSamples has what a track plays overwritten: chunks are found by their place
// (stco, co64), how many samples are in which (stsc), and how long those are
// (stsz).
func (f *film) wipeSamples(t *track) error {
	if t.other {
		return errHidden
	}
	places, wide := f.table(t.stco, 8, 4), false
	if t.co64.end > 0 {
		places, wide = f.table(t.co64, 8, 8), true
	}
	runs, sizes := f.table(t.stsc, 8, 12), f.table(t.stsz, 12, 4)
	same := uint64(0)
	if t.stsz.end-t.stsz.body >= 12 {
		same = uint64(binary.BigEndian.Uint32(f.b[t.stsz.body+4:]))
	}
	samples := uint64(0) // in a chunk
	for chunk := 1; len(places) > 0; chunk++ {
		for len(runs) > 0 && uint64(binary.BigEndian.Uint32(runs)) <= uint64(chunk) {
			samples = uint64(binary.BigEndian.Uint32(runs[4:]))
			runs = runs[12:]
		}
		from, step := uint64(binary.BigEndian.Uint32(places)), 4
		if wide {
			from, step = binary.BigEndian.Uint64(places), 8
		}
		places = places[step:]
		n := samples * same
		if same == 0 {
			for range min(samples, uint64(len(sizes)/4)) {
				n += uint64(binary.BigEndian.Uint32(sizes))
				sizes = sizes[4:]
			}
		}
		if err := f.later(from, n); err != nil {
			return err
		}
	}
	return nil
}

// table returns the entries of a table whose number of entries stands before it.
func (f *film) table(b box, head, size int) []byte {
	if b.end-b.body < head {
		return nil
	}
	n := uint64(binary.BigEndian.Uint32(f.b[b.body+head-4:]))
	all := f.b[b.body+head : b.end]
	return all[:min(n, uint64(len(all)/size))*uint64(size)] //nolint:gosec // sizes are 4, 8 and 12
}
