package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/sotto-chat/sotto"
)

// Why a file is refused. Nothing of the file is in it.
var (
	errUnknown = errors.New("the file is of no type that is known")
	errActive  = errors.New("the file is a program, a page or a script")
	errDamaged = errors.New("the file is not built as its type has to be")
	errHidden  = errors.New("the file holds tracks or parts that cannot be cleaned")
)

// Clean finds out what a file is, by its content alone, and takes out of it what
// tells where and with which device it was made. Pixels and sound are not
// encoded again: the container is walked, and what is not needed to show or play
// the file is left out, or overwritten with zeros where other parts are found by
// their distance from the beginning.
//
//	JPEG, PNG, WebP, GIF   everything but the image, its colours and its orientation
//	HEIC, HEIF, AVIF       Exif and XMP items, and all that stands beside the image
//	MP4, MOV, 3GP, M4A     tags, times of recording, names of devices, and every
//	                       track but those of picture and sound: cameras and drones
//	                       write positions into the others
//	WebM, Matroska         tags, attached files, titles and dates
//	MP3                    all but plain text tags: no pictures, private frames or links
//	Ogg                    all comments but the usual ones on music
//	WAV, FLAC, AAC, AMR    everything but the sound
//
// PDF, text and ZIP (Office) files come back as they are: what stands in a
// document, its properties too, is what its author wrote. Pages, scripts and
// programs are refused whatever they call themselves, and so is what is not
// known. ZIP files are told by their names and not unpacked.
//
// data is changed and must not be used afterwards; clean may share its memory,
// and is at most 64 KiB longer. The work is in proportion to the length of
// data. Every error is of [sotto.KindInvalid].
func Clean(data []byte) (mime string, clean []byte, err error) {
	mime, clean, err = recognise(data)
	if err != nil {
		return "", nil, sotto.E("media.clean", sotto.KindInvalid, err)
	}
	return mime, clean, nil
}

// recognise sends a file to whoever knows its type.
func recognise(b []byte) (mime string, clean []byte, err error) {
	switch {
	case has(b, "\xff\xd8\xff"):
		clean, err = cleanJPEG(b)
		return "image/jpeg", clean, err
	case has(b, pngMagic):
		clean, err = cleanPNG(b)
		return "image/png", clean, err
	case has(b, "GIF87a"), has(b, "GIF89a"):
		clean, err = cleanGIF(b)
		return "image/gif", clean, err
	case has(b, "RIFF") && len(b) >= 12:
		return cleanRIFF(b)
	case len(b) >= 8 && firstBox(string(b[4:8])):
		return cleanBoxes(b)
	case has(b, "\x1a\x45\xdf\xa3"):
		return cleanEBML(b)
	case has(b, "%PDF-"):
		return "application/pdf", b, nil
	case has(b, "PK\x03\x04"):
		return sortZIP(b)
	}
	return sortSound(b)
}

func sortSound(b []byte) (mime string, clean []byte, err error) {
	switch {
	case has(b, "OggS"):
		return cleanOgg(b)
	case has(b, "fLaC"):
		clean, err = cleanFLAC(b)
		return "audio/flac", clean, err
	case has(b, "#!AMR\n"), has(b, "#!AMR-WB\n"):
		clean, err = cleanAMR(b)
		return "audio/amr", clean, err
	case has(b, "ID3"), len(b) > 1 && b[0] == 0xff && b[1]&0xe0 == 0xe0:
		if mime, clean, err = cleanMPEG(b); err == nil || has(b, "ID3") {
			return mime, clean, err
		}
	}
	if isProgram(b) {
		return "", nil, errActive
	}
	return sortText(b)
}

func isProgram(b []byte) bool {
	for _, magic := range []string{
		"MZ", "\x7fELF", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe", "dex\n", "\x00asm", "#!", "L\x00\x00\x00\x01\x14\x02\x00",
	} {
		if has(b, magic) {
			return magic != "MZ" || bytes.IndexByte(b, 0) >= 0
		}
	}
	return false
}

func has(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// sortZIP tells a ZIP file by the names that stand in it.
func sortZIP(b []byte) (mime string, clean []byte, err error) {
	if has(b[min(len(b), 30):], "mimetype") { // OpenDocument and EPUB: the first entry, not compressed, says the type
		for _, m := range []string{
			"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
			"application/vnd.oasis.opendocument.presentation", "application/epub+zip",
		} {
			if has(b[38:], m) {
				return m, b, nil
			}
		}
	}
	mime = "application/zip"
	for _, name := range namesInZIP(b) {
		if slices.Contains([]string{"META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex"}, name) {
			return "", nil, errActive
		}
		for _, t := range [][2]string{
			{"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
			{"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
			{"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
		} {
			if mime == "application/zip" && has([]byte(name), t[0]) {
				mime = t[1]
			}
		}
	}
	return mime, b, nil
}

// namesInZIP reads the names in a ZIP file's directory, at most the first
// thousand, and none where the directory is not where it should be.
func namesInZIP(b []byte) []string {
	const entry, end, record = "PK\x01\x02", "PK\x05\x06", 46
	from := bytes.LastIndex(b, []byte(end))
	if from < 0 || len(b)-from < 22 {
		return nil
	}
	at := int64(binary.LittleEndian.Uint32(b[from+16:]))
	var names []string
	for len(names) < 1000 && at+record <= int64(len(b)) && has(b[at:], entry) {
		n := int64(binary.LittleEndian.Uint16(b[at+28:]))
		more := int64(binary.LittleEndian.Uint16(b[at+30:])) + int64(binary.LittleEndian.Uint16(b[at+32:]))
		if at+record+n > int64(len(b)) {
			return names
		}
		names = append(names, string(b[at+record:at+record+n]))
		at += record + n + more
	}
	return names
}
