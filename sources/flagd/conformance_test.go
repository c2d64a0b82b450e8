package flagd_test

import (
	"testing"
	"time"

	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/sourcetest"
)

const suiteFile = `{"flags": {
  "checkout-v2": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 25], ["off", 75]]}},
  "dark-mode": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
  "beta": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "on", "off"]}},
  "orders": ` + sourcetest.Staged + `,
  "esc\u001b[31mape": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on",
    "metadata": {"owner": "b\u0007en", "description": "a\nb", "relctl.latency": "p\u202eay"}}
}}
`

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]flagfile.Option{
		"notified": nil,
		"polled":   {flagfile.WithoutNotify(), flagfile.WithPollInterval(2 * time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Store(t, func(t *testing.T) sourcetest.Fixture {
				path := file(t, suiteFile)
				now := func() time.Time { return time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC) }
				with := append([]flagfile.Option{flagfile.WithNow(now)}, opts...)
				return sourcetest.Fixture{
					Store: flagd.New("prod", path, with...), Second: flagd.New("prod", path, with...),
					Split: id("checkout-v2"), Other: id("dark-mode"), Custom: id("beta"), Staged: id("orders"),
				}
			})
		})
	}
}
