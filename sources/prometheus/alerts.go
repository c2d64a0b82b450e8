package prometheus

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"relctl-tui/sources"
)

const alertsPath = "/api/v1/alerts"

// Alerts implements sources.AlertLister in one request: what the server's own
// rules find, firing and pending; of silences it knows nothing. A server that
// evaluates no rules is ErrUnsupported. VictoriaMetrics says that there are none
// instead, which is not believed before it has told of an alert once.
func (s *Source) Alerts(ctx context.Context) (sources.AlertSet, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	at := s.opts.Now()
	var dummy atomic.Bool
	res, err := s.api.Alerts(context.WithValue(ctx, dummyKey{}, &dummy))
	switch {
	case err != nil:
		return sources.AlertSet{}, s.fault(err)
	case len(res.Alerts) > 0:
		s.alerted.Store(true)
	case dummy.Load() && !s.alerted.Load():
		return sources.AlertSet{}, fmt.Errorf("%s evaluates no alerts itself, name the Alertmanager: %w", s.who, sources.ErrUnsupported)
	}
	list := make([]sources.Alert, 0, len(res.Alerts))
	for i := range res.Alerts {
		if a, ok := s.alert(&res.Alerts[i]); ok {
			list = append(list, a)
		}
	}
	kept, warnings := sources.TidyAlerts(list)
	for i, w := range warnings {
		warnings[i] = s.who + " has " + w
	}
	return sources.AlertSet{Alerts: kept, Warnings: warnings, ReadAt: at}, nil
}

// alert is an alert of the API, false for one that is neither firing nor pending. A
// state that nobody knows fires, for it must not be missed.
func (s *Source) alert(raw *v1.Alert) (sources.Alert, bool) {
	a := sources.AlertOf(s.name, plain(raw.Labels), plain(raw.Annotations))
	a.Since = raw.ActiveAt
	switch strings.ToLower(string(raw.State)) {
	case "inactive", "normal": // the latter is Grafana's word
		return sources.Alert{}, false
	case "pending":
		a.State = sources.AlertPending
	}
	return a, true
}

func plain(set model.LabelSet) map[string]string {
	out := make(map[string]string, len(set))
	for k, v := range set {
		out[string(k)] = string(v)
	}
	return out
}

// dummyKey is the context's key for a *atomic.Bool: whether the answer is of a
// server that has the endpoint and, mostly, no alerts.
type dummyKey struct{}

// judgeAlerts is what an answer at alertsPath means, where it means something else
// than at other paths.
func (g *guard) judgeAlerts(req *http.Request, resp *http.Response) error {
	if !strings.HasSuffix(req.URL.Path, alertsPath) {
		return nil
	}
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fmt.Errorf("%s tells of no alerts, it answered %d at %s: %w", g.who, resp.StatusCode, alertsPath, sources.ErrUnsupported)
	}
	// VictoriaMetrics sends this header with every answer, Prometheus never.
	if dummy, ok := req.Context().Value(dummyKey{}).(*atomic.Bool); ok && resp.Header.Get("X-Server-Hostname") != "" {
		dummy.Store(true)
	}
	return nil
}
