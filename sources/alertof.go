package sources

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

// What an alert keeps on its way to a screen, and how many alerts a source has.
const (
	MaxAlerts      = 2000
	maxAlertLabels = 40
	maxLabelName   = 100 // runes
	maxSummary     = 400 // runes
	maxDescription = 2000
)

var (
	// As metrics reads them, so that an alert finds the rows of its service.
	alertServices = []string{"service", "service_name", "app", "application"}
	// Workloads come before job: where they are, job is most often only the
	// exporter that counts them.
	alertWorkloads = []string{"deployment", "statefulset", "daemonset"}
	alertFlags     = []string{"feature_flag_key", "flag", "feature_flag", "flag_key"}
	// These say which of several servers found the alert, not what is broken.
	alertFinders = []string{"prometheus", "prometheus_replica"}
	// These are kept of an alert that has too many.
	alertTelling = slices.Concat([]string{"alertname", "severity", "job", "namespace", "instance"}, alertServices, alertWorkloads, alertFlags)
)

// AlertOf is the alert that labels and annotations tell of, cleaned and bounded:
// everything but its state and its times. Whoever knows an alert tells of it by
// its labels, so the same labels give the same ID whatever the source; those that
// the Prometheus operator adds to tell a server from its twin do not count, and an
// empty label is none.
func AlertOf(source string, labels, annotations map[string]string) Alert {
	kept := alertLabels(labels)
	a := Alert{
		Source:   source,
		ID:       alertID(labels),
		Name:     cmp.Or(Clean(labels["alertname"], MaxName), "alert without a name"),
		Severity: Clean(labels["severity"], maxLabelName),
		Summary:  Clean(firstOf(annotations, []string{"summary", "description", "message"}), maxSummary),
		Service:  Clean(alertService(labels), MaxName),
		Flag:     Clean(firstOf(labels, alertFlags), MaxName),
		Labels:   kept,
		Cut:      -len(kept),
		Runbook:  Clean(firstOf(annotations, []string{"runbook_url", "runbook", "playbook"}), maxSummary),
	}
	for _, v := range labels {
		if v != "" {
			a.Cut++
		}
	}
	if text := Clean(firstOf(annotations, []string{"description", "message"}), maxDescription); text != a.Summary {
		a.Description = text
	}
	return a
}

// JoinAlerts puts the alerts of several sources together, each once. Who knows of
// silences knows more than who only evaluates the rule, and speaks for both; between
// two that know as much, the worse state is told, but for a silence.
func JoinAlerts(sets [][]Alert, silences func(source string) bool) []Alert {
	var all []Alert
	at := map[string]int{}
	for _, set := range sets {
		for _, a := range set {
			i, known := at[a.ID]
			if !known {
				at[a.ID] = len(all)
				all = append(all, a)
				continue
			}
			all[i] = joined(all[i], a, silences)
		}
	}
	slices.SortStableFunc(all, CompareAlerts)
	return all
}

func joined(a, b Alert, silences func(source string) bool) Alert {
	switch knows := silences(b.Source); {
	case knows != silences(a.Source):
		if knows {
			a, b = b, a
		}
	case b.State == AlertSilenced && a.State == AlertFiring, b.State == AlertFiring && a.State == AlertPending:
		a, b = b, a
	}
	a.Since = Earlier(a.Since, b.Since)
	a.Value, a.Also = cmp.Or(a.Value, b.Value), cmp.Or(a.Also, b.Source)
	return a
}

// firstOf is the value of the first name that has one.
func firstOf(m map[string]string, names []string) string {
	for _, n := range names {
		if v := m[n]; v != "" {
			return v
		}
	}
	return ""
}

func alertService(labels map[string]string) string {
	if s := firstOf(labels, alertServices); s != "" {
		return s
	}
	s := firstOf(labels, alertWorkloads)
	switch namespace := labels["namespace"]; {
	case s != "" && namespace != "":
		return namespace + "/" + s
	case s != "":
		return s
	default:
		return labels["job"]
	}
}

// alertID hashes each name and value with its length, so that no two label sets
// run together into one text.
func alertID(labels map[string]string) string {
	h := sha256.New()
	var size [8]byte
	put := func(s string) {
		binary.BigEndian.PutUint64(size[:], uint64(len(s)))
		h.Write(size[:])
		h.Write([]byte(s))
	}
	for _, n := range slices.Sorted(maps.Keys(labels)) {
		if labels[n] != "" && !slices.Contains(alertFinders, n) {
			put(n)
			put(labels[n])
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func alertLabels(labels map[string]string) map[string]string {
	names := slices.Sorted(maps.Keys(labels))
	if len(names) > maxAlertLabels {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(labelRank(a), labelRank(b)) })
	}
	out := make(map[string]string, min(len(names), maxAlertLabels))
	for _, n := range names {
		if len(out) == maxAlertLabels {
			break
		}
		clean := Clean(n, maxLabelName)
		if _, taken := out[clean]; !taken && labels[n] != "" {
			out[clean] = Clean(labels[n], MaxName)
		}
	}
	return out
}

func labelRank(name string) int {
	if slices.Contains(alertTelling, name) {
		return 0
	}
	return 1
}

// TidyAlerts puts a source's alerts in order, worst first, and keeps the first
// MaxAlerts of them; a warning says how many are left out. An alert that is there
// twice, as a pair of servers reports it, becomes one: in the worse state, since
// the earlier time. The list is taken over.
func TidyAlerts(list []Alert) (kept []Alert, warnings []string) {
	at := make(map[string]int, len(list))
	kept = list[:0]
	for i := range list {
		a := list[i]
		n, twin := at[a.ID]
		if !twin {
			at[a.ID] = len(kept)
			kept = append(kept, a)
			continue
		}
		since := Earlier(a.Since, kept[n].Since)
		if a.State < kept[n].State {
			kept[n] = a
		}
		kept[n].Since = since
	}
	slices.SortFunc(kept, CompareAlerts)
	if over := len(kept) - MaxAlerts; over > 0 {
		warnings = []string{fmt.Sprintf("%d alerts, of which the last %d are not shown", len(kept), over)}
		clear(kept[MaxAlerts:])
		kept = slices.Clip(kept[:MaxAlerts])
	}
	return kept, warnings
}

// Earlier is the earlier of two times, of which one that is zero is unknown.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
