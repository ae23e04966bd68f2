package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/gif"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "golang.org/x/image/webp" // the decoder

	"github.com/sotto-chat/sotto"
)

func packed(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// samples are files of every type, each with traces of where and with what it was
// made.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	return map[string][]byte{
		"image/jpeg": jpegSample(tb, binary.LittleEndian, 6), "image/png": pngSample(tb, 8), "image/gif": gifSample(tb), "image/webp": webpSample(3),
		"image/heic": heifSample("heic", 0), "image/heic idat": heifSample("heix", 1), "image/avif": heifSample("avif", 2),
		"video/mp4": movieSample("mp42", false), "video/quicktime": movieSample("qt  ", true), "video/3gpp": movieSample("3gp5", false),
		"audio/mpeg": mp3Sample(), "audio/aac": adtsSample(), "audio/wav": wavSample(), "audio/flac": flacSample(), "audio/ogg": oggSample(),
		"audio/amr": amrSample(), "video/webm": webmSample(false), "video/webm open": webmSample(true),
	}
}

// keeps is what each sample must still hold.
var keeps = map[string][]string{
	"image/jpeg": {"ICC_PROFILE", "sRGB of the test"}, "image/png": {"gAMA", "pHYs", "iCCP"}, "image/gif": {"NETSCAPE2.0"}, "image/webp": {"VP8L", "sRGB of the test"},
	"image/heic": {pixels, "sRGB of the test"}, "image/heic idat": {pixels}, "image/avif": {pixels}, "video/mp4": {frames, speech}, "video/quicktime": {frames, speech}, "video/3gpp": {frames, speech},
	"audio/mpeg": {"a title", "somebody", "TAGttt", "ddddd"}, "audio/aac": {"sound one", "sound two and more", "sound three"}, "audio/wav": {"the sound"},
	"audio/flac": {"the sound"}, "audio/ogg": {"the sound", "a title", "somebody"}, "audio/amr": {"sssss"}, "video/webm": {"the sound and the picture"}, "video/webm open": {"the sound and the picture"},
}

func TestNoTraceSurvives(t *testing.T) {
	for name, in := range samples(t) {
		t.Run(name, func(t *testing.T) {
			if !bytes.Contains(in, []byte("canary")) {
				t.Fatal("the sample has nothing that could survive")
			}
			want, _, _ := strings.Cut(name, " ")
			mime, out, err := Clean(bytes.Clone(in))
			if err != nil || mime != want {
				t.Fatalf("%s, %v", mime, err)
			}
			wantNoTrace(t, out)
			for _, s := range keeps[name] {
				if !bytes.Contains(out, []byte(s)) {
					t.Errorf("%q is gone", s)
				}
			}
			if len(out) > len(in)+64 {
				t.Errorf("%d bytes became %d", len(in), len(out))
			}
			mime2, again, err := Clean(bytes.Clone(out))
			if err != nil || mime2 != mime || !bytes.Equal(again, out) {
				t.Errorf("a clean file is cleaned once more: %s, %v, %d bytes of %d", mime2, err, len(again), len(out))
			}
		})
	}
}

// pixelsOf decodes an image.
func pixelsOf(b []byte) (image.Image, error) {
	m, _, err := image.Decode(bytes.NewReader(b))
	return m, err
}

func samePixels(t *testing.T, a, b image.Image) {
	t.Helper()
	if a.Bounds() != b.Bounds() {
		t.Fatalf("%v became %v", a.Bounds(), b.Bounds())
	}
	if !reflect.DeepEqual(a, b) {
		t.Error("the pixels are others")
	}
}

func TestPixelsStay(t *testing.T) {
	all := samples(t)
	for _, name := range []string{"image/jpeg", "image/png", "image/gif", "image/webp"} {
		before, err := pixelsOf(all[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, out, err := Clean(bytes.Clone(all[name]))
		if err != nil {
			t.Fatal(err)
		}
		after, err := pixelsOf(out)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		samePixels(t, before, after)
	}
}

func TestAnimationStays(t *testing.T) {
	in := gifSample(t)
	before := must[*gif.GIF](t)(gif.DecodeAll(bytes.NewReader(in)))
	_, out, err := Clean(bytes.Clone(in))
	if err != nil {
		t.Fatal(err)
	}
	after := must[*gif.GIF](t)(gif.DecodeAll(bytes.NewReader(out)))
	if diff := cmp.Diff(before, after); diff != "" || len(after.Image) != 3 || after.LoopCount != 3 {
		t.Error(diff)
	}
}

// The orientation is all that is left of Exif, in whatever way it was written.
func TestOrientationStays(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for turn := range uint16(10) {
			want := int(turn)
			if turn < 2 || turn > 8 {
				want = 0
			}
			if got := orientation(tiffOf(order, turn)); got != want {
				t.Fatalf("%d is read as %d", turn, got)
			}
			_, out, err := Clean(jpegSample(t, order, turn))
			if err != nil {
				t.Fatal(err)
			}
			_, rest, found := bytes.Cut(out, []byte("Exif\x00\x00"))
			if found != (want != 0) || found && (orientation(rest) != want || bytes.Count(out, []byte("Exif")) != 1) {
				t.Errorf("JPEG: %d of %v", want, found)
			}
			if !has(out[6:], "JFIF") {
				t.Error("JFIF does not come first")
			}
		}
	}
	for name, b := range map[string][]byte{"eXIf": pngSample(t, 8), "EXIF": webpSample(8)} {
		_, out, err := Clean(b)
		_, rest, found := bytes.Cut(out, []byte(name))
		if err != nil || !found {
			t.Fatalf("%s: %v", name, err)
		}
		if name == "EXIF" {
			rest = rest[4:]
		}
		if orientation(rest) != 8 {
			t.Errorf("%s does not say how to turn it", name)
		}
	}
}

// Files that others made decode to the same pixels.
func TestFilesOfOthers(t *testing.T) {
	var dirs []string
	for _, args := range [][]string{{"env", "GOROOT"}, {"list", "-m", "-f", "{{.Dir}}", "golang.org/x/image"}} {
		out, err := exec.CommandContext(t.Context(), "go", args...).Output()
		if err != nil {
			t.Skip(err)
		}
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	n := map[string]int{}
	for _, pattern := range []string{
		dirs[0] + "/src/image/testdata/*.*", dirs[0] + "/src/image/png/testdata/*/*.png", dirs[0] + "/src/image/jpeg/testdata/*.*", dirs[0] + "/src/image/gif/testdata/*.*", dirs[1] + "/testdata/*.webp",
	} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			in, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			before, err := pixelsOf(in)
			if err != nil {
				continue
			}
			mime, out, err := Clean(bytes.Clone(in))
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(name), err)
				continue
			}
			after, err := pixelsOf(out)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(name), err)
				continue
			}
			samePixels(t, before, after)
			n[mime]++
		}
	}
	t.Log(n)
	for _, mime := range []string{"image/jpeg", "image/png", "image/gif", "image/webp"} {
		if n[mime] == 0 {
			t.Errorf("no %s was looked at", mime)
		}
	}
}

func TestTypes(t *testing.T) {
	odt := zipSample("x")
	odt = append([]byte("PK\x03\x04"+strings.Repeat("\x00", 26)+"mimetypeapplication/vnd.oasis.opendocument.text"), odt...)
	for name, tt := range map[string]struct {
		in   string
		mime string // "" = refused
		err  error
	}{
		"text":             {"Grüße,\r\n\tAnna <3 and <anna@example.org>", "text/plain", nil},
		"text with BOM":    {"\xef\xbb\xbfhello", "text/plain", nil},
		"less than three":  {"<3 you", "text/plain", nil},
		"MZ in text":       {"MZ is a station in Mainz", "text/plain", nil},
		"PDF":              {"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Author(Anna)>>", "application/pdf", nil},
		"ZIP":              {string(zipSample("a.txt", "b.txt")), "application/zip", nil},
		"docx":             {string(zipSample("[Content_Types].xml", "word/document.xml")), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", nil},
		"xlsx":             {string(zipSample("xl/workbook.xml")), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", nil},
		"odt":              {string(odt), "application/vnd.oasis.opendocument.text", nil},
		"m4a":              {string(movieSample("M4A ", false)), "audio/mp4", nil},
		"heif":             {string(heifSample("mif1", 0)), "image/heif", nil},
		"empty":            {"", "", errUnknown},
		"BOM alone":        {"\xef\xbb\xbf", "", errUnknown},
		"HTML":             {"<!DOCTYPE html><p>", "", errActive},
		"HTML after space": {" \n\t<HTML>", "", errActive},
		"HTML within":      {"hello\n<ScRiPt>alert(1)</script>", "", errActive},
		"SVG":              {"<svg xmlns='http://www.w3.org/2000/svg'/>", "", errActive},
		"XML":              {"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "", errActive},
		"RTF":              {"{\\rtf1 x}", "", errActive},
		"shell":            {"#!/bin/sh\nrm", "", errActive},
		"PHP":              {"<?php echo 1;", "", errActive},
		"PostScript":       {"%!PS-Adobe", "", errActive},
		"jar":              {string(zipSample("META-INF/MANIFEST.MF")), "", errActive},
		"apk":              {string(zipSample("a", "classes.dex")), "", errActive},
		"exe":              {"MZ\x90\x00\x03\x00\x00\x00", "", errActive},
		"elf":              {"\x7fELF\x02\x01\x01\x00", "", errActive},
		"class":            {"\xca\xfe\xba\xbe\x00\x00\x00\x34", "", errActive},
		"wasm":             {"\x00asm\x01\x00\x00\x00", "", errActive},
		"Mach-O":           {"\xcf\xfa\xed\xfe\x07\x00\x00\x01", "", errActive},
		"lnk":              {"L\x00\x00\x00\x01\x14\x02\x00", "", errActive},
		"TIFF":             {string(tiffOf(binary.LittleEndian, 1)), "", errUnknown},
		"BMP":              {"BM\x00\x00\x00\x00", "", errUnknown},
		"UTF-16":           {"\xff\xfeh\x00i\x00", "", errUnknown},
		"control":          {"a\x00b", "", errUnknown},
		"escape":           {"a\x1b[2Jb", "", errUnknown},
		"latin 1":          {"gr\xfc\xdfe", "", errUnknown},
		"gzip":             {"\x1f\x8b\x08\x00", "", errUnknown},
		"OLE":              {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "", errUnknown},
		"JPEG XL":          {bx("ftyp", "jxl ", u32(0), "jxl "), "", errUnknown},
		"Canon raw":        {bx("ftyp", "crx ", u32(0), "crx ", "isom"), "", errDamaged},
		"AVI":              {riff("RIFF", "AVI "+strings.Repeat("x", 20)), "", errUnknown},
		"JPEG head":        {"\xff\xd8\xff\xe0", "", errDamaged},
		"GIF with a page":  {"GIF89a/*<html><script>alert(1)</script>*/=1", "", errDamaged},
		"PNG head":         {pngMagic, "", errDamaged},
		"MP4 head":         {bx("ftyp", "mp42", u32(0), "mp42"), "", errDamaged},
		"ID3 and a page":   {"ID3\x03\x00\x00\x00\x00\x00\x00<html>", "", errDamaged},
		"cmov":             {bx("ftyp", "qt  ", u32(0)) + bx("moof", bx("mfhd", u32(0))) + bx("moov", bx("trak", bx("mdia", bx("hdlr", u32(0), u32(0), "camm")))), "", errHidden},
	} {
		mime, _, err := Clean([]byte(tt.in))
		if mime != tt.mime || tt.err == nil && err != nil {
			t.Errorf("%s: %q, %v", name, mime, err)
		}
		if tt.err != nil && (sotto.KindOf(err) != sotto.KindInvalid || !strings.HasSuffix(err.Error(), tt.err.Error())) {
			t.Errorf("%s: %v, want %v", name, err, tt.err)
		}
	}
}

// Frames of a WebP animation keep what they show and lose what is unknown.
func TestWebPAnimation(t *testing.T) {
	frame := strings.Repeat("f", 16)
	build := func(more string) string {
		return riff("RIFF", "WEBP"+riff("VP8X", "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00")+riff("ANIM", "\x00\x00\x00\x00\x03\x00")+
			riff("ANMF", frame+riff("ALPH", "odd")+riff("VP8 ", "one")+more)+riff("ANMF", frame+more+riff("VP8L", "two")))
	}
	mime, out, err := Clean([]byte(build(riff("UNKN", "canary"))))
	if diff := cmp.Diff(build(""), string(out)); diff != "" || err != nil || mime != "image/webp" {
		t.Errorf("%s %v %s", mime, err, diff)
	}
}

// Fragments of a film keep what is needed to play them.
func TestFragments(t *testing.T) {
	build := func(more string) string {
		return bx("ftyp", "iso5", u32(0), "dash") + bx("moov", bx("mvex", bx("trex", u32(0))), bx("trak", bx("mdia", bx("hdlr", u32(0), u32(0), "soun"+strings.Repeat("\x00", 12))))) +
			bx("moof", bx("mfhd", u32(0)), bx("traf", bx("tfhd", u32(0)), bx(more, "canary"))) + bx("mdat", speech)
	}
	for _, more := range []string{"uuid", "meta", "udta"} {
		_, out, err := Clean([]byte(build(more)))
		if err != nil || bytes.Contains(out, []byte("canary")) || !bytes.Contains(out, []byte(speech)) {
			t.Errorf("%s: %v", more, err)
		}
	}
}

func TestFrameLengths(t *testing.T) {
	for head, want := range map[string]int{
		"\xff\xfb\x90\x00": 417, "\xff\xfb\x92\x00": 418, "\xff\xf3\x80\x00": 208, "\xff\xe3\x18\x00": 72, "\xff\xff\x18\x00": 48, "\xff\xfd\xa4\x00": 576,
		"\xff\xfb\xf0\x00": 0, "\xff\xfb\x0c\x00": 0, "\xff\xeb\x90\x00": 0, "\xff\xf9\x90\x00": 0, "\xff\xfb": 0, "\x00\xfb\x90\x00": 0,
	} {
		if got := mp3Frame([]byte(head)); got != want {
			t.Errorf("%x is %d bytes long, want %d", head, got, want)
		}
	}
}

// What points to the same bytes over and over, or promises more than there is,
// takes no more work than its length.
func TestBombs(t *testing.T) {
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	mdat := bx("mdat", many(1<<20, "x"))
	extents := many(60_000, u32(0)+u32(1<<20))
	heif := bx("ftyp", "heic", u32(0)) + bx("meta", u32(0), bx("iinf", u32(0), u16(1), bx("infe", "\x02\x00\x00\x00", u16(1), u16(0), "Exif\x00")),
		bx("iloc", "\x00\x00\x00\x00\x44\x00", u16(1), u16(1), u16(0), u16(60_000), extents)) + mdat
	none := bx("ftyp", "heic", u32(0)) + bx("meta", u32(0), bx("iinf", u32(0), u16(1), bx("infe", "\x02\x00\x00\x00", u16(1), u16(0), "Exif\x00")),
		bx("iloc", "\x00\x00\x00\x00\x00\x00", u16(60_000), many(60_000, u16(1)+u16(0)+u16(65_535)))) + mdat
	chunks := bx("ftyp", "mp42", u32(0)) + bx("moov", bx("trak", bx("mdia", bx("hdlr", u32(0), u32(0), "meta"), bx("minf", bx("stbl",
		bx("stsc", u32(0), u32(1), u32(1), "\xff\xff\xff\xff", u32(1)), bx("stsz", u32(0), "\xff\xff\xff\xff", u32(0)), bx("stco", u32(0), u32(100_000), many(100_000, u32(0)))))))) + mdat
	icc := must[[]byte](t)(packed(make([]byte, 8<<20)))
	var plain bytes.Buffer
	plain.Write(pngSample(t, 1))
	head := plain.String()[:33]
	bomb := head + chunk("iCCP", "x\x00\x00"+string(icc)) + plain.String()[33:]
	for name, in := range map[string]string{
		"extents": heif, "empty extents": none, "chunks": chunks, "profile": bomb,
		"restarts": "\xff\xd8\xff\xda\x00\x02" + many(1<<20, "\xff\xd0"), "fill": "\xff\xd8" + many(1<<20, "\xff"), "scans": "\xff\xd8" + many(1<<18, "\xff\xda\x00\x02"), "junk": "\xff\xd8\xff\xda\x00\x02\xff\xfe\x00\x02" + many(1<<20, "x\xff\x00"),
		"GIF": "GIF89a\x01\x00\x01\x00\x00\x00\x00" + many(1<<18, "\x21\xfe\x00"), "PNG": head + many(1<<16, chunk("tEXt", "")), "nested": "\x00\x00\x00\x10ftypqt  \x00\x00\x00\x00" + many(1<<17, u32(1<<20)+"moov"),
		"ID3": many(1<<17, "ID3\x03\x00\x00\x00\x00\x00\x00"), "MP3": "ID3\x03\x00\x00\x00\x00\x00\x0bTIT2\x00\x00\x00\x01\x00\x00\x00" + many(1<<20, "\xff"), "Ogg": many(1<<15, oggPage(1, 0, 2, []byte{8}, "OpusHead")),
		"EBML": "\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + many(1<<17, "\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff"),
		"ZIP":  string(zipSample(strings.Split(many(5000, "a/b "), " ")...)),
	} {
		begin := time.Now()
		_, out, err := Clean([]byte(in))
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s took %v for %d bytes", name, took, len(in))
		}
		if err == nil && len(out) > len(in)+64<<10 {
			t.Errorf("%s: %d bytes became %d", name, len(in), len(out))
		}
	}
}

// A page that hides in an image is gone, or the whole is refused.
func TestPolyglots(t *testing.T) {
	const page = "<html><script>canary()</script>"
	all := samples(t)
	for name, in := range map[string][]byte{
		"GIF comment": gifSample(t), "PNG behind": append(pngSample(t, 1), page...), "JPEG comment": jpegSample(t, binary.BigEndian, 1), "WebP behind": append(webpSample(1), page...),
		"MP4 free": append(movieSample("mp42", false), bx("free", page)...), "WAV behind": append(wavSample(), page...), "Ogg behind": append(oggSample(), page...),
		"AMR behind": append(amrSample(), page...), "WebM behind": append(bytes.Clone(all["video/webm"]), page...), "AAC behind": append(adtsSample(), page...), "HEIC behind": append(heifSample("heic", 0), bx("skip", page)...),
	} {
		_, out, err := Clean(bytes.Clone(in))
		if err != nil || bytes.Contains(out, []byte("<script>")) || bytes.Contains(out, []byte("canary")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzClean: whatever comes, cleaning ends without a panic; what it makes is
// clean already and of the same type; and an image keeps its pixels.
func FuzzClean(f *testing.F) {
	for _, in := range samples(f) {
		f.Add(in)
		f.Add(in[:len(in)/2])
	}
	f.Add([]byte("%PDF-1.4"))
	f.Add([]byte("hello"))
	f.Add(zipSample("word/a"))
	f.Fuzz(func(t *testing.T, in []byte) {
		mime, out, err := Clean(bytes.Clone(in))
		if err != nil {
			if sotto.KindOf(err) != sotto.KindInvalid {
				t.Fatal(err)
			}
			return
		}
		mime2, again, err := Clean(bytes.Clone(out))
		if err != nil || mime2 != mime || !bytes.Equal(again, out) {
			t.Fatalf("%s, then %s, %v: %d bytes, then %d", mime, mime2, err, len(out), len(again))
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(in)); err != nil || c.Width > 500 || c.Height > 500 {
			return
		}
		before, err := pixelsOf(in)
		if err != nil {
			return
		}
		after, err := pixelsOf(out)
		if err != nil {
			t.Fatalf("%s does not decode any more: %v", mime, err)
		}
		samePixels(t, before, after)
	})
}
