package prometheus_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// A recording is a known past: steps of 15 s, the same on each run.
const (
	steps    = 41
	stepSpan = 15 * time.Second
)

var epoch = time.Unix(1_700_000_000, 0)

func stepTime(i int) time.Time { return epoch.Add(time.Duration(i) * stepSpan) }

// recording is what a fleet exported. It can be filled into a real Prometheus, and
// served as the page of each step.
type recording struct {
	lines []line
	dice  *rand.Rand
}

// line is one series; where it has no value it was not exported.
type line struct {
	name, labels string
	values       [steps]float64
	there        [steps]bool
}

func newRecording() *recording { return &recording{dice: rand.New(rand.NewPCG(5, 7))} }

// fate is what befalls a series.
type fate struct {
	reset      int // the step at which its process began anew; 0 for never
	born, dies int // the steps from which on it is there, and is not any more; 0 for always
	nan        int // the step from which on it is no number; 0 for never
}

func (f fate) there(i int) bool { return i >= f.born && (f.dies == 0 || i < f.dies) }

func (r *recording) put(name, labels string, f fate, value func(i int) float64) {
	l := line{name: name, labels: labels}
	for i := range steps {
		l.values[i], l.there[i] = value(i), f.there(i)
		if f.nan > 0 && i >= f.nan {
			l.values[i] = math.NaN()
		}
	}
	r.lines = append(r.lines, l)
}

func (r *recording) gauge(name, labels string, v float64, f fate) {
	r.put(name, labels, f, func(int) float64 { return v })
}

// counter grows by about so much in each step.
func (r *recording) counter(name, labels string, by float64, f fate) {
	sum := 0.0
	r.put(name, labels, f, func(i int) float64 {
		if i == f.reset || i == f.born {
			sum = 0
		}
		sum += math.Round(by * (0.5 + r.dice.Float64()))
		return sum
	})
}

// histogram takes about so many observations in each step, around a mean in its unit.
func (r *recording) histogram(name, labels string, bounds []float64, mean, by float64, f fate) {
	counts := make([][steps]float64, len(bounds)+1)
	var sums [steps]float64
	for i := range steps {
		if i > 0 && i != f.reset && i != f.born {
			for b := range counts {
				counts[b][i] = counts[b][i-1]
			}
			sums[i] = sums[i-1]
		}
		for range int(math.Round(by * (0.5 + r.dice.Float64()))) {
			v := r.dice.ExpFloat64() * mean
			sums[i] += v
			for b := range bounds {
				if v <= bounds[b] {
					counts[b][i]++
				}
			}
			counts[len(bounds)][i]++
		}
	}
	at := func(of *[steps]float64) func(int) float64 { return func(i int) float64 { return of[i] } }
	for b := range counts {
		le := "+Inf"
		if b < len(bounds) {
			le = strconv.FormatFloat(bounds[b], 'g', -1, 64)
		}
		r.put(name+"_bucket", labels+`,le="`+le+`"`, f, at(&counts[b]))
	}
	r.put(name+"_count", labels, f, at(&counts[len(bounds)]))
	r.put(name+"_sum", labels, f, at(&sums))
}

// openMetrics is the whole recording in the format that is backfilled.
func (r *recording) openMetrics() string {
	var b strings.Builder
	for i := range steps {
		r.write(&b, i, " "+strconv.FormatInt(stepTime(i).Unix(), 10))
	}
	return b.String() + "# EOF\n"
}

// page is what is exported at a step.
func (r *recording) page(i int) string {
	var b strings.Builder
	r.write(&b, i, "")
	return b.String()
}

func (r *recording) write(b *strings.Builder, i int, stamp string) {
	for k := range r.lines {
		if l := &r.lines[k]; l.there[i] {
			fmt.Fprintf(b, "%s{%s} %s%s\n", l.name, l.labels, strconv.FormatFloat(l.values[i], 'g', -1, 64), stamp)
		}
	}
}

// backfilled runs a Prometheus whose past is the recording; rules are a file of rules
// for it, "" for none.
func backfilled(t testing.TB, r *recording, rules string) (url string, a v1.API) {
	t.Helper()
	return withPast(t, r.openMetrics(), rules, stepTime(steps-1))
}

// withPast runs a Prometheus whose past is given in the format that is backfilled, until
// the moment at.
func withPast(t testing.TB, openMetrics, rules string, at time.Time) (url string, a v1.API) {
	t.Helper()
	server := sourcetest.RealTool(t, "prometheus", "apt-get install prometheus")
	tool := sourcetest.RealTool(t, "promtool", "apt-get install prometheus")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) { require.NoError(t, os.WriteFile(path(name), []byte(text), 0o600)) }
	write("past.om", openMetrics)
	write("rules.yml", rules)
	config := "global: {evaluation_interval: 1s}\n"
	if rules != "" {
		config += "rule_files: [rules.yml]\n"
	}
	write("prometheus.yml", config)
	said, err := exec.CommandContext(t.Context(), tool, "tsdb", "create-blocks-from", "openmetrics", path("past.om"), path("data")).CombinedOutput()
	require.NoError(t, err, string(said))
	addr := sourcetest.FreeAddress(t)
	sourcetest.Run(t, server, "--config.file="+path("prometheus.yml"), "--storage.tsdb.path="+path("data"),
		"--storage.tsdb.retention.time=100y", "--web.listen-address="+addr, "--log.level=error")
	c, err := api.NewClient(api.Config{Address: "http://" + addr})
	require.NoError(t, err)
	a = v1.NewAPI(c)
	require.Eventually(t, func() bool {
		v, _, _, err := a.Query(t.Context(), `count({__name__=~".+"})`, at)
		vec, ok := v.(model.Vector)
		return err == nil && ok && len(vec) == 1
	}, time.Minute, 50*time.Millisecond, "the server does not know its past")
	return "http://" + addr, a
}

// oracle is PromQL's own answer: one number, or none.
func oracle(t testing.TB, a v1.API, at time.Time, query string) (v float64, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, _, _, err := a.Query(ctx, query, at)
	require.NoError(t, err, query)
	vec, isVector := got.(model.Vector)
	require.True(t, isVector, query)
	if len(vec) == 0 {
		return 0, false
	}
	require.Len(t, vec, 1, query)
	if v = float64(vec[0].Value); math.IsNaN(v) {
		return 0, false
	}
	return v, true
}
