package suspect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"relctl-tui/sources/suspect"
)

// incident is one case of the corpus: what was measured, what was changed, and
// which of the changes were to blame; none in a quiet one.
type incident struct {
	Kind    string           `json:"kind"`
	Series  []suspect.Series `json:"-"`
	Changes []suspect.Change `json:"changes"`
	Causes  []string         `json:"causes,omitempty"`
}

// The kinds of incidents, in the order in which they are generated.
var kinds = []string{"step", "ramp", "spike", "noisy", "two causes", "decoys", "undone", "no labels"}

const (
	points = 180
	step   = 15 * time.Second
	window = 8 // points over which rates are taken: each point repeats most of the one before
)

var began = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func moment(i float64) time.Time {
	return began.Add(time.Duration(i * float64(step))).Truncate(time.Second)
}

type service struct {
	name  string
	calls []string
	p99   float64
	rate  float64
}

// services is the little system that breaks: each with what it calls, and its usual
// p99 in seconds and requests per second.
var services = []service{
	{"checkout", []string{"payment", "inventory"}, 0.180, 220},
	{"payment", []string{"database"}, 0.090, 120},
	{"inventory", []string{"database"}, 0.040, 400},
	{"database", nil, 0.015, 900},
}

// world is one case while it is made: the factor of each service's latency and the
// errors added to it, by point.
type world struct {
	rng    *rand.Rand
	kind   string
	factor [][]float64
	errors [][]float64
	in     incident
}

func newWorld(kind string, rng *rand.Rand) *world {
	w := &world{rng: rng, kind: kind, in: incident{Kind: kind}}
	for range services {
		f := make([]float64, points)
		for i := range f {
			f[i] = 1
		}
		w.factor, w.errors = append(w.factor, f), append(w.errors, make([]float64, points))
	}
	return w
}

func (w *world) between(a, b float64) float64 { return a + (b-a)*w.rng.Float64() }

// change records a change at a point in time.
func (w *world) change(subject string, at float64, hits int, from, to float64) string {
	c := suspect.Change{
		ID: fmt.Sprintf("%03d", len(w.in.Changes)), Subject: subject, At: moment(at), From: from, To: to,
		What: fmt.Sprintf("%.0f%% to %.0f%%", from*100, to*100),
	}
	if hits >= 0 {
		c.Services, c.Rate = []string{services[hits].name}, services[hits].rate
	}
	w.in.Changes = append(w.in.Changes, c)
	return c.ID
}

// hurt lets a service suffer from a point on until another: its latency times up to
// size, some errors besides, reached over slope points.
func (w *world) hurt(victim int, from, until, slope, size float64) {
	failing := w.between(0, 0.12)
	if w.rng.Float64() < 0.4 {
		failing = 0
	}
	for i := range points {
		x := (float64(i) - from) / max(slope, 0.5)
		if x < 0 || float64(i) > until {
			continue
		}
		w.factor[victim][i] *= math.Pow(size, min(x, 1))
		w.errors[victim][i] += failing * min(x, 1)
	}
}

// bystander is a change that has nothing to do with it.
func (w *world) bystander(n int, at float64) {
	hits := max(-1, w.rng.IntN(len(services)+2)-2) // some say nothing of what they move
	ladder := []float64{0, 0.01, 0.05, 0.1, 0.25, 0.5, 1}
	i := w.rng.IntN(len(ladder) - 1)
	from, to := ladder[i], ladder[i+1]
	if w.rng.Float64() < 0.25 {
		from, to = to, from
	}
	w.change(fmt.Sprintf("flag-%d", n), at, hits, from, to)
}

// measure makes the series: what callees add, noise that is correlated, a daily
// swing, outliers, gaps, and the window over which rates and quantiles are taken.
func (w *world) measure() {
	sigma := w.between(0.04, 0.1)
	if w.kind == "noisy" {
		sigma = w.between(0.15, 0.28)
	}
	spent := make([][]float64, len(services))
	for n := len(services) - 1; n >= 0; n-- {
		s := &services[n]
		p99, failed := make([]float64, points), make([]float64, points)
		drift, swing, phase := 0.0, w.between(0, 0.12), w.between(0, 6)
		for i := range points {
			drift = 0.8*drift + w.rng.NormFloat64()*sigma*0.6
			extra := 0.0
			for _, name := range s.calls {
				c := slices.IndexFunc(services, func(o service) bool { return o.name == name })
				extra += 0.9 * (spent[c][i] - services[c].p99)
			}
			base := s.p99 * w.factor[n][i] * math.Exp(swing*math.Sin(phase+float64(i)/60))
			p99[i] = (base + max(0, extra)) * math.Exp(drift+w.rng.NormFloat64()*sigma)
			if w.rng.Float64() < 0.004 {
				p99[i] *= w.between(2, 6)
			}
			failed[i] = min(1, max(0, 0.002+w.errors[n][i]+w.rng.NormFloat64()*0.0008))
		}
		spent[n] = make([]float64, points)
		for i := range points {
			spent[n][i] = s.p99 * w.factor[n][i]
		}
		w.add(n, "p99", "s", p99, s.p99*w.between(2.2, 4))
		w.add(n, "errors", "", failed, 0.01)
	}
}

func (w *world) add(n int, what, unit string, raw []float64, limit float64) {
	s := &services[n]
	out := suspect.Series{
		Name: s.name + " " + what, Service: s.name, Unit: unit, Start: began, Step: step,
		Limit: rounded(limit), Rate: s.rate, Calls: s.calls, Points: make([]float64, points),
	}
	for i := range out.Points {
		sum, n := 0.0, 0
		for j := max(0, i-window+1); j <= i; j++ {
			sum, n = sum+raw[j], n+1
		}
		out.Points[i] = rounded(sum / float64(n))
	}
	if w.rng.Float64() < 0.1 {
		at := w.rng.IntN(points - 12)
		for i := range 4 + w.rng.IntN(8) {
			out.Points[at+i] = math.NaN()
		}
	}
	w.in.Series = append(w.in.Series, out)
}

// rounded is a value as the corpus keeps it: three digits are more than noise has.
func rounded(v float64) float64 {
	if v == 0 || math.IsNaN(v) {
		return v
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// generate makes a case of a kind, or a quiet one for "quiet".
func generate(kind string, rng *rand.Rand) incident {
	w := newWorld(kind, rng)
	if kind == "quiet" {
		for n := range 4 + rng.IntN(12) {
			w.bystander(n, w.between(0, points))
		}
		w.measure()
		return w.in
	}
	victim, at := rng.IntN(len(services)), w.between(80, 150)
	n := w.context(at)
	if kind == "outside" { // a provider, a disk, a bot: nothing that was changed here
		w.hurt(victim, at, points, 1, w.between(3.5, 15))
	} else {
		w.blame(victim, at, n)
	}
	w.measure()
	slices.SortStableFunc(w.in.Changes, func(a, b suspect.Change) int { return a.At.Compare(b.At) })
	return w.in
}

// context is what else was changed that hour; more of it, and nearer, with decoys.
func (w *world) context(at float64) (n int) {
	for range 3 + w.rng.IntN(8) {
		w.bystander(n, w.between(0, points))
		n++
	}
	if w.kind == "decoys" {
		for range 3 + w.rng.IntN(4) {
			w.bystander(n, at+w.between(-20, 8)) // five minutes before, two after
			n++
		}
	}
	for range w.rng.IntN(3) { // operators who try something once it burns
		w.bystander(n, at+w.between(6, 30))
		n++
	}
	return n
}

// blame makes the change that did it, and what it did.
func (w *world) blame(victim int, at float64, n int) {
	from, to := 0.0, []float64{0.1, 0.25, 0.5, 1}[w.rng.IntN(4)]
	if w.rng.Float64() < 0.5 {
		from = to / []float64{2, 2.5, 5}[w.rng.IntN(3)]
	}
	labelled := victim
	if w.kind == "no labels" || w.rng.Float64() < 0.1 {
		labelled = -1
	}
	subject := fmt.Sprintf("flag-%d", n)
	w.in.Causes = append(w.in.Causes, w.change(subject, at, labelled, from, to))
	delay := w.rng.ExpFloat64() * 2 // half a minute
	size := w.between(3.5, 15)
	switch w.kind {
	case "ramp":
		w.hurt(victim, at+delay, points, w.between(8, 28), size)
	case "spike":
		w.hurt(victim, at+delay, at+delay+w.between(8, 16), 1, w.between(6, 20))
	case "two causes":
		w.hurt(victim, at+delay, points, 1, size)
		other := (victim + 1 + w.rng.IntN(len(services)-1)) % len(services)
		later := at + w.between(6, 24)
		w.in.Causes = append(w.in.Causes, w.change(subject+"-too", later, other, 0, 0.5))
		w.hurt(other, later+w.rng.ExpFloat64()*2, points, 1, w.between(4, 15))
	case "undone":
		until := min(at+w.between(14, 30), points-14)
		w.hurt(victim, at+delay, until+w.rng.ExpFloat64()*2, 1, size)
		w.change(subject, until, labelled, to, from)
	default:
		w.hurt(victim, at+delay, points, 1, size)
	}
}

// corpus is the corpus of a seed: incidents of every kind in turn, then quiet cases.
func corpus(seed uint64, incidents, quiet int) []incident {
	rng := rand.New(rand.NewPCG(seed, 7))
	var out []incident
	for i := range incidents {
		out = append(out, generate(kinds[i%len(kinds)], rng))
	}
	for range quiet {
		out = append(out, generate("quiet", rng))
	}
	return out
}
