package unleash

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/twmb/murmur3"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

// How many keys are asked about: a few whose answer is known beforehand, or, where
// Unleash draws lots, enough to tell a share within the bound.
const (
	probes    = 3 // on each side of each edge
	drawn     = 200
	tolerance = 4.0 // standard deviations: a right rollout misses it once in 16,000 times
)

// probe is one key and whether it must be given the flag.
type probe struct {
	key string
	on  bool
}

// Verify asks the frontend API for sampled user ids. A killed flag must be off for
// all of them. A percentage is checked with keys of which it is known whether they
// are within it, chosen at its edges and at those of the old one; with random
// stickiness the share of 200 evaluations must be within four standard deviations. A
// custom flag that is not killed cannot be verified, which is ErrUnsupported.
func (v *Verifying) Verify(ctx context.Context, r sources.Receipt) (sources.Evidence, error) {
	s := v.Store
	if r.New.Killed || r.New.Rollout == sources.Some(sources.Percent(0)) {
		return v.settled(ctx, r.New.ID.Key, "userId", even(2*probes, false))
	}
	if !r.New.Rollout.OK {
		return sources.Evidence{}, fmt.Errorf("%s: %s has no one percentage, so its effect cannot be told: %w", s.who(), r.New.Name, sources.ErrUnsupported)
	}
	f, err := s.feature(ctx, r.New.ID)
	if err != nil {
		return sources.Evidence{}, err
	}
	if len(f.Parents) > 0 {
		return sources.Evidence{}, fmt.Errorf("%s: %s depends on other flags, so its effect cannot be told: %w", s.who(), r.New.Name, sources.ErrUnsupported)
	}
	one, _ := f.ramped()
	if one == nil || r.New.Rollout.V == sources.Full {
		return v.settled(ctx, f.Name, one.field(), even(2*probes, true))
	}
	if field := one.field(); field != "" {
		return v.settled(ctx, f.Name, field, one.edges(f.Name, r.New.Rollout.V, r.Old.Rollout.Or(0)))
	}
	return v.share(ctx, f.Name, r.New.Rollout.V)
}

// field is the property of the context by which a strategy decides; "" for none,
// which is by lot.
func (s *strategy) field() string {
	if s == nil {
		return "userId"
	}
	switch by, _ := s.param("stickiness"); by {
	case "", "default":
		return "userId"
	case "random":
		return ""
	default:
		return by
	}
}

// even is n keys that must all be answered alike.
func even(n int, on bool) []probe {
	out := make([]probe, n)
	for i := range out {
		out[i] = probe{"relctl-" + strconv.Itoa(i), on}
	}
	return out
}

// bucket is where a key falls, 1 to 100: the rollout that it needs.
func (s *strategy) bucket(flag, key string) int {
	group, _ := s.param("groupId")
	if group == "" {
		group = flag
	}
	return int(murmur3.StringSum32(group+":"+key)%100) + 1
}

// edges is keys just within and just outside the new percentage, and on the side of
// the old one where both differ.
func (s *strategy) edges(flag string, is, was sources.Percent) []probe {
	edge, before := int(is/sources.Pct(1)), int(was/sources.Pct(1))
	want := map[int]int{edge: probes, edge + 1: probes}
	if before > edge {
		want[before] = probes
	} else if before+1 < edge {
		want[before+1] = probes
	}
	left := 0
	for _, n := range want {
		left += n
	}
	var out []probe
	for i := 0; left > 0 && i < 20_000; i++ {
		key := "relctl-" + strconv.Itoa(i)
		if at := s.bucket(flag, key); want[at] > 0 {
			want[at]--
			left--
			out = append(out, probe{key, at <= edge})
		}
	}
	return out
}

// settled asks for keys whose answer is known. It ends with the first wrong one.
func (v *Verifying) settled(ctx context.Context, flag, field string, all []probe) (sources.Evidence, error) {
	if field == "" {
		field = "userId"
	}
	for i, p := range all {
		on, err := v.ask(ctx, flag, field, p.key)
		if err != nil {
			return sources.Evidence{}, err
		}
		if on != p.on {
			return sources.Evidence{At: v.opts.Now(), Detail: fmt.Sprintf("the frontend API still answers %s for a %s that must get %s (asked %d of %d)",
				word(on), sources.Clean(field, 40), word(p.on), i+1, len(all))}, nil
		}
	}
	return sources.Evidence{Effective: true, At: v.opts.Now(), Detail: fmt.Sprintf("the frontend API answers as expected for all of %d sampled ids", len(all))}, nil
}

func word(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// share compares the share of evaluations that are on with a percentage.
func (v *Verifying) share(ctx context.Context, flag string, want sources.Percent) (sources.Evidence, error) {
	got := 0
	for i := range drawn {
		on, err := v.ask(ctx, flag, "userId", "relctl-"+strconv.Itoa(i))
		if err != nil {
			return sources.Evidence{}, err
		}
		if on {
			got++
		}
	}
	p := want.Float() / 100
	off := math.Abs(float64(got)/drawn - p)
	bound := tolerance * math.Sqrt(p*(1-p)/drawn)
	return sources.Evidence{
		Effective: off <= bound, At: v.opts.Now(),
		Detail: fmt.Sprintf("%d of %d evaluations are on, %s%% ± %.1f is expected", got, drawn, want, bound*100),
	}, nil
}

// Probe implements sources.Prober: the frontend API answers and takes the token.
func (v *Verifying) Probe(ctx context.Context) error {
	_, err := v.ask(ctx, "", "userId", "relctl-probe")
	return err
}

// ask is one evaluation.
func (v *Verifying) ask(ctx context.Context, flag, field, key string) (bool, error) {
	q := url.Values{}
	switch field {
	case "userId", "sessionId":
		q.Set(field, key)
	default:
		q.Set("properties["+field+"]", key)
	}
	var got struct {
		Toggles []struct {
			Name    string `json:"name"`
			Enabled bool   `json:"enabled"`
		} `json:"toggles"`
	}
	_, err := v.frontend.Do(ctx, web.Request{Method: http.MethodGet, Path: "/api/frontend", Query: q}, &got)
	if errors.Is(err, sources.ErrUnauthorized) && !errors.Is(err, sources.ErrNoSecret) {
		return false, fmt.Errorf("%s: Unleash does not accept the frontend token (%s), name one for %s with frontend_token_file: %w", v.who(), sources.Sentence(err), v.where(), sources.ErrUnauthorized)
	}
	if err != nil {
		return false, err
	}
	for i := range got.Toggles {
		if got.Toggles[i].Name == flag {
			return got.Toggles[i].Enabled, nil
		}
	}
	return false, nil
}
