package config

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of what is read. A configuration is written by hand; whatever is
// larger is the wrong file.
const (
	maxFile  = 1 << 20
	maxDepth = 32
)

// read returns the root mapping of the file at path, or nil with problems.
func read(path string) (*yaml.Node, []Problem) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, []Problem{{File: path, Text: "cannot be read: " + reason(err)}}
	}
	defer f.Close() //nolint:errcheck // nothing was written
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, []Problem{{File: path, Text: "cannot be read: " + reason(err)}}
	}
	if len(body) > maxFile {
		return nil, []Problem{{File: path, Text: "is larger than 1 MiB, which no configuration is"}}
	}
	return parse(path, body)
}

// parse reads one YAML document. It returns nil for a document that holds
// nothing, or that cannot be walked safely.
func parse(path string, body []byte) (*yaml.Node, []Problem) {
	dec := yaml.NewDecoder(bytes.NewReader(body))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, []Problem{syntax(path, err)}
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return nil, []Problem{{File: path, Line: more.Line, Text: "a second document begins here; a configuration is one document"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, []Problem{syntax(path, err)}
	}
	if len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, []Problem{{File: path, Line: root.Line, Text: "want keys and values, such as \"listen: 127.0.0.1:8080\""}}
	}
	w := walk{file: path}
	w.node(root, 0)
	if w.fatal {
		return nil, w.found
	}
	return root, w.found
}

// walk looks for what no part of a configuration may have, whatever it means:
// a key that stands twice, references to other places, keys that are not text.
type walk struct {
	file  string
	found []Problem
	fatal bool // the tree cannot be walked by others
}

func (w *walk) add(n *yaml.Node, text string) {
	w.found = append(w.found, Problem{File: w.file, Line: n.Line, Text: text})
}

func (w *walk) node(n *yaml.Node, depth int) {
	if depth > maxDepth {
		w.add(n, "is nested too deep")
		w.fatal = true
		return
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		w.add(n, "anchors (&) and references (*) are not supported; a value that begins with & or * needs quotes")
		w.fatal = w.fatal || n.Kind == yaml.AliasNode
		return
	}
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			w.node(c, depth+1)
		}
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind != yaml.ScalarNode:
			w.add(k, "a key has to be one word")
			w.fatal = true
			continue
		case seen[k.Value] > 0:
			w.add(k, shown(k.Value)+" stands here twice; the first is on line "+strconv.Itoa(seen[k.Value]))
		default:
			seen[k.Value] = k.Line
		}
		w.node(n.Content[i+1], depth+1)
	}
}

// syntax turns an error of the YAML parser into a problem. Its messages are
// constant but for the name of an anchor, which could be part of a password.
func syntax(path string, err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1 // of which the parser's messages say nothing
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits; 0 if too many
		text = text[len(m[0]):]
	}
	if strings.Contains(text, "anchor") {
		line, text = 0, "a value that begins with & or * needs quotes"
	}
	return Problem{File: path, Line: line, Text: "is not YAML: " + text}
}

// reason is an error of the file system without the path.
func reason(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

func isNull(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}
