package main

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFaultMatrix holds, for every source and everything that can happen to it,
// that the screen says so in words and marks what is old, that the other panes stay
// fresh, and that all is well again by itself once the fault is gone. With -v it
// prints the table of what was said. With -short it is a few of each kind.
func TestFaultMatrix(t *testing.T) {
	for _, kv := range append(cleanEnv(t), "TERM=xterm-256color", "LANG=C.UTF-8", "RELCTL_ACTOR=ana", "NO_COLOR=", "COLORTERM=") {
		k, v, _ := strings.Cut(kv, "=")
		t.Setenv(k, v)
	}
	fleet := startFleet(t)
	servers := map[string]string{"prometheus": startPrometheus(t, fleet.metrics), "scrape": fleet.metrics}
	dns := resolveBy(t)
	var cells []*cell
	for _, source := range []string{"prometheus", "scrape"} {
		for _, f := range metricsFaults(dns) {
			cells = append(cells, metricsCell(source, servers[source], f, dns))
		}
		cells = append(cells, slowCell(source, servers[source]), clockCell(source, servers[source]))
	}
	for _, f := range flagFaults() {
		cells = append(cells, flagsCell(fleet.metrics, f))
	}
	cells = append(cells, lockedCell(fleet.metrics), mtimeCell(fleet.metrics), failoverCell(servers))
	cells = append(cells, restCells(servers)...)
	cells = slices.DeleteFunc(cells, func(c *cell) bool { return !selected(c.source + "/" + c.fault) })
	places := make(chan struct{}, abreast)
	for _, c := range cells {
		c.start(t, places)
	}
	for _, c := range cells {
		t.Run(c.source+"/"+c.fault, c.report)
	}
	var table strings.Builder
	for _, c := range cells {
		fmt.Fprintf(&table, "| %s | %s | %s | %d |\n", c.source, c.fault, c.said, 1+int(c.healed/every))
	}
	t.Logf("\n| source | fault | what the screen said | healed after (polls) |\n|---|---|---|---|\n%s", table.String())
}

// few has one cell of each kind.
var few = []string{
	"prometheus/hang", "prometheus/429 with Retry-After", "scrape/refused", "scrape/reset mid-body", "scrape/clock skew",
	"flags/reset mid-body (cut off)", "flags/hang (the file system)", "flags/429 (the lock is taken)",
	"prometheus and scrape/500 of the first", "prometheus/requests: 500",
}

// selected tells whether -run or -short asks for a cell: they all start before the
// first of them is a test, so the flags cannot do it alone.
func selected(name string) bool {
	if testing.Short() && !slices.Contains(few, name) {
		return false
	}
	_, cell, found := strings.Cut(flag.Lookup("test.run").Value.String(), "/")
	return !found || regexp.MustCompile(cell).MatchString(strings.ReplaceAll(name, " ", "_"))
}
