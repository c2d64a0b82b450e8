package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
)

// restCoolDown is longer than any pause between two of the first five reads.
const restCoolDown = 6 * time.Second

// late is how long after its timeout began a request that hangs may reach the
// server on a busy machine: no answer of the server's comes before the failure.
const late = 2 * time.Second

// restCell is a source that fails from the start: it gets five requests, then none
// until the cool-down is over, then one for each cool-down, and is read as before
// when one of these is answered. It is the server that counts.
func restCell(source, server, fault string, f http.HandlerFunc, rest time.Duration) *cell {
	return &cell{source: source, fault: "requests: " + fault, run: func(c *cell) {
		var mu sync.Mutex
		var at []time.Time
		count := func() int { mu.Lock(); defer mu.Unlock(); return len(at) }
		w := lay(c, server, nil)
		w.answer(func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			at = append(at, time.Now())
			mu.Unlock()
			f(rw, r)
		})
		p := &plant{c: c, w: w, source: source, flags: flagFile(c, fleetFile)}
		config := faultConfig(c, p.flags, p.metrics(w, late.String()))
		editFile(c, config, "cool_down: 2s", "cool_down: "+restCoolDown.String())
		p.s = boardOn(c, config)
		own := "relctl-tui/" + source
		p.await("an open breaker", func(text string) bool { return lineWith(text, own, "open", "after 5 failures") != "" })
		require.Equal(c, 5, count(), "requests before the breaker opens")
		p.await("two probes", func(string) bool { return count() >= 7 })
		mu.Lock()
		seen := slices.Clone(at)
		mu.Unlock()
		for i := 5; i < len(seen); i++ {
			require.GreaterOrEqual(c, seen[i].Sub(seen[i-1]), rest, "request %d", i+1)
		}
		c.said = "5 requests, then one for each cool-down"
		lifted := time.Now()
		w.answer(nil)
		p.awaitFresh()
		c.healed = time.Since(lifted)
	}}
}

func restCells(servers map[string]string) (cells []*cell) {
	for _, source := range []string{"prometheus", "scrape"} {
		cells = append(cells,
			restCell(source, servers[source], "500", answers(http.StatusInternalServerError, "text/plain", "oops"), restCoolDown),
			restCell(source, servers[source], "hang", hang, restCoolDown-late),
			restCell(source, servers[source], "refused", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, restCoolDown))
	}
	return cells
}

// editFile replaces a part of a file that is there once.
func editFile(c *cell, path, part, by string) {
	c.Helper()
	text := readAll(c, path)
	require.Equal(c, 1, strings.Count(text, part), "%s in %s", part, path)
	replaceFile(c, path, strings.Replace(text, part, by, 1))
}
