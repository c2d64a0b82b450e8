package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// The flags of four real systems in one table: what dies takes nothing with it.
func TestFlagsOfSeveralStoresStandInOneTableAndAStoreThatDiesLeavesTheOthersLive(t *testing.T) {
	t.Parallel()
	host, cli, killEtcd := startMortalEtcd(t)
	const split = `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 25], ["off", 75]]}}`
	_, err := cli.Put(t.Context(), "team/flags/checkout-v2", split)
	require.NoError(t, err)
	u, _, _ := unleashed(t, "basket")
	const flags = "/api/admin/projects/default/features"
	u.Must(t, http.MethodPost, flags, map[string]string{"name": "panic-button", "type": "kill-switch"}, nil)

	dir := t.TempDir()
	goff, conf := filepath.Join(dir, "prod.goff.yaml"), filepath.Join(dir, "c.yaml")
	flagd := flagFile(t, fleetFile)
	for path, text := range map[string]string{
		goff: goffFile, filepath.Join(dir, "admin"): sourcetest.UnleashAdmin, filepath.Join(dir, "backend"): sourcetest.UnleashBackend,
		conf: fmt.Sprintf(`contexts:
  prod:
    stale_after: 2s
    flags:
      - {dsn: "flagd:%s", name: file}
      - {dsn: "goff:%s", name: relay}
      - {dsn: "etcd://%s/team", name: cluster, timeout: 1s}
      - {dsn: "unleash+%s?project=default&environment=production", name: shop, token_file: admin, client_token_file: backend}
`, flagd, goff, host, u.Base),
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	s := open(t, 120, 40, nil, "--config", conf)
	s.awaitText("checkout-v2 (file)", "checkout-v2 (relay)", "checkout-v2 (cluster)", "basket (shop)", "⚑ panic-button")
	top := strings.Split(s.text(), "\n")[2]
	require.Contains(t, top, "panic-button", "a kill switch stands first")

	killEtcd()
	s.awaitText("cluster stale")
	s.awaitText("checkout-v2 (cluster)") // its last data, marked as such
	for _, flag := range []struct{ name, store string }{{"basket", "shop"}, {"checkout-v2", "relay"}} {
		s.press("/")
		for _, r := range flag.name { // as a person types: faster would be a paste
			s.press(string(r))
			pause(40 * time.Millisecond)
		}
		s.press("\r")
		pause(40 * time.Millisecond)
		s.await(flag.name+" is there", func(text string) bool { return lineWith(text, "("+flag.store+")", "25%") != "" })
		s.press("g")
		for range 4 { // rows that match are few
			pause(100 * time.Millisecond)
			if lineWith(s.text(), "▸", "("+flag.store+")") != "" {
				break
			}
			s.press("j")
		}
		s.await("the cursor is on it", func(text string) bool { return lineWith(text, "▸", "("+flag.store+")") != "" })
		pause(450 * time.Millisecond) // the grace after the cursor moved
		s.press("K")
		s.awaitText(flag.name + " 25% ➔ killed")
		s.await("it is confirmed", func(text string) bool {
			return strings.Contains(text, "confirmed in") || strings.Contains(text, "re-read")
		})
		s.press("\x1b")
		pause(300 * time.Millisecond) // else a terminal takes it for the beginning of another key
	}
	require.Contains(t, read(t, goff), "disable: true")
	var env struct{ Enabled bool }
	u.Must(t, http.MethodGet, flags+"/basket/environments/production", nil, &env)
	require.False(t, env.Enabled)
	require.Equal(t, fleetFile, read(t, flagd), "the same key in another store is another flag")
}
