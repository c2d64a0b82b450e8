package ofrep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"relctl-tui/sources"
)

// alpha is the probability of a wrong verdict in one Verify.
const alpha = 1e-6

// looks are after how many keys it is decided, if it can be.
var looks = []int{64, 256, 1024}

// tally is what the keys so far got.
type tally struct {
	n        int
	on       int // the counted variant
	other    int // another value
	none     int // no value: the default in code
	disabled int // none, because the flag is off as a whole
	unknown  int // there is no such flag
	failed   int
	why      string // of the first failure or unknown flag, cleaned
}

// Verify asks once; see the package for what counts as effective. A flag with
// custom targeting can be verified only when it was killed, or brought back from a
// kill. It is sources.ErrUnsupported where no number of keys that is allowed could
// tell the flag as it is from the flag as it was.
func (e *Evaluator) Verify(ctx context.Context, r sources.Receipt) (sources.Evidence, error) {
	judge, err := e.judge(r)
	if err != nil {
		return sources.Evidence{}, err
	}
	at := e.opts.Now()
	var t tally
	for _, n := range e.sizes() {
		keys := make([]string, 0, n-t.n)
		for i := t.n; i < n; i++ {
			keys = append(keys, keyOf(r.Change, i))
		}
		answers, err := e.askAll(ctx, r.New.ID.Key, keys)
		if err != nil {
			return sources.Evidence{}, err
		}
		for _, a := range answers {
			t.count(a, &r)
		}
		if v, detail := judge(&t); v != undecided {
			return sources.Evidence{Effective: v == effective, At: at, Detail: e.name + ": " + detail}, nil
		}
	}
	return sources.Evidence{}, fmt.Errorf("%s: %d of %d keys get %s, which %s would give as well as %s: %w",
		e.name, t.on, t.n, orVariant(r.New.Variant), r.Old.Brief(), r.New.Brief(), sources.ErrUnsupported)
}

func orVariant(v string) string {
	if v == "" {
		return "the variant"
	}
	return v
}

// sizes are the numbers of keys after which to decide.
func (e *Evaluator) sizes() []int {
	var all []int
	for _, n := range looks {
		if n < e.opts.Keys {
			all = append(all, n)
		}
	}
	return append(all, e.opts.Keys)
}

// keyOf is the i-th targeting key of a change.
func keyOf(change string, i int) string {
	sum := sha256.Sum256([]byte(change + "/" + strconv.Itoa(i)))
	return "relctl-" + hex.EncodeToString(sum[:8])
}

var saysDisabled = regexp.MustCompile(`(?i)\bis disabled\b`)

// count classifies one answer.
func (t *tally) count(a *answer, r *sources.Receipt) {
	t.n++
	said := ""
	if a.Code != "" {
		// A flag may be called "is disabled"; its name says nothing.
		said = strings.ReplaceAll(a.Details, r.New.ID.Key, "∙")
		if t.why == "" {
			t.why = strings.TrimSpace(sources.Clean(a.Code, 40) + " " + sources.Clean(a.Details, 120))
		}
	}
	switch {
	case a.Code == "FLAG_NOT_FOUND" && saysDisabled.MatchString(said):
		t.disabled++
	case a.Code == "FLAG_NOT_FOUND":
		t.unknown++
	case a.Code != "":
		t.failed++
	case isOn(a, r.New.Variant):
		t.on++
	case a.Reason == "DISABLED":
		t.disabled++
	case a.hasValue():
		t.other++
	default:
		t.none++
	}
}

// isOn says whether an answer is the counted variant. A server that names no
// variants is believed where the value is true.
func isOn(a *answer, variant string) bool {
	switch {
	case !a.hasValue():
		return false
	case a.Variant != "":
		return variant != "" && sources.Clean(a.Variant, sources.MaxName) == variant
	default:
		return string(a.Value) == "true"
	}
}

type verdict int

const (
	undecided verdict = iota
	effective
	notEffective
)

// judge is the rule for a receipt.
func (e *Evaluator) judge(r sources.Receipt) (func(*tally) (verdict, string), error) {
	each := alpha / float64(len(e.sizes()))
	was, known := share(&r.Old)
	least := min(looks[1], e.opts.Keys)
	switch now, ok := share(&r.New); {
	case r.New.Killed:
		return func(t *tally) (verdict, string) { return killed(t, &r, was, known, each) }, nil
	case ok && r.New.Variant != "":
		return func(t *tally) (verdict, string) { return ramped(t, &r, now, was, known, each, least) }, nil
	case r.Old.Killed:
		return broughtBack, nil
	default:
		return nil, fmt.Errorf("%s is %s, and what its keys should get is not known: %w", r.New.Name, r.New.Brief(), sources.ErrUnsupported)
	}
}

// share is the part of all keys that get the counted variant, 0..1.
func share(f *sources.Flag) (float64, bool) {
	return float64(f.Rollout.V) / float64(sources.Full), f.Rollout.OK
}

// killed judges a kill.
func killed(t *tally, r *sources.Receipt, was float64, known bool, each float64) (verdict, string) {
	switch {
	case t.on > 0:
		return notEffective, fmt.Sprintf("%d of %d keys still get %s", t.on, t.n, orVariant(r.New.Variant))
	case t.unknown > 0:
		return notEffective, fmt.Sprintf("it knows no such flag for %d of %d keys (%s), which proves no kill", t.unknown, t.n, t.why)
	case t.failed > 0:
		return notEffective, fmt.Sprintf("it fails for %d of %d keys (%s)", t.failed, t.n, t.why)
	case t.disabled == t.n:
		return effective, fmt.Sprintf("disabled for all of %d keys", t.n)
	case t.disabled > 0:
		return notEffective, fmt.Sprintf("disabled for %d of %d keys only", t.disabled, t.n)
	case !known || r.New.Variant == "":
		return notEffective, fmt.Sprintf("%d of %d keys are still evaluated, none is DISABLED", t.n, t.n)
	case r.Old.Killed || fits(0, t.n, was, each):
		return undecided, ""
	default:
		return effective, fmt.Sprintf("none of %d keys gets %s", t.n, r.New.Variant)
	}
}

// ramped judges a percentage, of least keys where there is no other to tell it from.
func ramped(t *tally, r *sources.Receipt, now, was float64, known bool, each float64, least int) (verdict, string) {
	saw := fmt.Sprintf("%d of %d keys get %s", t.on, t.n, r.New.Variant)
	switch {
	case t.unknown > 0, t.failed > 0:
		return notEffective, fmt.Sprintf("it answers %d of %d keys with %s", t.unknown+t.failed, t.n, t.why)
	case t.disabled > 0:
		return notEffective, fmt.Sprintf("still disabled for %d of %d keys", t.disabled, t.n)
	case !fits(t.on, t.n, now, each):
		return notEffective, saw + ", which " + r.New.Brief() + " does not give"
	case known && was != now && fits(t.on, t.n, was, each):
		return undecided, ""
	case t.n < least && now > 0 && now < 1 && (!known || was == now):
		return undecided, "" // nothing to tell it from: a few more, for the sake of the number
	default:
		return effective, saw
	}
}

// broughtBack judges a flag with custom targeting that was killed before.
func broughtBack(t *tally) (verdict, string) {
	switch {
	case t.unknown > 0, t.failed > 0:
		return notEffective, fmt.Sprintf("it answers %d of %d keys with %s", t.unknown+t.failed, t.n, t.why)
	case t.disabled > 0:
		return notEffective, fmt.Sprintf("still disabled for %d of %d keys", t.disabled, t.n)
	default:
		return effective, fmt.Sprintf("evaluated for all of %d keys", t.n)
	}
}

// fits says whether on of n keys is what a share of p gives: unless one of the two
// tails of the binomial distribution is at most half of that improbable.
func fits(on, n int, p, improbable float64) bool {
	switch {
	case p <= 0:
		return on == 0
	case p >= 1:
		return on == n
	}
	below, above := 0.0, 0.0
	for k := range n + 1 {
		m := mass(k, n, p)
		if k <= on {
			below += m
		}
		if k >= on {
			above += m
		}
	}
	return min(below, above) > improbable/2
}

// mass is the probability of k of n at a share of p.
func mass(k, n int, p float64) float64 {
	return math.Exp(lnFactorial(n) - lnFactorial(k) - lnFactorial(n-k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

func lnFactorial(n int) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}
