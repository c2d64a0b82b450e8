package alertmanager

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

var _ sources.AlertSilencer = (*Source)(nil)

// matcher is one condition of a silence.
type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual bool   `json:"isEqual"`
}

// AlertNow implements sources.AlertSilencer. An alert that is there twice, with labels
// that only say which server found it, is ErrUnsupported: one silence would leave the
// other firing.
func (s *Source) AlertNow(ctx context.Context, key string) (sources.AlertNow, error) {
	var raw []alert
	if err := s.get(ctx, "/api/v2/alerts", url.Values{"active": {"true"}, "silenced": {"true"}, "inhibited": {"true"}}, &raw); err != nil {
		return sources.AlertNow{}, err
	}
	held, err := s.silences(ctx)
	if err != nil {
		return sources.AlertNow{}, err
	}
	b := board{names: names(raw), silences: held}
	var out sources.AlertNow
	n := 0
	for i := range raw {
		a := b.alert(s.name, &raw[i])
		if a.Key() != key {
			continue
		}
		n++
		out = sources.AlertNow{Alert: a, Exact: precisely(raw, i)}
		for _, id := range raw[i].Status.SilencedBy {
			if h := held[id]; h != nil {
				out.Silences = append(out.Silences, sources.HeldSilence{
					ID: id, By: sources.Clean(h.CreatedBy, sources.MaxName), Reason: sources.Clean(h.Comment, maxWhy), Until: moment(h.EndsAt),
				})
			}
		}
	}
	name := sources.Clean(key, sources.MaxName)
	switch {
	case n == 0:
		return out, fmt.Errorf("%s has no alert %s, it may have been resolved: %w", s.who, name, sources.ErrNotFound)
	case n > 1:
		return out, fmt.Errorf("%s has %s %d times, from several servers: silence it there: %w", s.who, name, n, sources.ErrUnsupported)
	}
	return out, nil
}

// precisely is the labels of one alert, and an empty one for each that another alert
// has besides all of these: what is not asked for in a silence may be anything.
func precisely(raw []alert, i int) map[string]string {
	mine := raw[i].Labels
	exact := maps.Clone(mine)
	for j := range raw {
		if j == i || !within(mine, raw[j].Labels) {
			continue
		}
		for name := range raw[j].Labels {
			if _, has := mine[name]; !has {
				exact[name] = ""
			}
		}
	}
	return exact
}

func within(small, large map[string]string) bool {
	for name, v := range small {
		if large[name] != v {
			return false
		}
	}
	return true
}

// Silence implements sources.AlertSilencer.
func (s *Source) Silence(ctx context.Context, want sources.Silence) error {
	body := struct {
		Matchers  []matcher `json:"matchers"`
		StartsAt  time.Time `json:"startsAt"`
		EndsAt    time.Time `json:"endsAt"`
		CreatedBy string    `json:"createdBy"`
		Comment   string    `json:"comment"`
	}{StartsAt: s.now().UTC(), EndsAt: want.Until.UTC(), CreatedBy: want.By, Comment: want.Reason}
	for _, name := range slices.Sorted(maps.Keys(want.Exact)) {
		body.Matchers = append(body.Matchers, matcher{Name: name, Value: want.Exact[name], IsEqual: true})
	}
	var made struct {
		ID string `json:"silenceID"`
	}
	_, err := s.client.Do(ctx, web.Request{Method: http.MethodPost, Path: "/api/v2/silences", Body: body}, &made)
	if err == nil && made.ID == "" {
		return fmt.Errorf("%s took a silence and gave no id for it, look at its silences: %w", s.who, sources.ErrUnavailable)
	}
	return err
}

// Expire implements sources.AlertSilencer.
func (s *Source) Expire(ctx context.Context, id string) error {
	_, err := s.client.Do(ctx, web.Request{Method: http.MethodDelete, Path: "/api/v2/silence/" + url.PathEscape(id)}, nil)
	if web.StatusOf(err) == http.StatusNotFound {
		return nil
	}
	return err
}
