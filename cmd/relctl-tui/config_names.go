package main

import (
	"cmp"
	"fmt"
	"slices"

	"relctl-tui/sources"
)

// misnamed says where the context names a latency that it has not, so that what hangs on
// it would never hold. Where it configures none they come by themselves, and their names
// are not known from here.
func (c *ContextConfig) misnamed(file string) (said []string) {
	if len(c.Latency) == 0 {
		return nil
	}
	var known []string
	var named []Text
	for i := range c.Latency {
		known = append(known, c.Latency[i].Name.S)
		named = append(named, c.Latency[i].Calls...)
	}
	guards := slices.Clone(c.Guards)
	for _, key := range keysOf(c.Rules) {
		named = append(named, c.Rules[key].Metric)
		guards = append(guards, c.Rules[key].Guards...)
	}
	for i := range guards {
		if g := &guards[i]; g.Query.S == "" && g.Preset.S != string(sources.GuardBreaker) {
			named = append(named, g.Of)
		}
	}
	slices.SortStableFunc(named, func(a, b Text) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.col, b.at.col))
	})
	for _, t := range named {
		if t.S == "" || slices.Contains(known, t.S) {
			continue
		}
		hint := ""
		if near := sources.Nearest(t.S, known); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %s?", quote(near[0]))
		}
		said = append(said, (&ConfigError{File: file, Line: t.at.line, Col: t.at.col, Msg: fmt.Sprintf("%s is none of the latencies here%s", quote(t.S), hint)}).Error())
	}
	return said
}
