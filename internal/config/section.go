package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Section is a part of the file whose keys another part of Sotto knows: the
// settings of one account. It remembers where it stood, so that what is wrong
// with it can be reported with file and line. The zero Section is empty.
type Section struct {
	node *yaml.Node
	file string
	line int
	path string
	refs refs
}

// File returns the file that the section stands in.
func (s Section) File() string { return s.file }

// Line returns the line of a key in the section, and the line on which the
// section begins for "" and for keys that are not there.
func (s Section) Line(key string) int {
	if s.node != nil && s.node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(s.node.Content); i += 2 {
			if key != "" && s.node.Content[i].Value == key {
				return s.node.Content[i].Line
			}
		}
	}
	return s.line
}

// Problem makes a problem of the section, at the line of key. text must not
// hold a value of the section.
func (s Section) Problem(key, text string) Problem {
	path := s.path
	if key != "" {
		path = join(path, key)
	}
	return Problem{File: s.file, Line: s.Line(key), Text: path + ": " + text}
}

// Decode fills the struct that into points to and returns everything that is
// wrong. What the section does not name keeps its value.
//
// A field takes part if it has a tag `yaml:"name"`. Its type may be string,
// bool, int, int64, [time.Duration] ("30d" works), [Bytes], [netip.Prefix],
// [channel.Secret], [channel.Secrets], an [encoding.TextUnmarshaler], a struct or pointer to one, and slices
// and maps of these. The tag options are "required" and, for a struct whose
// keys stand on the same level, "inline". Secrets are given by reference
// (env:NAME, file:PATH) and resolved here.
func (s Section) Decode(into any) []Problem {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return []Problem{s.Problem("", fmt.Sprintf("cannot be read into a %T", into))}
	}
	n := s.node
	if n == nil {
		n = &yaml.Node{}
	}
	if n.Line == 0 {
		n = &yaml.Node{Kind: n.Kind, Tag: n.Tag, Content: n.Content, Line: s.line}
	}
	d := decoder{file: s.file, refs: s.refs, lines: map[string]int{}}
	d.structure(n, v.Elem(), s.path)
	return d.probs
}

// unresolved returns the references in the section that lead to no secret.
func (s Section) unresolved() []Problem {
	d := decoder{file: s.file, refs: s.refs}
	d.references(s.node, s.path)
	return d.probs
}

func (d *decoder) references(n *yaml.Node, path string) {
	switch {
	case n == nil:
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.references(n.Content[i+1], join(path, n.Content[i].Value))
		}
	case n.Kind == yaml.SequenceNode:
		for _, c := range n.Content {
			d.references(c, path)
		}
	case n.Kind == yaml.ScalarNode && isRef(n.Value):
		if _, why := d.refs.resolve(n.Value); why != "" {
			d.add(n, path, why)
		}
	}
}

// Account is one account on one channel.
type Account struct {
	Channel string // "telegram"
	Name    string // the operator's own name of the account
	Section Section
}

// Accounts are the accounts on all channels, in the order of the file.
type Accounts []Account

func (a *Accounts) decode(d *decoder, n *yaml.Node, path string) {
	names := map[string]int{}
	d.pairs(n, path, func(k, accounts *yaml.Node) {
		if !slices.Contains(Channels(), k.Value) {
			d.add(k, path, "unknown channel "+shown(k.Value)+Hint(k.Value, Channels()))
			return
		}
		at := join(path, k.Value)
		d.lines[at] = k.Line
		d.pairs(accounts, at, func(name, section *yaml.Node) {
			if !isAccountName(name.Value) {
				d.add(name, at, "an account's name has 1 to 63 of a-z, 0-9, _ and -, and begins with a letter or digit")
			}
			folded := k.Value + "/" + strings.ToLower(name.Value)
			if first, ok := names[folded]; ok && shown(name.Value) != "(not shown)" {
				d.add(name, at, fmt.Sprintf("two accounts have the name %s; the first is on line %d", shown(strings.ToLower(name.Value)), first))
			}
			names[folded] = name.Line
			s := Section{node: section, file: d.file, line: name.Line, path: join(at, name.Value), refs: d.refs}
			d.lines[s.path] = name.Line
			if !isNull(section) && section.Kind != yaml.MappingNode {
				d.add(section, s.path, "want keys and values")
				return
			}
			d.probs = append(d.probs, s.unresolved()...)
			*a = append(*a, Account{Channel: k.Value, Name: name.Value, Section: s})
		})
	})
}

// Channels returns the names of the networks that a configuration can name.
func Channels() []string {
	return []string{
		"discord", "instagram", "line", "messenger", "slack",
		"telegram", "viber", "webchat", "whatsapp", "x",
	}
}

func isAccountName(s string) bool {
	for i, c := range []byte(s) {
		word := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !word && (i == 0 || c != '_' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 63
}
