package main

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"relctl-tui/sources"
)

// didYouMean is the end of a sentence on an unknown word: the nearest candidate,
// or all of them under the name of what they are, such as "verbs".
func didYouMean(word, what string, candidates []string) string {
	slices.Sort(candidates)
	if near := sources.Nearest(word, candidates); len(near) > 0 {
		return fmt.Sprintf(": did you mean %s?", quote(near[0]))
	}
	return ": the " + what + " are " + strings.Join(candidates, ", ")
}

func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func keysSeq[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

func cleanMsg(s string) string {
	return strings.Join(strings.Fields(sources.Clean(s, 300)), " ")
}

// near asks whether one of the known words was meant that are like word; "" when none is.
func near(word string, known []string) string {
	list := sources.Nearest(word, known)
	if len(list) == 0 {
		return ""
	}
	for i := range list {
		list[i] = quote(list[i])
	}
	return " (did you mean " + strings.Join(list, ", ") + "?)"
}
