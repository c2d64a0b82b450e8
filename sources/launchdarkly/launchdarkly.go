// Package launchdarkly drives the flags of one environment of one LaunchDarkly
// project over its REST API (version 20240415).
//
// It has not yet been run against the service. It is written from the published
// description of the API, and its tests run against a server that holds to that
// description strictly. What the description leaves open is decided on the safe side
// and said where it is decided.
//
// A boolean flag whose default rule is one variation or a split of two is a
// percentage. Whatever else decides who gets what (targets, rules, prerequisites, an
// experiment, more variations) makes a flag custom: it can be killed and undone, not
// ramped. The variant that is counted is the one that is not served while the flag is
// off, so that a killed flag is at 0 % by what is served and not by a field's name.
//
// The service compares nothing for the client: a semantic patch has no precondition.
// The driver compares the revision that it read right before the write, the service
// answers 409 to changes at the very same time, and the answer shows whether
// something else was changed in between, which becomes the receipt's warning. Another
// change of the same on/off switch or default rule in those milliseconds is
// overwritten; the service's own history keeps it.
package launchdarkly

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// Store is one environment's flags. It may be used by any goroutine.
type Store struct {
	name string
	site string // scheme and host, for links
	opts Options
	web  *web.Client

	written sources.Bell

	role struct {
		sync.Mutex
		readOnly string
		asked    time.Time
	}
}

var (
	_ sources.FlagLister  = (*Store)(nil)
	_ sources.FlagGetter  = (*Store)(nil)
	_ sources.FlagWriter  = (*Store)(nil)
	_ sources.FlagWatcher = (*Store)(nil)
)

// Options are where a Store's flags are and how they are read.
type Options struct {
	Project     string // the project's key; required
	Environment string // the environment's key; required

	// Token gives an API access token, anew for each request; nil sends none.
	Token     func() (string, error)
	Transport http.RoundTripper // nil for Go's defaults
	Header    http.Header       // goes with every request
	Timeout   time.Duration     // of one request; 0 is 10 s
	MaxBody   int64             // of one answer in bytes; 0 is 32 MiB

	// Poll is how often a watch asks whether anything has changed, 0 for 10 s. It is
	// kept between 1 s and 10 min, and up to a tenth is added at random.
	Poll time.Duration

	Now    func() time.Time                           // nil for time.Now; called by any goroutine
	Wait   func(ctx context.Context, d time.Duration) // between two polls; nil for a timer
	Random func(below time.Duration) time.Duration    // from 0, less than below; nil for the system's
}

// key is how projects and environments may be called, as the API says. It takes 1 ms to
// compile, which programs without a LaunchDarkly need not spend.
var key = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,255}$`) })

// New is a store of this name at base, such as https://app.launchdarkly.com. It asks
// nothing. ErrInvalid says what is wrong with the options.
func New(name, base string, opts Options) (*Store, error) {
	for what, v := range map[string]string{"project": opts.Project, "environment": opts.Environment} {
		if !key().MatchString(v) {
			return nil, fmt.Errorf("%s: %q is no %s key, write ?project=KEY&environment=KEY: %w", name, sources.Clean(v, 60), what, sources.ErrInvalid)
		}
	}
	header := opts.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	// Without it the service answers as the version that the token was made with.
	header.Set("LD-API-Version", "20240415")
	client, err := web.New(name, base, web.Options{
		Transport: opts.Transport, Timeout: opts.Timeout, MaxBody: opts.MaxBody, Header: header, Token: opts.Token,
	})
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("%s: the address is no URL: %w", name, sources.ErrInvalid)
	}
	opts.defaults()
	return &Store{name: name, site: u.Scheme + "://" + u.Host, opts: opts, web: client}, nil
}

const (
	minPoll = time.Second
	maxPoll = 10 * time.Minute
)

func (o *Options) defaults() {
	if o.Poll <= 0 {
		o.Poll = 10 * time.Second
	}
	o.Poll = max(minPoll, min(o.Poll, maxPoll))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Random == nil {
		o.Random = random
	}
}

// Close lets go of idle connections. Requests under way are not hindered.
func (s *Store) Close() { s.web.Close() }

func (s *Store) flagsPath() string { return "/api/v2/flags/" + url.PathEscape(s.opts.Project) }

// Flag reads one flag afresh. One that is archived is ErrNotFound, since it is not
// listed either.
func (s *Store) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	w, err := s.get(ctx, id)
	if err != nil {
		return sources.Flag{}, err
	}
	return s.read(w).flag, nil
}

func (s *Store) get(ctx context.Context, id sources.FlagID) (*wireFlag, error) {
	show := sources.Clean(id.Key, sources.MaxName)
	if id.Key == "" || id.Key == "." || id.Key == ".." {
		return nil, fmt.Errorf("%s has no flag %q: %w", s.name, show, sources.ErrNotFound)
	}
	w := &wireFlag{}
	_, err := s.do(ctx, web.Request{
		Path: s.flagsPath() + "/" + url.PathEscape(id.Key), Query: url.Values{"env": {s.opts.Environment}},
	}, w)
	switch {
	case web.StatusOf(err) == http.StatusNotFound:
		return nil, fmt.Errorf("%s has no flag %s in project %s: %w", s.name, show, s.opts.Project, sources.ErrNotFound)
	case err != nil:
		return nil, err
	case w.Key != id.Key:
		return nil, fmt.Errorf("%s was asked for %s and answered about %s, check the address: %w", s.name, show, sources.Clean(w.Key, sources.MaxName), sources.ErrUnavailable)
	case w.Archived:
		return nil, fmt.Errorf("%s: %s is archived, restore it in LaunchDarkly first: %w", s.name, show, sources.ErrNotFound)
	}
	return w, nil
}
