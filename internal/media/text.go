package media

import (
	"bytes"
	"unicode/utf8"
)

// sortText takes text in UTF-8 that no program would take for a page or a
// script by its content.
func sortText(b []byte) (mime string, clean []byte, err error) {
	body := bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if len(body) == 0 || !utf8.Valid(body) {
		return "", nil, errUnknown
	}
	for _, c := range body {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' || c == 0x7f {
			return "", nil, errUnknown
		}
	}
	if isPage(body) {
		return "", nil, errActive
	}
	return "text/plain", b, nil
}

// isPage reports whether text is HTML, SVG, other XML, or a document with
// commands in it. A viewer that guesses looks at the beginning only.
func isPage(b []byte) bool {
	b = bytes.TrimLeft(b[:min(len(b), 4096)], " \t\r\n\f")
	low := bytes.ToLower(b)
	if len(b) > 1 && b[0] == '<' && (b[1] == '!' || b[1] == '?' || b[1] == '/' || b[1] == '%' || low[1] >= 'a' && low[1] <= 'z') {
		return true
	}
	for _, begin := range []string{"#!", "{\\rtf", "%!ps"} {
		if has(low, begin) {
			return true
		}
	}
	for _, tag := range []string{"<!doctype", "<html", "<head", "<body", "<script", "<svg", "<iframe", "<object", "<embed", "<?xml", "<?php"} {
		if bytes.Contains(low, []byte(tag)) {
			return true
		}
	}
	return false
}
