package etcd

import (
	"sync"
	"time"
)

// trusted is how long what was read may be the ground for a change that compares
// with nothing the operator saw, when no watch keeps it fresh.
const trusted = 3 * time.Second

// memory is the last known value and ModRevision of each flag. A change that finds
// its flag here needs one round trip instead of two; whether it was right the
// transaction decides.
type memory struct {
	mu      sync.Mutex
	rows    map[string]known
	follows int // watches that keep it fresh
}

type known struct {
	value []byte
	mod   int64
	at    time.Time
}

func (m *memory) get(key string, now time.Time) (k known, there, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, there = m.rows[key]
	return k, there, m.follows > 0 || now.Sub(k.at).Abs() < trusted
}

func (m *memory) put(key string, value []byte, mod int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = map[string]known{}
	}
	if m.rows[key].mod <= mod {
		m.rows[key] = known{value, mod, now}
	}
}

func (m *memory) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, key)
}

// replace remembers a whole list.
func (m *memory) replace(rows []row, now time.Time) {
	all := make(map[string]known, len(rows))
	for i := range rows {
		all[rows[i].key] = known{rows[i].value, rows[i].mod, now}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, k := range all {
		if was, ok := m.rows[key]; ok && was.mod > k.mod {
			all[key] = was
		}
	}
	m.rows = all
}

func (m *memory) follow(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.follows += n
}
