package metrics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

// BuildInfo is how the names of metrics end that say which version of a program runs,
// after the habit of client libraries: app_build_info{version="2.14.1"} 1.
const BuildInfo = "build_info"

// notServices are build infos of what a program is made of, not of the program.
var notServices = []string{"go_build_info", "python_build_info", "jvm_build_info"}

// rollouts are the gauges by which controllers of rollouts tell how far one has come.
var rollouts = struct {
	updated, desired, weight, phase map[string]string // by metric: the preset it belongs to
	labels                          []string          // that can name what is rolled out
}{
	updated: map[string]string{"kube_deployment_status_replicas_updated": "kube-state-metrics", "rollout_info_replicas_updated": "argo-rollouts"},
	desired: map[string]string{"kube_deployment_spec_replicas": "kube-state-metrics", "rollout_info_replicas_desired": "argo-rollouts"},
	weight:  map[string]string{"flagger_canary_weight": "flagger"},
	phase:   map[string]string{"rollout_info": "argo-rollouts"},
	labels:  []string{"deployment", "name", "workload"},
}

func rolloutMetrics() []string {
	return slices.Concat(keys(rollouts.updated), keys(rollouts.desired), keys(rollouts.weight), keys(rollouts.phase))
}

func keys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// Deploys reads what runs of each service, in two queries however many there are.
func (p *Plan) Deploys(ctx context.Context, source string, a Asker) ([]sources.Deploy, error) {
	all := rolloutMetrics()
	answers, err := a.Ask(ctx, []Query{
		{Kind: Instances, Metric: BuildInfo, Suffix: true, By: union(serviceLabels, []string{NameLabel, "version"}), Any: [][]Matcher{{{Label: "version", Op: NotEqual}}}},
		{Kind: Gauge, Metric: all[0], Also: all[1:], By: union(rollouts.labels, []string{NameLabel, "namespace", "phase"}), Optional: true},
	})
	if err != nil {
		return nil, err
	}
	byService := running(answers[0].Series)
	progress(byService, answers[1].Series)
	out := make([]sources.Deploy, 0, len(byService))
	for _, name := range slices.Sorted(maps.Keys(byService)) {
		d := byService[name]
		d.Source, d.Service = source, name
		sources.SortVersions(d.Versions)
		out = append(out, *d)
	}
	return out, nil
}

// running counts the instances of each version. Of several build infos of one service
// that of most instances counts.
func running(series []Series) map[string]*sources.Deploy {
	type key struct{ service, metric string }
	counts := map[key]map[string]int{}
	for _, s := range series {
		name := s.Labels[NameLabel]
		if slices.Contains(notServices, name) || !(s.Value > 0) {
			continue
		}
		service := s.Labels.first(serviceLabels)
		if service == "" {
			service = strings.TrimSuffix(strings.TrimSuffix(name, BuildInfo), "_")
		}
		k := key{sources.Clean(service, sources.MaxName), name}
		if counts[k] == nil {
			counts[k] = map[string]int{}
		}
		counts[k][sources.Clean(s.Labels["version"], 60)] += int(s.Value)
	}
	out := map[string]*sources.Deploy{}
	order := slices.SortedFunc(maps.Keys(counts), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(total(counts[b]), total(counts[a])), cmp.Compare(a.metric, b.metric))
	})
	for _, k := range order {
		if k.service == "" || out[k.service] != nil {
			continue
		}
		d := &sources.Deploy{Preset: k.metric}
		for _, version := range slices.Sorted(maps.Keys(counts[k])) {
			d.Versions = append(d.Versions, sources.Running{Version: version, Instances: counts[k][version]})
		}
		out[k.service] = d
	}
	return out
}

func total(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// progress adds what controllers say of rollouts, to the service of that name or to
// one of its own.
func progress(byService map[string]*sources.Deploy, series []Series) {
	for _, s := range series {
		name := sources.Clean(s.Labels.first(rollouts.labels), sources.MaxName)
		metric := s.Labels[NameLabel]
		if name == "" || !(s.Value >= 0) {
			continue
		}
		name = strings.TrimSuffix(name, "-primary")
		d := byService[name]
		if d == nil {
			d = &sources.Deploy{}
		}
		switch {
		case rollouts.updated[metric] != "":
			d.Updated += int(s.Value)
			d.Preset = cmp.Or(d.Preset, rollouts.updated[metric])
		case rollouts.desired[metric] != "":
			d.Desired += int(s.Value)
			d.Preset = cmp.Or(d.Preset, rollouts.desired[metric])
		case rollouts.weight[metric] != "":
			if strings.HasSuffix(s.Labels["workload"], "-primary") {
				continue // what is left to the others
			}
			d.Weight = sources.Some(min(s.Value, 100) / 100)
			d.Preset = cmp.Or(d.Preset, rollouts.weight[metric])
		case rollouts.phase[metric] != "" && s.Value == 1:
			d.Phase = sources.Clean(s.Labels["phase"], 40)
			d.Preset = cmp.Or(d.Preset, rollouts.phase[metric])
		default:
			continue
		}
		byService[name] = d
	}
	maps.DeleteFunc(byService, func(_ string, d *sources.Deploy) bool {
		return len(d.Versions) == 0 && !d.Rolling() && d.Phase == "" // what stands still is no deploy
	})
}

// The most changes that a log keeps.
const maxDeployed = 200

// DeployLog remembers which version of each service was first seen when. The zero log
// is empty; it is safe for concurrent use.
type DeployLog struct {
	mu      sync.Mutex
	seen    map[string]map[string]time.Time
	newest  map[string]string
	changes []sources.Deployed
}

// Note takes what ran at a moment, and writes into it since when. Moments come in
// their order; what the first one shows was there before.
func (l *DeployLog) Note(deploys []sources.Deploy, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen, l.newest = map[string]map[string]time.Time{}, map[string]string{}
	}
	for i := range deploys {
		d := &deploys[i]
		known := l.seen[d.Service]
		if known == nil {
			known = map[string]time.Time{}
			l.seen[d.Service] = known
			for _, v := range d.Versions {
				known[v.Version] = time.Time{}
			}
		}
		for k := range d.Versions {
			v := &d.Versions[k]
			since, ok := known[v.Version]
			if !ok {
				since = at
				known[v.Version] = at
				l.changes = append(l.changes, sources.Deployed{Service: d.Service, Old: l.newest[d.Service], New: v.Version, At: at})
			}
			v.Since = since
		}
		sources.SortVersions(d.Versions)
		if len(d.Versions) > 0 {
			l.newest[d.Service] = d.Versions[0].Version
		}
		maps.DeleteFunc(known, func(version string, _ time.Time) bool { // so that coming back is a change
			return !slices.ContainsFunc(d.Versions, func(v sources.Running) bool { return v.Version == version })
		})
	}
	if n := len(l.changes); n > maxDeployed {
		l.changes = slices.Delete(l.changes, 0, n-maxDeployed)
	}
}

// Changes is what the log knows of, the oldest first.
func (l *DeployLog) Changes() []sources.Deployed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.changes)
}
