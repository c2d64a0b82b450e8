package publish_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/flagd"
	"relctl-tui/sources/publish"
)

func TestAtTheEndThoseWhoWaitAreAnsweredAndServeReturns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flags.json")
	require.NoError(t, os.WriteFile(path, []byte(someFlags), 0o600))
	srv := publish.New(flagd.New("prod", path), publish.Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, ln, nil) }()
	require.NoError(t, srv.Ready(t.Context()))
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	get := func(headers ...string) (code int, etag string) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+ln.Addr().String()+publish.PathFlags, nil)
		require.NoError(t, err)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := client.Do(req)
		if err != nil {
			return 0, ""
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("ETag")
	}
	_, etag := get()
	codes := make(chan int, 1)
	go func() {
		code, _ := get("If-None-Match", etag, "Prefer", "wait=60")
		codes <- code
	}()
	require.Eventually(t, func() bool {
		page, err := client.Get("http://" + ln.Addr().String() + publish.PathMetric)
		if err != nil {
			return false
		}
		defer page.Body.Close()
		b, _ := io.ReadAll(page.Body)
		return strings.Contains(string(b), "relctl_publish_waiting 1\n")
	}, patience, time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
	require.Equal(t, 304, <-codes)
	_, err = net.Dial("tcp", ln.Addr().String())
	require.Error(t, err)
}

func TestItSpeaksTLSAndNothingElseWhenItHasACertificate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flags.json")
	require.NoError(t, os.WriteFile(path, []byte(someFlags), 0o600))
	pair := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer pair.Close()
	conf := &tls.Config{Certificates: pair.TLS.Certificates, MinVersion: tls.VersionTLS12}
	srv := publish.New(flagd.New("prod", path), publish.Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, ln, conf) }()
	require.NoError(t, srv.Ready(t.Context()))
	resp, err := pair.Client().Get("https://" + ln.Addr().String() + publish.PathFlags)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, someFlags, string(b))
	pair.Client().CloseIdleConnections()
	plain := &http.Client{Transport: &http.Transport{}}
	defer plain.CloseIdleConnections()
	resp, err = plain.Get("http://" + ln.Addr().String() + publish.PathFlags)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 400, resp.StatusCode)
	cancel()
	require.NoError(t, <-ended)
}
