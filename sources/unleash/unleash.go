// Package unleash reads and changes the flags of one project in one environment of
// an Unleash server (6 and 7) through its Admin API.
//
// A flag is a percentage when exactly one of its strategies is enabled and that is
// a gradual rollout without constraints and segments. Every other flag is custom,
// and a kill, which switches the environment off, is all that is offered for it.
//
// Unleash has no compare-and-swap. Where the server knows it (7) a rollout is
// written as a JSON patch that first tests what was read, otherwise, and for what
// slips between, the event log is asked afterwards, and the receipt warns of who was
// overwritten. Switching on is never left to the server alone, for it adds a
// strategy with 100 % where it finds none enabled.
//
// An admin token bypasses change requests without a word: give each operator a
// personal access token, which is also what makes the event log name people.
//
// Reading the list writes: each export leaves an event with all that it exported in
// Unleash's log. So the list is read once, and what changed since is read flag by
// flag, as the event log names them.
package unleash

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

var (
	_ sources.FlagLister  = (*Store)(nil)
	_ sources.FlagGetter  = (*Store)(nil)
	_ sources.FlagWatcher = (*Store)(nil)
	_ sources.FlagWriter  = (*Store)(nil)
	_ sources.Auditor     = (*Store)(nil)
)

// Defaults of the options.
const (
	DefaultTimeout = 10 * time.Second
	DefaultEvery   = 3 * time.Second
	DefaultResync  = 15 * time.Minute
)

// maxBody bounds one answer: two thousand flags with strategies are some 2 MB.
const maxBody = 64 << 20

// Options are a store's settings. Project, Environment and Token are needed.
type Options struct {
	Project     string
	Environment string

	// Token gives the token of the Admin API, asked before each request so that a
	// rotated one is used at once. A personal access token is the right one.
	Token func() (string, error)
	// ClientToken gives a backend token of Environment, with which Watch asks
	// cheaply whether anything changed; nil for the event log instead.
	ClientToken func() (string, error)
	// FrontendToken gives a frontend token of Environment, with which changes are
	// verified; nil for none, and then New's result is no sources.Verifier.
	FrontendToken func() (string, error)

	Transport http.RoundTripper // nil for the default; must not send credentials of its own
	Timeout   time.Duration     // of one request; 0 is DefaultTimeout
	Every     time.Duration     // how often Watch asks; 0 is DefaultEvery
	Resync    time.Duration     // how often Watch at most reads the whole list for changes that the event log does not explain; 0 is DefaultResync
	Now       func() time.Time  // nil is time.Now
}

// Store is one project's flags in one environment. It is goroutine-safe; make it
// with New.
type Store struct {
	name          string
	opts          Options
	link          string // of the project's pages, without a slash at the end
	admin, client *web.Client
	ledger        ledger
	log           *cursor // of Flags; each watch has its own

	written sources.Bell

	mu        sync.Mutex
	rights    string    // why this access cannot change flags, "" when it can
	rightsAt  time.Time // when that was asked; zero for never
	rightsFor string    // hash of the token that it holds for
	honest    bool      // the server's export tells which flags are on
	noTest    bool      // the server refuses the JSON patch operation "test"
}

// Verifying is a Store that can ask Unleash's evaluating side.
type Verifying struct {
	*Store
	frontend *web.Client
}

var (
	_ sources.Verifier = (*Verifying)(nil)
	_ sources.Prober   = (*Verifying)(nil)
)

// Driver is what New gives back: a *Store, or a *Verifying where there is a
// frontend token.
type Driver interface {
	sources.FlagLister
	sources.FlagGetter
	sources.FlagWatcher
	sources.FlagWriter
	sources.Auditor
	Close() error
}

// New is the driver for the Unleash at base, the address that its pages have, which
// is http or https without credentials and without /api. It asks nothing. What is
// wrong is said in one sentence that wraps ErrInvalid.
func New(name, base string, opts Options) (Driver, error) {
	who := "source " + sources.Clean(name, 60)
	switch {
	case opts.Project == "" || opts.Environment == "":
		return nil, fmt.Errorf("%s: Unleash wants a project and an environment, such as ?project=default&environment=production: %w", who, sources.ErrInvalid)
	case opts.Token == nil:
		return nil, fmt.Errorf("%s: Unleash wants a token of its Admin API, name it with token_file or token: %w", who, sources.ErrInvalid)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	for _, d := range []struct {
		set *time.Duration
		def time.Duration
	}{{&opts.Timeout, DefaultTimeout}, {&opts.Every, DefaultEvery}, {&opts.Resync, DefaultResync}} {
		if *d.set <= 0 {
			*d.set = d.def
		}
	}
	base = strings.TrimSuffix(strings.TrimRight(base, "/"), "/api")
	s := &Store{name: name, opts: opts}
	s.link = base + "/projects/" + url.PathEscape(opts.Project)
	var err error
	if s.admin, err = s.dial(base, opts.Token); err != nil {
		return nil, err
	}
	if opts.ClientToken != nil {
		if s.client, err = s.dial(base, s.fitting(opts.ClientToken, "client_token", "backend")); err != nil {
			return nil, err
		}
	}
	s.ledger.last, s.ledger.rollouts, s.log = map[string]touch{}, map[string]sources.Percent{}, newCursor(s)
	if opts.FrontendToken == nil {
		return s, nil
	}
	v := &Verifying{Store: s}
	v.frontend, err = s.dial(base, s.fitting(opts.FrontendToken, "frontend_token", "frontend"))
	return v, err
}

func (s *Store) dial(base string, token func() (string, error)) (*web.Client, error) {
	host := base
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		host = u.Host
	}
	who := "source " + sources.Clean(s.name, 60) + ": Unleash at " + sources.Clean(host, 100)
	return web.New(who, base, web.Options{
		Transport: s.opts.Transport, Timeout: s.opts.Timeout, MaxBody: maxBody, Token: token,
	})
}

// fitting refuses a token that would silently answer for another environment: an
// admin token is answered for development there, another one for its own.
func (s *Store) fitting(token func() (string, error), key, kind string) func() (string, error) {
	return func() (string, error) {
		t, err := token()
		if err != nil {
			return "", err
		}
		scope, _, scoped := strings.Cut(t, ".")
		_, env, named := strings.Cut(scope, ":")
		if scoped && named && env != s.opts.Environment {
			return "", fmt.Errorf("%s is a token for the environment %s, but this source shows %s: make a %s token for it",
				key, sources.Clean(env, 60), sources.Clean(s.opts.Environment, 60), kind)
		}
		return t, nil
	}
}

// Close lets go of idle connections. The store can be used again afterwards.
func (s *Store) Close() error {
	s.admin.Close()
	if s.client != nil {
		s.client.Close()
	}
	return nil
}

// Close lets go of idle connections. The store can be used again afterwards.
func (v *Verifying) Close() error {
	v.frontend.Close()
	return v.Store.Close()
}

func (s *Store) who() string { return "source " + sources.Clean(s.name, 60) }

// where is how errors name what is shown.
func (s *Store) where() string {
	return sources.Clean("project "+s.opts.Project+", environment "+s.opts.Environment, sources.MaxName)
}

// page is the address of a flag's page for people.
func (s *Store) page(key string) string { return s.link + "/features/" + url.PathEscape(key) }

func (s *Store) featurePath(key string) string {
	return "/api/admin/projects/" + url.PathEscape(s.opts.Project) + "/features/" + url.PathEscape(key)
}

func (s *Store) environmentPath(key string) string {
	return s.featurePath(key) + "/environments/" + url.PathEscape(s.opts.Environment)
}

// stopped is that ctx had ended before anything was asked.
func (s *Store) stopped(ctx context.Context, what string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %s: %w: %w", s.who(), what, sources.ErrUnavailable, err)
	}
	return nil
}
