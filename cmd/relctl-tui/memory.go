package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"relctl-tui/sources/live"
)

const (
	// collectAt is by how many percent what is in use may grow until it is collected. A
	// board stays for days beside other programs, makes little garbage, and has little to
	// look through: memory is worth more to it than a collector that seldom runs.
	collectAt = 50
	// firstTables is how long the sources are waited for, and recorded how long it takes
	// until the recorder has them too, with some to spare.
	firstTables, recorded = 10 * time.Second, time.Second
)

// giveBack returns to the system what only the first tables took, which the runtime would
// keep for minutes. It does nothing where somebody has told the runtime how to collect.
func giveBack(ctx context.Context, engine *live.Engine) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	wait, cancel := context.WithTimeout(ctx, firstTables)
	defer cancel()
	engine.Heard(wait)
	select {
	case <-ctx.Done():
	case <-time.After(recorded):
		debug.SetGCPercent(collectAt)
		debug.FreeOSMemory()
	}
}
