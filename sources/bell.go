package sources

import "sync"

// Bell tells the watches of a store that polls of this process's own writes, so that a
// row shows what was just confirmed without waiting for the next poll. It is
// goroutine-safe; its zero value is ready. Do not copy it.
type Bell struct {
	mu   sync.Mutex
	rung chan struct{}
}

// Heard is closed by the next Ring. Ask before looking: what is written during a look is
// then looked at again.
func (b *Bell) Heard() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

// Ring wakes all who wait.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}
