package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// twoApps is an application of two instances as --breakers names it.
func twoApps(t *testing.T, state string) (dsn string, apps [2]*sourcetest.Actuator) {
	t.Helper()
	for i := range apps {
		apps[i] = sourcetest.NewActuator(t, map[string]string{"payments": state, "ledger": "CLOSED"})
	}
	return "actuator+http://" + apps[0].Host() + "," + apps[1].Host() + "/actuator", apps
}

func TestTheVerbsSwitchABreakerOnAllInstancesAndUndoIt(t *testing.T) {
	t.Parallel()
	dsn, apps := twoApps(t, "CLOSED")
	env := append(cleanEnv(t), "RELCTL_ACTOR=ana")
	use := func(args ...string) result { return runIn(t, env, append(args, "--breakers", dsn)...) }

	require.Regexp(t, `(?m)^payments +closed +0/2`, use("breakers").stdout)
	opened := use("breakers", "open", "payments", "--reason", "ledger is down")
	require.Equal(t, exitDone, opened.code, opened.stderr)
	require.Contains(t, opened.stdout, "payments closed → forced-open confirmed")
	require.Contains(t, opened.stdout, "--breakers "+dsn, "the command for the undo names the source")
	for _, a := range apps {
		require.Equal(t, []string{"payments FORCE_OPEN"}, a.Posts())
	}
	require.Contains(t, use("breakers", "open", "payments").stdout, "nothing to do: payments is forced-open already")

	var got struct {
		Breakers []struct {
			Name, State              string
			Instances, OpenInstances int
			ErrorRatio               *float64 `json:"error_ratio"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(use("breakers", "-o", "json").stdout), &got))
	require.Equal(t, "forced-open", got.Breakers[0].State)
	require.Nil(t, got.Breakers[0].ErrorRatio, "-1.0% is null, never 0 or -1")

	require.Contains(t, use("undo").stdout, "payments forced-open → closed confirmed")
	require.Equal(t, "CLOSED", apps[1].State("payments"))
	apps[0].Turn("payments", "OPEN")
	require.Contains(t, use("breakers", "close", "payments").stdout, "payments open 1/2 → closed confirmed")
	log := use("log").stdout
	require.Regexp(t, `ana +force-open +payments +closed +forced-open +confirmed +\S+ +ledger is down`, log)
}

func TestABreakerSwitchedOnSomeInstancesIsExitCodeFiveAndNamesTheOthers(t *testing.T) {
	t.Parallel()
	dsn, apps := twoApps(t, "CLOSED")
	apps[1].Refuse(http.StatusForbidden)
	r := runIn(t, cleanEnv(t), "breakers", "open", "payments", "--breakers", dsn)
	require.Equal(t, exitUnconfirmed, r.code)
	require.Contains(t, r.stdout, "payments closed → forced-open 1/2 done in part")
	require.Contains(t, r.stderr, "payments: done on 1 of 2 instances, it is forced-open 1/2; "+apps[1].Host())
}

func TestWhatCannotBeSwitchedIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	dsn, apps := twoApps(t, "CLOSED")
	env := cleanEnv(t)
	refused := runIn(t, env, "breakers", "open", "payments", "--breakers", dsn, "--read-only")
	require.Equal(t, exitRefused, refused.code)
	conf := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(conf, []byte("contexts: {prod: {metrics: [{dsn: \""+dsn+"\", read_only: true}]}}\n"), 0o600))
	refused = runIn(t, env, "breakers", "open", "payments", "--config", conf)
	require.Equal(t, exitRefused, refused.code)
	require.Contains(t, refused.stderr, "is read-only, nothing was changed")
	require.Empty(t, apps[0].Posts())

	missing := runIn(t, env, "breakers", "open", "payment", "--breakers", dsn)
	require.Equal(t, exitFailed, missing.code)
	require.Contains(t, missing.stderr, `did you mean "payments"?`)
	require.Empty(t, apps[0].State("payment"), "a name that is not there must not be made")
	none := runIn(t, env, "breakers", "open", "payments", "--flags", "flagd:"+filepath.Join(t.TempDir(), "f.json"))
	require.Equal(t, exitUsage, none.code)
	require.Contains(t, none.stderr, "actuator+http://HOST/actuator")
}

func TestABreakerThatAPageOfMetricsHasTooIsOneRow(t *testing.T) {
	t.Parallel()
	dsn, _ := twoApps(t, "FORCED_OPEN")
	page := serveText(t, `# TYPE resilience4j_circuitbreaker_state gauge
resilience4j_circuitbreaker_state{name="payments",state="closed"} 0
resilience4j_circuitbreaker_state{name="payments",state="forced_open"} 1
resilience4j_circuitbreaker_state{name="search",state="closed"} 1
`)
	r := runIn(t, cleanEnv(t), "breakers", "-o", "json", "--metrics", "scrape+"+page, "--breakers", dsn)
	var got struct {
		Breakers []struct{ Name, Source, Also string }
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &got), r.stderr)
	seen := map[string]int{}
	for _, b := range got.Breakers {
		seen[b.Name]++
		if b.Name == "payments" {
			require.Contains(t, dsn, b.Source)
			require.Contains(t, page, b.Also)
		}
	}
	require.Equal(t, map[string]int{"payments": 1, "ledger": 1, "search": 1}, seen)
	measured := runIn(t, cleanEnv(t), "breakers", "open", "search", "--metrics", "scrape+"+page, "--breakers", dsn)
	require.Equal(t, exitRefused, measured.code)
	require.Contains(t, measured.stderr, "measures and cannot switch")
}

func TestTheDoctorAsksWhatCanBeSwitched(t *testing.T) {
	t.Parallel()
	dsn, apps := twoApps(t, "CLOSED")
	well := runIn(t, cleanEnv(t), "doctor", "--breakers", dsn)
	require.Equal(t, exitDone, well.code, well.stderr)
	require.Contains(t, well.stdout, "breakers 2, can be switched")
	apps[1].Down(true)
	half := runIn(t, cleanEnv(t), "doctor", "--breakers", dsn, "--read-only")
	require.Contains(t, half.stdout, "breakers 2; cannot be switched: the config or --read-only forbids it")
	require.Contains(t, half.stdout, apps[1].Host())
	apps[0].Down(true)
	dead := runIn(t, cleanEnv(t), "doctor", "--breakers", dsn)
	require.Equal(t, exitFailed, dead.code)
	require.Contains(t, dead.stdout, "DOES NOT WORK: ")
}

func TestAddressesOfActuatorsAreCheckedWhenTheyAreTyped(t *testing.T) {
	t.Parallel()
	for dsn, says := range map[string]string{
		"actuator+http://":                  "is no address of an Actuator",
		"actuator+http://a:8080,/actuator":  "names the host",
		"actuator+http://u:p@a/actuator":    "carries a user or password",
		"actuator+http://a:8080/actuator?x": "is no address of an Actuator",
		"haproxy:/nowhere?server=x":         "write ?backend=B",
	} {
		r := runIn(t, cleanEnv(t), "breakers", "--breakers", dsn)
		require.Equal(t, exitUsage, r.code, dsn)
		require.Contains(t, r.stderr, says)
		require.NotContains(t, r.stderr, "u:p")
	}
	urls, err := actuatorURLs("http://a:8080,b")
	require.NoError(t, err)
	require.Equal(t, "http://a:8080/actuator http://b/actuator", strings.Join(urls, " "))
}

// serveText is the address of a page of metrics.
func serveText(t *testing.T, text string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/metrics"
}
