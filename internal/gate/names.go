package gate

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"

	"github.com/sotto-chat/sotto"
)

// The types of entities.
const (
	typeBot    cedar.EntityType = "Bot"
	typeStaff  cedar.EntityType = "Staff"
	typePerson cedar.EntityType = "Person"
	typeSystem cedar.EntityType = "System"
	typeVendor cedar.EntityType = "Vendor"
	typeModel  cedar.EntityType = "Model"
	typeData   cedar.EntityType = "PersonalData"
	typeAction cedar.EntityType = "Action"
)

// noPerson stands for the person where no policy looks at who it is.
const noPerson = "00000000000000000000000000000000"

// The attributes of the context.
const (
	attrPurpose    = "purpose"
	attrBasis      = "basis"
	attrCategories = "categories"
	attrChannel    = "channel"
	attrRegion     = "region"
	attrAgeClass   = "ageClass"
	attrNoticed    = "noticed"
	attrStopped    = "stopped"
	attrRestricted = "restricted"
	attrConsents   = "consents"
	attrConsented  = "consented"
	attrPurposeOn  = "purposeOn"
	attrClear      = "clear"
	attrSystem     = "system"
)

// names are the words that policies may use.
type names struct {
	attributes map[string][]string // of the context, with their words; nil: any
	ids        map[cedar.EntityType][]string
}

func bases() []string {
	return []string{
		string(sotto.BasisConsent), string(sotto.BasisContract), string(sotto.BasisLegalObligation),
		string(sotto.BasisVitalInterest), string(sotto.BasisPublicInterest), string(sotto.BasisLegitimateInterest),
	}
}

func newNames(rules map[sotto.Purpose]PurposeRule, channels []string, categories []sotto.Category) *names {
	var purposes []string
	for p := range maps.Keys(rules) {
		purposes = append(purposes, string(p))
	}
	slices.Sort(purposes)
	kinds := []string{
		string(sotto.CategoryMessage), string(sotto.CategoryContact), string(sotto.CategoryIdentifier),
		string(sotto.CategoryLocation), string(sotto.CategoryFinancial), string(sotto.CategoryHealth),
	}
	for _, c := range categories {
		kinds = append(kinds, string(c))
	}
	return &names{
		attributes: map[string][]string{
			attrPurpose: purposes, attrConsents: purposes, attrBasis: bases(), attrCategories: kinds,
			attrChannel: append([]string{
				"", "discord", "instagram", "line", "messenger", "slack", "telegram", "viber", "webchat", "whatsapp", "x",
			}, channels...),
			attrAgeClass: {"", "adult", "minor", "child"},
			attrRegion:   nil, attrNoticed: nil, attrStopped: nil, attrRestricted: nil,
			attrConsented: nil, attrPurposeOn: nil, attrClear: nil, attrSystem: nil,
		},
		ids: map[cedar.EntityType][]string{
			typeBot: {"bot"}, typeSystem: {"system"},
			typeAction: {string(Open), string(Store), string(Send), string(Erase)},
			typeStaff:  nil, typePerson: nil, typeVendor: nil, typeModel: nil, typeData: nil,
		},
	}
}

// unknown is a name that does not exist.
type unknown struct {
	text string
	near string // as it stands in the source
}

// line returns how many lines after the start of source the name stands.
func (u unknown) line(source []byte) int {
	at := bytes.Index(source, []byte(u.near))
	if at < 0 { // written in another way: context["region"]
		at = bytes.Index(source, []byte(u.near[strings.LastIndexByte(u.near, '.')+1:]))
	}
	return bytes.Count(source[:max(at, 0)], []byte("\n"))
}

// findings are what a walk through one policy found.
type findings struct {
	names    *names
	unknown  []unknown
	personal bool
}

// check walks through a policy.
func (n *names) check(p *ast.Policy) *findings {
	f := &findings{names: n}
	f.scope(p.Principal)
	f.scope(p.Action)
	f.scope(p.Resource)
	switch p.Resource.(type) {
	case ast.ScopeTypeAll, ast.ScopeTypeIs:
	default:
		f.personal = true
	}
	for _, c := range p.Conditions {
		ast.Inspect(ast.NewNode(c.Body), f.node)
	}
	return f
}

func (f *findings) add(near, format string, args ...any) {
	u := unknown{text: fmt.Sprintf(format, args...), near: near}
	if !slices.Contains(f.unknown, u) {
		f.unknown = append(f.unknown, u)
	}
}

func (f *findings) scope(s ast.IsScopeNode) {
	switch s := s.(type) {
	case ast.ScopeTypeEq:
		f.entity(s.Entity)
	case ast.ScopeTypeIn:
		f.entity(s.Entity)
	case ast.ScopeTypeInSet:
		for _, e := range s.Entities {
			f.entity(e)
		}
	case ast.ScopeTypeIs:
		f.entityType(s.Type)
	case ast.ScopeTypeIsIn:
		f.entityType(s.Type)
		f.entity(s.Entity)
	case ast.ScopeTypeAll:
	}
}

func (f *findings) entityType(t cedar.EntityType) bool {
	_, known := f.names.ids[t]
	if !known {
		f.add(string(t), "there is no entity type %s; there are %s", t, list(slices.Sorted(maps.Keys(f.names.ids))))
	}
	return known
}

func (f *findings) entity(e cedar.EntityUID) {
	if !f.entityType(e.Type) {
		return
	}
	near := string(e.Type) + "::" + quote(string(e.ID))
	switch ids := f.names.ids[e.Type]; {
	case e.Type == typePerson || e.Type == typeData:
		f.personal = true
		if _, err := sotto.ParsePersonID(string(e.ID)); err != nil {
			f.add(near, "%s is no pseudonym: %v", near, err)
		}
	case ids != nil && !slices.Contains(ids, string(e.ID)):
		f.add(near, "there is no %s; there is %s", near, list(ids))
	}
}

// node is called for each node of a condition.
func (f *findings) node(n ast.IsNode) bool {
	switch n := n.(type) { //nolint:gochecksumtype // the other nodes hold no names but in their operands
	case ast.NodeTypeVariable:
		// Whatever is done with the resource may depend on which one it is.
		f.personal = f.personal || n.Name == "resource"
	case ast.NodeTypeIs:
		f.entityType(n.EntityType)
	case ast.NodeTypeIsIn:
		f.entityType(n.EntityType)
	case ast.NodeTypeAccess:
		f.attribute(n.StrOpNode)
	case ast.NodeTypeHas:
		f.attribute(n.StrOpNode)
	case ast.NodeValue:
		f.value(n.Value)
	case ast.NodeTypeEquals:
		f.compare(n.BinaryNode)
	case ast.NodeTypeNotEquals:
		f.compare(n.BinaryNode)
	case ast.NodeTypeContains:
		f.compare(n.BinaryNode)
	case ast.NodeTypeContainsAll:
		f.compare(n.BinaryNode)
	case ast.NodeTypeContainsAny:
		f.compare(n.BinaryNode)
	}
	return true
}

// value checks the entities in a literal.
func (f *findings) value(v types.Value) {
	switch v := v.(type) {
	case types.EntityUID:
		f.entity(v)
	case types.Set:
		for e := range v.All() {
			f.value(e)
		}
	case types.Record:
		for e := range v.Values() {
			f.value(e)
		}
	}
}

// attribute checks the name after a dot.
func (f *findings) attribute(n ast.StrOpNode) {
	v, ok := n.Arg.(ast.NodeTypeVariable)
	if !ok {
		return // the type check says what such a value has
	}
	name := string(n.Value)
	switch v.Name {
	case "context":
		if _, known := f.names.attributes[name]; !known {
			f.add("context."+name, "there is no context.%s; there are %s", name, list(slices.Sorted(maps.Keys(f.names.attributes))))
		}
	case "principal":
		if name != "name" {
			f.add("principal."+name, "there is no principal.%s; there is name", name)
		}
	default:
		f.add(string(v.Name)+"."+name, "there is no %s.%s", v.Name, name)
	}
}

// compare checks the words that are compared with an attribute which has only
// certain ones.
func (f *findings) compare(n ast.BinaryNode) {
	f.words(n.Left, n.Right)
	f.words(n.Right, n.Left)
}

// words checks the texts in other if side is an attribute of the context.
func (f *findings) words(side, other ast.IsNode) {
	for _, name := range attributesIn(side) {
		known := f.names.attributes[name]
		if known == nil {
			if name == attrRegion {
				f.regions(other)
			}
			continue
		}
		for _, w := range textsIn(other) {
			if !slices.Contains(known, w) {
				f.add(quote(w), "there is no %s %s; there is %s", singular(name), quote(w), list(known))
			}
		}
	}
}

func (f *findings) regions(n ast.IsNode) {
	for _, w := range textsIn(n) {
		if w != "" && !isRegion(w) {
			f.add(quote(w), "%s is no region: want two capital letters (ISO 3166)", quote(w))
		}
	}
}

func isRegion(w string) bool {
	return len(w) == 2 && 'A' <= w[0] && w[0] <= 'Z' && 'A' <= w[1] && w[1] <= 'Z'
}

func singular(attribute string) string {
	switch attribute {
	case attrConsents:
		return attrPurpose
	case attrCategories:
		return "category"
	case attrAgeClass:
		return "age class"
	}
	return attribute
}

// attributesIn returns the attributes of the context that n is, or contains.
func attributesIn(n ast.IsNode) []string {
	var found []string
	ast.Inspect(ast.NewNode(n), func(n ast.IsNode) bool {
		a, ok := n.(ast.NodeTypeAccess)
		if !ok {
			return operand(n)
		}
		if v, ok := a.Arg.(ast.NodeTypeVariable); ok && v.Name == "context" {
			found = append(found, string(a.Value))
		}
		return false
	})
	return found
}

// textsIn returns the texts that n may be, or contain.
func textsIn(n ast.IsNode) []string {
	var found []string
	ast.Inspect(ast.NewNode(n), func(n ast.IsNode) bool {
		if v, ok := n.(ast.NodeValue); ok {
			found = append(found, textsOf(v.Value)...)
		}
		return operand(n)
	})
	return found
}

func textsOf(v types.Value) []string {
	switch v := v.(type) {
	case types.String:
		return []string{string(v)}
	case types.Set:
		var found []string
		for e := range v.All() {
			found = append(found, textsOf(e)...)
		}
		slices.Sort(found)
		return found
	}
	return nil
}

// operand reports whether what is in n may be what n is: the branches of a
// choice, the elements of a set, but not what n compares.
func operand(n ast.IsNode) bool {
	switch n.(type) { //nolint:gochecksumtype // what is not listed is looked into, which finds more and not less
	case ast.NodeTypeEquals, ast.NodeTypeNotEquals, ast.NodeTypeContains, ast.NodeTypeContainsAll,
		ast.NodeTypeContainsAny, ast.NodeTypeLike, ast.NodeTypeIsEmpty, ast.NodeTypeAnd, ast.NodeTypeOr, ast.NodeTypeNot:
		return false
	}
	return true
}

// quote writes s as Cedar does.
func quote(s string) string { return string(types.String(s).MarshalCedar()) }

// list writes words for a message.
func list[S ~string](words []S) string {
	shown := make([]string, len(words))
	for i, w := range words {
		if shown[i] = string(w); w == "" {
			shown[i] = `""`
		}
	}
	return strings.Join(shown, ", ")
}
