package media

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// box is a box of an ISO base media file or a QuickTime film (ISO/IEC 14496-12,
// 4.2): its name and where it stands.
type box struct {
	name             string
	start, body, end int
}

// film is a file of boxes while it is cleaned, in place: everything is found by
// its distance from the beginning, so that nothing may move.
type film struct {
	b       []byte
	credit  int64    // bytes that may still be overwritten: what points to the same bytes over and over is no film
	media   []box    // of content, in order
	wipes   []extent // of content that goes, when all boxes are known
	moved   bool     // it has fragments
	dropped bool     // a track went
}

// extent is a part of the file, as the file itself says.
type extent struct{ from, n uint64 }

// firstBox reports whether a file may begin with a box of this name.
func firstBox(name string) bool {
	switch name {
	case "ftyp", "moov", "mdat", "wide", "free", "skip", "pnot":
		return true
	}
	return false
}

// brands says what a file is by the names in its first box, and which of them
// are images.
func brands(b []byte, first box) (mime string, image bool) {
	if first.name != "ftyp" {
		return "video/quicktime", false
	}
	var all []string
	for at := first.body; at+4 <= first.end; at += 4 {
		if at != first.body+4 { // the version of the first brand
			all = append(all, string(b[at:at+4]))
		}
	}
	for _, t := range []struct{ brands, mime string }{
		{"avif|avis", "image/avif"},
		{"heic|heix|hevc|hevx|heim|heis|hevm|hevs", "image/heic"},
		{"mif1|msf1|mif2", "image/heif"},
		{"qt  ", "video/quicktime"},
		{"M4A |M4B |M4P ", "audio/mp4"},
		{"3gp4|3gp5|3gp6|3gp7|3gp8|3gp9|3gr6|3gs6|3gs7|3ge6|3ge7|3gg6|3g2a|3g2b|3g2c", "video/3gpp"},
		{"isom|iso2|iso3|iso4|iso5|iso6|mp41|mp42|avc1|MSNV|M4V |M4VH|M4VP|F4V |dash|cmfc|mmp4|dby1", "video/mp4"},
	} {
		image := strings.HasPrefix(t.mime, "image/")
		known := func(name string) bool { return inList(t.brands, name) }
		if len(all) > 0 && known(all[0]) || (image || t.mime == "video/mp4") && slices.ContainsFunc(all, known) {
			return t.mime, image
		}
	}
	return "", false
}

// cleanBoxes cleans HEIC and AVIF images, and MP4, QuickTime and 3GP films.
func cleanBoxes(in []byte) (mime string, clean []byte, err error) {
	f := &film{b: in, credit: 4 * int64(len(in))}
	first, ok := f.next(0, len(in))
	if !ok {
		return "", nil, errDamaged
	}
	mime, image := brands(in, first)
	if mime == "" {
		return "", nil, errUnknown
	}
	found, sound, end := false, true, 0
	for end < len(in) {
		b, ok := f.next(end, len(in))
		if !ok {
			break // what is no box belongs to nothing
		}
		end = b.end
		switch b.name {
		case "ftyp", "styp", "mfra", "sidx", "ssix", "pdin":
		case "mdat":
			f.media = append(f.media, b)
		case "moov":
			found = true
			var seen bool
			seen, err = f.moov(b)
			sound = sound && !seen
		case "moof":
			found, f.moved = true, true
			err = f.moof(b)
		case "meta":
			if image {
				found = true
				err = f.images(b)
			} else {
				err = f.drop(b)
			}
		default:
			err = f.drop(b)
		}
		if err != nil {
			return "", nil, err
		}
	}
	if err := f.wipeMedia(); err != nil {
		return "", nil, err
	}
	switch {
	case !found:
		return "", nil, errDamaged
	case f.moved && f.dropped:
		return "", nil, errHidden // parts of the track are in the fragments
	case sound && mime == "video/mp4" && !f.moved:
		mime = "audio/mp4"
	}
	return mime, in[:end], nil
}

// next returns the box at a place. A last box of content that is cut off ends
// with the file.
func (f *film) next(at, end int) (box, bool) {
	if at < 0 || end-at < 8 {
		return box{}, false
	}
	b := box{name: string(f.b[at+4 : at+8]), start: at, body: at + 8}
	size := uint64(binary.BigEndian.Uint32(f.b[at:]))
	switch {
	case size == 1 && end-at >= 16:
		size = binary.BigEndian.Uint64(f.b[at+8:])
		b.body = at + 16
	case size == 0 && end == len(f.b):
		size = uint64(end - at) //nolint:gosec // at is before end
	}
	if b.name == "mdat" && size > uint64(end-at) { //nolint:gosec // at is before end
		size = uint64(end - at) //nolint:gosec // at is before end
	}
	if size < uint64(b.body-at) || size > uint64(end-at) { //nolint:gosec // both are not negative
		return box{}, false
	}
	b.end = at + int(size) //nolint:gosec // within the file
	return b, true
}

// each calls g for each box in a part of the file that has to be made of boxes.
// A rest of four zeros ends a list in QuickTime.
func (f *film) each(from, to int, g func(box) error) error {
	for from < to {
		b, ok := f.next(from, to)
		if !ok {
			if to-from < 8 {
				clear(f.b[from:to])
				return nil
			}
			return errDamaged
		}
		if err := g(b); err != nil {
			return err
		}
		from = b.end
	}
	return nil
}

// wipe overwrites a part of the file.
func (f *film) wipe(from, end int) error {
	if f.credit -= int64(end - from); f.credit < 0 {
		return errDamaged
	}
	clear(f.b[from:end])
	return nil
}

// maxWipes is more than a film of a day needs.
const maxWipes = 1 << 18

// later has content overwritten when all boxes are known.
func (f *film) later(from, n uint64) error {
	if len(f.wipes) >= maxWipes {
		return errDamaged
	}
	f.wipes = append(f.wipes, extent{from, n})
	return nil
}

// wipeMedia overwrites content that goes. It has to lie in one box of content:
// what points elsewhere is no film. What is beyond the end is not there.
func (f *film) wipeMedia() error {
	for _, e := range f.wipes {
		i := sort.Search(len(f.media), func(i int) bool { return uint64(f.media[i].end) > e.from }) //nolint:gosec // not negative
		switch {
		case e.n == 0 || e.from >= uint64(len(f.b)):
			continue
		case i == len(f.media) || e.from < uint64(f.media[i].body): //nolint:gosec // not negative
			return errDamaged
		}
		from, end := int(e.from), f.media[i].end //nolint:gosec // within the file
		if e.n < uint64(end-from) {              //nolint:gosec // not negative
			end = from + int(e.n) //nolint:gosec // within the file
		}
		if err := f.wipe(from, end); err != nil {
			return err
		}
	}
	return nil
}

// drop turns a box into free space.
func (f *film) drop(b box) error {
	copy(f.b[b.start+4:], "free")
	return f.wipe(b.body, b.end)
}

// only drops the boxes within b whose names are not in the list, and calls g for
// the others.
func (f *film) only(b box, list string, g func(box) error) error {
	return f.each(b.body, b.end, func(c box) error {
		if !inList(list, c.name) {
			return f.drop(c)
		}
		return g(c)
	})
}

// inList reports whether a name of four letters stands in a list of such names
// with bars between them.
func inList(list, name string) bool {
	return !strings.Contains(name, "|") && strings.Contains(list, name)
}
