package config

import (
	_ "embed"
	"slices"
)

//go:embed template.yaml
var template []byte

// Template returns a configuration with comments, for "sotto init" to write.
// It loads without problems as it stands.
func Template() []byte { return slices.Clone(template) }
