package demo_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/demo"
)

// staged is the default flags with everybody at one stage of the orders' migration.
func staged(t testing.TB, stage string) []byte {
	t.Helper()
	const was = "\"live\": \"live\", \"rampdown\": \"rampdown\", \"complete\": \"complete\"\n      },\n      \"defaultVariant\": \"off\""
	doc := demo.DefaultFlags()
	require.Equal(t, 1, bytes.Count(doc, []byte(was)))
	return bytes.Replace(doc, []byte(was), bytes.Replace([]byte(was), []byte(`Variant": "off"`), fmt.Appendf(nil, `Variant": %q`, stage), 1), 1)
}

func rows(t testing.TB, f *demo.Fleet) (old, fresh map[int64]demo.Order) {
	t.Helper()
	oldFile, newFile := f.OrderFiles()
	read := func(path string) map[int64]demo.Order {
		list, err := demo.ReadOrders(path)
		require.NoError(t, err)
		out := map[int64]demo.Order{}
		for _, o := range list {
			out[o.ID] = o
		}
		require.Len(t, out, len(list))
		return out
	}
	return read(oldFile), read(newFile)
}

// TestEachStageWritesAndComparesWhatItShould walks the stages by hand and reads both
// files after each.
func TestEachStageWritesAndComparesWhatItShould(t *testing.T) {
	f := started(t, demo.Options{Seed: 2, Rate: 2 * slow})
	at := func(stage string) {
		t.Helper()
		rewrite(t, f, staged(t, stage))
		before := scrape(t, f)
		require.True(t, eventually(func() bool { return scrape(t, f).since(before).flags[[2]string{demo.OrdersFlag, stage}] >= 15 }), stage)
	}
	old, fresh := rows(t, f)
	require.Len(t, fresh, 240, "a copy that ends early")
	require.NotEqual(t, old[12], fresh[12], "and is rounded")

	at("dualwrite")
	require.Empty(t, scrape(t, f).compared)
	at("shadow")
	require.True(t, eventually(func() bool { c := scrape(t, f).compared; return c["mismatch"] > 0 && c["match"] > 0 }))

	resp, err := http.Post(f.RepairURL(), "", nil)
	require.NoError(t, err)
	said, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, string(said), "orders repaired")
	before := scrape(t, f)
	require.True(t, eventually(func() bool { return scrape(t, f).since(before).compared["match"] > 30 }))
	require.Zero(t, scrape(t, f).since(before).compared["mismatch"])
	again, err := f.RepairOrders()
	require.NoError(t, err)
	require.Zero(t, again)

	at("live")
	at("rampdown")
	rewrite(t, f, staged(t, "complete"))
	old, fresh = rows(t, f)
	require.Greater(t, len(fresh), len(old), "the old side is not written any more")
	for id, o := range old {
		require.Equal(t, o, fresh[id])
	}
	_, err = f.RepairOrders()
	require.ErrorIs(t, err, sources.ErrRefused, "the old store is no truth any more")
}
