// Package shophelp holds the help pages of a small made-up shop, in English
// and German, so that a fresh Sotto has something to answer from.
//
// The pages are plain Markdown files beside this one: copy the folder, write
// your own, and point the answerer at it. A heading starts a passage, which is
// what an answer shows. A comment such as
//
//	<!-- also: postage, delivery fee -->
//
// below a heading adds words that people use for it; it is searched, not shown.
package shophelp

import (
	"embed"
	"io/fs"
)

//go:embed en de
var files embed.FS

// Files returns the pages: en/*.md and de/*.md.
func Files() fs.FS { return files }
