package etcd_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"relctl-tui/sources/etcd"
	"relctl-tui/sources/sourcetest"
)

var suiteFlags = map[string]string{
	"checkout-v2": split,
	"dark-mode":   switched + "\n", // as etcdctl leaves it
	"beta": `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"if": [{"ends_with": [{"var": "email"}, "@example.com"]}, "on", "off"]}}`,
	"esc\u001b[31mape": `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on",
    "metadata": {"owner": "b\u0007en", "description": "a\nb", "relctl.latency": "p\u202eay"}}`,
	"orders":   sourcetest.Staged,
	"team/a/b": switched,
	"garbage":  "\x1b[2Jnot JSON",
}

func TestConformance(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, binary string) {
		c := startCluster(t, binary, 1)
		plain := c.plain()
		var n atomic.Int64
		sourcetest.Store(t, func(t *testing.T) sourcetest.Fixture {
			at := fmt.Sprintf("suite/%d", n.Add(1)) // one prefix for each subtest
			put(t, plain, at, suiteFlags)
			now := func(o *etcd.Options) {
				o.Now = func() time.Time { return time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC) }
			}
			return sourcetest.Fixture{
				Store: c.store(prefix(at), now), Second: c.store(prefix(at), now),
				Split: id("checkout-v2"), Other: id("dark-mode"), Custom: id("beta"), Staged: id("orders"),
			}
		})
	})
}
