package server

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sotto-chat/sotto"
	"github.com/sotto-chat/sotto/channel"
	"github.com/sotto-chat/sotto/channel/play"
)

// Played is a network that is played, and what an account on it looks like in a
// configuration.
type Played struct {
	play.Player
	config reflect.Type // the adapter's Config
}

func played[C any](player func(play.Config) play.Player) func(play.Config) *Played {
	return func(c play.Config) *Played { return &Played{player(c), reflect.TypeFor[C]()} }
}

// Player returns a channel's network, to be played. The error is of kind not
// found for a channel that does not exist or is not played.
func Player(name string, c play.Config) (*Played, error) {
	if player := networks()[name].player; player != nil {
		return player(c), nil
	}
	why := fmt.Errorf("no channel is called %q; played are %s", name, strings.Join(Players(), ", "))
	if name == "webchat" {
		why = fmt.Errorf("the web chat is a page of Sotto's own: run sotto serve and open /chat")
	}
	return nil, sotto.E("sim", sotto.KindNotFound, why)
}

// Players returns the names of the channels that can be played, sorted.
func Players() []string {
	var names []string
	for name, n := range networks() {
		if n.player != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Account returns the lines of a configuration for an account on the network
// whose API is at base, and the environment variables that they refer to.
func (p *Played) Account(name, base string) (lines string, env map[string]string) {
	return p.section(name, p.Settings(base))
}

func (p *Played) section(name string, settings map[string]string) (lines string, env map[string]string) {
	env = map[string]string{}
	kinds := map[string]reflect.Type{}
	keys(p.config, kinds)
	var b strings.Builder
	fmt.Fprintf(&b, "channels:\n  %s:\n    %s:\n", p.Channel(), name)
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		v := settings[k]
		switch t := kinds[k]; {
		case t == reflect.TypeFor[channel.Secret](), t == reflect.TypeFor[channel.Secrets]():
			variable := "SIM_" + strings.ToUpper(p.Channel()+"_"+k)
			env[variable] = v
			v = "env:" + variable
		case t == nil, t == reflect.TypeFor[time.Duration](), t.Kind() != reflect.Bool && t.Kind() != reflect.Int && t.Kind() != reflect.Int64:
			v = strconv.Quote(v)
		}
		fmt.Fprintf(&b, "      %s: %s\n", k, v)
	}
	return b.String(), env
}

// Adapter returns what an account on the network is spoken with, made of a
// configuration as an operator would write it.
func (p *Played) Adapter(base string, client channel.Doer) (channel.Adapter, error) {
	return p.adapter(p.Settings(base), client)
}

func (p *Played) adapter(settings map[string]string, client channel.Doer) (_ channel.Adapter, err error) {
	dir, err := os.MkdirTemp("", "sotto-play-")
	if err != nil {
		return nil, sotto.E("sim", sotto.KindOther, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lines, env := p.section("sim", settings)
	file := filepath.Join(dir, "sotto.yaml")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		return nil, sotto.E("sim", sotto.KindOther, err)
	}
	s, err := configure(Config{File: file, Dev: true, Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }})
	if err != nil {
		return nil, err
	}
	return s.accounts[0].build(client)
}

// keys collects the keys of a Config and their types.
func keys(t reflect.Type, into map[string]reflect.Type) {
	for f := range t.Fields() {
		name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if opts == "inline" {
			keys(f.Type, into)
		} else if name != "" && name != "-" {
			into[name] = f.Type
		}
	}
}
