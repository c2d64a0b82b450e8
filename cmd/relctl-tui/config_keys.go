package main

import (
	"errors"
	"maps"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// KeysConfig is keys for actions, by the actions' names.
type KeysConfig map[string]KeyList

func (KeysConfig) names() (what string, does map[string]string) {
	k := views.DefaultKeyMap()
	does = map[string]string{}
	for _, a := range k.Actions() {
		does[a.Name] = "Keys to " + a.Does + "."
	}
	return "actions", does
}

// KeyList is the keys of one action: one key, or a list; an empty list is none.
type KeyList struct {
	Keys []Text
	at   pos
}

func (l *KeyList) setList(keys []Text, at pos) { *l = KeyList{Keys: keys, at: at} }

// validateKeys tries the keys of the file, and those of each context on top of them.
func (c *Config) validateKeys() error {
	if _, err := c.keyMap(nil); err != nil {
		return err
	}
	for _, name := range keysOf(c.Contexts) {
		if ctx := c.Contexts[name]; ctx != nil && len(ctx.Keys) > 0 {
			if _, err := c.keyMap(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// keyMap is the keys of a context's board; of nil those that hold in every context.
func (c *Config) keyMap(ctx *ContextConfig) (views.KeyMap, error) {
	lists := KeysConfig{}
	maps.Copy(lists, c.Keys)
	if ctx != nil {
		maps.Copy(lists, ctx.Keys)
	}
	asked := make(views.Bindings, len(lists))
	for name, l := range lists {
		asked[name] = make([]string, 0, len(l.Keys))
		for _, k := range l.Keys {
			asked[name] = append(asked[name], k.S)
		}
	}
	m, err := views.DefaultKeyMap().Bind(asked)
	var bad *views.BindError
	if !errors.As(err, &bad) {
		return m, err
	}
	at := lists[bad.Action].at
	for _, k := range lists[bad.Action].Keys {
		if name, _ := views.KeyName(k.S); k.S == bad.Key || name == bad.Key {
			at = k.at
		}
	}
	return m, c.errAt(at, "keys: %s", sources.Clean(bad.Msg, 300))
}
