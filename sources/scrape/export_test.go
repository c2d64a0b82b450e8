package scrape

// Tracked is how many series are in memory.
func (s *Source) Tracked() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.ends {
		for _, byKey := range e.ring.tracks {
			n += len(byKey)
		}
	}
	return n
}
