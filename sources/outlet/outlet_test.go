package outlet_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/outlet"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func killed(id string) sources.Activity {
	return sources.Activity{
		ID: id, At: noon, Kind: string(sources.Kill), Flag: sources.FlagID{Source: "flags", Key: "checkout-v2"}, Name: "checkout-v2",
		Actor: "ana", Reason: "payments <!channel> fail", Old: "50%", New: "killed", Variant: "on", Outcome: sources.Confirmed,
	}
}

// told is what a fake server was asked, each in one line.
type told struct {
	mu   sync.Mutex
	list []string
	errs []error
}

func (l *told) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, fmt.Sprintf(format, args...))
}

func (l *told) record(_ outlet.Event, _ string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

// strict reads a body that may have no field but those of into.
func strict(t *testing.T, w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s: %v, %s", r.Method, r.URL, err, r.Header)
		http.Error(w, `{"message":"bad request data"}`, http.StatusBadRequest)
		return false
	}
	return true
}

func server(t *testing.T, h http.HandlerFunc) outlet.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return outlet.Server{
		Name: "out", URL: s.URL, Now: func() time.Time { return noon.Add(time.Second) },
		Key: func() (string, error) { return "whsec_" + base64.StdEncoding.EncodeToString([]byte("secret")), nil },
	}
}

// run tells one outlet of things and waits until it was told.
func run(t *testing.T, o outlet.Outlet, l *told, what func(q *outlet.Queue)) []string {
	t.Helper()
	q := outlet.New([]outlet.Outlet{o}, outlet.Options{Context: "prod", Record: l.record, Pause: func(context.Context, time.Duration) {}})
	what(q)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return q.Close(ctx)
}

func TestGrafanaGetsOneAnnotationForAChangeAndItsEndWhenItWasInForce(t *testing.T) {
	t.Parallel()
	l := &told{}
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "POST /api/annotations":
			var in struct {
				Time int64    `json:"time"`
				Tags []string `json:"tags"`
				Text string   `json:"text"`
			}
			if strict(t, w, r, &in) {
				l.add("post %d %v %s", in.Time, in.Tags, in.Text)
				_, _ = io.WriteString(w, `{"message":"Annotation added","id":1124}`)
			}
		case "PATCH /api/annotations/1124":
			var in struct {
				TimeEnd int64 `json:"timeEnd"`
			}
			if strict(t, w, r, &in) {
				l.add("patch %d", in.TimeEnd)
				_, _ = io.WriteString(w, `{"message":"Annotation patched"}`)
			}
		case "GET /api/annotations":
			_, _ = io.WriteString(w, `[]`)
		default:
			http.NotFound(w, r)
		}
	})
	g, err := outlet.NewGrafana(s)
	require.NoError(t, err)
	require.NoError(t, g.Check(t.Context()))
	lost := run(t, g, l, func(q *outlet.Queue) {
		pending, failed := killed("1"), killed("2")
		pending.Outcome, failed.Outcome = sources.Pending, sources.Failed
		q.Observe(pending)
		q.Observe(failed)
		q.Observe(killed("1"))
		q.Observe(killed("1"))
		q.Effective("1", noon.Add(time.Second))
		q.Effective("9", noon)
	})
	require.Empty(t, lost)
	require.Equal(t, []string{
		fmt.Sprintf("post %d [relctl kill checkout-v2 prod] ana: kill checkout-v2, 50%% to killed (payments <!channel> fail)", noon.UnixMilli()),
		fmt.Sprintf("patch %d", noon.Add(time.Second).UnixMilli()),
	}, l.list)
	require.Equal(t, []error{nil, nil}, l.errs)
}

func TestAWebhookIsSignedAndCanBeToldFromAReplay(t *testing.T) {
	t.Parallel()
	l := &told{}
	var calls atomic.Int32
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte("secret"))
		id, stamp := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
		_, _ = mac.Write([]byte(id + "." + stamp + "." + string(raw)))
		if r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Error("the signature is wrong")
		}
		var in struct {
			Type, Timestamp, Text string
			Attributes            map[string]string
		}
		if err := json.Unmarshal(raw, &in); err != nil {
			t.Error(err)
		}
		l.add("%s %s %s %s", id, stamp, in.Type, in.Attributes["feature_flag.key"]+" "+in.Attributes["feature_flag.result.variant"])
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	wh, err := outlet.NewWebhook(s)
	require.NoError(t, err)
	require.Empty(t, run(t, wh, l, func(q *outlet.Queue) {
		q.Observe(killed("1"))
		q.Effective("1", noon)
	}))
	stamp := fmt.Sprint(noon.Add(time.Second).Unix())
	require.Equal(t, []string{
		"1 " + stamp + " change checkout-v2 on", "1 " + stamp + " change checkout-v2 on", // the same event, told again
		"1.effective " + stamp + " change.effective checkout-v2 on",
	}, l.list)
}

func TestAChatMentionsNobodyWhateverAReasonSays(t *testing.T) {
	t.Parallel()
	l := &told{}
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Text string `json:"text"`
		}
		if r.URL.Path == "/services/T0/B0/x" && strict(t, w, r, &in) {
			l.add("%s", in.Text)
			_, _ = io.WriteString(w, "ok")
		}
	})
	s.URL += "/services/T0/B0/x"
	c, err := outlet.NewChat(s)
	require.NoError(t, err)
	require.Empty(t, run(t, c, l, func(q *outlet.Queue) { q.Observe(killed("1")); q.Effective("1", noon) }))
	require.Equal(t, []string{"[prod] ana: kill checkout-v2, 50% to killed (payments &lt;!channel&gt; fail)"}, l.list)
}

func TestPagerDutyGetsAChangeEvent(t *testing.T) {
	t.Parallel()
	l := &told{}
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Key     string `json:"routing_key"`
			Payload struct {
				Summary   string            `json:"summary"`
				Timestamp string            `json:"timestamp"`
				Source    string            `json:"source"`
				Details   map[string]string `json:"custom_details"`
			} `json:"payload"`
		}
		if r.Method+" "+r.URL.Path == "POST /v2/change/enqueue" && strict(t, w, r, &in) {
			l.add("%s %s %s", in.Payload.Timestamp, in.Payload.Source, in.Payload.Details["user.name"])
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"message":"Change event processed","status":"success"}`)
		}
	})
	p, err := outlet.NewPagerDuty(s)
	require.NoError(t, err)
	require.Empty(t, run(t, p, l, func(q *outlet.Queue) { q.Observe(killed("1")) }))
	require.Equal(t, []string{"2026-03-01T12:00:00Z relctl-tui ana"}, l.list)
}

// stuck is an outlet that answers only when its context ends.
type stuck struct{ began chan struct{} }

func (s stuck) Name() string { return "stuck" }

func (s stuck) Send(ctx context.Context, _ outlet.Event) error {
	s.began <- struct{}{}
	<-ctx.Done()
	return fmt.Errorf("stuck: %w", sources.ErrUnavailable)
}

func TestAnOutletThatHangsDelaysNobodyAndItsLossIsTold(t *testing.T) {
	t.Parallel()
	l := &told{}
	s := stuck{make(chan struct{}, 1)}
	q := outlet.New([]outlet.Outlet{s}, outlet.Options{Record: l.record})
	q.Observe(killed("first"))
	<-s.began
	for i := range 70 { // of which 64 can wait
		q.Observe(killed(fmt.Sprint(i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	lost := q.Close(ctx)
	require.Contains(t, strings.Join(lost, "\n"), "stuck was not told of change 69 (checkout-v2): too many events wait already")
	q.Observe(killed("late")) // is not taken up, and does not panic
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.errs) == 71
	}, 30*time.Second, 5*time.Millisecond, "each loss is on record")
	for _, err := range l.errs {
		require.ErrorIs(t, err, sources.ErrUnavailable)
	}
}

func TestARefusalIsNotTriedAgainAndTellsNoSecret(t *testing.T) {
	t.Parallel()
	l := &told{}
	s := server(t, func(w http.ResponseWriter, _ *http.Request) {
		l.add("called")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "invalid_token")
	})
	s.URL += "/services/hidden"
	c, err := outlet.NewChat(s)
	require.NoError(t, err)
	lost := run(t, c, l, func(q *outlet.Queue) { q.Observe(killed("1")) })
	require.Equal(t, []string{"out was not told of change 1 (checkout-v2): out answered 403 Forbidden, check the credentials"}, lost)
	require.Equal(t, []string{"called"}, l.list)
	require.ErrorIs(t, l.errs[0], sources.ErrUnauthorized)
	require.NotContains(t, l.errs[0].Error(), "hidden")
}
