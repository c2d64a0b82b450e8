package unleash_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/unleash"
)

func as(t string) func(*unleash.Options) { return func(o *unleash.Options) { o.Token = token(t) } }

func TestAViewersTokenReadsAndSaysWhyItCannotWrite(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		key := unique("f")
		s.flag(t, "default", key, "release", gradual("25"))
		viewer := connect(t, s, "default", as(s.someone(t, unique("vic"), 3)))
		set, err := viewer.Flags(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, set.Flags)
		require.Equal(t, "this token may only read project default, environment production", set.ReadOnly)
		for _, c := range []sources.Change{ramp(key, 50), kill(key)} {
			_, err = viewer.Apply(t.Context(), c)
			require.ErrorIs(t, err, sources.ErrReadOnly)
			require.ErrorContains(t, err, "nothing was written")
		}
		require.Equal(t, "25%", brief(t, viewer, key))

		for _, may := range []string{adminToken, s.someone(t, unique("ed"), 2)} {
			set, err = connect(t, s, "default", as(may)).Flags(t.Context())
			require.NoError(t, err)
			require.Empty(t, set.ReadOnly)
		}
	})
}

func TestAChangeThatNeedsApprovalIsPendingWithItsLinkAndNeverDone(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		// The open-source server has no pages for change requests, but it asks its
		// database whether they are on, and refuses as the paid one does.
		editor := s.someone(t, unique("ed"), 2)
		key := unique("f")
		s.flag(t, "default", key, "release", gradual("25"))
		off := s.state(t, "default", key)
		s.SQL(t, "insert into change_request_settings(project, environment, required_approvals) values('default','development',1)")
		s.Must(t, http.MethodPost, path("default", key)+"/environments/development/strategies", gradual("25"), nil)
		d := connect(t, s, "default", as(editor), func(o *unleash.Options) { o.Environment, o.ClientToken, o.FrontendToken = "development", nil, nil })
		for _, c := range []sources.Change{ramp(key, 50), {ID: "x", Flag: id(key), Kind: sources.Ramp, To: sources.Pct(60)}} {
			_, err := d.Apply(t.Context(), c)
			require.ErrorIs(t, err, sources.ErrApprovalNeeded)
			require.ErrorContains(t, err, "nothing was written")
			require.Equal(t, s.base+"/projects/default/features/"+key, sources.LinkOf(err))
		}
		s.Must(t, http.MethodPost, path("default", key)+"/environments/development/on", nil, nil) // an admin is not asked
		_, err := d.Apply(t.Context(), kill(key))
		require.ErrorIs(t, err, sources.ErrApprovalNeeded)
		require.Equal(t, "25%", brief(t, d, key))
		require.Equal(t, off, s.state(t, "default", key), "the other environment is as it was")
	})
}

func TestATokenThatIsNotAcceptedSaysWhatToDoAndIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p := s.project(t)
	for _, bad := range []string{"*:*.secret-that-is-wrong", "user:secret-that-expired", "secret", backendToken} {
		d := connect(t, s, p, as(bad))
		_, err := d.Flags(t.Context())
		require.ErrorIs(t, err, sources.ErrUnauthorized)
		require.NotContains(t, err.Error(), "secret")
		require.NotContains(t, err.Error(), "be-0123")
		require.ErrorContains(t, err, "token")
		_, err = d.Apply(t.Context(), kill("x"))
		require.ErrorIs(t, err, sources.ErrUnauthorized)
	}
	_, err := connect(t, s, p, func(o *unleash.Options) {
		o.Token = func() (string, error) { return "", errors.New("secret file /run/t: there is no such file") }
	}).Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrUnauthorized)
	require.ErrorContains(t, err, "/run/t")
}

func TestATokenThatExpiresIsRefusedWithAdviceAndARotatedOneIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	name := unique("eva")
	now, key := s.someone(t, name, 2), unique("f")
	s.flag(t, "default", key, "release", gradual("25"))
	d := connect(t, s, "default", func(o *unleash.Options) { o.Token = func() (string, error) { return now, nil } })
	apply(t, d, ramp(key, 30))
	s.SQL(t, fmt.Sprintf("update personal_access_tokens set expires_at = now() - interval '1 hour' where user_id = (select id from users where username = '%s')", name))
	_, err := d.Apply(t.Context(), ramp(key, 31))
	require.ErrorIs(t, err, sources.ErrUnauthorized)
	require.ErrorContains(t, err, "make a personal access token")
	now = adminToken
	apply(t, d, ramp(key, 32))
}

func TestAWrongProjectOrEnvironmentIsNamedAndNoFlagOfItIsTouched(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p, key := s.project(t), unique("f")
		s.flag(t, p, key, "release", gradual("25"))
		for want, change := range map[string]func(*unleash.Options){
			"no project nope":        func(o *unleash.Options) { o.Project = "nope" },
			"no environment nope":    func(o *unleash.Options) { o.Environment, o.ClientToken, o.FrontendToken = "nope", nil, nil },
			"it has production":      func(o *unleash.Options) { o.Environment, o.ClientToken, o.FrontendToken = "../x", nil, nil },
			"no project ../features": func(o *unleash.Options) { o.Project = "../features" },
		} {
			d := connect(t, s, p, change)
			_, err := d.Flags(t.Context())
			require.ErrorIs(t, err, sources.ErrNotFound, want)
			require.ErrorContains(t, err, want)
			_, err = d.Flag(t.Context(), id(key))
			require.ErrorIs(t, err, sources.ErrNotFound)
			_, err = d.Apply(t.Context(), kill(key))
			require.ErrorIs(t, err, sources.ErrNotFound)
		}
		require.True(t, s.state(t, p, key).Enabled)
		empty, err := connect(t, s, s.project(t)).Flags(t.Context())
		require.NoError(t, err, "a project without flags is none that is missing")
		require.Empty(t, empty.Flags)
	})
}

func TestAFlagThatIsArchivedOrDeletedIsNotFoundAndNotListed(t *testing.T) {
	t.Parallel()
	versions(t, func(t *testing.T, s *server) {
		p, key, other := s.project(t), unique("f"), unique("f")
		s.flag(t, p, key, "release", gradual("25"))
		s.flag(t, p, other, "release", gradual("25"))
		archive := func() { s.Must(t, http.MethodDelete, path(p, key), nil, nil) }
		d := connect(t, s, p, func(o *unleash.Options) {
			o.Transport = &wire{before: func(r *http.Request, _ []byte) { // between the read and the write
				if strings.HasSuffix(r.URL.Path, "/off") {
					archive()
				}
			}}
		})
		seen := get(t, d, key)
		_, err := d.Apply(t.Context(), sources.Change{ID: "k", Flag: id(key), Kind: sources.Kill, Seen: seen.Revision})
		require.ErrorIs(t, err, sources.ErrNotFound)
		require.ErrorContains(t, err, "nothing was written")
		_, err = d.Apply(t.Context(), kill(key))
		require.ErrorIs(t, err, sources.ErrNotFound)
		require.ErrorContains(t, err, "archived or moved")
		set, err := d.Flags(t.Context())
		require.NoError(t, err)
		require.Len(t, set.Flags, 1)
		require.Equal(t, other, set.Flags[0].ID.Key)
		// Unleash ends itself where a flag is deleted while it writes down how the flag fares,
		// which it does some time after the answer.
		eventually(t, "all of it is written down", func() bool {
			_, raw := s.Raw(t, adminToken, http.MethodGet, path(p, key)+"/lifecycle", nil)
			return strings.Contains(string(raw), `"initial"`) && strings.Contains(string(raw), `"archived"`)
		})
		s.Must(t, http.MethodDelete, "/api/admin/archive/"+key, nil, nil)
		_, err = d.Flag(t.Context(), id(key))
		require.ErrorIs(t, err, sources.ErrNotFound)
	})
}

func TestAServerThatWantsToBeLeftAloneIs(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(srv.Close)
	d, err := unleash.New("u", srv.URL, unleash.Options{Project: "p", Environment: env, Token: token(adminToken)})
	require.NoError(t, err)
	for _, ask := range []func() error{
		func() error { _, err := d.Flags(t.Context()); return err },
		func() error { _, err := d.Flag(t.Context(), id("f")); return err },
		func() error { _, err := d.Apply(t.Context(), kill("f")); return err },
		func() error { _, err := d.History(t.Context(), 10); return err },
	} {
		err := ask()
		require.ErrorIs(t, err, sources.ErrUnavailable)
		after, ok := sources.RetryAfter(err)
		require.True(t, ok)
		require.Equal(t, 17*time.Second, after)
	}
}

func TestFieldsThatANewerServerAddsAreIgnoredAndKept(t *testing.T) {
	t.Parallel()
	s := start(t, 7)
	p, key := s.project(t), unique("f")
	s.flag(t, p, key, "release", with(gradual("25"), map[string]any{"parameters": map[string]any{"rollout": "25", "stickiness": "default", "groupId": "g", "novelty": "x"}}))
	d := connect(t, s, p, func(o *unleash.Options) { o.Transport = http.RoundTripper(&novel{}) })
	apply(t, d, ramp(key, 50))
	require.Equal(t, "50%", brief(t, d, key))
	require.Equal(t, "x", s.state(t, p, key).Strategies[0].Parameters["novelty"])
}

func TestAnAnswerThatBreaksOffOrIsOfAnotherKindIsAnErrorAndNoEmptyList(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() *http.Response{
		"half a list":   func() *http.Response { return answers(200, `{"features":[{"name":"a"},{"na`) },
		"another kind":  func() *http.Response { return answers(200, `{"features":{"a":1}}`) },
		"a page":        func() *http.Response { return answers(200, "<html>", "Content-Type", "text/html") },
		"a broken body": func() *http.Response { r := answers(200, `{}`); r.Body = http.NoBody; return r },
		"a bad gateway": func() *http.Response { return answers(502, `{"message":"upstream"}`) },
	} {
		d, err := unleash.New("u", "http://unleash.example", unleash.Options{
			Project: "p", Environment: env, Token: token(adminToken),
			Transport: &wire{answer: func(*http.Request) *http.Response { return answer() }},
		})
		require.NoError(t, err)
		_, err = d.Flags(t.Context())
		require.Error(t, err, name)
		require.True(t, errors.Is(err, sources.ErrInvalid) || errors.Is(err, sources.ErrUnavailable), name)
		_, err = d.Flag(t.Context(), id("a"))
		require.Error(t, err, name)
	}
}

func TestNewSaysWhatIsMissingAndNeverShowsASecret(t *testing.T) {
	t.Parallel()
	good := unleash.Options{Project: "p", Environment: env, Token: token("x")}
	for name, c := range map[string]struct {
		base   string
		change func(*unleash.Options)
	}{
		"no project":     {"http://h", func(o *unleash.Options) { o.Project = "" }},
		"no environment": {"http://h", func(o *unleash.Options) { o.Environment = "" }},
		"no token":       {"http://h", func(o *unleash.Options) { o.Token = nil }},
		"no URL":         {"h", nil},
		"credentials":    {"http://ana:hunter2@h", nil},
		"a query":        {"http://h?token=hunter2", nil},
		"junk":           {"http://[::1", nil},
	} {
		o := good
		if c.change != nil {
			c.change(&o)
		}
		_, err := unleash.New("u", c.base, o)
		require.ErrorIs(t, err, sources.ErrInvalid, name)
		require.NotContains(t, err.Error(), "hunter2")
	}
	d, err := unleash.New("u", "https://h/unleash/api/", good)
	require.NoError(t, err)
	_, verifies := any(d).(sources.Verifier)
	require.False(t, verifies, "without a frontend token nothing can be verified")
	good.FrontendToken = token("y")
	d, err = unleash.New("u", "https://h", good)
	require.NoError(t, err)
	_, verifies = any(d).(sources.Verifier)
	require.True(t, verifies)
}

// novel adds a field to each object that the server answers.
type novel struct{}

func (n *novel) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return resp, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	text := strings.ReplaceAll(string(b), `"name":`, `"futureField":{"deep":[1,null]},"name":`)
	out := answers(resp.StatusCode, text)
	out.Request = r
	return out, nil
}
