package live

import (
	"slices"

	"relctl-tui/sources"
)

// ObserveHere shows who looks at a store, in the place of who was told of before.
func (e *Engine) ObserveHere(source string, people []sources.Person) {
	e.update(func(s *state) {
		if s.attending == nil {
			s.attending = map[string][]sources.Person{}
		}
		s.attending[source] = people
		if now := s.present(); !slices.Equal(now, s.here) {
			s.here, s.dirty = now, true
		}
	})
}

// present is who looks at any of the stores. A board looks at all of its own, so those
// that somebody has open are counted by the store with the most of them.
func (s *state) present() []sources.Person {
	boards := map[string]int{}
	var all [][]sources.Person
	for _, people := range s.attending {
		all = append(all, people)
		for _, p := range people {
			boards[p.Name] = max(boards[p.Name], p.Boards)
		}
	}
	out := sources.Present(all...)
	for i := range out {
		out[i].Boards = boards[out[i].Name]
	}
	return out
}
