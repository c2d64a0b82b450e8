package metrics

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"relctl-tui/sources"
)

// The most rules whose matchers are pushed down to the server; beyond, whole
// presets are read, which costs bytes and never more queries.
const maxPushed = 16

// Latencies reads the plan's latencies. With rules there is a row for each, also
// when its metric is missing (verdict unknown, and the note says why). Without
// rules there is a row per service: the label service, service_name, app,
// application or job, the first that is not empty, names it, and the first
// preset in which it appears measures it; proxies' presets count only where no
// service exports its own.
//
// The number of queries depends on the presets that exist, never on how many
// services or rules there are.
func (p *Plan) Latencies(ctx context.Context, source string, a Asker) (rows []sources.Latency, warns []string, err error) {
	reads, err := p.latencyReads(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	var queries []Query
	for i := range reads {
		if reads[i].exists() {
			queries = append(queries, reads[i].queries()...)
		}
	}
	if len(queries) > 0 {
		answers, err := a.Ask(ctx, queries)
		if err != nil {
			return nil, nil, err
		}
		for i := range reads {
			if reads[i].exists() {
				reads[i].take(answers[0], answers[1])
				answers = answers[2:]
			}
		}
	}
	if len(p.latency) == 0 {
		rows = p.autoRows(reads)
		warns = silent(reads, len(rows))
	} else {
		for i := range p.latency {
			rows = append(rows, p.ruleRow(&p.latency[i], reads))
		}
	}
	taken := map[string]int{}
	for i := range rows {
		rows[i].Source, rows[i].Name = source, unique(taken, rows[i].Name)
	}
	slices.SortFunc(rows, sources.CompareLatencies)
	return rows, warns, nil
}

// noSamples is the note where a metric exists and its rate does not.
const noSamples = "no samples in the window (it must span two scrapes of the server)"

// silent is a warning for metrics that exist and gave no row, so that an empty
// pane says why.
func silent(reads []latencyRead, rows int) []string {
	if rows > 0 {
		return nil
	}
	for i := range reads {
		if r := &reads[i]; r.exists() && !r.hists.Pending && !r.codes.Pending {
			return []string{r.preset.Metric + ": " + noSamples}
		}
	}
	return nil
}

// instanceLabel tells apart the instances that a summary's quantiles are of.
const instanceLabel = "instance"

// largest is the largest of each quantile over all instances of a summary: those of
// several can neither be added up nor averaged. NaN, which is what a summary without
// recent calls says, is nothing.
func largest(quants []Series, scale float64) (p50, p95, p99 sources.Quantile, note string) {
	instances, there := map[string]bool{}, map[float64]bool{}
	of := func(want float64) (out sources.Quantile) {
		for _, s := range quants {
			q, err := strconv.ParseFloat(s.Labels[QuantileLabel], 64)
			if err != nil {
				continue
			}
			instances[s.Labels[instanceLabel]], there[q] = true, true
			if v := s.Value * scale; q == want && v >= 0 && !math.IsInf(v, 0) && (!out.OK || v > out.Seconds) {
				out = sources.Quantile{Seconds: v, OK: true}
			}
		}
		return out
	}
	p50, p95, p99 = of(0.5), of(0.95), of(0.99)
	switch {
	case !there[0.99]:
		note = "a summary without a quantile 0.99"
	case len(instances) > 1:
		note = fmt.Sprintf("max of %d: a summary's quantiles do not add up", len(instances))
	}
	return p50, p95, p99, note
}

// take enters the answers to the queries.
func (r *latencyRead) take(first, codes Answer) {
	r.codes = codes
	if r.preset.Kind == summary {
		r.quants = first
		r.quants.Series = slices.DeleteFunc(r.quants.Series, func(s Series) bool { return s.Labels[QuantileLabel] == "" })
		return
	}
	r.hists = first
}

// latencyRead is one preset being read.
type latencyRead struct {
	preset *LatencyPreset
	by     []string
	any    [][]Matcher
	forms  Forms
	there  bool
	codeOf bool // the preset's own counter of outcomes exists
	hists  Answer
	quants Answer // of a summary, in the place of hists
	codes  Answer
}

func (r *latencyRead) exists() bool { return r.there }

func (r *latencyRead) queries() []Query {
	buckets := Query{Kind: Buckets, Metric: r.preset.Metric, By: r.by, Any: r.any, Found: r.forms}
	if r.preset.Kind == summary {
		buckets = Query{Kind: Gauge, Metric: r.preset.Metric, By: union(r.by, []string{QuantileLabel, instanceLabel}), Any: r.any}
	}
	codes := Query{Kind: Count, Metric: r.preset.Metric, By: union(r.by, r.preset.Code), Any: r.any, Found: r.forms}
	if r.codeOf {
		codes.Kind, codes.Metric = Rate, r.preset.CodeOf
	}
	return []Query{buckets, codes}
}

// wantLatencies works out once what the rules want of the presets, and what has to
// exist for it.
func (p *Plan) wantLatencies() {
	for i := range p.latencies {
		preset := &p.latencies[i]
		by, sets, ok := p.selection(preset)
		if !ok {
			continue
		}
		p.latencyAsks = append(p.latencyAsks, latencyRead{preset: preset, by: by, any: sets})
		p.askNames = append(p.askNames, preset.Metric, Summaries(preset.Metric), preset.Metric+"_count")
		if preset.CodeOf != "" {
			p.askNames = append(p.askNames, preset.CodeOf)
		}
	}
}

func (p *Plan) latencyReads(ctx context.Context, a Asker) ([]latencyRead, error) {
	found, err := a.Exists(ctx, p.askNames)
	if err != nil {
		return nil, err
	}
	reads := slices.Clone(p.latencyAsks)
	service := false
	for i := range reads {
		r := &reads[i]
		r.forms, r.there = r.preset.exists(found)
		r.codeOf = found[r.preset.CodeOf]
		service = service || (r.preset.Auto == Service && r.exists())
	}
	if len(p.latency) == 0 && service {
		reads = slices.DeleteFunc(reads, func(r latencyRead) bool { return r.preset.Auto == Fallback })
	}
	return reads, nil
}

// selection is how the plan's rules group and select a preset's series; false
// when no rule wants the preset.
func (p *Plan) selection(preset *LatencyPreset) (by []string, sets [][]Matcher, ok bool) {
	where := preset.where
	if len(p.latency) == 0 {
		if len(where) > 0 {
			sets = [][]Matcher{where}
		}
		return union(preset.Identity), sets, preset.Auto != Never
	}
	everything := false
	for i := range p.latency {
		r := &p.latency[i]
		if r.preset != preset && (r.preset != nil || preset.Auto == Never) {
			continue
		}
		ok = true
		everything = everything || len(r.match) == 0
		by = union(by, matchLabels(r.match))
		sets = append(sets, slices.Concat(where, r.match))
	}
	if everything || len(sets) > maxPushed {
		sets = nil
		if len(where) > 0 {
			sets = [][]Matcher{where}
		}
	}
	return by, sets, ok
}

func (p *Plan) ruleRow(r *latencyRule, reads []latencyRead) sources.Latency {
	var missing []string
	note, exported := "", false
	for i := range reads {
		read := &reads[i]
		if r.preset != read.preset && (r.preset != nil || read.preset.Auto == Never) {
			continue
		}
		if !read.exists() {
			missing = append(missing, read.preset.Metric)
			continue
		}
		exported = true
		got := pick(read, func(l Labels) bool { return MatchAll(r.match, l) })
		if got.empty() || read.lacks(&got) {
			if read.hists.Pending || read.codes.Pending {
				note = "a rate needs a second sample"
			}
			continue
		}
		row := p.row(read, &got)
		row.Name, row.SLO, row.Calls = sources.Clean(r.Name, sources.MaxName), r.SLO, slices.Clone(r.Calls)
		row.Verdict = verdict(&row)
		return row
	}
	switch {
	case note != "":
	case exported && r.Match != "":
		note = "no samples match " + r.Match
	case exported:
		note = noSamples
	case r.preset != nil:
		note = strings.Join(missing, ", ") + " is not exported"
	default:
		note = "not exported: no latency preset found"
	}
	return sources.Latency{
		Name: sources.Clean(r.Name, sources.MaxName), SLO: r.SLO, Calls: slices.Clone(r.Calls),
		Verdict: sources.VerdictUnknown, Note: sources.Clean(note, sources.MaxName),
	}
}

// autoRows is a row per service.
func (p *Plan) autoRows(reads []latencyRead) []sources.Latency {
	done := map[string]bool{}
	var rows []sources.Latency
	for i := range reads {
		read := &reads[i]
		service := func(l Labels) string {
			if s := l.first(read.preset.Identity); s != "" {
				return s
			}
			return "all"
		}
		byService := split(read, service)
		for _, name := range slices.Sorted(maps.Keys(byService)) {
			got := byService[name]
			if done[name] || read.lacks(got) {
				continue
			}
			done[name] = true
			row := p.row(read, got)
			row.Name = sources.Clean(name, sources.MaxName)
			row.Verdict = verdict(&row)
			rows = append(rows, row)
		}
	}
	return rows
}

// portion is what belongs to one row of what was read.
type portion struct {
	hists  []Hist
	quants []Series
	codes  []Series
}

func (p *portion) empty() bool { return len(p.hists)+len(p.quants)+len(p.codes) == 0 }

func split(read *latencyRead, service func(Labels) string) map[string]*portion {
	out := map[string]*portion{}
	at := func(l Labels) *portion {
		name := service(l)
		if out[name] == nil {
			out[name] = &portion{}
		}
		return out[name]
	}
	for _, h := range read.hists.Hists {
		p := at(h.Labels)
		p.hists = append(p.hists, h)
	}
	for _, s := range read.quants.Series {
		p := at(s.Labels)
		p.quants = append(p.quants, s)
	}
	for _, s := range read.codes.Series {
		p := at(s.Labels)
		p.codes = append(p.codes, s)
	}
	return out
}

// lacks says that what was read is no summary's, although its metric has one
// elsewhere: a histogram of that name may have what the summary has not.
func (r *latencyRead) lacks(p *portion) bool { return r.preset.Kind == summary && len(p.quants) == 0 }

func pick(read *latencyRead, keep func(Labels) bool) portion {
	kept := split(read, func(l Labels) string {
		if keep(l) {
			return "kept"
		}
		return ""
	})["kept"]
	if kept == nil {
		return portion{}
	}
	return *kept
}

// row is the numbers of the given groups, merged into one latency.
func (p *Plan) row(read *latencyRead, got *portion) sources.Latency {
	var row sources.Latency
	scale := read.preset.Unit.Seconds()
	if len(got.quants) > 0 {
		row.P50, row.P95, row.P99, row.Note = largest(got.quants, scale)
	} else {
		h := merge(got.hists)
		quantile := func(q float64) sources.Quantile {
			v := h.Quantile(q, p.interp)
			v.Seconds *= scale
			return v
		}
		row.P50, row.P95, row.P99 = quantile(0.5), quantile(0.95), quantile(0.99)
	}
	row.Rate, row.ErrorRatio = outcome(read.preset, got.codes)
	if !row.Rate.OK && len(got.hists) > 0 {
		h := merge(got.hists)
		row.Rate = sources.Measured(h.Total())
	}
	if row.Rate.V > 0 && !row.P99.OK && row.Note == "" {
		row.Note = "no buckets are exported, so there are no quantiles"
	}
	return row
}

// verdict judges a row; calls without buckets are not "no traffic".
func verdict(row *sources.Latency) sources.Verdict {
	if !row.P99.OK && row.Rate.V > 0 {
		return sources.VerdictUnknown
	}
	return sources.Judge(row.P99, row.Rate, row.SLO)
}

// merge sums groups. A group that is exported in both forms counts once, in its
// native form; of groups in different forms, the form with more traffic is kept,
// since the two cannot be summed.
func merge(hists []Hist) Hist {
	native := map[string]bool{}
	for i := range hists {
		if len(hists[i].Native) > 0 && hists[i].Total() > 0 {
			native[key(hists[i].Labels)] = true
		}
	}
	var classic, exponential Hist
	for i := range hists {
		switch h := &hists[i]; {
		case len(h.Native) > 0:
			exponential.add(h)
		case !native[key(h.Labels)]:
			classic.add(h)
		}
	}
	if exponential.Total() >= classic.Total() && len(exponential.Native) > 0 {
		return exponential
	}
	return classic
}

// outcome is the rate and the share of errors. Without any outcome label the
// share is absent, and so it is without traffic: 0 of nothing is not 0 %. Where one
// of the counts is no number both are absent: what is left of the sum would be a
// share of something else.
func outcome(p *LatencyPreset, codes []Series) (rate, ratio sources.Value) {
	total, errs, seen, labelled := 0.0, 0.0, false, false
	for _, s := range codes {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			return sources.Value{}, sources.Value{}
		}
		seen = true
		total += s.Value
		code := s.Labels.first(p.Code)
		labelled = labelled || code != ""
		if p.failed.MatchString(code) {
			errs += s.Value
		}
	}
	if !seen {
		return rate, ratio
	}
	if labelled && total > 0 {
		ratio = sources.Some(errs / total)
	}
	return sources.Some(total), ratio
}

func matchLabels(ms []Matcher) []string {
	out := make([]string, len(ms))
	for i := range ms {
		out[i] = ms[i].Label
	}
	return out
}

// union is every name once, sorted.
func union(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// key is labels as a map key; empty values do not count.
func key(l Labels) string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(l)) {
		if l[n] != "" {
			b.WriteString(n)
			b.WriteByte(0xff)
			b.WriteString(l[n])
			b.WriteByte(0xff)
		}
	}
	return b.String()
}

// unique keeps names apart that cleaning made equal.
func unique(taken map[string]int, name string) string {
	taken[name]++
	if n := taken[name]; n > 1 {
		return unique(taken, fmt.Sprintf("%s (%d)", name, n))
	}
	return name
}
