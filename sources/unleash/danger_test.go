package unleash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/unleash"
)

// with is a strategy with other fields.
func with(s map[string]any, fields map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range s {
		out[k] = v
	}
	for k, v := range fields {
		out[k] = v
	}
	return out
}

func get(t testing.TB, d unleash.Driver, key string) sources.Flag {
	t.Helper()
	f, err := d.Flag(t.Context(), id(key))
	require.NoError(t, err)
	return f
}

func apply(t testing.TB, d unleash.Driver, c sources.Change) sources.Receipt {
	t.Helper()
	r, err := d.Apply(t.Context(), c)
	require.NoError(t, err)
	return r
}

func ramp(key string, to int) sources.Change {
	return sources.Change{ID: "c", Flag: id(key), Kind: sources.Set, To: sources.Pct(to)}
}

func kill(key string) sources.Change {
	return sources.Change{ID: "k", Flag: id(key), Kind: sources.Kill}
}

func undo(key string, r sources.Receipt) sources.Change {
	return sources.Change{ID: "u", Flag: id(key), Kind: sources.Undo, Restore: r.Restore, Seen: r.New.Revision}
}

func TestARampChangesThePercentageAndKeepsVariantsStickinessAndTitle(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p, key := s.project(t), unique("f")
		variant := map[string]any{"name": "blue", "weight": 1000, "weightType": "variable", "stickiness": "userId", "payload": map[string]any{"type": "string", "value": "b"}}
		s.flag(t, p, key, "release", with(gradual("25"), map[string]any{"title": "the ramp", "variants": []any{variant}}))
		before := s.state(t, p, key)
		require.Len(t, before.Strategies[0].Variants, 1)
		d := connect(t, s, p)
		require.Contains(t, get(t, d, key).Note, "1 variant blue")
		r := apply(t, d, ramp(key, 60))
		require.Empty(t, r.Warning)
		after := s.state(t, p, key)
		before.Strategies[0].Parameters["rollout"] = "60"
		require.Equal(t, before, after, "nothing but the percentage differs")
	})
}

func TestARampOfAKilledFlagSetsThePercentageBeforeItSwitchesOn(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", gradual("100"))
	wire := &wire{}
	d := connect(t, s, p, func(o *unleash.Options) { o.Transport = wire })
	apply(t, d, kill(key))
	wire.forget()
	r := apply(t, d, ramp(key, 5))
	require.Equal(t, "5%", r.New.Brief())
	var writes []string
	for _, call := range wire.calls() {
		if !strings.HasPrefix(call, "GET") {
			writes = append(writes, call[:strings.Index(call, " ")]+" "+call[strings.LastIndex(call, "/")+1:])
		}
	}
	ids := s.state(t, p, key).Strategies
	require.Len(t, ids, 1)
	require.Equal(t, []string{"PATCH " + ids[0].ID, "POST on"}, writes)
}

func TestSwitchingOnNeverGivesAFlagToEverybody(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p := s.project(t)
		d := connect(t, s, p)
		t.Run("no strategy at all", func(t *testing.T) {
			key := unique("f")
			s.flag(t, p, key, "release")
			f := get(t, d, key)
			require.True(t, f.Killed)
			require.ErrorContains(t, f.CanRamp(), "on is on for everybody")
			_, err := d.Apply(t.Context(), ramp(key, 5))
			require.ErrorIs(t, err, sources.ErrUnsupported)
			require.Empty(t, s.state(t, p, key).Strategies)
		})
		t.Run("every strategy disabled", func(t *testing.T) {
			key := unique("f")
			ids := s.flag(t, p, key, "release", gradual("5"))
			done := apply(t, d, kill(key))
			s.disable(t, p, key, ids[0])
			_, err := d.Apply(t.Context(), ramp(key, 5))
			require.ErrorIs(t, err, sources.ErrUnsupported)
			_, err = d.Apply(t.Context(), sources.Change{ID: "u", Flag: id(key), Kind: sources.Undo, Restore: done.Restore})
			require.Error(t, err)
			require.Contains(t, []bool{isA(err, sources.ErrConflict), isA(err, sources.ErrUnsupported)}, true)
			got := s.state(t, p, key)
			require.False(t, got.Enabled)
			require.Len(t, got.Strategies, 1)
		})
		t.Run("its strategy is disabled between the read and the switch", func(t *testing.T) {
			key := unique("f")
			ids := s.flag(t, p, key, "release", gradual("5"))
			apply(t, d, kill(key))
			w := &wire{before: func(r *http.Request, _ []byte) {
				if strings.HasSuffix(r.URL.Path, "/on") {
					s.disable(t, p, key, ids[0])
				}
			}}
			_, err := connect(t, s, p, func(o *unleash.Options) { o.Transport = w }).Apply(t.Context(), ramp(key, 7))
			require.ErrorContains(t, err, "was switched off again")
			require.NotErrorIs(t, err, sources.ErrConflict, "something was written, and that is not hidden")
			got := s.state(t, p, key)
			require.False(t, got.Enabled, "the strategy for everybody that Unleash added is not in force")
		})
	})
}

func isA(err, target error) bool { return strings.HasSuffix(err.Error(), target.Error()) }

// disable switches a strategy off, as somebody in Unleash's own pages does.
func (s *server) disable(t testing.TB, project, flag, strategy string) {
	t.Helper()
	s.Must(t, http.MethodPatch, path(project, flag)+"/environments/"+env+"/strategies/"+strategy,
		[]map[string]any{{"op": "replace", "path": "/disabled", "value": true}}, nil)
}

func TestARolloutThatSDKsReadDifferentlyIsBrokenAndNeverGuessed(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p := s.project(t)
		d := connect(t, s, p)
		for _, value := range []string{"abc", "150", "-5", "12.5", "", "0x10", " 5", "1e1", "007"} {
			key := unique("f")
			ids := s.flag(t, p, key, "release", gradual("25"))
			s.Must(t, http.MethodPatch, path(p, key)+"/environments/"+env+"/strategies/"+ids[0],
				[]map[string]any{{"op": "replace", "path": "/parameters/rollout", "value": value}}, nil)
			f := get(t, d, key)
			require.Equal(t, sources.FlagBroken, f.State, value)
			require.False(t, f.Rollout.OK || f.Stored.OK, value)
			require.Contains(t, f.Note, "SDKs differ", value)
			_, err := d.Apply(t.Context(), ramp(key, 5))
			require.ErrorIs(t, err, sources.ErrUnsupported)
			r := apply(t, d, kill(key))
			require.True(t, r.New.Killed)
			require.Equal(t, "killed", r.New.Brief())
			require.Equal(t, f.Revision, apply(t, d, undo(key, r)).New.Revision)
		}
	})
}

func TestAFractionOfAPercentIsRefusedBecauseTheSDKWouldRoundItDown(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	ids := s.flag(t, p, key, "release", with(gradual("12"), map[string]any{"parameters": map[string]any{"rollout": "12", "stickiness": "userId", "groupId": key}}))
	d := connect(t, s, p)
	_, err := d.Apply(t.Context(), sources.Change{ID: "c", Flag: id(key), Kind: sources.Set, To: sources.Pct(12) + 500})
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.ErrorContains(t, err, "whole percentages only")
	var at12 []int
	eventually(t, "12 %", func() bool { at12 = s.judge(t, key, 2000); return len(at12) > 0 })
	s.Must(t, http.MethodPatch, path(p, key)+"/environments/"+env+"/strategies/"+ids[0],
		[]map[string]any{{"op": "replace", "path": "/parameters/rollout", "value": "12.5"}}, nil)
	apply(t, connect(t, s, p), kill(key)) // to know when the SDK has the newest
	eventually(t, "off", func() bool { return len(s.judge(t, key, 100)) == 0 })
	s.Must(t, http.MethodPost, path(p, key)+"/environments/"+env+"/on", nil, nil)
	var half []int
	eventually(t, "on again", func() bool { half = s.judge(t, key, 2000); return len(half) > 0 })
	require.Equal(t, at12, half, "Unleash takes 12.5, and serves 12")
}

func TestAFlagThatIsNotOnePercentageIsCustomAndSaysWhatItIs(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p := s.project(t)
		d := connect(t, s, p)
		constraint := map[string]any{"contextName": "appName", "operator": "IN", "values": []string{"shop"}}
		var segment struct{ ID int }
		s.Must(t, http.MethodPost, "/api/admin/segments", map[string]any{"name": unique("seg"), "constraints": []any{constraint}}, &segment)
		s.Must(t, http.MethodPost, "/api/admin/strategies", map[string]any{"name": p + "-own", "parameters": []any{}}, nil)
		for note, strategies := range map[string][]map[string]any{
			"2 strategies, one of which is enough": {gradual("25"), gradual("50")},
			"flexibleRollout 25% where appName IN": {with(gradual("25"), map[string]any{"constraints": []any{constraint}})},
			"1 segment":                            {with(gradual("25"), map[string]any{"segments": []int{segment.ID}})},
			p + "-own":                             {{"name": p + "-own", "parameters": map[string]any{}, "constraints": []any{}}},
		} {
			key := unique("f")
			s.flag(t, p, key, "release", strategies...)
			before := s.state(t, p, key)
			f := get(t, d, key)
			require.Equal(t, sources.FlagCustom, f.State, note)
			require.Contains(t, f.Note, note)
			_, err := d.Apply(t.Context(), ramp(key, 5))
			require.ErrorIs(t, err, sources.ErrUnsupported)
			r := apply(t, d, kill(key))
			require.False(t, s.state(t, p, key).Enabled)
			apply(t, d, undo(key, r))
			require.Equal(t, before, s.state(t, p, key), "an undo brings back what was there")
		}
	})
}

func TestADisabledStrategyDoesNotCountAndIsNamed(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", gradual("25"), with(gradual("90"), map[string]any{"disabled": true}))
	d := connect(t, s, p)
	f := get(t, d, key)
	require.Equal(t, "25%", f.Brief())
	require.Contains(t, f.Note, "1 disabled strategy")
	apply(t, d, kill(key))
	apply(t, d, ramp(key, 30))
	got := map[any]bool{}
	for _, st := range s.state(t, p, key).Strategies {
		got[st.Parameters["rollout"]] = st.Disabled
	}
	require.Equal(t, map[any]bool{"30": false, "90": true}, got)
}

func TestTypeStaleAndDependencyAreShown(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p, parent, key := s.project(t), unique("parent"), unique("f")
		s.flag(t, p, parent, "release", gradual("100"))
		s.flag(t, p, key, "kill-switch", gradual("25"))
		s.Must(t, http.MethodPost, path(p, key)+"/dependencies", map[string]any{"feature": parent, "enabled": true}, nil)
		s.Must(t, http.MethodPatch, path(p, key), []map[string]any{{"op": "replace", "path": "/stale", "value": true}}, nil)
		set, err := connect(t, s, p).Flags(t.Context())
		require.NoError(t, err)
		require.Len(t, set.Flags, 2)
		f := set.Flags[slices.IndexFunc(set.Flags, func(f sources.Flag) bool { return f.ID.Key == key })]
		require.True(t, f.Pinned, "kill switches come first")
		require.Equal(t, "of "+key, f.Description)
		require.Equal(t, "depends on "+parent+"; stale", f.Note)
		require.Equal(t, "25%", f.Brief())
		require.False(t, set.Flags[1-slices.IndexFunc(set.Flags, func(f sources.Flag) bool { return f.ID.Key == key })].Pinned)
	})
}

func TestSomebodyWhoIsQuickerIsAConflictOrIsNamed(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p, key := s.project(t), unique("f")
		ids := s.flag(t, p, key, "release", gradual("25"))
		var once sync.Once
		meddle := func(r *http.Request, _ []byte) {
			if r.Method == http.MethodPatch {
				once.Do(func() {
					s.Must(t, http.MethodPatch, path(p, key)+"/environments/"+env+"/strategies/"+ids[0],
						[]map[string]any{{"op": "replace", "path": "/parameters/rollout", "value": "40"}}, nil)
				})
			}
		}
		d := connect(t, s, p, func(o *unleash.Options) { o.Transport = &wire{before: meddle} })
		r, err := d.Apply(t.Context(), ramp(key, 50))
		if s.version >= 7 {
			require.ErrorIs(t, err, sources.ErrConflict)
			require.ErrorContains(t, err, "nothing was written")
			require.Equal(t, "40", s.state(t, p, key).Strategies[0].Parameters["rollout"])
			return
		}
		require.NoError(t, err)
		require.Equal(t, "this overwrote 40%, which admin had set a moment before", r.Warning)
		require.Equal(t, "50", s.state(t, p, key).Strategies[0].Parameters["rollout"])
	})
}

func TestWhoeverSlipsThroughTheServersOwnCompareIsNamedFromTheEventLog(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	ana := s.someone(t, unique("ana"), 2)
	key := unique("f")
	ids := s.flag(t, "default", key, "release", gradual("25"))
	// As if the server had compared before that write: the conditions are taken out.
	d := connect(t, s, "default", func(o *unleash.Options) {
		o.Transport = &wire{rewrite: func(r *http.Request, body []byte) []byte {
			if r.Method != http.MethodPatch {
				return body
			}
			status, raw := s.Raw(t, ana, http.MethodPatch, path("default", key)+"/environments/"+env+"/strategies/"+ids[0],
				[]map[string]any{{"op": "replace", "path": "/parameters/rollout", "value": "41"}})
			require.Equal(t, http.StatusOK, status, "%s", raw)
			var steps []map[string]any
			require.NoError(t, json.Unmarshal(body, &steps))
			steps = slices.DeleteFunc(steps, func(o map[string]any) bool { return o["op"] == "test" })
			out, err := json.Marshal(steps)
			require.NoError(t, err)
			return out
		}}
	})
	r := apply(t, d, ramp(key, 50))
	require.Contains(t, r.Warning, "this overwrote 41%, which ana-")
	require.Equal(t, "50%", r.New.Brief())
}

func TestAKillOfWhatIsOffWritesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", gradual("25"))
	w := &wire{}
	d := connect(t, s, p, func(o *unleash.Options) { o.Transport = w })
	apply(t, d, kill(key))
	w.forget()
	r := apply(t, d, kill(key))
	require.Contains(t, r.Warning, "nothing to change")
	require.Equal(t, r.Old.Revision, r.New.Revision)
	for _, call := range w.calls() {
		require.True(t, strings.HasPrefix(call, "GET "), call)
	}
}

func TestAnUndoRefusesWhenTheStrategiesAreNotTheSame(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", gradual("25"))
	d := connect(t, s, p)
	r := apply(t, d, ramp(key, 50))
	s.Must(t, http.MethodPost, path(p, key)+"/environments/"+env+"/strategies", gradual("1"), nil)
	before := s.state(t, p, key)
	_, err := d.Apply(t.Context(), sources.Change{ID: "u", Flag: id(key), Kind: sources.Undo, Restore: r.Restore})
	require.ErrorIs(t, err, sources.ErrConflict)
	require.Equal(t, before, s.state(t, p, key))
	for _, junk := range []string{"", "null", "{}", "[1]", "{\"enabled\":true}", "\xff"} {
		_, err := d.Apply(t.Context(), sources.Change{ID: "u", Flag: id(key), Kind: sources.Undo, Restore: []byte(junk)})
		require.ErrorIs(t, err, sources.ErrInvalid, junk)
	}
}

// wire is a transport that notes what is asked, and in which somebody can act just
// before a request goes out.
type wire struct {
	before  func(*http.Request, []byte)
	rewrite func(*http.Request, []byte) []byte
	answer  func(*http.Request) *http.Response // nil to ask the server

	mu    sync.Mutex
	asked []string
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	w.mu.Lock()
	w.asked = append(w.asked, r.Method+" "+r.URL.Path)
	w.mu.Unlock()
	if w.before != nil {
		w.before(r, body)
	}
	if w.rewrite != nil {
		body = w.rewrite(r, body)
	}
	if w.answer != nil {
		if resp := w.answer(r); resp != nil {
			resp.Request = r
			return resp, nil
		}
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if len(body) == 0 {
		r.Body = http.NoBody
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *wire) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = nil
}

// count is how many requests there were whose method and path contain text.
func (w *wire) count(text string) int {
	n := 0
	for _, c := range w.calls() {
		if strings.Contains(c, text) {
			n++
		}
	}
	return n
}

// answers is a JSON response.
func answers(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func brief(t testing.TB, d unleash.Driver, key string) string {
	t.Helper()
	f := get(t, d, key)
	return f.Brief()
}
