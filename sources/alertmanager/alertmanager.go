// Package alertmanager reads alerts from an Alertmanager (API v2, from 0.16 on):
// those that fire, also when they are silenced, inhibited or muted, with who asked
// for it and until when. It makes and ends silences of single alerts for control.
package alertmanager

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

var _ sources.AlertLister = (*Source)(nil)

// Options are a source's settings. The zero Options are the defaults.
type Options struct {
	Transport http.RoundTripper // with the credentials; nil for one of its own
	Timeout   time.Duration     // of one request; 0 means 5 s
	Now       func() time.Time  // nil means time.Now
	MaxBody   int64             // bytes of one answer; 0 means 16 MiB
}

// Source reads one Alertmanager. It is safe for concurrent use.
type Source struct {
	name, who string
	now       func() time.Time
	client    *web.Client
}

// New checks the address and asks nothing. base is http(s)://HOST with the path
// that the API lies under, also with "alertmanager+" in front, and without
// credentials. What is wrong with it wraps ErrInvalid.
func New(name, base string, opts Options) (*Source, error) {
	base = strings.TrimPrefix(base, "alertmanager+")
	who := name
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		who += ": " + sources.Clean(u.Host, 100)
	}
	client, err := web.New(who, base, web.Options{
		Transport: opts.Transport, Timeout: cmp.Or(max(opts.Timeout, 0), 5*time.Second), MaxBody: cmp.Or(max(opts.MaxBody, 0), 16<<20),
	})
	if err != nil {
		return nil, err
	}
	s := &Source{name: name, who: who, now: opts.Now, client: client}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Name is the source's name.
func (s *Source) Name() string { return s.name }

// Close lets idle connections go. The source can be used again afterwards.
func (s *Source) Close() error {
	s.client.Close()
	return nil
}

// Alerts implements sources.AlertLister in one request, and in a second one when
// something is silenced. Silences that cannot be read are a warning: the alerts are
// there all the same.
func (s *Source) Alerts(ctx context.Context) (sources.AlertSet, error) {
	at := s.now()
	var raw []alert
	if err := s.get(ctx, "/api/v2/alerts", url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}}, &raw); err != nil {
		return sources.AlertSet{}, err
	}
	if raw == nil {
		return sources.AlertSet{}, fmt.Errorf("%s answered no list of alerts, check the address: %w", s.who, sources.ErrInvalid)
	}
	b := board{names: names(raw)}
	var warnings []string
	if anySilenced(raw) {
		list, err := s.silences(ctx)
		if ctx.Err() != nil {
			return sources.AlertSet{}, err
		}
		if err != nil {
			warnings = append(warnings, sources.Clean("the silences cannot be read: "+sources.Sentence(err), sources.MaxName))
		}
		b.silences = list
	}
	list := make([]sources.Alert, 0, len(raw))
	for i := range raw {
		list = append(list, b.alert(s.name, &raw[i]))
	}
	kept, more := sources.TidyAlerts(list)
	for _, w := range more {
		warnings = append(warnings, s.who+" has "+w)
	}
	return sources.AlertSet{Alerts: kept, Warnings: warnings, ReadAt: at}, nil
}

func (s *Source) silences(ctx context.Context) (map[string]*silence, error) {
	var list []silence
	if err := s.get(ctx, "/api/v2/silences", nil, &list); err != nil {
		return nil, err
	}
	byID := make(map[string]*silence, len(list))
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	return byID, nil
}

func (s *Source) get(ctx context.Context, path string, query url.Values, out any) error {
	_, err := s.client.Do(ctx, web.Request{Method: http.MethodGet, Path: path, Query: query}, out)
	if status := web.StatusOf(err); status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		return fmt.Errorf("%s has no Alertmanager at that address (%d at %s), check its path: %w", s.who, status, path, sources.ErrInvalid)
	}
	return err
}
