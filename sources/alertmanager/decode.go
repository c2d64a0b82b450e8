package alertmanager

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"relctl-tui/sources"
)

const maxWhy = 300 // runes

// alert is what the API says of one alert, as far as it is used.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"`
	Fingerprint string            `json:"fingerprint"`
	Status      struct {
		State       string   `json:"state"`
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
		MutedBy     []string `json:"mutedBy"` // from 0.28 on: names of time intervals
	} `json:"status"`
}

type silence struct {
	ID        string `json:"id"`
	CreatedBy string `json:"createdBy"`
	Comment   string `json:"comment"`
	EndsAt    string `json:"endsAt"`
}

// board is what the alerts of one answer refer to.
type board struct {
	names    map[string]string // of alerts, by fingerprint
	silences map[string]*silence
}

func names(raw []alert) map[string]string {
	out := make(map[string]string, len(raw))
	for i := range raw {
		out[raw[i].Fingerprint] = raw[i].Labels["alertname"]
	}
	return out
}

func anySilenced(raw []alert) bool {
	return slices.ContainsFunc(raw, func(a alert) bool { return len(a.Status.SilencedBy) > 0 })
}

// alert is one alert with what keeps it quiet. Only the state that says so makes it
// quiet: any other, known or not, fires.
func (b *board) alert(source string, raw *alert) sources.Alert {
	a := sources.AlertOf(source, raw.Labels, raw.Annotations)
	a.Since = moment(raw.StartsAt)
	if raw.Status.State != "suppressed" {
		return a
	}
	a.State = sources.AlertSilenced
	var why string
	switch st := &raw.Status; {
	case len(st.SilencedBy) > 0:
		why, a.Until = b.silenced(st.SilencedBy)
	case len(st.InhibitedBy) > 0:
		why = "inhibited by " + cmp.Or(b.names[st.InhibitedBy[0]], "another alert") + others(len(st.InhibitedBy))
	case len(st.MutedBy) > 0:
		why = "muted by the time interval " + st.MutedBy[0] + others(len(st.MutedBy))
	default:
		why = "suppressed"
	}
	a.Why = sources.Clean(why, maxWhy)
	return a
}

// silenced is who silences and why, and when the last of the silences ends.
func (b *board) silenced(ids []string) (why string, until time.Time) {
	var last *silence
	for _, id := range ids {
		s := b.silences[id]
		if s == nil {
			continue
		}
		if end := moment(s.EndsAt); last == nil || end.After(until) {
			last, until = s, end
		}
	}
	if last == nil {
		return "silenced", time.Time{}
	}
	why = "silenced by " + cmp.Or(last.CreatedBy, "somebody")
	if last.Comment != "" {
		why += ": " + last.Comment
	}
	return why + others(len(ids)), until
}

func others(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", n-1)
}

// moment is a time of the API; zero for none and for what is no time.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
