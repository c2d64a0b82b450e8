package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/publish"
)

// serveListen is where OpenFeature's OFREP providers look for flagd.
const serveListen = "127.0.0.1:8016"

// firstRead is how long a store may take to answer when serving begins.
const firstRead = 20 * time.Second

func newServeCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve flags to applications, the board to people, or run what is scheduled",
		Args:  argCount(0, 0, "one of its verbs"),
		RunE: func(*cobra.Command, []string) error {
			return &usageError{msg: "serve what? Write: relctl-tui serve http, serve ssh or serve runner"}
		},
	}
	cmd.AddCommand(newServeHTTPCmd(o), newServeSSHCmd(o), newServeRunnerCmd(o))
	return cmd
}

const serveHTTPLong = `Publish a flag store over HTTP, for as long as it runs:

GET  /flagd/flags.json              all definitions: flagd's HTTP sync source
POST /ofrep/v1/evaluate/flags/KEY   one flag: every OpenFeature SDK's OFREP provider
POST /ofrep/v1/evaluate/flags       all flags
GET  /healthz, /metrics             for whoever watches over it

The store is watched once, however many clients there are, and nothing is ever written
to it. While the store cannot be read, what it held last is served; /healthz says so with
503 after 30 seconds.

It listens on this machine only unless --listen says otherwise. With --token-file clients
need that token (Authorization: Bearer, or X-API-Key); the file is read anew when it changes,
and so are certificate and key.`

func newServeHTTPCmd(o *options) *cobra.Command {
	var h serveHTTP
	cmd := &cobra.Command{
		Use:   "http",
		Short: "flagd's HTTP sync source and OFREP evaluation of a store",
		Long:  serveHTTPLong,
		Example: `relctl-tui serve http --flags flagd:prod.flagd.json
relctl-tui serve http --store prod --listen :8016 --token-file token --tls-cert cert.pem --tls-key key.pem`,
		Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			st, err := s.pick(h.store, "published", func(src any) bool { _, ok := src.(publish.Store); return ok })
			if err != nil {
				return err
			}
			src, ok := st.src.(publish.Store)
			if !ok {
				return &usageError{msg: fmt.Sprintf("%s cannot be published: it keeps no flagd definitions", st.name)}
			}
			return h.run(cmd, st.name, src)
		},
	}
	f := cmd.Flags()
	f.StringVar(&h.listen, "listen", serveListen, "address to listen on")
	f.StringVar(&h.tokenFile, "token-file", "", "file with the token that clients need")
	f.StringVar(&h.cert, "tls-cert", "", "certificate file; with --tls-key it speaks TLS")
	f.StringVar(&h.key, "tls-key", "", "key file of the certificate")
	f.StringVar(&h.store, "store", "", "name of the store, where there are several")
	return cmd
}

// serveHTTP is what was typed.
type serveHTTP struct{ listen, tokenFile, cert, key, store string }

func (h *serveHTTP) run(cmd *cobra.Command, name string, src publish.Store) error {
	var opts publish.Options
	if h.tokenFile != "" {
		token := &tokenFile{path: h.tokenFile}
		if _, err := token.read(); err != nil {
			return err
		}
		opts.Token = token.read
	}
	conf, err := h.tls()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	ln, err := listen(ctx, "--listen", h.listen)
	if err != nil {
		return err
	}
	srv := publish.New(src, opts)
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, ln, conf) }()
	if err := h.firstRead(ctx, srv); err != nil {
		told := cmd.Context().Err() != nil // to stop, meanwhile
		cancel()
		if end := <-ended; end != nil || told {
			return end
		}
		return err
	}
	say(cmd.ErrOrStderr(), srv.Left()...)
	if opts.Token == nil && !loopback(ln.Addr()) {
		say(cmd.ErrOrStderr(), "everybody who reaches "+ln.Addr().String()+" can read all flag definitions: add --token-file")
	}
	base := "http://" + ln.Addr().String()
	if conf != nil {
		base = "https://" + ln.Addr().String()
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "serving %s: flags %s%s ofrep %s\n", name, base, publish.PathFlags, base); err != nil {
		cancel()
		return errors.Join(err, <-ended)
	}
	return <-ended
}

func (h *serveHTTP) firstRead(ctx context.Context, srv *publish.Server) error {
	ctx, cancel := context.WithTimeout(ctx, firstRead)
	defer cancel()
	return srv.Ready(ctx)
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// tls is nil without a certificate.
func (h *serveHTTP) tls() (*tls.Config, error) {
	switch {
	case h.cert == "" && h.key == "":
		return nil, nil
	case h.cert == "" || h.key == "":
		return nil, &usageError{msg: "--tls-cert and --tls-key go together"}
	}
	p := &pairFile{cert: h.cert, key: h.key}
	if _, err := p.get(nil); err != nil {
		return nil, &usageError{msg: "--tls-cert: " + cleanMsg(plainIOError(err))}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.get}, nil
}

// lookEvery is how old what was read from a file may be.
const lookEvery = time.Second

// tokenFile is a token that may be rotated while it is in use.
type tokenFile struct {
	path string

	mu     sync.Mutex
	readAt time.Time
	token  string
	err    error
}

func (t *tokenFile) read() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); t.readAt.IsZero() || now.Sub(t.readAt) > lookEvery {
		t.readAt = now
		t.token, t.err = readSecret(t.path)
	}
	return t.token, t.err
}

// pairFile is a certificate that may be renewed while it is in use. Files that do
// not fit together, as in the middle of a renewal, leave the old one in place.
type pairFile struct {
	cert, key string

	mu     sync.Mutex
	looked time.Time
	at     [2]time.Time
	pair   *tls.Certificate
}

func (p *pairFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.pair != nil && now.Sub(p.looked) < lookEvery {
		return p.pair, nil
	}
	p.looked = now
	var at [2]time.Time
	for i, path := range []string{p.cert, p.key} {
		if info, err := os.Stat(path); err == nil {
			at[i] = info.ModTime()
		}
	}
	if p.pair != nil && at == p.at {
		return p.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		if p.pair != nil {
			return p.pair, nil
		}
		return nil, fmt.Errorf("%w: %w", err, sources.ErrInvalid)
	}
	p.pair, p.at = &pair, at
	return p.pair, nil
}
