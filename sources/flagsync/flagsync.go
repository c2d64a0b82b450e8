// Package flagsync is the read-only driver of a flagd HTTP sync source: an address
// that gives flagd definitions, such as serve http of this program, or a file on any
// web server. A board follows a store through it without costing the store anything;
// what changes a flag is the store itself.
//
// A source that has an ETag is asked for what changed since. One that knows "Prefer:
// wait" (RFC 7240), as serve does, answers when something changes, so that a change
// is seen within milliseconds; others are polled.
package flagsync

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/web"
)

var (
	_ sources.FlagLister  = (*Store)(nil)
	_ sources.FlagGetter  = (*Store)(nil)
	_ sources.FlagWatcher = (*Store)(nil)
)

// DefaultPath is where the definitions are when the address names no path.
const DefaultPath = "/flagd/flags.json"

// headerStale is how serve says that it cannot read its store.
const headerStale = "Relctl-Stale"

const readOnly = "they are followed through a sync source; change them at the store behind it"

// Defaults of the options.
const (
	DefaultTimeout = 10 * time.Second
	DefaultPoll    = 2 * time.Second
	DefaultWait    = 25 * time.Second // proxies often give up after 30 s
)

// Options are what a Store may do. The zero value is ready to use.
type Options struct {
	// Transport carries the credentials; nil is a transport with Go's defaults.
	Transport http.RoundTripper
	// Timeout bounds one answer, besides the time that was asked to wait; 0 is
	// DefaultTimeout.
	Timeout time.Duration
	// Poll is the pause between two questions to a source that does not wait; 0 is
	// DefaultPoll.
	Poll time.Duration
	// Wait is how long a source is asked to wait for a change, in whole seconds; 0 is
	// DefaultWait, below 0 is not to wait.
	Wait time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Store is one sync source. It is goroutine-safe; make it with New.
type Store struct {
	name    string
	opts    Options
	quick   *web.Client
	patient *web.Client // for questions that wait
}

// New is the store at address, under the name of its source. Nothing is asked yet.
func New(name, address string, opts Options) (*Store, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Poll <= 0 {
		opts.Poll = DefaultPoll
	}
	if opts.Wait == 0 {
		opts.Wait = DefaultWait
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if u, err := url.Parse(address); err == nil && (u.Path == "" || u.Path == "/") && u.Opaque == "" {
		u.Path = DefaultPath
		address = u.String()
	}
	s := &Store{name: name, opts: opts}
	who := "source " + sources.Clean(name, 60)
	var err error
	if s.quick, err = web.New(who, address, web.Options{Transport: opts.Transport, Timeout: opts.Timeout}); err != nil {
		return nil, err
	}
	s.patient, err = web.New(who, address, web.Options{Transport: opts.Transport, Timeout: opts.Timeout + max(0, opts.Wait)})
	return s, err
}

// Close lets go of idle connections of the Store's own transports.
func (s *Store) Close() {
	s.quick.Close()
	s.patient.Close()
}

// Flags lists the flags as the source gives them now, sorted by key.
func (s *Store) Flags(ctx context.Context) (sources.FlagSet, error) {
	a, err := s.ask(ctx, "", 0)
	if err != nil {
		return sources.FlagSet{}, err
	}
	return s.set(a)
}

// Flag reads one flag; the source gives all of them or none.
func (s *Store) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	a, err := s.ask(ctx, "", 0)
	if err != nil {
		return sources.Flag{}, err
	}
	doc, err := flagdef.Parse(a.doc)
	if err != nil {
		return sources.Flag{}, s.wrap(err)
	}
	if id.Source != s.name {
		return sources.Flag{}, s.wrap(fmt.Errorf("there is no flag %s in it: %w", sources.Clean(id.Key, sources.MaxName), sources.ErrNotFound))
	}
	f, err := doc.Flag(s.name, id.Key)
	if err != nil {
		return sources.Flag{}, s.wrap(err)
	}
	return f, nil
}

func (s *Store) wrap(err error) error {
	return fmt.Errorf("source %s: %w", sources.Clean(s.name, 60), err)
}

// answer is what the source gave.
type answer struct {
	doc    []byte // nil when nothing changed
	etag   string
	waited bool   // it knows how to wait
	stale  string // for how many seconds it cannot read its store; "" when it can
}

// ask asks for the definitions, or for those after etag; wait is how long the source
// may take to find a change.
func (s *Store) ask(ctx context.Context, etag string, wait time.Duration) (*answer, error) {
	client, req := s.quick, web.Request{Header: http.Header{}, Accept304: etag != ""}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
		if seconds := int(wait / time.Second); seconds > 0 {
			client = s.patient
			req.Header.Set("Prefer", fmt.Sprintf("wait=%d", seconds))
		}
	}
	var doc json.RawMessage
	resp, err := client.Do(ctx, req, &doc)
	if err != nil {
		return nil, err
	}
	a := &answer{
		doc: doc, etag: resp.Header.Get("ETag"), stale: resp.Header.Get(headerStale),
		waited: resp.Header.Get("Preference-Applied") != "",
	}
	if resp.Status == http.StatusNotModified {
		a.doc, a.etag = nil, etag
	}
	return a, nil
}

// set is the flags of an answer.
func (s *Store) set(a *answer) (sources.FlagSet, error) {
	doc, err := flagdef.Parse(a.doc)
	if err != nil {
		return sources.FlagSet{}, s.wrap(err)
	}
	warnings := doc.Warnings()
	if err := s.behind(a); err != nil {
		warnings = append(warnings[:len(warnings):len(warnings)], sources.Sentence(err))
	}
	return sources.FlagSet{
		Source: s.name, Revision: sources.RevisionOf(a.doc), Flags: doc.Flags(s.name), ReadAt: s.opts.Now(),
		Warnings: warnings, ReadOnly: readOnly,
	}, nil
}

// behind is why what the source gives may be old; nil when it is not.
func (s *Store) behind(a *answer) error {
	if a.stale == "" {
		return nil
	}
	return s.wrap(fmt.Errorf("the server cannot read its store and gives what that held last: %w", sources.ErrUnavailable))
}
