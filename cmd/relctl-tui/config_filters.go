package main

import "relctl-tui/views"

// maxFilters bounds the named filters of a context: they are chosen from a list.
const maxFilters = 100

func (c *Config) validateFilters(named map[string]Text) error {
	for i, name := range keysOf(named) {
		f := named[name]
		if i == maxFilters {
			return c.errAt(f.at, "more than %d filters have a name", maxFilters)
		}
		if err := views.NamedFilter(name, f.S); err != nil {
			return c.errAt(f.at, "%s", err)
		}
		parsed, _ := views.ParseFilter(f.S)
		if err := parsed.Hopeless(); err != nil {
			return c.errAt(f.at, "the filter %s: %s", quote(name), err)
		}
	}
	return nil
}

// filtersOf is the named filters as a board takes them.
func filtersOf(named map[string]Text) map[string]string {
	out := make(map[string]string, len(named))
	for name, f := range named {
		out[name] = f.S
	}
	return out
}
