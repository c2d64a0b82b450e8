package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

const secret = "tok-hunter2"

func token() (string, error) { return secret, nil }

// client is one of a server that answers with h.
func client(t *testing.T, opts web.Options, h http.HandlerFunc) (*web.Client, *httptest.Server) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := web.New("ld", srv.URL+"/base/", opts)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, srv
}

func says(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestARequestCarriesWhatItWasGiven(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	c, _ := client(t, web.Options{Token: token, Header: http.Header{"X-Gate": {"open"}}}, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		says(201, "application/problem+json; charset=utf-8", `{"n":7,"unknown":[1]} `)(w, r)
	})
	var out struct{ N int }
	resp, err := c.Do(t.Context(), web.Request{
		Method: http.MethodPatch, Path: "/flags/a%2Fb%20c", Query: url.Values{"env": {"prod & dev"}},
		Header: http.Header{"Content-Type": {"application/json; domain-model=x"}}, Body: map[string]int{"a": 1},
	}, &out)
	require.NoError(t, err)
	require.Equal(t, 7, out.N)
	require.Equal(t, 201, resp.Status)
	require.Equal(t, "/base/flags/a%2Fb%20c?env=prod+%26+dev", got.RequestURI, "a slash in a name stays in its segment")
	require.Equal(t, secret, got.Header.Get("Authorization"), "as it is, without a scheme")
	require.Equal(t, "open", got.Header.Get("X-Gate"))
	require.Equal(t, "application/json; domain-model=x", got.Header.Get("Content-Type"))
	require.JSONEq(t, `{"a":1}`, string(body))

	_, err = c.Do(t.Context(), web.Request{Method: http.MethodPost, Path: "/x", Body: []byte(`[1]`)}, nil)
	require.NoError(t, err)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "[1]", string(body))
}

func TestAStatusIsASentinelWithWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	const ld = `{"code":"x","message":"Flag\u001b[2J is odd"}`
	const unleash = `{"name":"E","message":"m","details":[{"message":"one"},{"description":"two"},{"message":"m"}]}`
	for name, tc := range map[string]struct {
		status int
		body   string
		want   error
		said   string
	}{
		"wrong token":         {401, ld, sources.ErrUnauthorized, "Flag∙[2J is odd"},
		"not allowed":         {403, unleash, sources.ErrUnauthorized, "m; one; two"},
		"missing":             {404, `{"error":"no such"}`, sources.ErrNotFound, "no such"},
		"a lost race":         {409, `{"details":"stale"}`, sources.ErrConflict, "stale"},
		"a condition":         {412, ``, sources.ErrConflict, ""},
		"no such method here": {405, `{"error":{"nested":1},"message":"wait"}`, sources.ErrInvalid, "wait"},
		"bad request":         {400, `[1]`, sources.ErrInvalid, ""},
		"too often":           {429, `{`, sources.ErrUnavailable, ""},
		"restarting":          {503, `null`, sources.ErrUnavailable, ""},
		"broken":              {500, `{"message":"` + secret + ` is wrong"}`, sources.ErrUnavailable, "∙∙∙ is wrong"},
		"not asked for":       {304, ``, sources.ErrInvalid, ""},
		"endless":             {500, `{"message":"` + strings.Repeat("a", 500) + `"}`, sources.ErrUnavailable, strings.Repeat("a", 240) + "⋯"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, srv := client(t, web.Options{Token: token}, says(tc.status, "application/json", tc.body))
			resp, err := c.Do(t.Context(), web.Request{Path: "/private"}, nil)
			require.ErrorIs(t, err, tc.want)
			require.Equal(t, tc.status, web.StatusOf(err))
			require.Equal(t, tc.status, resp.Status)
			require.Equal(t, tc.said, web.Said(err))
			require.Contains(t, err.Error(), tc.said)
			require.NotContains(t, err.Error(), secret)
			require.NotContains(t, err.Error(), srv.URL)
			require.NotContains(t, err.Error(), "private")
			require.Regexp(t, "^ld answered [0-9]{3} ", err.Error())
		})
	}
	require.Zero(t, web.StatusOf(errors.New("no answer")))
	require.Empty(t, web.Said(nil))
}

func TestAnOverloadedServerSaysForHowLong(t *testing.T) {
	t.Parallel()
	c, _ := client(t, web.Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		says(429, "text/plain", "slow down")(w, r)
	})
	_, err := c.Do(t.Context(), web.Request{}, nil)
	after, ok := sources.RetryAfter(err)
	require.True(t, ok)
	require.Equal(t, 7*time.Second, after)
	require.Equal(t, 429, web.StatusOf(err), "also behind the time to wait")
}

func TestAnAnswerThatIsNotTheAPIIsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ kind, body, want string }{
		"a login page":       {"text/html; charset=utf-8", "<html>", "ld answered text/html; charset=utf-8, not JSON, check the address"},
		"no kind":            {"", "{}", "ld answered nothing of a kind, not JSON, check the address"},
		"trailing garbage":   {"application/json", `{"n":1} {}`, "ld answered 10 bytes that are not JSON (invalid character '{' after top-level value at byte 9)"},
		"half":               {"application/json", `{"n":1`, "ld answered 6 bytes that are not JSON (unexpected end of JSON input at byte 6)"},
		"nothing":            {"application/json", ``, "ld answered 0 bytes that are not JSON (unexpected end of JSON input at byte 0)"},
		"another type":       {"application/json", `{"n":"x"}`, "ld answered a string for n, which is not its API as this version knows it"},
		"more than it takes": {"application/json", `{"n":1` + strings.Repeat(" ", 100) + `}`, "ld sent more than 100 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := client(t, web.Options{MaxBody: 100}, func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Type"] = nil // not even guessed
				if tc.kind == "" {
					_, _ = io.WriteString(w, tc.body)
					return
				}
				says(200, tc.kind, tc.body)(w, r)
			})
			var out struct {
				N int `json:"n"`
			}
			_, err := c.Do(t.Context(), web.Request{}, &out)
			require.ErrorIs(t, err, sources.ErrInvalid)
			require.Equal(t, tc.want, sources.Sentence(err))
		})
	}
}

func TestAnAnswerThatBreaksOffIsUnavailable(t *testing.T) {
	t.Parallel()
	c, _ := client(t, web.Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		says(200, "application/json", `{"n":1}`)(w, r)
	})
	_, err := c.Do(t.Context(), web.Request{}, nil)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Equal(t, "ld broke off in the middle of its answer", sources.Sentence(err))
}

func TestNothingNewIsAnAnswerOnlyWhereItIsExpected(t *testing.T) {
	t.Parallel()
	c, _ := client(t, web.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(http.StatusNotModified)
	})
	out := 5
	resp, err := c.Do(t.Context(), web.Request{Accept304: true}, &out)
	require.NoError(t, err)
	require.Equal(t, 304, resp.Status)
	require.Equal(t, `"1"`, resp.Header.Get("ETag"))
	require.Equal(t, 5, out)
}

func TestCredentialsAndAnswersStayWithOneHost(t *testing.T) {
	t.Parallel()
	heard := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard++ }))
	defer other.Close()
	c, srv := client(t, web.Options{Token: token}, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/base/away":
			http.Redirect(w, r, other.URL+"/x?token="+secret, http.StatusFound)
		case r.URL.Path == "/base/moved" || r.Method != http.MethodGet:
			http.Redirect(w, r, "/base/here", http.StatusFound)
		case r.URL.Path == "/base/circle":
			http.Redirect(w, r, "/base/circle", http.StatusFound)
		default:
			require.Equal(t, secret, r.Header.Get("Authorization"))
			says(200, "application/json", "{}")(w, r)
		}
	})
	for path, want := range map[string]string{
		"/away":   "ld redirects to " + other.URL + ", give that address if it is the right one",
		"/circle": "ld redirects in a circle, check the address",
	} {
		_, err := c.Do(t.Context(), web.Request{Path: path}, nil)
		require.ErrorIs(t, err, sources.ErrInvalid)
		require.Equal(t, want, sources.Sentence(err))
	}
	require.Zero(t, heard, "nothing of another host is believed")
	_, err := c.Do(t.Context(), web.Request{Path: "/moved"}, nil)
	require.NoError(t, err)
	_, err = c.Do(t.Context(), web.Request{Method: http.MethodPatch, Path: "/moved", Body: 1}, nil)
	require.ErrorIs(t, err, sources.ErrInvalid, "a write that became a read must not pass for a write")
	require.NotContains(t, err.Error(), srv.URL)
}

func TestATokenThatIsNoneIsNotSent(t *testing.T) {
	t.Parallel()
	for name, give := range map[string]func() (string, error){
		"a file that is gone": func() (string, error) { return "", errors.New("no such file") },
		"two lines":           func() (string, error) { return secret + "\nX: y", nil },
	} {
		c, _ := client(t, web.Options{Token: give}, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
		_, err := c.Do(t.Context(), web.Request{}, nil)
		require.ErrorIs(t, err, sources.ErrUnauthorized, name)
		require.NotContains(t, err.Error(), secret)
	}
	c, _ := client(t, web.Options{Token: func() (string, error) { return "", fmt.Errorf("secret file /t: no such file: %w", sources.ErrNoSecret) }},
		func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	_, err := c.Do(t.Context(), web.Request{}, nil)
	require.ErrorIs(t, err, sources.ErrNoSecret, "whoever asks again must know that it is of no use")
	require.Regexp(t, `has no token \(secret file /t: no such file\)$`, sources.Sentence(err))
}

func TestAnAddressOrAPathThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "app", "ftp://h", "http://", "http:h", "http://u:" + secret + "@h", "http://h?a=b", "http://h#f", "http://h\x00" + secret} {
		_, err := web.New("ld", base, web.Options{})
		require.ErrorIs(t, err, sources.ErrInvalid, base)
		require.NotContains(t, err.Error(), secret)
	}
	c, _ := client(t, web.Options{}, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	for _, r := range []web.Request{{Path: "/a/../b"}, {Path: "/%2e%2E"}, {Path: "/."}, {Path: "/%zz"}, {Path: "/a", Method: "G T"}, {Path: "/a", Body: func() {}}} {
		_, err := c.Do(t.Context(), r, nil)
		require.ErrorIs(t, err, sources.ErrInvalid, r.Path)
	}
}

func TestARequestEndsWithItsTimeAndItsContext(t *testing.T) {
	t.Parallel()
	c, _ := client(t, web.Options{Timeout: 20 * time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := c.Do(t.Context(), web.Request{}, nil)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Equal(t, "ld did not answer within 20ms", sources.Sentence(err))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Do(ctx, web.Request{}, nil)
	require.ErrorIs(t, err, context.Canceled)
}
