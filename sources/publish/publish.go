// Package publish serves one flag store to whoever evaluates flags, without a line
// of code of ours in an application:
//
//	GET  /flagd/flags.json               all definitions, as flagd's HTTP sync source
//	POST /ofrep/v1/evaluate/flags/{key}  one flag, OFREP 0.3
//	POST /ofrep/v1/evaluate/flags        all flags, OFREP 0.3
//	GET  /healthz                        200, or 503 with the reason
//	GET  /metrics                        counters for Prometheus
//
// The definitions have a strong ETag. With "Prefer: wait=30" and an If-None-Match
// that is current, the answer comes with the next change, or as 304 after that many
// seconds; flagd does not ask for it and is answered at once.
//
// One watch follows the store, however many clients there are. When the store cannot
// be read, what it held last is served, with the header Relctl-Stale: the seconds
// since then. It never writes to the store.
package publish

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
)

// Paths of what is served.
const (
	PathFlags  = "/flagd/flags.json"
	PathOFREP  = "/ofrep/v1/evaluate/flags"
	PathHealth = "/healthz"
	PathMetric = "/metrics"
)

// HeaderStale says that the store cannot be read and for how many seconds already.
const HeaderStale = "Relctl-Stale"

// MaxWait bounds how long a client may wait for a change.
const MaxWait = time.Minute

// Store is what can be published.
type Store interface {
	sources.FlagWatcher
	sources.Exporter
}

// Options are the bounds of a Server. The zero value is ready to use.
type Options struct {
	// Token is asked with each request that needs one, so that a rotated one holds
	// at once; nil lets everybody in. /healthz needs none.
	Token func() (string, error)
	// StaleAfter is how long the store may be unreadable before /healthz says 503;
	// 0 is 30 s.
	StaleAfter time.Duration
	// MaxBody is the most bytes of a request's body; 0 is 1 MiB.
	MaxBody int64
	// MaxRequests is how many requests are worked on at once; 0 is 256. More are 429. Those
	// for evaluations are counted by themselves, so that they keep nobody from the definitions.
	MaxRequests int
	// MaxWaiters is how many clients may wait for a change; 0 is 2000. More are
	// answered at once.
	MaxWaiters int
	// MaxConns is how many connections Serve holds; 0 is 8192.
	MaxConns int
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&o.MaxRequests, 256)
	def(&o.MaxWaiters, 2000)
	def(&o.MaxConns, 8192)
	if o.StaleAfter <= 0 {
		o.StaleAfter = 30 * time.Second
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Server is an http.Handler over one store. It is goroutine-safe; make it with New.
// It serves 503 until Follow has read the store.
type Server struct {
	opts    Options
	feed    *feed
	meters  *meters
	mux     *http.ServeMux
	busy    chan struct{} // a token for each request that is worked on and is no evaluation
	evals   chan struct{} // a token for each evaluation that is worked on
	reading chan struct{} // a token for each context that is still on its way
	waiting chan struct{} // a token for each client that waits
	closing chan struct{} // closed when waiting has to end
}

// New is a Server of store. Nothing is read yet: see Follow and Serve.
func New(store Store, opts Options) *Server {
	s := &Server{opts: opts.withDefaults(), mux: http.NewServeMux(), closing: make(chan struct{})}
	s.busy, s.evals = make(chan struct{}, s.opts.MaxRequests), make(chan struct{}, s.opts.MaxRequests)
	s.reading = make(chan struct{}, readingEach*s.opts.MaxRequests)
	s.waiting = make(chan struct{}, s.opts.MaxWaiters)
	s.feed = newFeed(store, s.opts.Now)
	s.meters = newMeters(s)
	s.feed.read = s.meters.read
	s.handle("GET "+PathFlags, "flags", bounded(s.busy, s.flags))
	s.handle("POST "+PathOFREP+"/{key...}", "evaluate", s.received(bounded(s.evals, s.evaluate)))
	s.handle("POST "+PathOFREP, "evaluate_all", s.received(bounded(s.evals, s.evaluateAll)))
	s.handle("GET "+PathMetric, "metrics", bounded(s.busy, s.meters.page.ServeHTTP))
	s.mux.Handle("GET "+PathHealth, s.meters.counted("health", http.HandlerFunc(s.health)))
	s.mux.Handle("/", s.meters.counted("other", http.HandlerFunc(s.other)))
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	s.mux.ServeHTTP(w, r)
}

func (s *Server) handle(pattern, name string, h http.HandlerFunc) {
	s.mux.Handle(pattern, s.meters.counted(name, s.guarded(h)))
}

// guarded lets in who has the token.
func (s *Server) guarded(h http.HandlerFunc) http.HandlerFunc {
	if s.opts.Token == nil {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) {
		want, err := s.opts.Token()
		if err != nil || want == "" {
			fail(w, http.StatusServiceUnavailable, "the server cannot read its own token")
			return
		}
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			got = r.Header.Get("X-API-Key")
		}
		// Hashes have one length, so that comparing tells nothing of the token's.
		a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
		if subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "a token is needed: Authorization: Bearer, or X-API-Key")
			return
		}
		h(w, r)
	}
}

// bounded answers 429 when too much is going on already.
func bounded(tokens chan struct{}, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case tokens <- struct{}{}:
			defer func() { <-tokens }()
			h(w, r)
		default:
			comeAgain(w)
		}
	}
}

func comeAgain(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	fail(w, http.StatusTooManyRequests, "too many requests at once")
}

const (
	readingEach = 8        // contexts on their way for each evaluation that is worked on
	usualBody   = 16 << 10 // bytes of a context that are waited for before there is work
)

// received waits for a context that is still on its way: clients that send slowly, or
// nothing of what they announced, take no place of those who have sent theirs.
func (s *Server) received(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.reading <- struct{}{}:
		default:
			comeAgain(w)
			return
		}
		b, _ := io.ReadAll(io.LimitReader(r.Body, usualBody)) // what ended it ends the next read as well
		<-s.reading
		r.Body = restOf{io.MultiReader(bytes.NewReader(b), r.Body), r.Body}
		h(w, r)
	}
}

// restOf is a body of which a part was read already.
type restOf struct {
	io.Reader
	io.Closer
}

func (s *Server) other(w http.ResponseWriter, r *http.Request) {
	allow := ""
	switch {
	case r.URL.Path == PathFlags, r.URL.Path == PathHealth, r.URL.Path == PathMetric:
		allow = "GET, HEAD"
	case r.URL.Path == PathOFREP, strings.HasPrefix(r.URL.Path, PathOFREP+"/"):
		allow = http.MethodPost
	}
	if allow != "" {
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, "nothing is written here; allowed is "+allow)
		return
	}
	fail(w, http.StatusNotFound, "nothing is served here: there are "+
		strings.Join([]string{PathFlags, PathOFREP, PathHealth, PathMetric}, ", "))
}

// edition is what to serve, with the headers that are on every answer of it; nil
// when the answer was given already because there is nothing yet.
func (s *Server) edition(w http.ResponseWriter) *edition {
	v := s.feed.view()
	if v.edition == nil {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "the store was not read yet: "+orWaiting(v.failure))
		return nil
	}
	s.mark(w, v)
	return v.edition
}

func (s *Server) mark(w http.ResponseWriter, v view) {
	if v.failure != nil {
		w.Header().Set(HeaderStale, strconv.Itoa(int(max(0, s.opts.Now().Sub(v.since)).Seconds())))
	}
}

func orWaiting(err error) string {
	if err == nil {
		return "it is being read"
	}
	return sources.Sentence(err)
}

// fail answers in the words of OFREP's general error.
func fail(w http.ResponseWriter, status int, why string) {
	writeJSON(w, status, map[string]string{"errorDetails": why})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b, status = []byte(`{"errorDetails":"the answer cannot be written"}`), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // whoever asked has gone
}
