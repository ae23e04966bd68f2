package media

import (
	"encoding/binary"
	"strings"
)

// maxStreams is more than any recording has.
const maxStreams = 16

// page is a page of an Ogg file (RFC 3533, 6).
type page struct {
	at, body, end int
	serial        uint32
	first         bool // of its stream
	lacing        []byte
}

// stream is one of the streams of an Ogg file.
type stream struct {
	kind   string
	packet int
	parts  [][2]int // of the packet with the comments
	pages  []page   // that they are on
}

// cleanOgg cleans Opus, Vorbis, Speex and Theora, in place.
func cleanOgg(in []byte) (mime string, clean []byte, err error) {
	streams := make(map[uint32]*stream)
	at, begun := 0, 0
	mime = "audio/ogg"
	for {
		p, ok := nextPage(in, at)
		if !ok {
			break
		}
		at = p.end
		s := streams[p.serial]
		if p.first {
			if begun++; begun > maxStreams {
				return "", nil, errDamaged
			}
			s = &stream{kind: oggKind(in[p.body:p.end])}
			streams[p.serial] = s
			if s.kind == "theora" {
				mime = "video/ogg"
			}
		}
		if s == nil || s.kind == "" {
			return "", nil, errHidden
		}
		s.page(in, p)
	}
	if at == 0 {
		return "", nil, errDamaged
	}
	for _, s := range streams {
		if s.packet < 2 {
			return "", nil, errDamaged // its comments have no end
		}
	}
	return mime, in[:at], nil
}

func nextPage(in []byte, at int) (page, bool) {
	if len(in)-at < 27 || !has(in[at:], "OggS\x00") {
		return page{}, false
	}
	n := int(in[at+26])
	p := page{at: at, body: at + 27 + n, serial: binary.LittleEndian.Uint32(in[at+14:]), first: in[at+5]&2 != 0}
	if p.body > len(in) {
		return page{}, false
	}
	p.lacing = in[at+27 : p.body]
	p.end = p.body
	for _, l := range p.lacing {
		p.end += int(l)
	}
	return p, p.end <= len(in)
}

func oggKind(packet []byte) string {
	for _, k := range [][2]string{{"OpusHead", "opus"}, {"\x01vorbis", "vorbis"}, {"Speex   ", "speex"}, {"\x80theora", "theora"}} {
		if has(packet, k[0]) {
			return k[1]
		}
	}
	return ""
}

// page follows the packets of a stream up to the end of the second, which holds
// the comments.
func (s *stream) page(in []byte, p page) {
	if s.packet > 1 {
		return
	}
	at, here := p.body, false
	for _, l := range p.lacing {
		if s.packet == 1 {
			s.parts = append(s.parts, [2]int{at, at + int(l)})
			if !here {
				s.pages, here = append(s.pages, p), true
			}
		}
		at += int(l)
		if l < 255 {
			if s.packet++; s.packet == 2 {
				s.comments(in)
				return
			}
		}
	}
}

// comments blanks comments in their places.
func (s *stream) comments(in []byte) {
	var packet []byte
	for _, p := range s.parts {
		packet = append(packet, in[p[0]:p[1]]...)
	}
	head := map[string]int{"opus": len("OpusTags"), "vorbis": len("\x03vorbis"), "theora": len("\x81theora")}[s.kind]
	blank(packet, min(head, len(packet)), s.kind == "vorbis")
	for _, p := range s.parts {
		n := copy(in[p[0]:p[1]], packet)
		packet = packet[n:]
	}
	table := oggTable()
	for _, p := range s.pages {
		clear(in[p.at+22 : p.at+26])
		binary.LittleEndian.PutUint32(in[p.at+22:], oggCRC(&table, in[p.at:p.end]))
	}
	s.parts, s.pages = nil, nil
}

// usual are the names of comments that stay (xiph.org, Ogg Vorbis I comment
// field recommendations).
const usual = "|TITLE|VERSION|ALBUM|ALBUMARTIST|ARTIST|PERFORMER|COMPOSER|COPYRIGHT|LICENSE|ORGANIZATION|GENRE|TRACKNUMBER|TRACKTOTAL|DISCNUMBER|ISRC|LANGUAGE|R128_TRACK_GAIN|R128_ALBUM_GAIN|REPLAYGAIN_TRACK_GAIN|REPLAYGAIN_TRACK_PEAK|REPLAYGAIN_ALBUM_GAIN|REPLAYGAIN_ALBUM_PEAK|"

// blank overwrites the comments that are not usual, and what follows them, with
// others of the same length. What does not have the form of comments
// is overwritten as a whole.
func blank(packet []byte, at int, framed bool) {
	read := func() ([]byte, bool) {
		if len(packet)-at < 4 {
			return nil, false
		}
		n := int64(binary.LittleEndian.Uint32(packet[at:]))
		if n > int64(len(packet)-at-4) {
			return nil, false
		}
		at += 4 + int(n)
		return packet[at-int(n) : at], true
	}
	if _, ok := read(); !ok { // the vendor
		clear(packet[at:])
		return
	}
	if len(packet)-at < 4 {
		clear(packet[at:])
		return
	}
	count := binary.LittleEndian.Uint32(packet[at:])
	at += 4
	for ; count > 0; count-- {
		c, ok := read()
		if !ok {
			break
		}
		name, _, _ := strings.Cut(string(c), "=")
		if strings.Contains(name, "|") || !strings.Contains(usual, "|"+strings.ToUpper(name)+"|") {
			fill(c, ' ')
			copy(c, "X=")
		}
	}
	clear(packet[at:])
	if framed && at < len(packet) {
		packet[at] = 1
	}
}

// oggCRC is the checksum of a page whose own is zero (RFC 3533, 6: polynomial
// 0x04c11db7, highest bit first, neither inverted before nor after).
func oggCRC(table *[256]uint32, b []byte) uint32 {
	var sum uint32
	for _, c := range b {
		sum = sum<<8 ^ table[byte(sum>>24)^c]
	}
	return sum
}

func oggTable() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			if r&(1<<31) != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		table[i] = r
	}
	return table
}
