package main

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"relctl-tui/sources"
)

// nearest is the candidates close enough to word to be what was meant, closest
// first, at most three.
func nearest(word string, candidates []string) []string {
	type hit struct {
		s string
		d int
	}
	limit := max(2, len(word)/3)
	var hits []hit
	lower := strings.ToLower(word)
	for _, c := range candidates {
		d := distance(lower, strings.ToLower(c), limit)
		if d > limit && len(lower) >= 3 && strings.Contains(strings.ToLower(c), lower) {
			d = limit
		}
		if d <= limit {
			hits = append(hits, hit{c, d})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return a.d - b.d })
	var out []string
	for _, h := range hits[:min(3, len(hits))] {
		out = append(out, h.s)
	}
	return out
}

// didYouMean is the end of a sentence on an unknown word: the nearest candidate,
// or all of them under the name of what they are, such as "verbs".
func didYouMean(word, what string, candidates []string) string {
	slices.Sort(candidates)
	if near := nearest(word, candidates); len(near) > 0 {
		return fmt.Sprintf(": did you mean %s?", quote(near[0]))
	}
	return ": the " + what + " are " + strings.Join(candidates, ", ")
}

// distance is the number of edits between two short words; anything above limit
// may be told as limit+1.
func distance(a, b string, limit int) int {
	ra, rb := []rune(a), []rune(b)
	if d := len(ra) - len(rb); d > limit || -d > limit || len(ra) > sources.MaxName {
		return limit + 1
	}
	row := make([]int, len(rb)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range ra {
		diag := row[0]
		row[0] = i + 1
		for j, y := range rb {
			cost := 1
			if x == y {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(rb)]
}

func keysOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func keysSeq[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

func cleanMsg(s string) string {
	return strings.Join(strings.Fields(sources.Clean(s, 300)), " ")
}

// near asks whether one of the known words was meant that are like word; "" when none is.
func near(word string, known []string) string {
	list := nearest(word, known)
	if len(list) == 0 {
		return ""
	}
	for i := range list {
		list[i] = quote(list[i])
	}
	return " (did you mean " + strings.Join(list, ", ") + "?)"
}
