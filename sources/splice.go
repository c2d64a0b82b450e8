package sources

import "slices"

// Splice replaces parts of b: at says of each edit from which offset to which, and by
// what; an empty part inserts. Every byte outside the parts stays as it is. Parts must
// not overlap; edits are put into their order, those at one place stay in theirs.
func Splice[E any](b []byte, edits []E, at func(*E) (from, to int, text string)) []byte {
	slices.SortStableFunc(edits, func(x, y E) int {
		a, _, _ := at(&x)
		b, _, _ := at(&y)
		return a - b
	})
	size := len(b)
	for i := range edits {
		_, _, text := at(&edits[i])
		size += len(text)
	}
	out := make([]byte, 0, size)
	done := 0
	for i := range edits {
		from, to, text := at(&edits[i])
		out = append(append(out, b[done:from]...), text...)
		done = to
	}
	return append(out, b[done:]...)
}
