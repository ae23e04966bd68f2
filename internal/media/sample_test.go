package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// What the samples hold and no cleaned file may: the device, its number, and
// where it was, as text and as the numbers that Exif writes.
const (
	inMake   = "CanaryMake Corp"
	inModel  = "CanaryModel 9000"
	inSerial = "SN-canary-0815-4711"
	inPlace  = "+52.5163+013.3777+canary/"
)

// latitude is 52 degrees and 31 minutes and a number of seconds that stands
// nowhere else.
func latitude(order binary.ByteOrder) []byte {
	b := make([]byte, 24)
	for i, v := range []uint32{52, 1, 31, 1, 0x5ec04d5a, 0x0f4240c1} {
		order.PutUint32(b[4*i:], v)
	}
	return b
}

// traces are the bytes to look for.
func traces() [][]byte {
	return [][]byte{
		[]byte(inMake), []byte(inModel), []byte(inSerial), []byte(inPlace), []byte("canary"), []byte("Canary"),
		latitude(binary.LittleEndian)[16:], latitude(binary.BigEndian)[16:],
	}
}

func wantNoTrace(t *testing.T, b []byte) {
	t.Helper()
	for _, s := range traces() {
		if at := bytes.Index(b, s); at >= 0 {
			t.Errorf("%q survives at %d of %d", s, at, len(b))
		}
	}
}

// tiffOf writes what a camera writes: maker, model, orientation, an Exif
// directory with the serial number, and a GPS directory.
func tiffOf(order binary.AppendByteOrder, turn uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	bo := order.(binary.ByteOrder) //nolint:errcheck,forcetypeassert // both are
	type entry struct {
		tag, kind uint16
		n         uint32
		val       []byte
	}
	short := func(v uint16) []byte { return order.AppendUint16(nil, v) }
	text := func(tag uint16, s string) entry { return entry{tag, 2, uint32(len(s) + 1), []byte(s + "\x00")} }
	dir := func(at uint32, next uint32, entries []entry) []byte {
		out := order.AppendUint16(nil, uint16(len(entries)))
		data := at + 2 + uint32(12*len(entries)) + 4
		var tail []byte
		for _, e := range entries {
			out = order.AppendUint16(order.AppendUint16(out, e.tag), e.kind)
			out = order.AppendUint32(out, e.n)
			if len(e.val) <= 4 {
				out = append(out, append(bytes.Clone(e.val), 0, 0, 0, 0)[:4]...)
				continue
			}
			out = order.AppendUint32(out, data+uint32(len(tail)))
			tail = append(tail, e.val...)
		}
		return append(order.AppendUint32(out, next), tail...)
	}
	exif := dir(1000, 0, []entry{text(0xa431, inSerial), text(0x9003, "2026:01:02 03:04:05")})
	gps := dir(2000, 0, []entry{{1, 2, 2, []byte("N\x00")}, {2, 5, 3, latitude(bo)}})
	first := dir(8, 0, []entry{
		text(0x10f, inMake), text(0x110, inModel),
		{0x112, 3, 1, short(turn)},
		text(0x131, "canary software"),
		{0x8769, 4, 1, order.AppendUint32(nil, 1000)},
		{0x8825, 4, 1, order.AppendUint32(nil, 2000)},
	})
	b = append(order.AppendUint32(b, 8), first...)
	b = append(append(b, make([]byte, 1000-len(b))...), exif...)
	return append(append(b, make([]byte, 2000-len(b))...), gps...)
}

// profile is a colour profile that names a display.
func profile() []byte {
	const tags = 3
	head := make([]byte, 128)
	copy(head[36:], "acsp")
	copy(head[48:], "canary")
	copy(head[80:], "canary")
	desc, device := []byte("desc\x00\x00\x00\x00sRGB of the test"), []byte("mmod\x00\x00\x00\x00"+inMake+inSerial)
	b := binary.BigEndian.AppendUint32(head, tags)
	at := uint32(128 + 4 + 12*tags)
	for _, e := range []struct {
		name string
		body []byte
		at   uint32
	}{{"desc", desc, at}, {"mmod", device, at + uint32(len(desc))}, {"cprt", desc, at}} {
		b = append(b, e.name...)
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, e.at), uint32(len(e.body)))
	}
	return append(append(b, desc...), device...)
}

// picture has no two rows alike.
func picture(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(x * 7), uint8(y * 5), uint8(x ^ y), 255})
		}
	}
	return m
}

func must[T any](tb testing.TB) func(T, error) T {
	tb.Helper()
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

const xmpHead = "http://ns.adobe.com/xap/1.0/\x00"

// jpegSample is a photograph with everything that a telephone adds.
func jpegSample(tb testing.TB, order binary.AppendByteOrder, turn uint16) []byte {
	tb.Helper()
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, picture(37, 23), nil); err != nil {
		tb.Fatal(err)
	}
	seg := func(m byte, body string) string { return string(appendSegment(nil, m, []byte(body))) }
	b := "\xff\xd8" +
		seg(0xe0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x04\x01"+"canary thum") +
		seg(0xe0, "JFXX\x00\x10canary thumbnail") +
		seg(0xe1, "Exif\x00\x00"+string(tiffOf(order, turn))) +
		seg(0xe1, xmpHead+"<x:xmpmeta>"+inPlace+"</x:xmpmeta>") +
		seg(0xe1, "http://ns.adobe.com/xmp/extension/\x00"+strings.Repeat("0", 40)+"canary part 1") +
		seg(0xe1, "http://ns.adobe.com/xmp/extension/\x00"+strings.Repeat("0", 40)+"canary part 2") +
		seg(0xe2, "MPF\x00canary") + seg(0xe2, "FPXR\x00canary") + seg(0xe2, "ICC_PROFILE\x00\x01\x01"+string(profile())) +
		seg(0xe4, "canary") + seg(0xeb, "JP canary") + seg(0xed, "Photoshop 3.0\x00"+"8BIM\x04\x04canary caption") + seg(0xfe, "canary comment") + "\xff\xff" +
		string(plain.Bytes()[2:])
	return []byte(b + "second image: " + b + "and a film: " + string(movieSample("mp42", false)))
}

func chunk(name, body string) string {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), name+body...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

func pngSample(tb testing.TB, turn uint16) []byte {
	tb.Helper()
	var plain bytes.Buffer
	if err := png.Encode(&plain, picture(31, 17)); err != nil {
		tb.Fatal(err)
	}
	b := plain.String()
	head, rest := b[:33], b[33:]
	icc := must[[]byte](tb)(packed(profile()))
	return []byte(head + chunk("iCCP", "canary profile\x00\x00"+string(icc)) + chunk("gAMA", "\x00\x00\xb1\x8f") + chunk("pHYs", "\x00\x00\x0b\x13\x00\x00\x0b\x13\x01") +
		chunk("tEXt", "Location\x00"+inPlace) + chunk("zTXt", "Make\x00canary") + chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+inModel) + chunk("tIME", "canary!") +
		chunk("eXIf", string(tiffOf(binary.BigEndian, turn))) + chunk("prVt", "canary") + chunk("caBX", "canary") + rest + "canary behind the end")
}

// gifSample is an animation.
func gifSample(tb testing.TB) []byte {
	tb.Helper()
	g := &gif.GIF{LoopCount: 3}
	for i := range 3 {
		p := image.NewPaletted(image.Rect(0, 0, 9, 7), color.Palette{color.Black, color.White, color.RGBA{uint8(i * 50), 1, 2, 255}})
		for j := range p.Pix {
			p.Pix[j] = uint8((i + j) % 3)
		}
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, 5)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		tb.Fatal(err)
	}
	s := b.String()
	at := strings.Index(s, "\x21\xff\x0bNETSCAPE2.0")
	if at < 0 {
		tb.Fatal("no loop")
	}
	xmp := "\x21\xff\x0bXMP DataXMP" + "<x>canary " + inPlace + "</x>" + "\x01"
	for i := 255; i >= 0; i-- {
		xmp += string([]byte{byte(i)})
	}
	xmp += "\x00"
	return []byte(s[:at] + "\x21\xfe\x0ecanary comment\x00" + xmp + "\x21\xff\x0bNETSCAPE2.0\x06canary\x00" + s[at:] + "<script>canary</script>")
}

// webpSample is a lossless image of two colours, written bit by bit (RFC 9649, 3).
func webpSample(turn uint16) []byte {
	const w, h = 13, 5
	var bits []byte
	n := 0
	put := func(v uint32, count int) {
		for i := range count {
			if n&7 == 0 {
				bits = append(bits, 0)
			}
			bits[n>>3] |= byte(v>>i&1) << (n & 7)
			n++
		}
	}
	put(0x2f, 8)
	put(w-1, 14)
	put(h-1, 14)
	put(0, 1+3+1+1+1) // no alpha, version 0, no transform, no cache, one set of codes
	simple := func(symbols ...uint32) {
		put(1, 1)
		put(uint32(len(symbols)-1), 1)
		put(1, 1)
		for _, s := range symbols {
			put(s, 8)
		}
	}
	simple(10, 200) // green
	simple(77)      // red
	simple(99)      // blue
	simple(255)     // alpha
	put(1, 1)
	put(0, 1)
	put(0, 1)
	put(0, 1) // distance: the symbol 0
	for i := range w * h {
		put(uint32(i*i>>1&1), 1)
	}
	vp8x := "\x2c\x00\x00\x00" + string([]byte{w - 1, 0, 0, h - 1, 0, 0}) // colours, Exif, XMP
	body := "WEBP" + riff("VP8X", vp8x) + riff("ICCP", string(profile())) + riff("VP8L", string(bits)) +
		riff("EXIF", string(tiffOf(binary.LittleEndian, turn))) + riff("XMP ", "canary"+inPlace) + riff("UNKN", "canary")
	return []byte(riff("RIFF", body) + "canary behind the end")
}

func riff(name, body string) string {
	s := name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
	if len(body)&1 == 1 {
		s += "\x00"
	}
	return s
}

func bx(name string, parts ...string) string {
	body := strings.Join(parts, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8))) + name + body
}

func u16(v int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(v))) }
func u32(v int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(v))) }
func u64(v int) string { return string(binary.BigEndian.AppendUint64(nil, uint64(v))) }

const pixels = "these are the coded pixels of the image"

// heifSample is an image with Exif and XMP, in the file or in idat.
func heifSample(brand string, version int) []byte {
	exif, xmp := "\x00\x00\x00\x00"+string(tiffOf(binary.BigEndian, 6)), "<x>"+inPlace+inSerial+"</x>"
	infe := func(id int, kind, rest string) string {
		if version == 2 {
			return bx("infe", "\x03\x00\x00\x00", u32(id), u16(0), kind, rest)
		}
		return bx("infe", "\x02\x00\x00\x00", u16(id), u16(0), kind, rest)
	}
	id := func(v int) string {
		if version == 2 {
			return u32(v)
		}
		return u16(v)
	}
	build := func(at int) string {
		var iloc string
		ext := func(item, method, from, n int) {
			iloc += id(item)
			if version > 0 {
				iloc += u16(method)
			}
			iloc += u16(0) + u16(1) + u32(from) + u32(n)
		}
		ext(1, 0, at, len(pixels))
		ext(2, 0, at+len(pixels), len(exif))
		inIdat := ""
		if version > 0 {
			ext(3, 1, 3, len(xmp))
			inIdat = bx("idat", "xyz"+xmp)
		} else {
			ext(3, 0, at+len(pixels)+len(exif), len(xmp))
		}
		count := "\x00\x00"
		if version == 2 {
			count = "\x00\x00\x00\x00"
		}
		count = count[:len(count)-1] + "\x03"
		meta := bx("meta", u32(0), bx("hdlr", u32(0), u32(0), "pict", strings.Repeat("\x00", 12), "canary\x00"), bx("pitm", u32(0), u16(1)),
			bx("iinf", u32(0), u16(3), infe(1, "hvc1", "\x00"), infe(2, "Exif", "\x00"), infe(3, "mime", "\x00application/rdf+xml\x00")),
			bx("iloc", string([]byte{byte(version), 0, 0, 0, 0x44, 0}), count, iloc),
			bx("iprp", bx("ipco", bx("ispe", u32(0), u32(1), u32(1)), bx("colr", "prof", string(profile())), bx("udes", u32(0), "canary"))), inIdat, bx("xml ", "canary"))
		return bx("ftyp", brand, u32(0), "mif1", brand) + meta + bx("uuid", "0123456789abcdef", "canary") + bx("free", "canary") + "\x00\x00\x00\x01mdat"
	}
	head := build(0)
	head = build(len(head) + 8)
	mdat := pixels + exif
	if version == 0 {
		mdat += xmp
	}
	return []byte(head + u64(len(mdat)+16) + mdat + bx("mpvd", "canary film") + bx("sefd", "canary") + "rest")
}

const frames, speech = "the coded pictures of the film", "the coded sound of the film"

// movieSample is a film with a place in its tags, and with a track of positions
// as cameras for sports write it.
func movieSample(brand string, wide bool) []byte {
	telemetry := []string{"GPS5 canary one", "GPS5 canary and two", "GPS5 canary 3"}
	build := func(at int) string {
		place := func(offsets ...int) string {
			body := u32(0) + u32(len(offsets))
			for _, o := range offsets {
				if wide {
					body += u64(o)
				} else {
					body += u32(o)
				}
			}
			if wide {
				return bx("co64", body)
			}
			return bx("stco", body)
		}
		trak := func(kind, stbl string) string {
			return bx("trak", bx("tkhd", "\x00\x00\x00\x07", "canarytk", u32(1), strings.Repeat("\x00", 64)), bx("udta", bx("name", "canary track")), bx("meta", u32(0), "canary"),
				bx("mdia", bx("mdhd", "\x01\x00\x00\x00", "canarymdhdcanary", u32(1000)), bx("hdlr", u32(0), "mhlr", kind, "appl", u32(0), u32(0), "\x0dcanaryhandler"),
					bx("minf", bx("vmhd", u32(1)), bx("hdlr", u32(0), "dhlr", "alis", "appl", u32(0), u32(0), "\x0dcanaryhandler"),
						bx("dinf", bx("dref", u32(0), u32(1), bx("alis", u32(1), "/Volumes/canary"))), bx("stbl", stbl))))
		}
		entry := bx("stsd", u32(0), u32(1), bx("avc1", strings.Repeat("\x00", 6)+u16(1)+u32(0)+"cana"+strings.Repeat("\x00", 26)+"\x15canaryencoder12345678"+strings.Repeat("\x00", 14)))
		behind := at + len(frames) + len(speech)
		moov := bx("moov", bx("mvhd", u32(0), "canarymv", u32(600), u32(1200), strings.Repeat("\x00", 80)),
			trak("vide", entry+bx("stsc", u32(0), u32(1), u32(1), u32(1), u32(1))+bx("stsz", u32(0), u32(len(frames)), u32(1))+place(at)),
			trak("soun", bx("stsd", u32(0), u32(0))+bx("stsc", u32(0), u32(1), u32(1), u32(1), u32(1))+bx("stsz", u32(0), u32(len(speech)), u32(1))+place(at+len(frames))),
			trak("meta", bx("stsd", u32(0), u32(0))+bx("stsc", u32(0), u32(2), u32(1), u32(2), u32(1), u32(2), u32(1), u32(1))+
				bx("stsz", u32(0), u32(0), u32(3), u32(len(telemetry[0])), u32(len(telemetry[1])), u32(len(telemetry[2])))+place(behind, behind+len(telemetry[0])+len(telemetry[1]))),
			bx("udta", bx("\xa9xyz", u16(len(inPlace)), u16(0x15c7), inPlace), bx("\xa9mak", inMake), bx("\xa9mod", inModel), bx("loci", u32(0), inPlace)),
			bx("meta", bx("hdlr", "canary"), bx("keys", u32(0), u32(1), bx("mdta", "com.apple.quicktime.location.ISO6709")), bx("ilst", bx("\x00\x00\x00\x01", bx("data", u32(1), u32(0), inPlace)))),
			bx("uuid", "0123456789abcdef", "canary"))
		return bx("ftyp", brand, u32(0), brand) + moov + bx("free", "canary") + bx("uuid", "fedcba9876543210", "canary <x:xmpmeta>") + bx("meta", u32(0), "canary")
	}
	head := build(0)
	head = build(len(head) + 8)
	return []byte(head + bx("mdat", frames, speech, strings.Join(telemetry, "")) + bx("mpvd", "canary") + "tail")
}

func mp3Sample() []byte {
	frame := func(fill string) string {
		b := []byte("\xff\xfb\x90\x00" + strings.Repeat(fill, 413))
		return string(b[:417])
	}
	tag := func(name, body string) string { return name + u32(len(body)) + "\x00\x00" + body }
	tags := tag("TIT2", "\x00a title") + tag("TXXX", "\x00location\x00"+inPlace) + tag("PRIV", "XMP\x00canary") + tag("GEOB", "\x00canary") + tag("APIC", "\x00image/jpeg\x00canary") + tag("TPE1", "\x00somebody") + strings.Repeat("\x00", 20)
	n := len(tags)
	id3 := "ID3\x03\x00\x00" + string([]byte{byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}) + tags
	one := "TAG" + strings.Repeat("t", 125)
	return []byte(id3 + frame("a") + frame("b") + "canary between" + frame("c") + frame("d") + "APETAGEXcanary" + one)
}

func adtsSample() []byte {
	frame := func(body string) string {
		n := len(body) + 7
		return string([]byte{0xff, 0xf1, 0x50, 0x80 | byte(n>>11), byte(n >> 3), byte(n<<5) | 0x1f, 0xfc}) + body
	}
	return []byte(frame("sound one") + frame("sound two and more") + "canary" + frame("sound three"))
}

func wavSample() []byte {
	return []byte(riff("RIFF", "WAVE"+riff("fmt ", strings.Repeat("\x01", 16))+riff("LIST", "INFOcanary")+riff("bext", "canary")+riff("data", "the sound")+riff("_PMX", "canary")+riff("iXML", "canary")) + "canary")
}

func flacSample() []byte {
	block := func(kind byte, body string) string {
		n := len(body)
		return string([]byte{kind, byte(n >> 16), byte(n >> 8), byte(n)}) + body
	}
	return []byte("fLaC" + block(0, strings.Repeat("s", 34)) + block(4, "canary") + block(6, "canary"+inModel) + block(0x81, "canary") + "\xff\xf8the sound")
}

func oggPage(serial, seq int, flags byte, lacing []byte, body string) string {
	b := append([]byte("OggS\x00"), flags)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(serial))
	b = binary.LittleEndian.AppendUint32(b, uint32(seq))
	b = append(b, 0, 0, 0, 0, byte(len(lacing)))
	b = append(append(b, lacing...), body...)
	table := oggTable()
	binary.LittleEndian.PutUint32(b[22:], oggCRC(&table, b))
	return string(b)
}

// oggSample is a voice message whose comments take two pages.
func oggSample() []byte {
	le := func(s string) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	list := []string{"TITLE=a title", "LOCATION=" + inPlace, "METADATA_BLOCK_PICTURE=canary" + strings.Repeat("Q", 300), "canary without a name", "artist=somebody"}
	tags := "OpusTags" + le("a library") + string(binary.LittleEndian.AppendUint32(nil, uint32(len(list))))
	for _, c := range list {
		tags += le(c)
	}
	tags += "canary behind the list"
	return []byte(oggPage(7, 0, 2, []byte{19}, "OpusHead"+strings.Repeat("h", 11)) + oggPage(7, 1, 0, []byte{255}, tags[:255]) +
		oggPage(7, 2, 1, []byte{byte(len(tags) - 255), 9}, tags[255:]+"the sound") + oggPage(7, 3, 4, []byte{5}, "sound") + "canary")
}

func amrSample() []byte {
	return []byte("#!AMR\n" + strings.Repeat("\x3c"+strings.Repeat("s", 31), 3) + "canary")
}

func el(id string, parts ...string) string {
	body := strings.Join(parts, "")
	return id + string([]byte{0x40 | byte(len(body)>>8), byte(len(body))}) + body
}

// webmSample is a recording of a browser: segment and cluster have no length.
func webmSample(open bool) []byte {
	head := el("\x1a\x45\xdf\xa3", el("\x42\x82", "webm"))
	track := func(kind string) string { return el("\xae", el("\x83", kind), el("\x53\x6e", "canary name")) }
	info := el("\x15\x49\xa9\x66", el("\xbf", "crc!"), el("\x2a\xd7\xb1", "\x0f\x42\x40"), el("\x7b\xa9", "canary title"), el("\x57\x41", "canary app"), el("\x44\x61", "canaryda"))
	tags := el("\x12\x54\xc3\x67", "canary"+inPlace) + el("\x19\x41\xa4\x69", "canary file"+strings.Repeat("x", 300))
	cluster := el("\xe7", "\x00") + el("\xa3", "\x81\x00\x00\x80the sound and the picture")
	body := info + el("\x16\x54\xae\x6b", track("\x01"), track("\x02")) + tags
	if open {
		const unknown = "\x01\xff\xff\xff\xff\xff\xff\xff"
		return []byte(head + "\x18\x53\x80\x67" + unknown + body + "\x1f\x43\xb6\x75" + unknown + cluster + "\x1f\x43\xb6\x75" + unknown + cluster + tags)
	}
	return []byte(head + el("\x18\x53\x80\x67", body, el("\x1f\x43\xb6\x75", cluster), tags) + "canary")
}

func zipSample(names ...string) []byte {
	var b, dir []byte
	for _, n := range names {
		b = append(b, fmt.Sprintf("PK\x03\x04%s%s%s", strings.Repeat("\x00", 22), []byte{byte(len(n)), 0, 0, 0}, n)...)
		dir = append(dir, fmt.Sprintf("PK\x01\x02%s%s%s%s", strings.Repeat("\x00", 24), []byte{byte(len(n)), 0}, strings.Repeat("\x00", 16), n)...)
	}
	end := append([]byte("PK\x05\x06"), make([]byte, 12)...)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(b)))
	return append(append(append(b, dir...), end...), 0, 0)
}
