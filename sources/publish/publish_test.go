package publish_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/publish"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long something may take that must come. It is no measurement.
const patience = 30 * time.Second

const someFlags = `{"flags": {
  "checkout-v2": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 25], ["off", 75]]}, "metadata": {"owner": "ben", "version": 7, "nested": {}}},
  "dark/mode": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
  "words": {"state": "ENABLED", "variants": {"a": "x", "o": {"deep": [1, 2.5]}}, "defaultVariant": "o"},
  "bare": {"state": "ENABLED", "variants": {"on": true}},
  "dead": {"state": "DISABLED", "variants": {"on": true}, "defaultVariant": "on"},
  "lost": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on", "targeting": {"fractional": [["gone", 1]]}}
}, "metadata": {"set": "prod"}}
`

// counted is a store that counts what it is asked.
type counted struct {
	publish.Store
	watches, exports atomic.Int64
}

func (c *counted) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	c.watches.Add(1)
	return c.Store.Watch(ctx, from)
}

func (c *counted) Export(ctx context.Context) ([]byte, sources.Revision, error) {
	c.exports.Add(1)
	return c.Store.Export(ctx)
}

// bench is a served flag file.
type bench struct {
	t     *testing.T
	path  string
	flags *flagd.Store
	store *counted
	srv   *publish.Server
	http  *httptest.Server
}

func serve(t *testing.T, content string, opts publish.Options) *bench {
	t.Helper()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "flags.json")}
	b.write(content)
	b.flags = flagd.New("prod", b.path, flagfile.WithPollInterval(5*time.Millisecond), flagfile.WithPatience(20*time.Millisecond))
	b.store = &counted{Store: b.flags}
	b.srv = publish.New(b.store, opts)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.srv.Follow(ctx)
	}()
	b.http = httptest.NewServer(b.srv)
	t.Cleanup(func() {
		b.http.Close()
		cancel()
		<-done
	})
	return b
}

func (b *bench) write(content string) {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(b.path+".new", []byte(content), 0o600))
	require.NoError(b.t, os.Rename(b.path+".new", b.path))
}

func (b *bench) ready() *bench {
	b.t.Helper()
	require.NoError(b.t, b.srv.Ready(b.t.Context()))
	return b
}

func (b *bench) kill(key string) {
	b.t.Helper()
	_, err := b.flags.Apply(context.Background(), sources.Change{ID: key, Flag: sources.FlagID{Source: "prod", Key: key}, Kind: sources.Kill})
	require.NoError(b.t, err)
}

type reply struct {
	code   int
	header http.Header
	body   string
}

func (r reply) fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.body), &m), r.body)
	return m
}

// ask sends a request; headers are pairs.
func (b *bench) ask(method, path, body string, headers ...string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.http.URL+path, strings.NewReader(body))
	require.NoError(b.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.http.Client().Do(req)
	require.NoError(b.t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	return reply{resp.StatusCode, resp.Header, string(got)}
}

func (b *bench) evaluate(key, context string) reply {
	b.t.Helper()
	return b.ask(http.MethodPost, publish.PathOFREP+"/"+key, `{"context":`+context+`}`)
}

func TestTheDefinitionsAreServedByteForByteWithAStrongTagAndOnlyWhenTheyChanged(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{}).ready()
	first := b.ask(http.MethodGet, publish.PathFlags, "")
	require.Equal(t, 200, first.code)
	require.Equal(t, someFlags, first.body)
	require.Equal(t, "application/json", first.header.Get("Content-Type"))
	require.Equal(t, "no-cache", first.header.Get("Cache-Control"))
	etag := first.header.Get("ETag")
	require.Regexp(t, `^"[0-9a-f]{32}"$`, etag)
	for _, known := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
		again := b.ask(http.MethodGet, publish.PathFlags, "", "If-None-Match", known)
		require.Equal(t, 304, again.code, known)
		require.Empty(t, again.body)
		require.Equal(t, etag, again.header.Get("ETag"))
	}
	head := b.ask(http.MethodHead, publish.PathFlags, "")
	require.Equal(t, 200, head.code)
	require.Equal(t, first.header.Get("Content-Length"), head.header.Get("Content-Length"))
	require.Equal(t, etag, head.header.Get("ETag"))

	b.kill("dark/mode")
	require.Eventually(t, func() bool {
		r := b.ask(http.MethodGet, publish.PathFlags, "", "If-None-Match", etag)
		return r.code == 200 && strings.Contains(r.body, `"dark/mode": {"state": "DISABLED"`)
	}, patience, time.Millisecond)
	require.Equal(t, 405, b.ask(http.MethodPut, publish.PathFlags, someFlags).code)
	require.Equal(t, 404, b.ask(http.MethodGet, "/", "").code)
}

func TestWhoWaitsForAChangeIsAnsweredWithItAndElseWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{}).ready()
	etag := b.ask(http.MethodGet, publish.PathFlags, "").header.Get("ETag")
	answers := make(chan reply, 20)
	for range cap(answers) {
		go func() {
			answers <- b.ask(http.MethodGet, publish.PathFlags, "", "If-None-Match", etag, "Prefer", "respond-async, wait=60")
		}()
	}
	require.Eventually(t, func() bool {
		return strings.Contains(b.ask(http.MethodGet, publish.PathMetric, "").body, "relctl_publish_waiting 20\n")
	}, patience, time.Millisecond)
	b.kill("dark/mode")
	for range cap(answers) {
		got := <-answers
		require.Equal(t, 200, got.code)
		require.Equal(t, "wait=60", got.header.Get("Preference-Applied"))
		require.Contains(t, got.body, "DISABLED")
		etag = got.header.Get("ETag")
	}
	began := time.Now()
	got := b.ask(http.MethodGet, publish.PathFlags, "", "If-None-Match", etag, "Prefer", "wait=1")
	require.Equal(t, 304, got.code)
	require.GreaterOrEqual(t, time.Since(began), 900*time.Millisecond)
	for _, h := range [][]string{{"Prefer", "wait=60"}, {"If-None-Match", `"old"`, "Prefer", "wait=60"}, {"If-None-Match", etag, "Prefer", "wait=-1"}} {
		got = b.ask(http.MethodGet, publish.PathFlags, "", h...)
		require.Empty(t, got.header.Get("Preference-Applied"), h)
	}
}

func TestThoseWhoWaitAreBoundedAndTheNextIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{MaxWaiters: 1, MaxRequests: 1}).ready()
	etag := b.ask(http.MethodGet, publish.PathFlags, "").header.Get("ETag")
	done := make(chan reply, 1)
	go func() {
		for {
			r := b.ask(http.MethodGet, publish.PathFlags, "", "If-None-Match", etag, "Prefer", "wait=60")
			if r.code != 429 { // else it met the request below
				done <- r
				return
			}
		}
	}()
	require.Eventually(t, func() bool {
		r := b.ask(http.MethodGet, publish.PathMetric, "") // one request at once: who waits is not one
		return strings.Contains(r.body, "relctl_publish_waiting 1\n")
	}, patience, time.Millisecond)
	got := b.ask(http.MethodGet, publish.PathFlags, "", "If-None-Match", etag, "Prefer", "wait=60")
	require.Equal(t, 304, got.code)
	require.Empty(t, got.header.Get("Preference-Applied"))
	b.kill("dark/mode")
	require.Equal(t, 200, (<-done).code)
}

func TestASingleFlagIsEvaluatedAsOFREPSays(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{}).ready()
	for _, c := range []struct {
		key, context string
		code         int
		want         string
	}{
		{"checkout-v2", `{"targetingKey":"user-2"}`, 200, `{"key":"checkout-v2","value":false,"reason":"TARGETING_MATCH","variant":"off","metadata":{"owner":"ben","version":7,"set":"prod"}}`},
		{"checkout-v2", `{}`, 200, `{"key":"checkout-v2","value":false,"reason":"DEFAULT","variant":"off","metadata":{"owner":"ben","version":7,"set":"prod"}}`},
		{"checkout-v2", `null`, 200, `{"key":"checkout-v2","value":false,"reason":"DEFAULT","variant":"off","metadata":{"owner":"ben","version":7,"set":"prod"}}`},
		{"dark%2Fmode", `{"targetingKey":"u"}`, 200, `{"key":"dark/mode","value":false,"reason":"STATIC","variant":"off","metadata":{"set":"prod"}}`},
		{"dark/mode", `{"targetingKey":"u"}`, 200, `{"key":"dark/mode","value":false,"reason":"STATIC","variant":"off","metadata":{"set":"prod"}}`},
		{"words", `{}`, 200, `{"key":"words","value":{"deep":[1,2.5]},"reason":"STATIC","variant":"o","metadata":{"set":"prod"}}`},
		{"bare", `{}`, 200, `{"key":"bare","reason":"DEFAULT","metadata":{"set":"prod"}}`},
		{"dead", `{}`, 200, `{"key":"dead","reason":"DISABLED","metadata":{"set":"prod"}}`},
		{"none", `{}`, 404, `{"key":"none","errorCode":"FLAG_NOT_FOUND","errorDetails":"flag \"none\"","metadata":{"set":"prod"}}`},
		{"lost", `{"targetingKey":"u"}`, 400, `{"key":"lost","errorCode":"GENERAL","errorDetails":"flag \"lost\": variant \"gone\" is not defined","metadata":{"set":"prod"}}`},
		{"words", `[]`, 400, `{"key":"words","errorCode":"INVALID_CONTEXT","errorDetails":"the context is no object"}`},
		{"words", `{"targetingKey":5}`, 400, `{"key":"words","errorCode":"INVALID_CONTEXT","errorDetails":"targetingKey is no string"}`},
		{"words", `{`, 400, `{"key":"words","errorCode":"INVALID_CONTEXT","errorDetails":"the body is no JSON object with a context"}`},
	} {
		got := b.evaluate(c.key, c.context)
		require.Equal(t, c.code, got.code, c)
		require.JSONEq(t, c.want, got.body)
		require.Equal(t, "application/json", got.header.Get("Content-Type"))
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	}
	require.Equal(t, 200, b.ask(http.MethodPost, publish.PathOFREP+"/words", "").code, "a context that is absent is an empty one")
	require.Equal(t, 413, b.evaluate("words", `{"a":"`+strings.Repeat("x", 1<<20)+`"}`).code)
	page := b.ask(http.MethodGet, publish.PathMetric, "").body
	require.Contains(t, page, `feature_flag_evaluations_total{feature_flag_key="dark/mode",feature_flag_result_reason="STATIC",feature_flag_result_variant="off"} 2`)
	require.NotContains(t, page, `"none"`, "names that anybody can make up are not counted")
	require.Contains(t, page, `relctl_publish_requests_total{code="404",endpoint="evaluate"} 1`)
}

func TestAllFlagsAreEvaluatedAtOnceWithATagOfTheAnswer(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{}).ready()
	all := func(user string, h ...string) reply {
		return b.ask(http.MethodPost, publish.PathOFREP, `{"context":{"targetingKey":"`+user+`"}}`, h...)
	}
	first := all("user-2")
	require.Equal(t, 200, first.code)
	var out struct {
		Flags    []map[string]any `json:"flags"`
		Metadata map[string]any   `json:"metadata"`
	}
	require.NoError(t, json.Unmarshal([]byte(first.body), &out))
	require.Len(t, out.Flags, 6)
	require.Equal(t, map[string]any{"set": "prod"}, out.Metadata)
	for _, f := range out.Flags {
		single := b.evaluate(f["key"].(string), `{"targetingKey":"user-2"}`)
		require.Equal(t, single.fields(t), f)
	}
	etag := first.header.Get("ETag")
	require.Equal(t, 304, all("user-2", "If-None-Match", etag).code)
	b.kill("checkout-v2")
	require.Eventually(t, func() bool { return all("user-2", "If-None-Match", etag).code == 200 }, patience, time.Millisecond)
	require.Equal(t, 400, b.ask(http.MethodPost, publish.PathOFREP, `{"context":7}`).code)
}

func TestAKillGetsThroughAlthoughAnotherDefinitionIsBroken(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(someFlags, `"words": {"state": "ENABLED"`, `"words": {"state": "enabled"`, 1)
	b := serve(t, broken, publish.Options{}).ready()
	b.kill("dark/mode")
	require.Eventually(t, func() bool {
		return b.evaluate("dark/mode", `{}`).fields(t)["reason"] == "DISABLED"
	}, patience, time.Millisecond)
	require.Equal(t, 404, b.evaluate("words", `{}`).code)
	health := b.ask(http.MethodGet, publish.PathHealth, "")
	require.Equal(t, 200, health.code)
	require.Contains(t, health.body, "words: state is neither")
	require.Len(t, b.srv.Left(), 1)
	require.Contains(t, b.srv.Left()[0], "flag words is not served")
}

func TestAStoreThatCannotBeReadIsServedAsItWasAndSaysForHowLong(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	now := func() time.Time { return time.Unix(1_800_000_000+clock.Load(), 0) }
	b := serve(t, someFlags, publish.Options{Now: now}).ready()
	require.NoError(t, os.Remove(b.path))
	require.Eventually(t, func() bool {
		return b.ask(http.MethodGet, publish.PathFlags, "").header.Get(publish.HeaderStale) == "0"
	}, patience, time.Millisecond)
	require.Equal(t, 200, b.ask(http.MethodGet, publish.PathHealth, "").code, "within the limit")
	clock.Store(29)
	require.Equal(t, 200, b.ask(http.MethodGet, publish.PathHealth, "").code)
	clock.Store(31)
	health := b.ask(http.MethodGet, publish.PathHealth, "")
	require.Equal(t, 503, health.code)
	require.Contains(t, health.body, "no such file")
	got := b.evaluate("dark%2Fmode", `{}`)
	require.Equal(t, 200, got.code)
	require.Equal(t, "31", got.header.Get(publish.HeaderStale))
	require.Contains(t, b.ask(http.MethodGet, publish.PathMetric, "").body, "relctl_publish_stale_seconds 31\n")

	b.write(someFlags)
	require.Eventually(t, func() bool {
		return b.ask(http.MethodGet, publish.PathHealth, "").code == 200 &&
			b.ask(http.MethodGet, publish.PathFlags, "").header.Get(publish.HeaderStale) == ""
	}, patience, time.Millisecond)
}

func TestBeforeTheFirstReadNothingIsMadeUp(t *testing.T) {
	t.Parallel()
	b := serve(t, "{", publish.Options{})
	require.ErrorIs(t, b.srv.Ready(t.Context()), sources.ErrInvalid)
	for _, path := range []string{publish.PathFlags, publish.PathHealth} {
		got := b.ask(http.MethodGet, path, "")
		require.Equal(t, 503, got.code)
		require.Contains(t, got.body, "not JSON")
	}
	require.Equal(t, 503, b.evaluate("words", `{}`).code)
	b.write(someFlags)
	require.Eventually(t, func() bool { return b.evaluate("words", `{}`).code == 200 }, patience, time.Millisecond)
}

func TestOnlyWhoHasTheTokenIsLetInAndARotatedOneHoldsAtOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	token, broken := "first", error(nil)
	b := serve(t, someFlags, publish.Options{Token: func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return token, broken
	}}).ready()
	code := func(headers ...string) int {
		return b.ask(http.MethodGet, publish.PathFlags, "", headers...).code
	}
	require.Equal(t, 401, code())
	require.Equal(t, 401, code("Authorization", "Bearer nope"))
	require.Equal(t, 401, code("Authorization", "first"))
	require.Equal(t, 401, b.evaluate("words", `{}`).code)
	require.Equal(t, 401, b.ask(http.MethodGet, publish.PathMetric, "").code)
	require.Equal(t, 200, b.ask(http.MethodGet, publish.PathHealth, "").code)
	require.Equal(t, 200, code("Authorization", "Bearer first"))
	require.Equal(t, 200, code("X-API-Key", "first"))
	mu.Lock()
	token = "second"
	mu.Unlock()
	require.Equal(t, 401, code("Authorization", "Bearer first"))
	require.Equal(t, 200, code("Authorization", "Bearer second"))
	mu.Lock()
	token, broken = "", os.ErrNotExist
	mu.Unlock()
	require.Equal(t, 503, code("Authorization", "Bearer "))
}

// slow is a context of which nothing more comes until it is let go. begun is closed when
// the server asks for it, waits when all that comes is on its way.
type slow struct {
	begun, waits, goOn chan struct{}
	parts              []string
	once, late         sync.Once
}

func (s *slow) Read(p []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	if len(s.parts) == 1 {
		s.late.Do(func() { close(s.waits) })
		<-s.goOn
	}
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.parts[0])
	if s.parts[0] = s.parts[0][n:]; s.parts[0] == "" {
		s.parts = s.parts[1:]
	}
	return n, nil
}

// sends begins to evaluate with a context in two parts, the second of which waits for
// goOn, and returns once the server reads it.
func (b *bench) sends(first, second string) (body *slow, code <-chan int) {
	b.t.Helper()
	body = &slow{begun: make(chan struct{}), waits: make(chan struct{}), goOn: make(chan struct{}), parts: []string{first, second}}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.http.URL+publish.PathOFREP+"/words", body)
	require.NoError(b.t, err)
	req.Header.Set("Expect", "100-continue") // which the server answers when it reads
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	b.t.Cleanup(client.CloseIdleConnections)
	done := make(chan int, 1)
	go func() {
		resp, err := client.Do(req)
		if err != nil {
			done <- 0
			return
		}
		resp.Body.Close()
		done <- resp.StatusCode
	}()
	<-body.begun
	return body, done
}

func TestMoreRequestsAtOnceThanAllowedAreAskedToComeAgain(t *testing.T) {
	t.Parallel()
	const size = 16 << 20 // more than is on its way anywhere: once it is sent, the server has begun to work on it
	b := serve(t, someFlags, publish.Options{MaxRequests: 1, MaxBody: 2 * size}).ready()
	body, done := b.sends(`{"context":{"a":"`+strings.Repeat("x", size), `"}}`)
	<-body.waits
	got := b.evaluate("words", "{}")
	require.Equal(t, 429, got.code)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.Equal(t, 200, b.ask(http.MethodGet, publish.PathFlags, "").code, "evaluations keep nobody from the definitions")
	close(body.goOn)
	require.Equal(t, 200, <-done)
	require.Equal(t, 200, b.evaluate("words", "{}").code)
}

func TestClientsThatSendTheirContextSlowlyKeepNobodyFromAnything(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{MaxRequests: 1}).ready()
	var all []chan struct{}
	var codes []<-chan int
	for range 5 {
		body, code := b.sends(`{"context"`, `:{}}`)
		all, codes = append(all, body.goOn), append(codes, code)
	}
	require.Equal(t, 200, b.ask(http.MethodGet, publish.PathFlags, "").code)
	require.Equal(t, 200, b.evaluate("words", "{}").code)
	for i := range all {
		close(all[i])
		require.Equal(t, 200, <-codes[i])
	}
}

func TestContextsThatAreOnTheirWayAreBounded(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{MaxRequests: 1}).ready()
	for range 8 {
		body, _ := b.sends(`{"context"`, `:{}}`)
		defer close(body.goOn)
	}
	require.Equal(t, 429, b.evaluate("words", "{}").code)
	require.Equal(t, 200, b.ask(http.MethodGet, publish.PathFlags, "").code)
}

func TestTheStoreIsReadOnceHoweverManyClientsThereAre(t *testing.T) {
	t.Parallel()
	b := serve(t, someFlags, publish.Options{}).ready()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 10 {
				b.ask(http.MethodGet, publish.PathFlags, "")
				b.evaluate("words", `{}`)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1, b.store.watches.Load())
	require.EqualValues(t, 1, b.store.exports.Load())
	b.kill("dark/mode")
	require.Eventually(t, func() bool { // a read is counted when it has ended
		return strings.Contains(b.ask(http.MethodGet, publish.PathMetric, "").body, `relctl_publish_store_reads_total{result="ok"} 2`)
	}, patience, time.Millisecond)
	require.EqualValues(t, 2, b.store.exports.Load())
}
