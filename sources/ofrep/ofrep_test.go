package ofrep_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/ofrep"
	"relctl-tui/sources/publish"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long something may take that must come: a proof asks two thousand
// times. It is no measurement.
const patience = time.Minute

const twoFlags = `{"flags": {
  "checkout v2/x": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 0], ["off", 100]]}},
  "beta": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 1], ["off", 1], ["on", 1]]}}
}}`

// served is a flag file behind the real server, at two moments: as it is, and as
// somebody serves it who has missed the last change.
type served struct {
	t         *testing.T
	path      string
	store     *flagd.Store
	now, late *ofrep.Evaluator
	behind    string
}

func newServed(t *testing.T) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{t: t, path: filepath.Join(dir, "flags.json"), behind: filepath.Join(dir, "behind.json")}
	s.write(s.path, twoFlags)
	s.write(s.behind, twoFlags)
	s.store = flagd.New("prod", s.path)
	s.now, s.late = s.serve(s.path), s.serve(s.behind)
	return s
}

func (s *served) write(path, content string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(path+".new", []byte(content), 0o600))
	require.NoError(s.t, os.Rename(path+".new", path))
}

func (s *served) serve(path string) *ofrep.Evaluator {
	s.t.Helper()
	srv := publish.New(flagd.New("prod", path), publish.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Follow(ctx)
	}()
	require.NoError(s.t, srv.Ready(s.t.Context()))
	h := httptest.NewServer(srv)
	s.t.Cleanup(func() {
		h.Close()
		cancel()
		<-done
	})
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	s.t.Cleanup(transport.CloseIdleConnections)
	e, err := ofrep.New("flagd", h.URL, ofrep.Options{Transport: transport})
	require.NoError(s.t, err)
	return e
}

// change applies a change and leaves the late server with what was before.
func (s *served) change(c sources.Change) sources.Receipt {
	s.t.Helper()
	before, err := os.ReadFile(s.path)
	require.NoError(s.t, err)
	r, err := s.store.Apply(context.Background(), c)
	require.NoError(s.t, err)
	s.write(s.behind, string(before))
	return r
}

func (s *served) proves(r sources.Receipt, what string) {
	s.t.Helper()
	var last sources.Evidence
	require.Eventually(s.t, func() bool {
		var err error
		last, err = s.now.Verify(s.t.Context(), r)
		require.NoError(s.t, err, what)
		return last.Effective
	}, patience, time.Millisecond, "%s: %v", what, &last)
	require.NotEmpty(s.t, last.Detail)
	s.t.Log(what, "→", last.Detail)
	require.Eventually(s.t, func() bool {
		var err error
		last, err = s.late.Verify(s.t.Context(), r)
		return err == nil && !last.Effective
	}, patience, time.Millisecond, "%s is not in force there", what)
}

func TestEachStepOfALadderAKillAndItsUndoAreProvenAndOnlyWhereTheyAreInForce(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	id := sources.FlagID{Source: "prod", Key: "checkout v2/x"}
	steps := []string{"1", "5", "10", "25", "50", "100", "25", "0", "50"}
	for i, step := range steps {
		to, err := sources.ParsePercent(step)
		require.NoError(t, err)
		s.proves(s.change(sources.Change{ID: fmt.Sprint("step-", i), Flag: id, Kind: sources.Set, To: to}), step+"%")
	}
	kill := s.change(sources.Change{ID: "kill", Flag: id, Kind: sources.Kill})
	s.proves(kill, "kill")
	s.proves(s.change(sources.Change{ID: "undo", Flag: id, Kind: sources.Undo, Restore: kill.Restore}), "undo")
}

func TestOfACustomFlagOnlyTheKillAndItsUndoAreProven(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	id := sources.FlagID{Source: "prod", Key: "beta"}
	kill := s.change(sources.Change{ID: "kill", Flag: id, Kind: sources.Kill})
	s.proves(kill, "kill")
	undo := s.change(sources.Change{ID: "undo", Flag: id, Kind: sources.Undo, Restore: kill.Restore})
	s.proves(undo, "undo")
	undo.Old = undo.New
	_, err := s.now.Verify(t.Context(), undo)
	require.ErrorIs(t, err, sources.ErrUnsupported)
}

// flag is a flag as a store shows it; below 0 is killed.
func flag(rollout int) sources.Flag {
	f := sources.Flag{ID: sources.FlagID{Source: "prod", Key: "f"}, Name: "f", Variant: "on", State: sources.FlagOn, Rollout: sources.Some(sources.Pct(max(0, rollout)))}
	if f.Killed = rollout < 0; f.Killed {
		f.State = sources.FlagOff
	}
	return f
}

func receipt(id string, from, to int) sources.Receipt {
	return sources.Receipt{Change: id, Old: flag(from), New: flag(to)}
}

// vendor is an OFREP server of somebody else.
func vendor(t *testing.T, opts ofrep.Options, h func(w http.ResponseWriter, key string, n int64)) (*ofrep.Evaluator, *atomic.Int64) {
	t.Helper()
	asked := &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Context map[string]any `json:"context"`
		}
		if r.Method != http.MethodPost || r.URL.EscapedPath() != "/base/ofrep/v1/evaluate/flags/f" || json.NewDecoder(r.Body).Decode(&in) != nil {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		key, _ := in.Context["targetingKey"].(string)
		h(w, key, asked.Add(1))
	}))
	t.Cleanup(s.Close)
	opts.Transport = s.Client().Transport
	e, err := ofrep.New("vendor", s.URL+"/base/", opts)
	require.NoError(t, err)
	return e, asked
}

// says answers the same for all keys.
func says(status int, body string) func(http.ResponseWriter, string, int64) {
	return func(w http.ResponseWriter, _ string, _ int64) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestAKillIsProvenByWhatServersSayOfFlagsThatAreOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status    int
		body      string
		from      int
		effective bool
		says      string
	}{
		"disabled without a value":   {200, `{"key":"f","reason":"DISABLED"}`, 1, true, "disabled for all of 64 keys"},
		"disabled with null":         {200, `{"key":"f","reason":"DISABLED","value":null,"variant":"on"}`, 1, true, "disabled for all"},
		"disabled with another":      {200, `{"key":"f","reason":"DISABLED","value":false,"variant":"off"}`, 1, true, "disabled for all"},
		"disabled, yet it is served": {200, `{"key":"f","reason":"DISABLED","value":true,"variant":"on"}`, 100, false, "still get on"},
		"an older flagd":             {404, `{"key":"f","errorCode":"FLAG_NOT_FOUND","errorDetails":"flag ` + "`f`" + ` is disabled"}`, 1, true, "disabled for all"},
		"another variant":            {200, `{"key":"f","reason":"STATIC","value":false,"variant":"off"}`, 25, true, "none of 64 keys gets on"},
		"no value":                   {200, `{"key":"f","reason":"DEFAULT"}`, 25, true, "none of 64 keys gets on"},
		"still on":                   {200, `{"key":"f","reason":"STATIC","value":true,"variant":"on"}`, 100, false, "64 of 64 keys still get on"},
		"a flag that it never had":   {404, `{"key":"f","errorCode":"FLAG_NOT_FOUND","errorDetails":"flag not found"}`, 25, false, "proves no kill"},
		"an error":                   {400, `{"key":"f","errorCode":"PARSE_ERROR","errorDetails":"\u001b[31mbad"}`, 25, false, "PARSE_ERROR ∙[31mbad"},
		"an error in a 200":          {200, `{"key":"f","errorCode":"GENERAL"}`, 25, false, "GENERAL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := vendor(t, ofrep.Options{}, says(c.status, c.body))
			got, err := e.Verify(t.Context(), receipt("k", c.from, -1))
			require.NoError(t, err)
			require.Equal(t, c.effective, got.Effective, got.Detail)
			require.Contains(t, got.Detail, c.says)
			require.NotContains(t, got.Detail, "\x1b")
		})
	}
}

func TestANameThatSoundsDisabledProvesNoKill(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"errorCode":"FLAG_NOT_FOUND","errorDetails":"flag x is disabled does not exist"}`))
	}))
	t.Cleanup(s.Close)
	e, err := ofrep.New("vendor", s.URL, ofrep.Options{Transport: s.Client().Transport})
	require.NoError(t, err)
	r := receipt("k", 25, -1)
	r.New.ID.Key = "x is disabled"
	got, err := e.Verify(t.Context(), r)
	require.NoError(t, err)
	require.False(t, got.Effective, got.Detail)
}

func TestWhereAKilledFlagIsEvaluatedToOffAFewKeysProveNothingOfASmallShare(t *testing.T) {
	t.Parallel()
	off := says(200, `{"key":"f","reason":"STATIC","value":false,"variant":"off"}`)
	e, asked := vendor(t, ofrep.Options{}, off)
	got, err := e.Verify(t.Context(), receipt("k", 1, -1))
	require.NoError(t, err)
	require.True(t, got.Effective)
	require.EqualValues(t, 2048, asked.Load(), "1 % of 64 keys is often none")
	e, _ = vendor(t, ofrep.Options{Keys: 500}, off)
	_, err = e.Verify(t.Context(), receipt("k", 1, -1))
	require.ErrorIs(t, err, sources.ErrUnsupported)
	require.ErrorContains(t, err, "1% would give as well as killed")
}

func TestAKillThatIsInForceOnOnlySomeReplicasIsNotEffective(t *testing.T) {
	t.Parallel()
	e, _ := vendor(t, ofrep.Options{}, func(w http.ResponseWriter, _ string, n int64) {
		if n%2 == 0 {
			says(200, `{"key":"f","reason":"DISABLED"}`)(w, "", n)
			return
		}
		says(200, `{"key":"f","reason":"TARGETING_MATCH","value":false,"variant":"off"}`)(w, "", n)
	})
	got, err := e.Verify(t.Context(), receipt("k", 1, -1))
	require.NoError(t, err)
	require.False(t, got.Effective)
	require.Contains(t, got.Detail, "32 of 64 keys only")
}

func TestZeroAndAHundredPercentHoldForEveryKey(t *testing.T) {
	t.Parallel()
	one := func(odd, rest string) func(http.ResponseWriter, string, int64) {
		return func(w http.ResponseWriter, _ string, n int64) {
			if n == 60 {
				says(200, odd)(w, "", n)
				return
			}
			says(200, rest)(w, "", n)
		}
	}
	on, off := `{"key":"f","reason":"STATIC","value":true,"variant":"on"}`, `{"key":"f","reason":"STATIC","value":false}`
	for _, c := range []struct {
		from, to  int
		odd, rest string
		effective bool
	}{
		{50, 100, on, on, true},
		{50, 100, off, on, false},
		{50, 0, off, off, true},
		{50, 0, on, off, false},
		{100, 50, on, on, false},
		{-1, 100, on, on, true},
		{-1, 100, `{"key":"f","reason":"DISABLED"}`, on, false},
	} {
		e, _ := vendor(t, ofrep.Options{}, one(c.odd, c.rest))
		got, err := e.Verify(t.Context(), receipt("c", c.from, c.to))
		require.NoError(t, err)
		require.Equal(t, c.effective, got.Effective, "%v: %s", c, got.Detail)
	}
}

func TestNoAnswerIsAnErrorAndNeverEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		h     func(http.ResponseWriter, string, int64)
		is    error
		after time.Duration
	}{
		"a proxy's page": {says(404, "<html>no</html>"), sources.ErrInvalid, 0},
		"another API":    {says(200, `{"ok":true}`), sources.ErrInvalid, 0},
		"too long":       {says(200, `{"reason":"`+strings.Repeat("x", 1<<20)+`"}`), sources.ErrInvalid, 0},
		"no token":       {says(401, ``), sources.ErrUnauthorized, 0},
		"down":           {says(500, `{"errorDetails":"boom"}`), sources.ErrUnavailable, 0},
		"redirect":       {says(302, ``), sources.ErrInvalid, 0},
		"busy": {func(w http.ResponseWriter, _ string, n int64) {
			w.Header().Set("Retry-After", "7")
			says(429, ``)(w, "", n)
		}, sources.ErrUnavailable, 7 * time.Second},
		"one of many": {func(w http.ResponseWriter, _ string, n int64) {
			if n == 40 {
				panic(http.ErrAbortHandler)
			}
			says(200, `{"key":"f","reason":"DISABLED"}`)(w, "", n)
		}, sources.ErrUnavailable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, asked := vendor(t, ofrep.Options{}, c.h)
			got, err := e.Verify(t.Context(), receipt("k", 25, -1))
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, "vendor")
			require.Equal(t, sources.Evidence{}, got)
			after, _ := sources.RetryAfter(err)
			require.Equal(t, c.after, after)
			require.LessOrEqual(t, asked.Load(), int64(64))
		})
	}
}

func TestVerifyEndsWithItsContextAndAsksOnlyAFewAtOnce(t *testing.T) {
	t.Parallel()
	var under, most atomic.Int64
	stop := make(chan struct{})
	e, _ := vendor(t, ofrep.Options{AtOnce: 3}, func(w http.ResponseWriter, _ string, n int64) {
		most.Store(max(most.Load(), under.Add(1)))
		defer under.Add(-1)
		if n > 10 {
			<-stop
		}
		says(200, `{"key":"f","reason":"DISABLED"}`)(w, "", n)
	})
	t.Cleanup(func() { close(stop) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := e.Verify(ctx, receipt("k", 25, -1))
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.LessOrEqual(t, most.Load(), int64(3))
}

func TestAChangeThatIsInForceIsCalledSoForAnyKeysThatAreDrawn(t *testing.T) {
	t.Parallel()
	s := newServed(t)
	id := sources.FlagID{Source: "prod", Key: "checkout v2/x"}
	r := s.change(sources.Change{ID: "c", Flag: id, Kind: sources.Set, To: sources.Pct(25)})
	s.proves(r, "25%")
	draws := 60
	if testing.Short() {
		draws = 20
	}
	for i := range draws {
		r.Change = fmt.Sprint("draw-", i)
		got, err := s.now.Verify(t.Context(), r)
		require.NoError(t, err)
		require.True(t, got.Effective, "%d: %s", i, got.Detail)
	}
}

func TestAnAddressWithSecretsOrOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "host", "ftp://host", "http://", "http://u:secret@host", "http://host?token=secret"} {
		_, err := ofrep.New("e", base, ofrep.Options{})
		require.ErrorIs(t, err, sources.ErrInvalid, base)
		require.NotContains(t, err.Error(), "secret")
	}
}
