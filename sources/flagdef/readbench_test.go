package flagdef_test

import (
	"fmt"
	"testing"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

// BenchmarkReader is one flag of a store that keeps each in a value of its own.
func BenchmarkReader(b *testing.B) {
	var values [][]byte
	for i := range 1000 {
		values = append(values, fmt.Appendf(nil, `{
  "state": "ENABLED",
  "variants": {"on": true, "off": false},
  "defaultVariant": "off",
  "targeting": {
    "fractional": [
      ["on", %d],
      ["off", %d]
    ]
  },
  "metadata": {"owner": "team %d", "description": "What this flag is for, in a sentence or two that somebody wrote."}
}`, i%100, 100-i%100, i%40))
	}
	b.ReportAllocs()
	r := flagdef.NewReader("prod")
	i := 0
	var f sources.Flag
	for b.Loop() {
		if !r.Flag(&f, "flag-00001", values[i%1000]) || f.Custom {
			b.Fatal(f.Note)
		}
		i++
	}
}
