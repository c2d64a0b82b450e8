package sources

import (
	"slices"
	"strings"
)

// Nearest is the candidates close enough to word to be what was meant, closest first,
// at most three.
func Nearest(word string, candidates []string) []string {
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

// distance is the number of edits between two short words; anything above limit
// may be told as limit+1.
func distance(a, b string, limit int) int {
	ra, rb := []rune(a), []rune(b)
	if d := len(ra) - len(rb); d > limit || -d > limit || len(ra) > MaxName {
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
