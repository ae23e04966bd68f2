package media

// images cleans the list of items of a HEIF file (ISO/IEC 23008-12; 14496-12,
// 8.11): items that are no image, Exif and XMP, are wiped.
func (f *film) images(b box) error {
	var iinf, iloc, idat box
	if b.end-b.body < 4 {
		return errDamaged
	}
	b.body += 4 // version and flags
	err := f.only(b, "hdlr|pitm|iinf|iloc|iprp|iref|idat|grpl|dinf|ipro", func(c box) error {
		switch c.name {
		case "hdlr":
			if c.end-c.body >= 12 {
				clear(f.b[c.body+12 : c.end])
			}
		case "iinf":
			iinf = c
		case "iloc":
			iloc = c
		case "idat":
			idat = c
		case "iprp":
			return f.properties(c)
		case "dinf":
			return f.only(c, "dref", f.dref)
		}
		return nil
	})
	if err != nil {
		return err
	}
	drop, err := f.items(iinf)
	if err != nil || len(drop) == 0 {
		return err
	}
	return f.wipeItems(iloc, idat, drop)
}

// properties takes device and descriptions out of the properties of images.
func (f *film) properties(b box) error {
	return f.each(b.body, b.end, func(c box) error {
		if c.name != "ipco" {
			return nil
		}
		return f.each(c.body, c.end, func(p box) error {
			switch p.name {
			case "colr":
				if kind := p.body + 4; kind <= p.end && (has(f.b[p.body:kind], "prof") || has(f.b[p.body:kind], "rICC")) {
					cleanICC(f.b[kind:p.end])
				}
			case "udes", "uuid", "altt", "crtt", "mdft":
				return f.drop(p)
			}
			return nil
		})
	})
}

// items returns the items that are no image.
func (f *film) items(b box) (map[uint64]bool, error) {
	drop := make(map[uint64]bool)
	if b.end == 0 {
		return drop, nil
	}
	r := fields{b: f.b[b.body:b.end]}
	version := r.take(1)
	r.take(3)
	width := 2
	if version > 0 {
		width = 4
	}
	r.take(width)
	if r.bad {
		return nil, errDamaged
	}
	return drop, f.each(b.end-len(r.b), b.end, func(c box) error {
		if c.name != "infe" {
			return f.drop(c)
		}
		r := fields{b: f.b[c.body:c.end]}
		version := r.take(1)
		r.take(3)
		width := 2
		if version > 2 {
			width = 4
		}
		id := r.take(width)
		r.take(2)
		kind := "mime"
		if version >= 2 {
			kind = string(r.raw(4))
		}
		if r.bad {
			return errDamaged
		}
		switch kind {
		case "Exif", "mime", "uri ":
			drop[id] = true
		}
		return nil
	})
}

// wipeItems overwrites the content of items, which is found by iloc.
func (f *film) wipeItems(iloc, idat box, drop map[uint64]bool) error {
	r := fields{b: f.b[iloc.body:iloc.end]}
	version := r.take(1)
	r.take(3)
	sizes := r.take(2)
	offset, length, base, index := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		index = 0
	}
	wide := 2
	if version == 2 {
		wide = 4
	}
	found := 0
	for n := r.take(wide); n > 0 && !r.bad; n-- {
		id := r.take(wide)
		method := uint64(0)
		if version > 0 {
			method = r.take(2) & 15
		}
		r.take(2)
		from := r.take(base)
		extents := r.take(2)
		if extents > 1 && index+offset+length == 0 {
			return errDamaged
		}
		if drop[id] {
			found++
		}
		for ; extents > 0 && !r.bad; extents-- {
			r.take(index)
			at, n := from+r.take(offset), r.take(length)
			if !drop[id] {
				continue
			}
			if err := f.wipeExtent(method, idat, at, n); err != nil {
				return err
			}
		}
	}
	if r.bad || found < len(drop) {
		return errDamaged
	}
	return nil
}

func (f *film) wipeExtent(method uint64, idat box, at, n uint64) error {
	switch {
	case method > 1 || n == 0: // part of another item, or all of the file
		return errHidden
	case method == 1:
		size := uint64(idat.end - idat.body) //nolint:gosec // not negative
		if at > size || n > size-at {
			return errDamaged
		}
		return f.wipe(idat.body+int(at), idat.body+int(at+n)) //nolint:gosec // within the box
	}
	return f.later(at, n)
}

// fields takes numbers off the front.
type fields struct {
	b   []byte
	bad bool
}

// take reads a number of 0, 1, 2, 3, 4 or 8 bytes.
func (r *fields) take(n int) uint64 {
	var v uint64
	for _, c := range r.raw(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (r *fields) raw(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}
