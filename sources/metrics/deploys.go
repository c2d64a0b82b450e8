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

// Deploys reads what runs of each service, in two questions however many there are, and
// one more for each rule of the config.
func (p *Plan) Deploys(ctx context.Context, source string, a Asker) ([]sources.Deploy, error) {
	all := rolloutMetrics()
	ask := []Query{
		{Kind: Instances, Metric: BuildInfo, Suffix: true, By: union(serviceLabels, namespaceLabels, []string{NameLabel, "version"}), Any: [][]Matcher{{{Label: "version", Op: NotEqual}}}},
		{Kind: Gauge, Metric: all[0], Also: all[1:], By: union(rollouts.labels, namespaceLabels, []string{NameLabel, "phase"}), Optional: true},
	}
	for i := range p.versions {
		ask = append(ask, p.versions[i].query())
	}
	answers, err := a.Ask(ctx, ask)
	if err != nil {
		return nil, err
	}
	infos := answers[0].Series
	for i := range p.versions {
		infos = append(infos[:len(infos):len(infos)], p.versions[i].infos(answers[2+i].Series)...)
	}
	byName := running(infos)
	progress(byName, answers[1].Series)
	count := map[string]int{}
	for d := range byName {
		count[d.name]++
	}
	out := make([]sources.Deploy, 0, len(byName))
	for _, is := range slices.SortedFunc(maps.Keys(byName), compareDeployed) {
		d := byName[is]
		if d.Source, d.Service, d.Namespace = source, is.name, is.namespace; count[is.name] > 1 && is.namespace != "" {
			d.Service = is.namespace + "/" + is.name
		}
		sources.SortVersions(d.Versions)
		out = append(out, *d)
	}
	return out, nil
}

// deployed is what tells one deploy from another: two namespaces may have the same name.
type deployed struct{ namespace, name string }

func compareDeployed(a, b deployed) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.namespace, b.namespace))
}

// namespaceOf is the namespace of what runs, and not of the exporter that counts it.
func namespaceOf(l Labels) string { return sources.Clean(l.first(namespaceLabels), sources.MaxName) }

var namespaceLabels = []string{"exported_namespace", "namespace"}

// running counts the instances of each version. Of several build infos of one service
// that of most instances counts.
func running(series []Series) map[deployed]*sources.Deploy {
	type key struct {
		of     deployed
		metric string
	}
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
		k := key{deployed{namespaceOf(s.Labels), sources.Clean(service, sources.MaxName)}, name}
		if counts[k] == nil {
			counts[k] = map[string]int{}
		}
		counts[k][sources.Clean(s.Labels["version"], 60)] += int(s.Value)
	}
	out := map[deployed]*sources.Deploy{}
	order := slices.SortedFunc(maps.Keys(counts), func(a, b key) int {
		return cmp.Or(compareDeployed(a.of, b.of), cmp.Compare(total(counts[b]), total(counts[a])), cmp.Compare(a.metric, b.metric))
	})
	for _, k := range order {
		if k.of.name == "" || out[k.of] != nil {
			continue
		}
		d := &sources.Deploy{Preset: k.metric}
		for _, version := range slices.Sorted(maps.Keys(counts[k])) {
			d.Versions = append(d.Versions, sources.Running{Version: version, Instances: counts[k][version]})
		}
		out[k.of] = d
	}
	return out
}

func total(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

// rolledOut is what a controller's series is about.
func rolledOut(l Labels) deployed {
	name := sources.Clean(l.first(rollouts.labels), sources.MaxName)
	return deployed{namespaceOf(l), strings.TrimSuffix(name, "-primary")}
}

// homes says to which service each deploy that controllers know belongs: the one of
// its namespace and name, or where one side does not say a namespace, and only one
// service can be meant, the one of its name.
func homes(byName map[deployed]*sources.Deploy, series []Series) map[deployed]deployed {
	run, rolled := map[string][]deployed{}, map[string][]deployed{}
	for is := range byName {
		run[is.name] = append(run[is.name], is)
	}
	out := map[deployed]deployed{}
	for _, s := range series {
		is := rolledOut(s.Labels)
		if _, known := out[is]; !known {
			out[is] = is
			rolled[is.name] = append(rolled[is.name], is)
		}
	}
	for is := range out {
		if r := run[is.name]; len(r) == 1 && len(rolled[is.name]) == 1 && (r[0].namespace == "" || is.namespace == "") {
			out[is] = r[0]
		}
	}
	return out
}

// progress adds what controllers say of rollouts, to the service of that name or to
// one of its own.
func progress(byName map[deployed]*sources.Deploy, series []Series) {
	home := homes(byName, series)
	for _, s := range series {
		is := home[rolledOut(s.Labels)]
		metric := s.Labels[NameLabel]
		if is.name == "" || !(s.Value >= 0) {
			continue
		}
		d := byName[is]
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
		byName[is] = d
	}
	maps.DeleteFunc(byName, func(_ deployed, d *sources.Deploy) bool {
		return len(d.Versions) == 0 && !d.Rolling() && d.Phase == "" // what stands still is no deploy
	})
}

// The most changes that a log keeps.
const maxDeployed = 200

// DeployLog remembers which version of each service was first seen when. The zero log
// is empty; it is safe for concurrent use.
type DeployLog struct {
	mu      sync.Mutex
	seen    map[deployed]map[string]time.Time
	newest  map[deployed]string
	changes []sources.Deployed
}

// Note takes what ran at a moment, and writes into it since when. Moments come in
// their order; what the first one shows was there before.
func (l *DeployLog) Note(deploys []sources.Deploy, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen, l.newest = map[deployed]map[string]time.Time{}, map[deployed]string{}
	}
	for i := range deploys {
		d := &deploys[i]
		is := deployed{d.Namespace, d.Bare()} // whatever it is called on the screen
		known := l.seen[is]
		if known == nil {
			known = map[string]time.Time{}
			l.seen[is] = known
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
				l.changes = append(l.changes, sources.Deployed{Service: d.Service, Old: l.newest[is], New: v.Version, At: at})
			}
			v.Since = since
		}
		sources.SortVersions(d.Versions)
		if len(d.Versions) > 0 {
			l.newest[is] = d.Versions[0].Version
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
