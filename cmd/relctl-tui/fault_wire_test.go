package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// wire is the way from a board to a real server, with a place for faults of HTTP
// (a handler in front of the server) and one for faults of TCP (a proxy in front of
// that).
type wire struct {
	t        testing.TB
	path     string // of the real server's URL
	front    *httptest.Server
	real     http.Handler
	fault    atomic.Pointer[http.HandlerFunc]
	certs    *authority // nil for plain HTTP
	host     string     // in place of the address, for names
	requests atomic.Int64
	toxi     *toxiproxy.ApiServer
	mu       sync.Mutex
	proxy    *toxiproxy.Proxy
}

// lay lays a wire to the real server at a URL.
func lay(t testing.TB, server string, certs *authority) *wire {
	t.Helper()
	u, err := url.Parse(server)
	require.NoError(t, err)
	w := &wire{
		t: t, path: u.Path, certs: certs,
		toxi: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
	}
	w.real = &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: u.Scheme, Host: u.Host}) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 8},
		ErrorLog:  log.New(io.Discard, "", 0), // of requests that the board gave up on
	}
	w.front = httptest.NewUnstartedServer(w)
	w.front.Config.ErrorLog = log.New(io.Discard, "", 0)
	if certs == nil {
		w.front.Start()
	} else {
		w.front.TLS = certs.serve()
		w.front.StartTLS()
	}
	t.Cleanup(func() { w.front.CloseClientConnections(); w.front.Close() })
	w.relay()
	t.Cleanup(func() { w.refuse() })
	return w
}

// ServeHTTP is the server, or the fault in front of it.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.requests.Add(1)
	if f := w.fault.Load(); f != nil {
		(*f)(rw, r)
		return
	}
	w.real.ServeHTTP(rw, r)
}

// url is where the board finds the server.
func (w *wire) url() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := url.URL{Scheme: "http", Host: w.proxy.Listen, Path: w.path}
	if w.certs != nil {
		u.Scheme = "https"
	}
	if w.host != "" {
		_, port, err := net.SplitHostPort(u.Host)
		require.NoError(w.t, err)
		u.Host = net.JoinHostPort(w.host, port)
	}
	return u.String()
}

// relay cuts every connection, and lets new ones through with these toxics.
func (w *wire) relay(toxics ...string) {
	w.t.Helper()
	w.refuse()
	w.mu.Lock()
	defer w.mu.Unlock()
	listen := "127.0.0.1:0"
	if w.proxy != nil {
		listen = w.proxy.Listen
	}
	// A new one each time: it starts with its toxics, so that none is spliced into
	// a connection that is under way.
	limit := time.Now().Add(patience)
	for {
		w.proxy = toxiproxy.NewProxy(w.toxi, "wire", listen, w.front.Listener.Addr().String())
		for _, json := range toxics {
			_, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(json))
			require.NoError(w.t, err)
		}
		err := w.proxy.Start()
		if err == nil {
			return
		}
		// The port may be some outgoing connection's own for a moment.
		require.True(w.t, time.Now().Before(limit), err)
		pause(20 * time.Millisecond)
	}
}

// refuse closes the port and every connection.
func (w *wire) refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proxy != nil {
		w.proxy.Stop()
	}
}

// answer puts a fault in front of the server; nil takes it away.
func (w *wire) answer(f http.HandlerFunc) {
	if f == nil {
		w.fault.Store(nil)
		return
	}
	w.fault.Store(&f)
}

// hang accepts a request and never answers it.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // until then the server does not see that the client has gone
	<-r.Context().Done()
}

// answers gives every request the same answer.
func answers(status int, kind, body string, header ...string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", kind)
		for i := 0; i+1 < len(header); i += 2 {
			rw.Header().Set(header[i], header[i+1])
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, body)
	}
}

// padded is the real answer, and blanks behind it that change nothing but that
// there is a middle to break off in.
func (w *wire) padded(rw http.ResponseWriter, r *http.Request) {
	r.Header.Del("Accept-Encoding")
	rec := httptest.NewRecorder()
	w.real.ServeHTTP(rec, r)
	rw.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
	rw.WriteHeader(rec.Code)
	_, _ = rec.Body.WriteTo(rw)
	_, _ = io.WriteString(rw, strings.Repeat(" ", 8<<10))
}
