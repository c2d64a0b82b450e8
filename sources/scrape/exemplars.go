package scrape

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/web"
)

var _ sources.ExemplarReader = (*Source)(nil)

// Exemplars implements sources.ExemplarReader: it asks each endpoint that answers for its
// page once more, as OpenMetrics, since the plain text format has no exemplars. A page
// holds the last exemplar of each bucket, however old that is; those before the span are
// left out.
func (s *Source) Exemplars(ctx context.Context, q sources.ExemplarQuery) (sources.ExemplarSet, error) {
	if err := q.Check(); err != nil {
		return sources.ExemplarSet{}, fmt.Errorf("%s: %w", s.name, err)
	}
	if _, err := s.refresh(ctx); err != nil {
		return sources.ExemplarSet{}, err
	}
	where, err := s.plan.Examples(ctx, s, q.Latency)
	if err != nil {
		return sources.ExemplarSet{}, fmt.Errorf("%s: %w", s.name, err)
	}
	out := sources.ExemplarSet{Source: s.name, ReadAt: s.opts.Now().Round(0)}
	var all []sources.Exemplar
	var failed error
	open := false
	for _, e := range s.ends {
		some, is, err := s.examples(ctx, e, where)
		if err != nil {
			failed = err
			continue
		}
		open = open || is
		for i := range some {
			if some[i].At.IsZero() || out.ReadAt.Sub(some[i].At) <= q.Span {
				all = append(all, some[i])
			}
		}
	}
	switch out.Exemplars = sources.Slowest(all); {
	case len(out.Exemplars) > 0:
	case failed != nil && !open:
		return sources.ExemplarSet{}, failed
	case !open:
		out.Note = "no exemplars: the endpoint does not speak OpenMetrics"
	default:
		out.Note = "no exemplars: the service attaches none"
	}
	return out, nil
}

// examples reads one page for its exemplars, and tells whether it is OpenMetrics.
func (s *Source) examples(ctx context.Context, e *endpoint, where metrics.Examples) (out []sources.Exemplar, is bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	who := s.name + ": " + e.host
	resp, err := s.ask(ctx, e, "application/openmetrics-text;version=1.0.0;q=1,*/*;q=0.1")
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := web.BadStatus(who, resp, ""); err != nil {
		return nil, false, err
	}
	if !strings.HasPrefix(strings.ToLower(resp.Header.Get("Content-Type")), "application/openmetrics-text") {
		return nil, false, nil
	}
	out, err = parseExemplars(io.LimitReader(resp.Body, s.opts.MaxBody), where, s.opts.MaxSeries)
	if err != nil {
		return nil, true, web.Fault(who, err, s.opts.Timeout)
	}
	return out, true, nil
}

// parseExemplars reads the exemplars of a page of OpenMetrics that belong to a latency
// and name a trace. Lines that it does not understand are none of those.
func parseExemplars(r io.Reader, where metrics.Examples, most int) (out []sources.Exemplar, err error) {
	names := where.Names()
	br := bufio.NewReaderSize(r, maxLine)
	for {
		line, more, err := br.ReadLine()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for cut := more; cut && err == nil; {
			_, cut, err = br.ReadLine()
		}
		if more || len(line) == 0 || line[0] == '#' || !bytes.Contains(line, []byte("# {")) {
			continue
		}
		if name := metricName(line); name != nil && names[string(name)] {
			if e, ok := exemplarOf(string(name), string(line[len(name):]), where); ok && len(out) < most {
				out = append(out, e)
			}
		}
	}
}

// exemplarOf reads what follows a series' name: labels, value, perhaps a time, and the
// exemplar with its labels, value and perhaps time.
func exemplarOf(name, rest string, where metrics.Examples) (sources.Exemplar, bool) {
	labels, rest, ok := cutLabels(rest)
	if !ok {
		return sources.Exemplar{}, false
	}
	unit, ours := where.Unit(name, labels)
	_, rest, found := strings.Cut(rest, " # ")
	if !ours || !found {
		return sources.Exemplar{}, false
	}
	about, rest, ok := cutLabels(rest)
	words := strings.Fields(rest)
	if !ok || len(words) == 0 || len(words) > 2 {
		return sources.Exemplar{}, false
	}
	v, err := strconv.ParseFloat(words[0], 64)
	e := sources.Exemplar{TraceID: sources.TraceOf(func(n string) string { return about[n] }), Seconds: v * unit}
	if err != nil || e.TraceID == "" || !(e.Seconds >= 0 && e.Seconds < maxSeconds) {
		return sources.Exemplar{}, false
	}
	if len(words) == 2 {
		at, err := strconv.ParseFloat(words[1], 64)
		if err != nil || !(at > 0 && at < 1e11) {
			return sources.Exemplar{}, false
		}
		whole, part := math.Modf(at)
		e.At = time.Unix(int64(whole), int64(part*1e9))
	}
	return e, true
}

// maxSeconds is more than any call takes: what is above it is no time.
const maxSeconds = 1e7

// cutLabels reads labels in braces at the beginning of s.
func cutLabels(s string) (l metrics.Labels, rest string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return nil, s, false
	}
	l, s = metrics.Labels{}, s[1:]
	for len(l) <= maxLabels {
		s = strings.TrimLeft(s, ", ")
		if rest, done := strings.CutPrefix(s, "}"); done {
			return l, rest, true
		}
		name, after, found := strings.Cut(s, `="`)
		if !found {
			return nil, s, false
		}
		value, after, closed := cutValue(after)
		if !closed {
			return nil, s, false
		}
		l[name], s = value, after
	}
	return nil, s, false
}

// cutValue reads a label's value up to its closing quote.
func cutValue(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], b.Len() <= maxValue
		case c == '\\' && i+1 < len(s):
			i++
			if s[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", s, false
}

// ask asks an endpoint for its page in a format.
func (s *Source) ask(ctx context.Context, e *endpoint, accept string) (*http.Response, error) {
	who := s.name + ": " + e.host
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s has a URL that cannot be asked for: %w", who, sources.ErrInvalid)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "relctl-tui")
	if e.user != nil {
		password, _ := e.user.Password()
		req.SetBasicAuth(e.user.Username(), password)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, web.Fault(who, err, s.opts.Timeout)
	}
	return resp, nil
}
