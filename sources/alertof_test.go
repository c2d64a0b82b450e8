package sources_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

type texts = map[string]string

func TestAnAlertSaysWhatItsLabelsAndAnnotationsTell(t *testing.T) {
	t.Parallel()
	a := sources.AlertOf("prod", texts{
		"alertname": "HighErrorRate", "severity": "critical", "service": "checkout", "job": "web", "flag": "checkout-v2", "empty": "",
	}, texts{"summary": "Errors above 5 %", "description": "a long text"})
	require.Equal(t, sources.Alert{
		Source: "prod", ID: a.ID, Name: "HighErrorRate", Severity: "critical", Summary: "Errors above 5 %", Service: "checkout", Flag: "checkout-v2",
		Description: "a long text",
		Labels:      texts{"alertname": "HighErrorRate", "severity": "critical", "service": "checkout", "job": "web", "flag": "checkout-v2"},
	}, a)
	require.Equal(t, "alert without a name", sources.AlertOf("prod", nil, nil).Name)
	require.Equal(t, "why", sources.AlertOf("prod", nil, texts{"description": "why", "message": "old"}).Summary)
	require.Equal(t, "old", sources.AlertOf("prod", nil, texts{"message": "old"}).Summary)
}

func TestTheServiceOfAnAlertIsNamedByTheMostTellingLabel(t *testing.T) {
	t.Parallel()
	for want, labels := range map[string]texts{
		"a":             {"service": "a", "service_name": "b", "app": "c", "job": "d"},
		"b":             {"service_name": "b", "app": "c", "application": "d"},
		"c":             {"app": "c", "application": "d", "job": "e"},
		"d":             {"application": "d", "deployment": "e"},
		"shop/checkout": {"namespace": "shop", "deployment": "checkout", "job": "kube-state-metrics"},
		"ledger":        {"statefulset": "ledger", "job": "kube-state-metrics"},
		"web":           {"service": "", "namespace": "shop", "job": "web"},
		"":              {"namespace": "shop", "instance": "10.0.0.1"},
	} {
		require.Equal(t, want, sources.AlertOf("prod", labels, nil).Service)
	}
	for _, name := range []string{"feature_flag_key", "flag", "feature_flag", "flag_key"} {
		require.Equal(t, "checkout-v2", sources.AlertOf("prod", texts{name: "checkout-v2"}, nil).Flag)
	}
}

func TestTheSameLabelsGiveTheSameIDWhoeverTellsAndOthersAnother(t *testing.T) {
	t.Parallel()
	id := func(l texts) string { return sources.AlertOf("s", l, nil).ID }
	base := texts{"alertname": "A", "service": "b"}
	require.Equal(t, id(base), sources.AlertOf("another", base, texts{"summary": "x"}).ID)
	require.Equal(t, id(base), id(texts{"alertname": "A", "service": "b", "none": "", "prometheus": "monitoring/k8s", "prometheus_replica": "k8s-1"}))
	seen := map[string]bool{id(base): true}
	for _, other := range []texts{
		{},
		{"alertname": "A"},
		{"alertname": "A", "service": "c"},
		{"alertname": "A", "servic": "eb"},
		{"alertname": "As", "ervice": "b"},
		{"alertname": "A", "service": "b", "x": "y"},
		{"alertname": strings.Repeat("A", 300)},
		{"alertname": strings.Repeat("A", 301)},
	} {
		require.False(t, seen[id(other)], other)
		seen[id(other)] = true
	}
}

func TestOfTooManyLabelsTheTellingOnesAreKept(t *testing.T) {
	t.Parallel()
	labels := texts{"alertname": "A", "service": "checkout", "severity": "page"}
	for i := range 100 {
		labels[fmt.Sprintf("a%03d", i)] = strings.Repeat("x", 500)
	}
	a := sources.AlertOf("prod", labels, nil)
	require.Len(t, a.Labels, 40)
	require.Equal(t, "checkout", a.Labels["service"])
	require.Equal(t, "page", a.Labels["severity"])
	require.Len(t, []rune(a.Labels["a000"]), sources.MaxName+1, "cut, and it shows")
	require.NotContains(t, a.Labels, "a099")
}

func TestAlertsAreTidiedWorstFirstEachOnceAndNotWithoutEnd(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	named := func(name string, state sources.AlertState, since time.Time) sources.Alert {
		a := sources.AlertOf("prod", texts{"alertname": name}, nil)
		a.State, a.Since = state, since
		return a
	}
	kept, warnings := sources.TidyAlerts([]sources.Alert{
		named("quiet", sources.AlertSilenced, at), named("twice", sources.AlertSilenced, at.Add(-time.Hour)),
		named("soon", sources.AlertPending, at), named("twice", sources.AlertFiring, at), named("once", sources.AlertFiring, time.Time{}),
		named("once", sources.AlertFiring, at),
	})
	require.Empty(t, warnings)
	require.Equal(t, []sources.Alert{
		named("once", sources.AlertFiring, at), named("twice", sources.AlertFiring, at.Add(-time.Hour)),
		named("soon", sources.AlertPending, at), named("quiet", sources.AlertSilenced, at),
	}, kept)

	var many []sources.Alert
	for i := range sources.MaxAlerts + 5 {
		many = append(many, named(fmt.Sprint("p", i), sources.AlertPending, at))
	}
	kept, warnings = sources.TidyAlerts(append(many, named("worst", sources.AlertFiring, at)))
	require.Len(t, kept, sources.MaxAlerts)
	require.Equal(t, "worst", kept[0].Name)
	require.Equal(t, []string{"2006 alerts, of which the last 6 are not shown"}, warnings)
	kept, warnings = sources.TidyAlerts(nil)
	require.Empty(t, kept)
	require.Empty(t, warnings)
}

func FuzzAlertsFromOutside(f *testing.F) {
	f.Add("alertname", "High\x1b[2J", "service", "b\u202e", "summary", "x\r\ny")
	f.Add("feature_flag_key", strings.Repeat("k", 999), "\xff", "\xfe", "message", strings.Repeat("ü", 999))
	f.Add("a\x00", "1", "a\x01", "2", "", "")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2, an, av string) {
		labels, annotations := texts{n1: v1, n2: v2}, texts{an: av}
		before := maps.Clone(labels)
		a := sources.AlertOf("prod", labels, annotations)
		require.Equal(t, before, labels)
		require.Equal(t, a, sources.AlertOf("prod", maps.Clone(labels), annotations))
		require.NotEmpty(t, a.Name)
		require.Len(t, a.ID, 32)
		all := []string{a.Name, a.Severity, a.Summary, a.Service, a.Flag}
		for n, v := range a.Labels {
			require.NotEmpty(t, v)
			all = append(all, n, v)
		}
		for _, s := range all {
			require.LessOrEqual(t, utf8.RuneCountInString(s), 401)
			require.True(t, utf8.ValidString(s))
			for _, r := range s {
				require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Cf, r), "%q", s)
			}
		}
	})
}
