package launchdarkly_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/launchdarkly"
)

func id(key string) sources.FlagID { return sources.FlagID{Source: "ld", Key: key} }

// raw is JSON as a test writes it.
func raw(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

func TestAFlagIsWhatItServes(t *testing.T) {
	t.Parallel()
	zero, one, nine := 0, 1, 9
	type row struct {
		serve  string
		change func(f *flag, c *config)
		state  sources.FlagState
		brief  string
		stored string
		note   string
	}
	for name, tc := range map[string]row{
		"a split":            {`{"rollout":{"variations":[{"variation":1,"weight":87655},{"variation":0,"weight":12345}]}}`, nil, sources.FlagOn, "12.345%", "12.345", ""},
		"everybody":          {`{"variation":0}`, nil, sources.FlagOn, "100%", "100", ""},
		"nobody":             {`{"variation":1}`, nil, sources.FlagOff, "0%", "0", ""},
		"off":                {`{"variation":0}`, func(_ *flag, c *config) { c.On = false }, sources.FlagOff, "killed", "100", ""},
		"off serves true":    {`{"variation":0}`, func(_ *flag, c *config) { c.Off = &zero }, sources.FlagOff, "0%", "0", "serves true while it is off"},
		"off serves code":    {`{"variation":0}`, func(_ *flag, c *config) { c.Off = nil }, sources.FlagOn, "100%", "100", ""},
		"a share in two":     {`{"rollout":{"variations":[{"variation":0,"weight":10000},{"variation":0,"weight":5000},{"variation":1,"weight":85000}]}}`, nil, sources.FlagOn, "15%", "15", ""},
		"a rule":             {`{"variation":1}`, func(_ *flag, c *config) { c.Rules = []any{raw(t, `{"_id":"a","variation":0,"clauses":[]}`)} }, sources.FlagCustom, "custom", "", "1 rule"},
		"a rule that is off": {`{"variation":1}`, func(_ *flag, c *config) { c.Rules = []any{raw(t, `{"disabled":true,"clauses":[]}`)} }, sources.FlagOff, "0%", "0", ""},
		"targets":            {`{"variation":1}`, func(_ *flag, c *config) { c.Targets = []any{raw(t, `{"variation":0,"values":["ana","bo"]}`)} }, sources.FlagCustom, "custom", "", "2 targets"},
		"a target in two lists": {`{"variation":1}`, func(_ *flag, c *config) {
			c.Targets = []any{raw(t, `{"variation":0,"values":["ana"]}`)}
			c.Kinds = []any{raw(t, `{"contextKind":"user","variation":0,"values":["ana"]}`), raw(t, `{"contextKind":"org","variation":0,"values":["ana"]}`)}
		}, sources.FlagCustom, "custom", "", "2 targets"},
		"targets of nobody":      {`{"variation":1}`, func(_ *flag, c *config) { c.Targets = []any{raw(t, `{"variation":0,"values":[]}`)} }, sources.FlagOff, "0%", "0", ""},
		"prerequisites":          {`{"variation":0}`, func(_ *flag, c *config) { c.Needs = []any{raw(t, `{"key":"base\u001b[2J","variation":0}`)} }, sources.FlagCustom, "custom", "", "prerequisite base∙[2J"},
		"custom and off":         {`{"variation":0}`, func(_ *flag, c *config) { c.On, c.Needs = false, []any{raw(t, `{"key":"a"}`)} }, sources.FlagOff, "killed", "", "prerequisite a"},
		"more variations":        {`{"variation":2}`, func(f *flag, _ *config) { f.Kind, f.Values = "multivariate", []any{"a", "b", "c"} }, sources.FlagCustom, "custom", "", "3 variations, kind multivariate"},
		"an experiment":          {`{"rollout":{"experimentAllocation":{"defaultVariation":0,"canReshuffle":true},"variations":[{"variation":0,"weight":100000}]}}`, nil, sources.FlagCustom, "custom", "", "an experiment on the default rule"},
		"a seed":                 {`{"rollout":{"seed":0,"variations":[{"variation":0,"weight":100000}]}}`, nil, sources.FlagCustom, "custom", "", "a seed in the default rule"},
		"deprecated":             {`{"variation":0}`, func(f *flag, _ *config) { f.Deprecated = true }, sources.FlagOn, "100%", "100", "deprecated"},
		"weights that miss":      {`{"rollout":{"variations":[{"variation":0,"weight":10}]}}`, nil, sources.FlagBroken, "broken", "", "the split's weights sum to 10, not to 100000"},
		"a weight below zero":    {`{"rollout":{"variations":[{"variation":0,"weight":-1},{"variation":1,"weight":100001}]}}`, nil, sources.FlagBroken, "broken", "", "the split has a weight of -1"},
		"no such variation":      {`{"variation":7}`, nil, sources.FlagBroken, "broken", "", "the default rule's variation 7 is none of 2"},
		"no such in the split":   {`{"rollout":{"variations":[{"variation":2,"weight":100000}]}}`, nil, sources.FlagBroken, "broken", "", "the split's variation 2 is none of 2"},
		"no default rule":        {`{}`, nil, sources.FlagBroken, "broken", "", "there is no default rule"},
		"two default rules":      {`{"variation":0,"rollout":{"variations":[]}}`, nil, sources.FlagBroken, "broken", "", "the default rule has a variation and a split"},
		"no such off variation":  {`{"variation":0}`, func(_ *flag, c *config) { c.Off = &nine }, sources.FlagBroken, "broken", "", "the off variation 9 is none of 2"},
		"no variations":          {`{"variation":0}`, func(f *flag, c *config) { f.Values, c.Off = nil, nil }, sources.FlagBroken, "broken", "", "there are no variations"},
		"a boolean of two words": {`{"variation":0}`, func(f *flag, _ *config) { f.Values = []any{"true", "false"} }, sources.FlagBroken, "broken", "", "the variations of a boolean flag are not true and false"},
		"the other way round":    {`{"variation":1}`, func(f *flag, c *config) { f.Values, c.Off = []any{false, true}, &zero }, sources.FlagOn, "100%", "100", ""},
		"three booleans":         {`{"variation":1}`, func(f *flag, c *config) { f.Values, c.Off = []any{true, false, true}, &one }, sources.FlagCustom, "custom", "", "3 variations, kind boolean"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, url := serve(t)
			f := svc.add("it", raw(t, tc.serve))
			if tc.change != nil {
				tc.change(f, f.Env[production])
			}
			s := open(t, url, "api-writer")
			got, err := s.Flag(t.Context(), id("it"))
			require.NoError(t, err)
			require.Equal(t, tc.state, got.State, got.Note)
			require.Equal(t, tc.brief, got.Brief())
			require.Equal(t, tc.note, got.Note)
			require.Equal(t, tc.stored != "", got.Stored.OK)
			if tc.stored != "" {
				require.Equal(t, tc.stored, got.Stored.V.String())
				require.NoError(t, got.CanRamp())
			} else {
				require.Error(t, got.CanRamp())
			}
			set, err := s.Flags(t.Context())
			require.NoError(t, err)
			require.Contains(t, set.Flags, got, "the list has it as it is by itself")
			if !got.Killed {
				killed, err := s.Apply(t.Context(), sources.Change{ID: "k", Flag: id("it"), Kind: sources.Kill, Seen: got.Revision})
				require.NoError(t, err)
				require.True(t, killed.New.Killed, "everything can be killed")
				require.Empty(t, killed.Warning)
			}
		})
	}
}

func TestAFlagHasItsOwnerAndItsMarks(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.flags["search"].Temporary, svc.flags["search"].Team = true, "Team \x1b[31mred"
	svc.flags["checkout"].Archived = true
	set, err := open(t, url, "api-writer").Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, 2, "archived flags are not listed")
	geo, search := set.Flags[0], set.Flags[1]
	require.Equal(t, "Pat Lee", geo.Owner)
	require.Equal(t, "Name of geo", geo.Description)
	require.Equal(t, "Team ∙[31mred", search.Owner)
	require.Equal(t, "Name of search (temporary)", search.Description)
	require.Equal(t, svc.now(), search.ChangedAt)
	require.Equal(t, "true", search.Variant)
	require.Empty(t, set.ReadOnly)
}

func TestTheListIsWholeHoweverItIsPaged(t *testing.T) {
	t.Parallel()
	for _, clamp := range []int{100, 20, 1} {
		svc, url := serve(t)
		for i := range 47 {
			svc.add(fmt.Sprintf("f%03d", i), split(i*1000, 100_000-i*1000))
		}
		svc.maxLimit = clamp
		set, err := open(t, url, "api-writer").Flags(t.Context())
		require.NoError(t, err)
		require.Len(t, set.Flags, 50)
	}
}

func TestAPartOfTheListIsAnErrorAndNeverAShorterList(t *testing.T) {
	t.Parallel()
	lists := func(r *http.Request) bool { return r.URL.Path == "/api/v2/flags/"+project }
	second := func(r *http.Request) bool { return lists(r) && r.URL.Query().Get("offset") != "0" }
	for name, tc := range map[string]struct {
		spoil func(w http.ResponseWriter, r *http.Request) bool
		says  string
		want  error
	}{
		"no more after the first page": {func(w http.ResponseWriter, r *http.Request) bool {
			if lists(r) {
				answer(w, map[string]any{"items": []any{map[string]any{"key": "a"}}, "totalCount": 2, "_links": map[string]any{}})
			}
			return lists(r)
		}, "ld answered 1 flags of 2 and no more, so the list is not shown", sources.ErrUnavailable},
		"a page without flags": {func(w http.ResponseWriter, r *http.Request) bool {
			if lists(r) {
				answer(w, map[string]any{"items": []any{}, "_links": map[string]any{"next": map[string]any{"href": "/x"}}})
			}
			return lists(r)
		}, "ld answered 0 flags of an unknown number and no more, so the list is not shown", sources.ErrUnavailable},
		"half of the second page": {func(w http.ResponseWriter, r *http.Request) bool {
			if second(r) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"totalCount":3,"items":[{"key":"geo","na`))
			}
			return second(r)
		}, "ld answered 41 bytes that are not JSON (unexpected end of JSON input at byte 41)", sources.ErrInvalid},
		"the second page breaks off": {func(w http.ResponseWriter, r *http.Request) bool {
			if second(r) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Length", "1000")
				_, _ = w.Write([]byte(`{}`))
			}
			return second(r)
		}, "ld broke off in the middle of its answer", sources.ErrUnavailable},
		"the second page fails": {func(w http.ResponseWriter, r *http.Request) bool {
			if second(r) {
				refuse(w, 502, "x", "bad gateway")
			}
			return second(r)
		}, "ld answered 502 Bad Gateway (bad gateway)", sources.ErrUnavailable},
		"the same page again and again": {func(_ http.ResponseWriter, r *http.Request) bool {
			if lists(r) {
				q := r.URL.Query()
				q.Set("offset", "0")
				r.URL.RawQuery = q.Encode()
			}
			return false
		}, "ld: flags keep being added and removed while the list is read", sources.ErrUnavailable},
		"a flag without a key": {func(w http.ResponseWriter, r *http.Request) bool {
			if lists(r) {
				answer(w, map[string]any{"items": []any{nil}, "_links": map[string]any{}})
			}
			return lists(r)
		}, "ld listed a flag without a key", sources.ErrInvalid},
		"no list": {func(w http.ResponseWriter, r *http.Request) bool {
			if lists(r) {
				answer(w, map[string]any{"flags": 1})
			}
			return lists(r)
		}, "ld answered no list of flags, check the address", sources.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, url := serve(t)
			svc.maxLimit, svc.spoil = 2, tc.spoil
			set, err := open(t, url, "api-writer").Flags(t.Context())
			require.ErrorIs(t, err, tc.want)
			require.Equal(t, tc.says, sources.Sentence(err))
			require.Empty(t, set.Flags)
		})
	}
}

func TestAListThatChangesWhileItIsReadIsReadAnew(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.maxLimit = 1
	pages := 0
	svc.spoil = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/v2/flags/"+project {
			if pages++; pages == 2 {
				svc.add("aaa", map[string]any{"variation": 1}) // moves checkout to the second page
			}
		}
		return false
	}
	set, err := open(t, url, "api-writer").Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, 4)
}

func TestAFlagThatMovesToTheNextPageIsNotListedTwice(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.maxLimit = 1
	pages := 0
	svc.spoil = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/v2/flags/"+project {
			if pages++; pages == 2 { // as many as before, but checkout is on the second page now
				svc.add("aaa", map[string]any{"variation": 1})
				svc.flags["search"].Archived = true
			}
		}
		return false
	}
	set, err := open(t, url, "api-writer").Flags(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"aaa", "checkout", "geo"}, []string{set.Flags[0].Name, set.Flags[1].Name, set.Flags[2].Name})
	require.Len(t, set.Flags, 3)
}

func TestArchivedFlagsAreLeftOutEvenWhereTheyAreListed(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.flags["geo"].Archived = true
	svc.spoil = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/v2/flags/"+project {
			return false
		}
		answer(w, map[string]any{"items": []any{svc.flags["geo"].json(production, true), svc.flags["search"].json(production, true)}, "totalCount": 2})
		return true
	}
	set, err := open(t, url, "api-writer").Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, 1)
	require.Equal(t, "search", set.Flags[0].Name)
}

func TestASummaryWithoutRulesDoesNotPassForAFlagWithoutRules(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.spoil = func(_ http.ResponseWriter, r *http.Request) bool {
		q := r.URL.Query()
		q.Del("summary")
		r.URL.RawQuery = q.Encode()
		return false
	}
	set, err := open(t, url, "api-writer").Flags(t.Context())
	require.NoError(t, err)
	require.Equal(t, sources.FlagCustom, set.Flags[1].State)
	require.Equal(t, "1 rule or target", set.Flags[1].Note)
}

func TestAWrongEnvironmentIsSaid(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	s := open(t, url, "api-writer", func(o *launchdarkly.Options) { o.Environment = "prod" })
	_, err := s.Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.Equal(t, "ld: no flag of project shop has an environment prod, check its key", sources.Sentence(err))
	delete(svc.flags["geo"].Env, production)
	s = open(t, url, "api-writer")
	got, err := s.Flag(t.Context(), id("geo"))
	require.NoError(t, err)
	require.Equal(t, sources.FlagBroken, got.State)
	_, err = s.Apply(t.Context(), sources.Change{Flag: id("geo"), Kind: sources.Kill})
	require.ErrorIs(t, err, sources.ErrInvalid)
}

func TestWhatCannotBeAStoreIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]launchdarkly.Options{
		"no project":     {Environment: "e"},
		"no environment": {Project: "p"},
		"a path":         {Project: "p/../q", Environment: "e"},
		"a specifier":    {Project: "p:env", Environment: "e"},
	} {
		_, err := launchdarkly.New("ld", "https://app.launchdarkly.com", o)
		require.ErrorIs(t, err, sources.ErrInvalid, name)
	}
	_, err := launchdarkly.New("ld", "app.launchdarkly.com", launchdarkly.Options{Project: "p", Environment: "e"})
	require.ErrorIs(t, err, sources.ErrInvalid)
}

func TestTheTimeOfTheLastChangeGoesOn(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	at := svc.now()
	svc.now = func() time.Time { at = at.Add(time.Minute); return at }
	s := open(t, url, "api-writer")
	done, err := s.Apply(t.Context(), sources.Change{ID: "1", Flag: id("checkout"), Kind: sources.Kill})
	require.NoError(t, err)
	require.True(t, done.New.ChangedAt.After(done.Old.ChangedAt))
	undone, err := s.Apply(t.Context(), sources.Change{ID: "2", Flag: id("checkout"), Kind: sources.Undo, Seen: done.New.Revision, Restore: done.Restore})
	require.NoError(t, err)
	require.Equal(t, done.Old.Revision, undone.New.Revision)
	require.True(t, undone.New.ChangedAt.After(done.New.ChangedAt))
	require.Empty(t, undone.Warning)
}
