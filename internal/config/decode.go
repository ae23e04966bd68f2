package config

import (
	"encoding"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sotto-chat/sotto/channel"
)

// decoder fills Go values from a YAML tree and notes every mistake. Defaults
// are what the values hold before.
type decoder struct {
	file  string
	refs  refs
	probs []Problem
	lines map[string]int // line of each key that was read, by its path
}

// selfDecoder is a type that reads its own node.
type selfDecoder interface {
	decode(d *decoder, n *yaml.Node, path string)
}

func (d *decoder) add(n *yaml.Node, path, text string) {
	if path != "" {
		text = path + ": " + text
	}
	d.probs = append(d.probs, Problem{File: d.file, Line: n.Line, Text: text})
}

// value fills v, which must be settable, from n.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path string) {
	if self, ok := reflect.TypeAssert[selfDecoder](v.Addr()); ok {
		self.decode(d, n, path)
		return
	}
	if isNull(n) && v.Kind() != reflect.Struct && v.Kind() != reflect.Map {
		d.add(n, path, "has no value")
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *channel.Secret:
		d.secret(n, p, path)
		return
	case *channel.Secrets:
		*p = nil
		d.list(n, path, func(c *yaml.Node) {
			var s channel.Secret
			d.secret(c, &s, path)
			*p = append(*p, s)
		})
		return
	case *time.Duration:
		d.duration(n, p, path)
		return
	case *Bytes:
		d.size(n, p, path)
		return
	case *netip.Prefix:
		d.prefix(n, p, path)
		return
	case encoding.TextUnmarshaler:
		if s, ok := d.text(n, path); ok {
			if err := p.UnmarshalText([]byte(s)); err != nil {
				d.add(n, path, err.Error())
			}
		}
		return
	}
	d.kind(n, v, path)
}

func (d *decoder) kind(n *yaml.Node, v reflect.Value, path string) {
	switch v.Kind() { //nolint:exhaustive // what a configuration is made of; the rest is a fault of ours
	case reflect.String:
		if s, ok := d.text(n, path); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			d.add(n, path, "want true or false")
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int, reflect.Int64:
		var i int64
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(&i) != nil || v.OverflowInt(i) {
			d.add(n, path, "want a whole number")
			return
		}
		v.SetInt(i)
	case reflect.Slice:
		v.SetZero()
		d.list(n, path, func(c *yaml.Node) {
			e := reflect.New(v.Type().Elem()).Elem()
			d.value(c, e, path)
			v.Set(reflect.Append(v, e))
		})
	case reflect.Map:
		d.dict(n, v, path)
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, v.Elem(), path)
	default:
		d.add(n, path, "cannot be set in a file")
	}
}

// text returns the text of a scalar. A number or a date is not text: what the
// operator wrote and what YAML makes of it may differ.
func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.add(n, path, "want one value, not a list or keys")
	case n.ShortTag() != "!!str":
		d.add(n, path, "want text; put the value in quotes")
	case strings.ContainsRune(n.Value, 0):
		d.add(n, path, "holds a character that cannot stand in text")
	default:
		return n.Value, true
	}
	return "", false
}

func (d *decoder) secret(n *yaml.Node, s *channel.Secret, path string) {
	if n.Kind != yaml.ScalarNode {
		d.add(n, path, "want one reference to a secret: env:NAME or file:PATH")
		return
	}
	got, why := d.refs.resolve(n.Value)
	if why != "" {
		d.add(n, path, why)
		return
	}
	*s = got
}

func (d *decoder) duration(n *yaml.Node, into *time.Duration, path string) {
	t, ok := ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		d.add(n, path, "want a time span with its unit, such as 30d, 12h, 90s")
		return
	}
	*into = t
}

func (d *decoder) size(n *yaml.Node, into *Bytes, path string) {
	b, ok := ParseSize(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		d.add(n, path, "want a size, such as 512KiB or 1MiB")
		return
	}
	*into = Bytes(b)
}

// prefix reads a network; an address alone is the network of that one address.
func (d *decoder) prefix(n *yaml.Node, into *netip.Prefix, path string) {
	s, ok := d.text(n, path)
	if !ok {
		return
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		*into = netip.PrefixFrom(a, a.BitLen())
		return
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		d.add(n, path, "want a network such as 10.0.0.0/8, or an address")
		return
	}
	*into = p.Masked()
}

// list calls each for every element; one value alone is a list of one.
func (d *decoder) list(n *yaml.Node, path string, each func(*yaml.Node)) {
	switch {
	case n.Kind == yaml.ScalarNode:
		each(n)
	case n.Kind != yaml.SequenceNode:
		d.add(n, path, "want a list, such as [a, b]")
	default:
		for _, c := range n.Content {
			each(c)
		}
	}
}

// pairs calls each for every key of a mapping. Nothing at all is an empty mapping.
func (d *decoder) pairs(n *yaml.Node, path string, each func(k, v *yaml.Node)) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.add(n, path, "want keys and values")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		each(n.Content[i], n.Content[i+1])
	}
}

func (d *decoder) dict(n *yaml.Node, v reflect.Value, path string) {
	if v.Type().Key().Kind() != reflect.String {
		d.add(n, path, "cannot be set in a file")
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	d.pairs(n, path, func(k, c *yaml.Node) {
		e := reflect.New(v.Type().Elem()).Elem()
		at := join(path, k.Value)
		d.lines[at] = k.Line
		d.value(c, e, at)
		v.SetMapIndex(reflect.ValueOf(k.Value).Convert(v.Type().Key()), e)
	})
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	fields := map[string]field{}
	fieldsOf(v, fields)
	var known []string
	for name := range fields {
		known = append(known, name)
	}
	slices.Sort(known)
	d.pairs(n, path, func(k, c *yaml.Node) {
		f, ok := fields[k.Value]
		if !ok {
			d.add(k, path, "unknown key "+shown(k.Value)+Hint(k.Value, known))
			return
		}
		at := join(path, k.Value)
		d.lines[at] = k.Line
		f.seen = true
		fields[k.Value] = f
		d.value(c, f.value, at)
	})
	for _, name := range known {
		if f := fields[name]; f.required && !f.seen {
			d.add(n, path, "the key "+name+" is missing")
		}
	}
}

type field struct {
	value    reflect.Value
	required bool
	seen     bool
}

// fieldsOf collects the fields that a file can set: those with a yaml tag.
func fieldsOf(v reflect.Value, into map[string]field) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("yaml")
		name, opts, _ := strings.Cut(tag, ",")
		switch {
		case !ok || name == "-" || !f.IsExported():
		case opts == "inline" && f.Type.Kind() == reflect.Struct:
			fieldsOf(v.Field(i), into)
		case name != "":
			into[name] = field{value: v.Field(i), required: opts == "required"}
		}
	}
}

// join appends a key to a path. A key that may be a slipped secret is not shown.
func join(path, key string) string {
	if shown(key) == "(not shown)" {
		key = "(not shown)"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
