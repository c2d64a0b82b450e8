package prometheus

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/prometheus/common/model"

	"relctl-tui/sources"
)

const alertsPath = "/api/v1/alerts"

// Alerts implements sources.AlertLister in one request, and now and then one for the external labels: what the server's own
// rules find, firing and pending; of silences it knows nothing. A server that
// evaluates no rules, or answers queries alone, is ErrUnsupported. VictoriaMetrics says that there are none
// instead, which is not believed before it has told of an alert once.
func (s *Source) Alerts(ctx context.Context) (sources.AlertSet, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	at := s.opts.Now()
	var call alertsCall
	res, err := s.api.alerts(context.WithValue(ctx, alertsKey{}, &call))
	switch {
	case err != nil:
		return sources.AlertSet{}, s.fault(err)
	case len(res) > 0:
		s.alerted.Store(true)
	case call.victoria.Load() && !s.alerted.Load():
		return sources.AlertSet{}, fmt.Errorf("%s evaluates no alerts itself, name the Alertmanager: %w", s.who, sources.ErrUnsupported)
	}
	list := make([]sources.Alert, 0, len(res))
	var extra map[string]string
	if len(res) > 0 {
		extra = s.external(ctx)
	}
	for i := range res {
		if a, ok := s.alert(&res[i], extra); ok {
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
func (s *Source) alert(raw *rawAlert, extra map[string]string) (sources.Alert, bool) {
	a := sources.AlertOf(s.name, with(plain(raw.Labels), extra), plain(raw.Annotations))
	a.Since, a.Value = raw.ActiveAt, sources.Clean(raw.Value, 40)
	switch strings.ToLower(raw.State) {
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

// alertsKey is the context's key for the *alertsCall that a request belongs to.
type alertsKey struct{}

type alertsCall struct {
	victoria atomic.Bool // the answer is VictoriaMetrics's
}

// alertsOf is the call that a request belongs to, also after a redirect; nil for a
// request that is not for alerts.
func alertsOf(req *http.Request) *alertsCall {
	c, _ := req.Context().Value(alertsKey{}).(*alertsCall)
	return c
}

// judgeAlerts is what an answer to the question for alerts means, where it means
// something else than an answer to a query. A server or a gateway that answers
// queries and refuses this one works: it only has no alerts for us.
func (g *guard) judgeAlerts(c *alertsCall, resp *http.Response, kind string) error {
	no := func() error {
		return fmt.Errorf("%s tells of no alerts, it answered %d at %s: %w", g.who, resp.StatusCode, alertsPath, sources.ErrUnsupported)
	}
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return no()
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusBadRequest:
		if g.works.Load() {
			return no()
		}
	case http.StatusOK:
		if g.works.Load() && kind != "" && kind != "application/json" {
			return no()
		}
	}
	// VictoriaMetrics sends this header with every answer, Prometheus never.
	c.victoria.Store(resp.Header.Get("X-Server-Hostname") != "")
	return nil
}
