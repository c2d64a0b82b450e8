package launchdarkly_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

func change(kind sources.ChangeKind, key string, to int) sources.Change {
	return sources.Change{ID: "c-1", Flag: id(key), Kind: kind, To: sources.Pct(to), Actor: "pat\x1b", Reason: "error rate\nup"}
}

func TestAChangeIsOnePatchThatKeepsHowUsersAreBucketed(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	s := open(t, url, "api-writer")
	c := svc.flags["checkout"].Env[production]
	roll := c.Serve["rollout"].(map[string]any)
	roll["bucketBy"], roll["contextKind"], c.On = "company", "org", false
	got, err := s.Apply(t.Context(), change(sources.Ramp, "checkout", 30))
	require.NoError(t, err)
	require.Equal(t, "30%", got.New.Brief())
	require.Len(t, svc.patches, 1)
	require.Equal(t, patch{
		EnvironmentKey: production, Comment: "error rate up · by pat∙ · with relctl-tui, change c-1",
		Instructions: []map[string]any{
			{
				"kind": "updateFallthroughVariationOrRollout", "rolloutBucketBy": "company", "rolloutContextKind": "org",
				"rolloutWeights": map[string]any{"checkout-0": 30_000.0, "checkout-1": 70_000.0},
			},
			{"kind": "turnFlagOn"},
		},
	}, svc.patches[0])
	_, err = s.Apply(t.Context(), sources.Change{ID: "u", Flag: id("checkout"), Kind: sources.Undo, Restore: got.Restore, Seen: got.New.Revision})
	require.NoError(t, err)
	now, err := s.Flag(t.Context(), id("checkout"))
	require.NoError(t, err)
	require.Equal(t, got.Old, now, "an undo also turns it off again and buckets as before")
	require.Equal(t, "company", svc.flags["checkout"].Env[production].Serve["rollout"].(map[string]any)["bucketBy"])
}

func TestAPlainVariationBecomesASplitAndAnUndoMakesItPlainAgain(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	s := open(t, url, "api-writer")
	got, err := s.Apply(t.Context(), change(sources.Back, "search", 50))
	require.NoError(t, err)
	require.Contains(t, svc.flags["search"].Env[production].Serve, "rollout")
	_, err = s.Apply(t.Context(), sources.Change{ID: "u", Flag: id("search"), Kind: sources.Undo, Restore: got.Restore})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"variation": 0}, svc.flags["search"].Env[production].Serve)
}

func TestTheOtherEnvironmentsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	before := *svc.flags["checkout"].Env["test"]
	_, err := open(t, url, "api-writer").Apply(t.Context(), change(sources.Ramp, "checkout", 30))
	require.NoError(t, err)
	require.Equal(t, before, *svc.flags["checkout"].Env["test"])
	f, err := open(t, url, "api-writer").Flag(t.Context(), id("checkout"))
	require.NoError(t, err)
	svc.with(func() { svc.flags["checkout"].Env["test"].On, svc.flags["checkout"].Version = true, 99 })
	_, err = open(t, url, "api-writer").Apply(t.Context(), sources.Change{ID: "k", Flag: id("checkout"), Kind: sources.Kill, Seen: f.Revision})
	require.NoError(t, err, "a change of another environment is no conflict")
}

func TestAKillOutranksWhatIsScheduledAndARampDoesNot(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.planned["checkout"] = true
	s := open(t, url, "api-writer")
	_, err := s.Apply(t.Context(), change(sources.Ramp, "checkout", 30))
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.Contains(t, err.Error(), "This would cause a scheduled change to fail")
	got, err := s.Apply(t.Context(), change(sources.Kill, "checkout", 0))
	require.NoError(t, err)
	require.True(t, got.New.Killed)
	require.True(t, svc.patches[0].forced)
}

func TestAnApprovalThatIsNeededComesWithThePage(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.approval = true
	s := open(t, url, "api-writer")
	_, err := s.Apply(t.Context(), change(sources.Kill, "checkout", 0))
	require.ErrorIs(t, err, sources.ErrApprovalNeeded)
	require.Equal(t, url+"/default/production/features/checkout", sources.LinkOf(err))
	require.Equal(t, "ld: changes of checkout in production need an approval (Approval is required to make this request), nothing was written; ask for it at "+
		sources.LinkOf(err), sources.Sentence(err))
	f, err := s.Flag(t.Context(), id("checkout"))
	require.NoError(t, err)
	require.False(t, f.Killed, "it is never shown as done")
}

func TestALinkNeverLeavesTheSite(t *testing.T) {
	t.Parallel()
	for _, href := range []string{"//evil.example/x", "https://evil.example/x", "", "/", "relative", "javascript:alert(1)", "/\x00"} {
		svc, url := serve(t)
		svc.approval = true
		svc.spoil = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet {
				return false
			}
			one := svc.flags["checkout"].json(production, true)
			one["environments"].(map[string]any)[production].(map[string]any)["_site"] = map[string]any{"href": href}
			answer(w, one)
			return true
		}
		_, err := open(t, url, "api-writer").Apply(t.Context(), change(sources.Kill, "checkout", 0))
		require.Equal(t, url+"/projects/shop/flags/checkout/targeting?env=production", sources.LinkOf(err), href)
	}
}

func TestATokenThatOnlyReadsIsSaidBeforeAndAtTheWrite(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	s := open(t, url, "api-reader")
	for range 3 {
		set, err := s.Flags(t.Context())
		require.NoError(t, err)
		require.Equal(t, "the access token has the role Reader", set.ReadOnly)
	}
	asked := 0
	for _, r := range svc.requests {
		if r == "GET /api/v2/caller-identity" {
			asked++
		}
	}
	require.Equal(t, 1, asked, "a role is not asked for with each list")
	_, err := s.Apply(t.Context(), change(sources.Kill, "checkout", 0))
	require.ErrorIs(t, err, sources.ErrReadOnly)
	require.ErrorIs(t, err, sources.ErrUnauthorized)
	require.Contains(t, err.Error(), "this access token reads checkout but may not change it")
	set, err := open(t, url, "api-custom").Flags(t.Context())
	require.NoError(t, err)
	require.Empty(t, set.ReadOnly, "what a custom role allows is known only when it is used")
}

func TestAServerThatDoesNotTellRolesIsAsGood(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	svc.spoil = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/v2/caller-identity" {
			refuse(w, 403, "forbidden", "no")
			return true
		}
		return false
	}
	set, err := open(t, url, "api-writer").Flags(t.Context())
	require.NoError(t, err)
	require.Len(t, set.Flags, 3)
}

func TestARefusalIsASentenceAndASentinel(t *testing.T) {
	t.Parallel()
	on := func(method string, h http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == method {
				h(w, r)
			}
			return r.Method == method
		}
	}
	for name, tc := range map[string]struct {
		token string
		key   string
		spoil func(http.ResponseWriter, *http.Request) bool
		want  error
		says  string
	}{
		"a wrong token": {"api-gone", "checkout", nil, sources.ErrUnauthorized, "ld answered 401 Unauthorized (Invalid access token), check the credentials"},
		"no such flag":  {"api-writer", "nope", nil, sources.ErrNotFound, "ld has no flag nope in project shop"},
		"dots":          {"api-writer", "..", nil, sources.ErrNotFound, `ld has no flag ".."`},
		"a path":        {"api-writer", "../checkout", nil, sources.ErrNotFound, "ld has no flag ../checkout in project shop"},
		"at the same time": {"api-writer", "checkout", on("PATCH", func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 409, "optimistic_locking_error", "Conflict")
		}), sources.ErrConflict, "ld: checkout is being changed by somebody else at this moment (Conflict), nothing was written; look again and repeat"},
		"not understood": {"api-writer", "checkout", on("PATCH", func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 422, "unprocessable_entity", "what?")
		}), sources.ErrInvalid, "ld: LaunchDarkly refuses to change checkout (what?), nothing was written; a scheduled change or a pending approval may stand in the way, look at "},
		"another flag's answer": {"api-writer", "checkout", on("GET", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, map[string]any{"key": "other"})
		}), sources.ErrUnavailable, "ld was asked for checkout and answered about other, check the address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, url := serve(t)
			svc.spoil = tc.spoil
			_, err := open(t, url, tc.token).Apply(t.Context(), change(sources.Kill, tc.key, 0))
			require.ErrorIs(t, err, tc.want)
			require.Contains(t, sources.Sentence(err), tc.says)
			require.NotContains(t, err.Error(), "api-")
			require.Empty(t, svc.patches)
		})
	}
}

func TestAWrongProjectIsSaid(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	s := open(t, url, "api-writer")
	svc.spoil = func(w http.ResponseWriter, _ *http.Request) bool {
		refuse(w, 404, "not_found", "Unknown project key shop")
		return true
	}
	_, err := s.Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.Equal(t, "ld answered 404 Not Found (Unknown project key shop)", sources.Sentence(err))
}

func TestALimitIsRespectedByWhicheverHeaderItIsSaid(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"seconds":               {map[string]string{"Retry-After": "7", "X-Ratelimit-Reset": "1"}, 7 * time.Second},
		"the end of the window": {map[string]string{"X-Ratelimit-Reset": "1773457204000"}, 4 * time.Second},
		"a window that is over": {map[string]string{"X-Ratelimit-Reset": "1773457100000"}, time.Second},
		"a window without end":  {map[string]string{"X-Ratelimit-Reset": "1999999999000"}, 5 * time.Minute},
		"prose":                 {map[string]string{"X-Ratelimit-Reset": "soon"}, 10 * time.Second},
		"nothing":               {nil, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, url := serve(t)
			svc.spoil = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Date", at.Format(http.TimeFormat))
				for k, v := range tc.header {
					w.Header().Set(k, v)
				}
				refuse(w, 429, "rate_limited", "You've exceeded the API rate limit. Try again later.")
				return true
			}
			s := open(t, url, "api-writer")
			_, err := s.Flags(t.Context())
			require.ErrorIs(t, err, sources.ErrUnavailable)
			got, ok := sources.RetryAfter(err)
			require.True(t, ok)
			require.Equal(t, tc.want, got)
			require.Equal(t, 429, web.StatusOf(err))
		})
	}
}

// meanwhile does something between the driver's read and its write.
func meanwhile(svc *service, do func(c *config)) {
	svc.spoil = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			do(svc.flags["checkout"].Env[production])
		}
		return false
	}
}

func TestAnotherChangeAtTheSameMomentIsSaid(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	meanwhile(svc, func(c *config) { c.Rules = svc.flags["geo"].Env[production].Rules })
	got, err := open(t, url, "api-writer").Apply(t.Context(), change(sources.Ramp, "checkout", 30))
	require.NoError(t, err)
	require.Equal(t, sources.FlagCustom, got.New.State, "what is read after the write, not what was meant")
	require.Equal(t, "checkout was changed by somebody else at the same moment and is custom now, look at its history", got.Warning)
	require.NotEmpty(t, svc.flags["checkout"].Env[production].Rules, "and it is not undone by ours")
}

func TestAFlagThatIsArchivedBetweenReadAndWriteIsNotFound(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	s := open(t, url, "api-writer")
	f, err := s.Flag(t.Context(), id("checkout"))
	require.NoError(t, err)
	svc.with(func() { svc.flags["checkout"].Archived = true })
	_, err = s.Apply(t.Context(), sources.Change{Flag: id("checkout"), Kind: sources.Kill, Seen: f.Revision})
	require.ErrorIs(t, err, sources.ErrNotFound)
	require.Equal(t, "ld: checkout is archived, restore it in LaunchDarkly first", sources.Sentence(err))
	require.Empty(t, svc.patches)
}

func TestAWriteWhoseAnswerIsLostIsReadBackAndNeverCalledRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		read bool // the flag can be read back
	}{
		"an answer that is no flag":     {`[]`, true},
		"an answer about nothing":       {`{}`, true},
		"half an answer":                {`{"key":"checkout"`, true},
		"and nobody to be asked either": {`{`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc, url := serve(t)
			written := false
			svc.spoil = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					svc.flags["checkout"].Env[production].On = false
					written = true
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(tc.body))
					return true
				}
				if written && !tc.read {
					refuse(w, 404, "not_found", "gone")
					return true
				}
				return false
			}
			got, err := open(t, url, "api-writer").Apply(t.Context(), change(sources.Kill, "checkout", 0))
			if tc.read {
				require.NoError(t, err)
				require.True(t, got.New.Killed)
				return
			}
			require.ErrorIs(t, err, sources.ErrUnavailable)
			for _, certain := range []error{sources.ErrNotFound, sources.ErrInvalid, sources.ErrConflict} {
				require.NotErrorIs(t, err, certain, "it would read as if nothing was written")
			}
		})
	}
}

func TestAChangeThatChangesNothingWritesNothing(t *testing.T) {
	t.Parallel()
	svc, url := serve(t)
	s := open(t, url, "api-writer")
	got, err := s.Apply(t.Context(), change(sources.Set, "checkout", 25))
	require.NoError(t, err)
	require.Equal(t, "nothing to change: checkout is 25% already", got.Warning)
	require.Empty(t, svc.patches)
}

func TestAnUndoThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for name, restore := range map[string]string{
		"no JSON":                   `{`,
		"nothing":                   `{"environment":"production"}`,
		"of another environment":    `{"environment":"test","on":true}`,
		"a variation that is gone":  `{"environment":"production","fallthrough":{"variation":"x"}}`,
		"a split of what is gone":   `{"environment":"production","fallthrough":{"weights":{"x":100000}}}`,
		"a split that is no whole":  `{"environment":"production","fallthrough":{"weights":{"checkout-0":1}}}`,
		"a split of less than none": `{"environment":"production","fallthrough":{"weights":{"checkout-0":-1,"checkout-1":100001}}}`,
	} {
		svc, url := serve(t)
		_, err := open(t, url, "api-writer").Apply(t.Context(), sources.Change{Flag: id("checkout"), Kind: sources.Undo, Restore: []byte(restore)})
		require.ErrorIs(t, err, sources.ErrInvalid, name)
		require.Empty(t, svc.patches)
	}
}
