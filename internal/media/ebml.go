package media

import (
	"bytes"
	"math/bits"
)

// element is an EBML element (RFC 8794, 4) and where it stands.
type element struct {
	id               uint64
	start, body, end int
	open             bool // its length is not known: it ends where one of a higher level begins
}

// The elements of Matroska that matter here (RFC 9559, 5.1).
const (
	ebmlHead     = 0x1a45dfa3
	ebmlDocType  = 0x4282
	mkvSegment   = 0x18538067
	mkvInfo      = 0x1549a966
	mkvTracks    = 0x1654ae6b
	mkvEntry     = 0xae
	mkvTrackType = 0x83
	mkvCluster   = 0x1f43b675
	mkvCues      = 0x1c53bb6b
	mkvSeekHead  = 0x114d9b74
)

// matroska is a WebM or Matroska file while it is cleaned, in place.
type matroska struct {
	b        []byte
	pictures bool
	tracks   int
	other    bool // there is a track that is neither picture nor sound
}

// cleanEBML cleans WebM and Matroska.
func cleanEBML(in []byte) (mime string, clean []byte, err error) {
	m := &matroska{b: in}
	head, ok := m.next(0, len(in))
	if !ok || head.open {
		return "", nil, errDamaged
	}
	kind := ""
	err = m.each(head.body, head.end, func(e element) error {
		switch {
		case e.id == ebmlDocType && has(in[e.body:e.end], "webm"):
			kind = "video/webm"
		case e.id == ebmlDocType && has(in[e.body:e.end], "matroska"):
			kind = "video/x-matroska"
		}
		return nil
	})
	if err != nil || kind == "" {
		return "", nil, errUnknown
	}
	seg, ok := m.next(head.end, len(in))
	if !ok || seg.id != mkvSegment {
		return "", nil, errDamaged
	}
	if err := m.segment(seg); err != nil {
		return "", nil, err
	}
	switch {
	case m.tracks == 0:
		return "", nil, errDamaged
	case m.other:
		return "", nil, errHidden // its blocks are mixed with the others
	case !m.pictures:
		kind = "audio/" + kind[len("video/"):]
	}
	return kind, in[:seg.end], nil
}

// next reads an element's head.
func (m *matroska) next(at, end int) (element, bool) {
	id, n := m.vint(at, end, true)
	size, k := m.vint(at+n, end, false)
	if n == 0 || n > 4 || k == 0 {
		return element{}, false
	}
	e := element{id: id, start: at, body: at + n + k}
	if size == 1<<(7*k)-1 { // all ones
		e.end, e.open = end, true
		return e, true
	}
	if size > uint64(end-e.body) { //nolint:gosec // not negative
		if e.id != mkvSegment && e.id != mkvCluster {
			return element{}, false
		}
		size = uint64(end - e.body) //nolint:gosec // not negative: the file was cut off
	}
	e.end = e.body + int(size) //nolint:gosec // within the file
	return e, true
}

// vint reads a number of variable length; an id keeps the bit that says how long
// it is.
func (m *matroska) vint(at, end int, id bool) (v uint64, n int) {
	if at >= end || m.b[at] == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(m.b[at]) + 1
	if at+n > end {
		return 0, 0
	}
	v = uint64(m.b[at])
	if !id {
		v &= 1<<(8-n) - 1
	}
	for _, c := range m.b[at+1 : at+n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}

func (m *matroska) each(from, to int, f func(element) error) error {
	for from < to {
		e, ok := m.next(from, to)
		if !ok {
			return errDamaged
		}
		if err := f(e); err != nil {
			return err
		}
		from = e.end
	}
	return nil
}

// segment keeps pictures, sound and what finds them. A cluster of unknown length
// is walked through.
func (m *matroska) segment(seg element) error {
	for at := seg.body; at < seg.end; {
		e, ok := m.next(at, seg.end)
		if !ok {
			return errDamaged
		}
		var err error
		switch e.id {
		case mkvInfo:
			err = m.each(e.body, e.end, m.info)
		case mkvTracks:
			err = m.each(e.body, e.end, m.entry)
		case mkvCluster:
			if e.open { // its parts follow, and are met as if they stood here
				at = e.body
				continue
			}
		case mkvCues, mkvSeekHead, 0xe7, 0xa3, 0xa0, 0xa7, 0xab: // and time, blocks, groups, position and size of a cluster
		default:
			err = m.drop(e)
		}
		if err != nil || e.open {
			return damagedIf(err, e.open)
		}
		at = e.end
	}
	return nil
}

func damagedIf(err error, bad bool) error {
	if err == nil && bad {
		return errDamaged
	}
	return err
}

// info keeps the length and the unit of time.
func (m *matroska) info(e element) error {
	switch e.id {
	case 0x2ad7b1, 0x4489: // unit, duration
	case 0x4d80, 0x5741: // programs, which have to be named
		fill(m.b[e.body:e.end], ' ')
	default:
		return m.drop(e)
	}
	return nil
}

func (m *matroska) entry(e element) error {
	if e.id != mkvEntry {
		return m.drop(e)
	}
	m.tracks++
	kind := byte(0)
	err := m.each(e.body, e.end, func(p element) error {
		switch p.id {
		case mkvTrackType:
			if p.end > p.body {
				kind = m.b[p.end-1]
			}
		case 0x536e, 0x258688: // the names of the track and of its codec
			return m.drop(p)
		}
		return nil
	})
	m.pictures = m.pictures || kind == 1
	m.other = m.other || kind != 1 && kind != 2
	return err
}

// drop turns an element into a void one of the same length.
func (m *matroska) drop(e element) error {
	const void = 0xec
	n := e.end - e.start
	switch {
	case e.open:
		return errDamaged
	case n < 9:
		m.b[e.start], m.b[e.start+1] = void, 0x80|byte(n-2) //nolint:gosec // at most 6
		clear(m.b[e.start+2 : e.end])
	default:
		m.b[e.start], m.b[e.start+1] = void, 1
		for i := range 7 {
			m.b[e.start+2+i] = byte((n - 9) >> (48 - 8*i)) //nolint:gosec // this is how it is split
		}
		clear(m.b[e.start+9 : e.end])
	}
	return nil
}

func fill(b []byte, c byte) { copy(b, bytes.Repeat([]byte{c}, len(b))) }
