package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/demo"
	"relctl-tui/sources/flagdef"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = time.Minute // for machines that are busy with other things
	often    = 200 * time.Millisecond
	// slow is a rate that leaves room for the race detector, and for the same
	// reason no two fleets with traffic to judge run at once: a machine that
	// cannot keep up would be a fault that no flag caused.
	slow = 30
)

func started(t *testing.T, o demo.Options) *demo.Fleet {
	t.Helper()
	f, err := demo.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, f.Close())
	})
	return f
}

// rewrite replaces the flags file whole, by a rename as editors and the board do.
func rewrite(t testing.TB, f *demo.Fleet, doc []byte) {
	t.Helper()
	next := f.FlagsFile() + ".next"
	require.NoError(t, os.WriteFile(next, doc, 0o600))
	require.NoError(t, os.Rename(next, f.FlagsFile()))
}

// edited is the default flags with checkout-v2's definition begun otherwise.
func edited(t testing.TB, state, targeting string) []byte {
	t.Helper()
	const key = `"checkout-v2": {`
	const was = key + "\n" + `      "state": "ENABLED",`
	doc := demo.DefaultFlags()
	require.Equal(t, 1, bytes.Count(doc, []byte(was)))
	return bytes.Replace(doc, []byte(was), fmt.Appendf(nil, "%s\n      \"state\": %q, %s", key, state, targeting), 1)
}

// at is the default flags with checkout-v2 at a whole percentage.
func at(t testing.TB, state string, on int) []byte {
	t.Helper()
	return edited(t, state, fmt.Sprintf(`"targeting": {"fractional": [["on", %d], ["off", %d]]},`, on, 100-on))
}

// TestRampingCheckoutOpensThePaymentBreakerAndKillingHealsIt is the demo's whole
// story on real HTTP. Every step waits for what must come, however slow the
// machine is.
func TestRampingCheckoutOpensThePaymentBreakerAndKillingHealsIt(t *testing.T) {
	f := started(t, demo.Options{Seed: 7, Rate: slow})
	healthy := func(where string) {
		t.Helper()
		before := scrape(t, f)
		require.True(t, eventually(func() bool {
			now := scrape(t, f)
			n, p99 := now.since(before).quantile(demo.Payment, 0.99)
			if n < 40 {
				return false
			}
			before = now // judge the next forty by themselves
			return p99 <= 0.5 && now.breakers[demo.Payment] == "closed"
		}), where)
	}
	healthy("before the ramp the payment API is within its SLO and the breaker closed")
	require.Zero(t, scrape(t, f).routes["/v2/charges"], "at 0 % nobody takes the new path")

	before := scrape(t, f)
	rewrite(t, f, at(t, "ENABLED", 50))
	began := time.Now()
	require.True(t, eventually(func() bool { return scrape(t, f).breakers[demo.Payment] == "open" }), "50 % opens the breaker")
	t.Logf("breaker open %s after the ramp", time.Since(began).Round(often))
	during := scrape(t, f).since(before)
	_, p99 := during.quantile(demo.Payment, 0.99)
	require.Greater(t, p99, 0.5, "p99 above the SLO")
	require.Positive(t, during.routes["/v2/charges"])
	_, db := during.quantile(demo.Database, 0.99)
	require.Less(t, db, p99, "the time goes into the queue for connections, not into the database")

	lit := scrape(t, f)
	rewrite(t, f, at(t, "DISABLED", 50))
	began = time.Now()
	require.True(t, eventually(func() bool { return scrape(t, f).since(lit).flags[[2]string{"checkout-v2", "none"}] > 0 }), "the kill is read")
	require.True(t, eventually(func() bool { return scrape(t, f).breakers[demo.Payment] == "closed" }), "the kill closes the breaker")
	t.Logf("breaker closed %s after the kill", time.Since(began).Round(often))
	settled := scrape(t, f)
	healthy("after the kill p99 recovers")
	after := scrape(t, f).since(settled)
	require.Zero(t, after.routes["/v2/charges"], "the new path is served no more")
	require.Positive(t, after.flags[[2]string{"checkout-v2", "none"}], "the killed flag leaves the default in the code")
	require.Zero(t, after.flags[[2]string{"checkout-v2", "on"}])
}

func TestABadFlagsFileLeavesTheLastGoodOneInForce(t *testing.T) {
	f := started(t, demo.Options{Seed: 1, Rate: slow})
	moves := func(pair [2]string) bool {
		before := scrape(t, f)
		return eventually(func() bool { return scrape(t, f).since(before).flags[pair] > 5 })
	}
	rewrite(t, f, edited(t, "ENABLED", `"targeting": {"fractional": [["on", 100]]},`))
	require.True(t, moves([2]string{"checkout-v2", "on"}), "a good file takes effect")
	rewrite(t, f, []byte(`{"flags": {"checkout-v2": {"state": "ENABLED"`))
	require.True(t, moves([2]string{"checkout-v2", "on"}), "a torn file changes nothing")
	require.NoError(t, os.Remove(f.FlagsFile()))
	require.True(t, moves([2]string{"checkout-v2", "on"}), "a missing file changes nothing")
	rewrite(t, f, demo.DefaultFlags())
	require.True(t, moves([2]string{"checkout-v2", "off"}), "the next good file takes effect")
}

// eventually polls in the caller's goroutine until it holds or patience ends.
func eventually(holds func() bool) bool {
	tick := time.NewTicker(often)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if holds() {
			return true
		}
	}
	return false
}

func TestExposureIsObservedAndLabelsStayBounded(t *testing.T) {
	f := started(t, demo.Options{Seed: 3, Rate: 2 * slow})
	require.True(t, eventually(func() bool {
		s := scrape(t, f)
		on, off := s.flags[[2]string{"search-ranking", "on"}], s.flags[[2]string{"search-ranking", "off"}]
		// 200 visits at 25 %: six standard deviations are 18 points.
		return on+off > 200 && on/(on+off) > 0.07 && on/(on+off) < 0.43
	}))
	s := scrape(t, f)
	keys := map[string]bool{}
	for pair := range s.flags {
		keys[pair[0]] = true
	}
	require.Len(t, keys, 24, "all flags but the one with custom targeting are evaluated")
	for _, name := range []string{"payment API", "inventory", "payment database", "inventory database"} {
		require.Contains(t, []string{"closed", "half_open", "open"}, s.breakers[name], "exactly one state is 1")
	}
	require.Len(t, s.breakers, 4)
	require.Less(t, s.series, 150)
}

func TestKillingThePriceCacheCostsOneMoreQuery(t *testing.T) {
	f := started(t, demo.Options{Seed: 5, Rate: slow})
	perVisit := func() float64 {
		before := scrape(t, f)
		var d sample
		require.True(t, eventually(func() bool { d = scrape(t, f).since(before); return d.routes["/stock"] >= 60 }))
		return (d.routes["/query/point"] - d.routes["/v1/charges"]) / d.routes["/stock"]
	}
	with := perVisit()
	doc := bytes.Replace(demo.DefaultFlags(), []byte("\"price-cache\": {\n      \"state\": \"ENABLED\""), []byte("\"price-cache\": {\n      \"state\": \"DISABLED\""), 1)
	require.NotEqual(t, demo.DefaultFlags(), doc)
	rewrite(t, f, doc)
	before := scrape(t, f)
	require.True(t, eventually(func() bool { return scrape(t, f).since(before).flags[[2]string{"price-cache", "none"}] > 0 }))
	require.InDelta(t, with+1, perVisit(), 0.5)
}

func TestTheSameSeedSendsTheSameVisits(t *testing.T) {
	t.Parallel()
	a, b, other := demo.NewTraffic(42), demo.NewTraffic(42), demo.NewTraffic(43)
	flags, err := flagdef.NewEvaluator(demo.DefaultFlags())
	require.NoError(t, err)
	differ, buys := 0, 0
	for range 3000 {
		v, again := a.Next(), b.Next()
		require.Equal(t, v, again)
		require.Equal(t, flags.Evaluate("search-ranking", v.User, nil), flags.Evaluate("search-ranking", again.User, nil))
		if v != other.Next() {
			differ++
		}
		if v.Buys {
			buys++
		}
	}
	require.Greater(t, differ, 2900)
	require.InDelta(t, 2000, buys, 200)
}

func TestAnExistingFlagsFileIsUsedAsItIsAndKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mine.json")
	mine := []byte(`{"flags":{}}`)
	require.NoError(t, os.WriteFile(path, mine, 0o600))
	f, err := demo.Start(t.Context(), demo.Options{FlagsFile: path})
	require.NoError(t, err)
	require.Equal(t, path, f.FlagsFile())
	require.NoError(t, f.Close())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, mine, got)
}

func TestCloseRemovesTheTemporaryFileAndMayBeCalledTwice(t *testing.T) {
	t.Parallel()
	f, err := demo.Start(t.Context(), demo.Options{})
	require.NoError(t, err)
	got, err := os.ReadFile(f.FlagsFile())
	require.NoError(t, err)
	require.Equal(t, demo.DefaultFlags(), got)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	require.NoDirExists(t, filepath.Dir(f.FlagsFile()))
	_, err = http.Get(f.MetricsURL()) //nolint:bodyclose // nobody answers
	require.Error(t, err)
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte("<html>"), 0o600))
	_, err := demo.Start(t.Context(), demo.Options{FlagsFile: bad})
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.ErrorContains(t, err, "bad.json")

	_, err = demo.Start(t.Context(), demo.Options{FlagsFile: filepath.Join(t.TempDir(), "no", "such", "dir.json")})
	require.ErrorIs(t, err, sources.ErrUnavailable)

	f := started(t, demo.Options{})
	taken := f.MetricsURL()[len("http://") : len(f.MetricsURL())-len("/metrics")]
	_, err = demo.Start(t.Context(), demo.Options{Listen: taken})
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, taken)
}

func TestTheEndOfTheContextStopsTheTraffic(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f, err := demo.Start(ctx, demo.Options{})
	require.NoError(t, err)
	require.True(t, eventually(func() bool { return scrape(t, f).routes["/cart"] > 0 }))
	cancel()
	require.True(t, eventually(func() bool {
		a := scrape(t, f)
		b := scrape(t, f).since(a)
		return b.routes["/cart"]+b.routes["/checkout"] == 0
	}))
	require.NoError(t, f.Close())
}
