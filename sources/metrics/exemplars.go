package metrics

import (
	"context"
	"fmt"
	"strings"

	"relctl-tui/sources"
)

// Examples is where exemplars of a latency are to be found: buckets of histograms.
type Examples []exampleOf

type exampleOf struct {
	metric string
	match  []Matcher
	name   string   // of the service, where identity tells the latencies apart
	labels []string // that can name the service
	unit   Unit
}

// Examples is where exemplars of a latency are, in the order of preference. ErrNotFound
// means that no histogram measures it.
func (p *Plan) Examples(ctx context.Context, a Asker, latency string) (Examples, error) {
	reads, err := p.latencyReads(ctx, a)
	if err != nil {
		return nil, err
	}
	var out Examples
	for i := range reads {
		read := &reads[i]
		if !read.exists() || read.preset.Kind == summary {
			continue
		}
		e := exampleOf{metric: read.preset.Metric, match: read.preset.where, unit: read.preset.Unit}
		if len(p.latency) == 0 {
			e.name, e.labels = latency, read.preset.Identity
			out = append(out, e)
		}
		for k := range p.latency {
			r := &p.latency[k]
			if sources.Clean(r.Name, sources.MaxName) == latency && (r.preset == read.preset || r.preset == nil && read.preset.Auto != Never) {
				e.match = append(e.match[:len(e.match):len(e.match)], r.match...)
				out = append(out, e)
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no histogram measures %s: %w", sources.Clean(latency, sources.MaxName), sources.ErrNotFound)
	}
	return out, nil
}

// Selectors are the series in PromQL, as one expression. Of the native form the
// histogram's own series has the exemplars.
func (e Examples) Selectors() string {
	var parts []string
	for i := range e {
		for _, name := range []string{e[i].metric + "_bucket", e[i].metric} {
			if where := Render(e[i].match); where != "" {
				name += "{" + where + "}"
			}
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, " or ")
}

// Names are the series' names.
func (e Examples) Names() map[string]bool {
	out := map[string]bool{}
	for i := range e {
		out[e[i].metric+"_bucket"], out[e[i].metric] = true, true
	}
	return out
}

// Unit is how many seconds 1.0 is in a series, if it is one of these.
func (e Examples) Unit(name string, l Labels) (float64, bool) {
	for i := range e {
		one := &e[i]
		if (name != one.metric && name != one.metric+"_bucket") || !MatchAll(one.match, l) {
			continue
		}
		if one.name == "" || sources.Clean(l.first(one.labels), sources.MaxName) == one.name {
			return one.unit.Seconds(), true
		}
	}
	return 0, false
}
