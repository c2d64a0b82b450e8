package etcd

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// trusted is how long what was read may be the ground for a change that compares
// with nothing the operator saw, when no watch keeps it fresh.
const trusted = 3 * time.Second

// memory is the last known value and ModRevision of each flag. A change that finds
// its flag here needs one round trip instead of two; whether it was right the
// transaction decides. The zero memory knows nothing.
type memory struct {
	mu      sync.Mutex
	listed  []row // of the last list, sorted by key
	at      time.Time
	since   map[string]known // what was heard of single flags since, gone ones too
	follows int              // watches that keep it fresh
}

type known struct {
	value []byte
	mod   int64
	at    time.Time
	gone  bool
}

func (m *memory) get(key string, now time.Time) (k known, there, fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, there = m.known(key)
	return k, there && !k.gone, m.follows > 0 || now.Sub(k.at).Abs() < trusted
}

func (m *memory) known(key string) (known, bool) {
	if k, ok := m.since[key]; ok {
		return k, true
	}
	i, ok := slices.BinarySearchFunc(m.listed, key, func(r row, key string) int { return strings.Compare(r.key, key) })
	if !ok {
		return known{}, false
	}
	return known{value: m.listed[i].value, mod: m.listed[i].mod, at: m.at}, true
}

func (m *memory) put(key string, value []byte, mod int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, _ := m.known(key); k.mod <= mod {
		m.note(key, known{value: value, mod: mod, at: now})
	}
}

func (m *memory) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.note(key, known{gone: true})
}

func (m *memory) note(key string, k known) {
	if m.since == nil {
		m.since = map[string]known{}
	}
	m.since[key] = k
}

// replace remembers a whole list, whose rows nobody writes to any more. What was
// heard since of a later revision stays.
func (m *memory) replace(rows []row, rev int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, k := range m.since {
		if k.gone || k.mod <= rev {
			delete(m.since, key)
		}
	}
	m.listed, m.at = rows, now
}

func (m *memory) follow(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.follows += n
}
