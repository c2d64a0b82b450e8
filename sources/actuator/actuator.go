// Package actuator reads and switches the circuit breakers of resilience4j over the
// Actuator endpoint /circuitbreakers of a Spring Boot application, on all its
// instances. It follows the public source of resilience4j's CircuitBreakerEndpoint for
// Spring Boot 3, whose answers resilience4j 2 gives for Spring Boot 2 as well.
//
// What the endpoint can set is FORCE_OPEN, CLOSE and DISABLE. An open, half-open or
// metrics-only breaker can therefore not be brought back as it was: it is closed, and
// opens by itself when calls go on failing.
//
// The endpoint makes a breaker of any name that it is told to switch. A breaker is
// switched only on the instances that have just listed it.
package actuator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/web"
)

var (
	_ sources.BreakerLister    = (*Source)(nil)
	_ sources.BreakerSwitcher  = (*Source)(nil)
	_ sources.BreakerInspector = (*Source)(nil)
)

// MaxInstances is how many instances a source has at most.
const MaxInstances = 200

const (
	maxBody     = 4 << 20 // of one instance's answer
	maxBreakers = 2000    // of one instance
	endpoint    = "/circuitbreakers"
)

// Instance is one process of the application.
type Instance struct {
	URL       string            // http(s)://HOST/actuator
	Transport http.RoundTripper // with the credentials; nil for one of its own
}

// Options are a source's settings. The zero Options are the defaults.
type Options struct {
	Timeout time.Duration    // of one request; 0 means 5 s
	Now     func() time.Time // nil means time.Now
}

// Source is the breakers of one application, over its instances. It is goroutine-safe.
type Source struct {
	name      string
	now       func() time.Time
	instances []instance
}

type instance struct {
	name   string // HOST:PORT
	client *web.Client
}

// New checks the addresses and asks nothing. What is wrong with them wraps ErrInvalid.
func New(name string, list []Instance, opts Options) (*Source, error) {
	if len(list) == 0 || len(list) > MaxInstances {
		return nil, fmt.Errorf("%s: %d instances are named, wanted are 1 to %d: %w", name, len(list), MaxInstances, sources.ErrInvalid)
	}
	s := &Source{name: name, now: opts.Now}
	if s.now == nil {
		s.now = time.Now
	}
	for _, in := range list {
		u, err := url.Parse(in.URL)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%s: the address of an instance is not of the form http://HOST/actuator: %w", name, sources.ErrInvalid)
		}
		host := sources.Clean(u.Host, 100)
		if slices.ContainsFunc(s.instances, func(i instance) bool { return i.name == host }) {
			return nil, fmt.Errorf("%s: %s is named twice: %w", name, host, sources.ErrInvalid)
		}
		client, err := web.New(host, in.URL, web.Options{
			Transport: in.Transport, Timeout: cmp.Or(max(opts.Timeout, 0), 5*time.Second), MaxBody: maxBody,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		s.instances = append(s.instances, instance{host, client})
	}
	slices.SortFunc(s.instances, func(a, b instance) int { return strings.Compare(a.name, b.name) })
	return s, nil
}

// Close lets idle connections go. The source can be used again afterwards.
func (s *Source) Close() error {
	for i := range s.instances {
		s.instances[i].client.Close()
	}
	return nil
}

// answer is what one instance said.
type answer struct {
	breakers map[string]details
	err      error
}

// ask reads all instances at the same time. It fails only when none answers.
func (s *Source) ask(ctx context.Context) ([]answer, error) {
	answers := make([]answer, len(s.instances))
	var wg sync.WaitGroup
	for i := range s.instances {
		wg.Go(func() { answers[i].breakers, answers[i].err = s.instances[i].list(ctx) })
	}
	wg.Wait()
	for i := range answers {
		if answers[i].err == nil {
			return answers, nil
		}
	}
	err := answers[0].err
	if len(answers) > 1 {
		err = fmt.Errorf("none of %d instances can be read, the first: %w", len(answers), err)
	}
	return nil, fmt.Errorf("%s: %w", s.name, err)
}

// list is the breakers of one instance.
func (i *instance) list(ctx context.Context) (map[string]details, error) {
	var got struct {
		CircuitBreakers json.RawMessage `json:"circuitBreakers"`
	}
	_, err := i.client.Do(ctx, web.Request{Method: http.MethodGet, Path: endpoint}, &got)
	if status := web.StatusOf(err); status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		return nil, fmt.Errorf("%s has no endpoint circuitbreakers (%d), check the path and that management.endpoints.web.exposure.include names it: %w", i.name, status, sources.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	return i.decode(got.CircuitBreakers)
}

// decode is what stands under circuitBreakers.
func (i *instance) decode(raw json.RawMessage) (list map[string]details, err error) {
	var names []string
	switch {
	case json.Unmarshal(raw, &list) == nil && list != nil:
	case json.Unmarshal(raw, &names) == nil && names != nil:
		return nil, fmt.Errorf("%s lists its breakers without their states, as an older resilience4j does: read them through metrics: %w", i.name, sources.ErrUnsupported)
	default:
		return nil, fmt.Errorf("%s answers no circuitBreakers, check that this is Spring Boot's Actuator with resilience4j: %w", i.name, sources.ErrInvalid)
	}
	if len(list) > maxBreakers {
		return nil, fmt.Errorf("%s has %d breakers, the most that is read is %d: %w", i.name, len(list), maxBreakers, sources.ErrInvalid)
	}
	return list, nil
}

// Breakers implements sources.BreakerLister with one request to each instance. An
// instance that cannot be read is a warning, and counts with each breaker.
func (s *Source) Breakers(ctx context.Context) (sources.BreakerSet, error) {
	at := s.now()
	answers, err := s.ask(ctx)
	if err != nil {
		return sources.BreakerSet{}, err
	}
	set := sources.BreakerSet{ReadAt: at}
	names := map[string]bool{}
	unread := 0
	for i := range answers {
		if err := answers[i].err; err != nil {
			unread++
			set.Warnings = append(set.Warnings, sources.Sentence(err))
		}
		for name := range answers[i].breakers {
			names[name] = true
		}
	}
	for name := range names {
		b := sources.GatherBreaker(s.of(answers, name))
		b.Source, b.Name, b.Preset = s.name, sources.Clean(name, sources.MaxName), "actuator"
		if unread > 0 {
			b.Note = strings.Trim(fmt.Sprintf("%d not read; %s", unread, b.Note), "; ")
		}
		set.Breakers = append(set.Breakers, b)
	}
	slices.SortFunc(set.Breakers, sources.CompareBreakers)
	return set, nil
}

// BreakerInstances implements sources.BreakerSwitcher.
func (s *Source) BreakerInstances(ctx context.Context, name string) ([]sources.BreakerInstance, error) {
	answers, err := s.ask(ctx)
	if err != nil {
		return nil, err
	}
	list := s.of(answers, name)
	for i := range list {
		if list[i].Err == "" {
			return list, nil
		}
	}
	if len(list) > 0 {
		return nil, fmt.Errorf("%s: no instance that answers has a breaker %s, and %d do not answer: %s: %w",
			s.name, sources.Clean(name, sources.MaxName), len(list), list[0].Err, sources.ErrUnavailable)
	}
	return nil, fmt.Errorf("%s has no breaker %s: %w", s.name, sources.Clean(name, sources.MaxName), sources.ErrNotFound)
}

// of is one breaker's instances, and those that could not be read.
func (s *Source) of(answers []answer, name string) (list []sources.BreakerInstance) {
	for i := range answers {
		d, has := answers[i].breakers[name]
		switch host := s.instances[i].name; {
		case answers[i].err != nil:
			list = append(list, sources.BreakerInstance{Name: host, Err: sources.Sentence(answers[i].err)})
		case has:
			list = append(list, d.instance(host))
		}
	}
	return list
}

// details is one breaker as an instance lists it.
type details struct {
	State                string `json:"state"`
	FailureRate          string `json:"failureRate"`
	SlowCallRate         string `json:"slowCallRate"`
	FailureRateThreshold string `json:"failureRateThreshold"`
	SlowRateThreshold    string `json:"slowCallRateThreshold"`
	BufferedCalls        count  `json:"bufferedCalls"`
	FailedCalls          count  `json:"failedCalls"`
	SlowCalls            count  `json:"slowCalls"`
	NotPermittedCalls    count  `json:"notPermittedCalls"`
}

type count = sources.Opt[int64]

// The states of resilience4j.
const (
	closed      = "CLOSED"
	forcedOpen  = "FORCED_OPEN"
	disabled    = "DISABLED"
	metricsOnly = "METRICS_ONLY"
)

var states = map[string]sources.BreakerState{
	closed: sources.BreakerClosed, "OPEN": sources.BreakerOpen, "HALF_OPEN": sources.BreakerHalfOpen,
	forcedOpen: sources.BreakerForcedOpen, disabled: sources.BreakerDisabled, metricsOnly: sources.BreakerDisabled,
}

// orders are the values of updateState, by the state that each leads to.
var orders = map[string]string{closed: "CLOSE", forcedOpen: "FORCE_OPEN", disabled: "DISABLE"}

func (d *details) instance(host string) sources.BreakerInstance {
	in := sources.BreakerInstance{
		Name: host, State: states[d.State], Setting: d.State, Opens: forcedOpen, Closes: closed, Returns: closed,
		ErrorRatio: ratio(d.FailureRate), SlowRatio: ratio(d.SlowCallRate),
		Buffered: number(d.BufferedCalls), Failed: number(d.FailedCalls), Slow: number(d.SlowCalls), Rejected: number(d.NotPermittedCalls),
	}
	if orders[d.State] != "" {
		in.Returns = d.State
	}
	_, known := states[d.State]
	switch {
	case d.State == metricsOnly:
		in.Note = "metrics only: it counts and never opens"
	case !known:
		in.Note = "unmapped (" + sources.Clean(d.State, 40) + "?)"
	}
	return in
}

// ratio is "12.5%" as a share; absent below 0, which means too few calls, and for what
// is no percentage.
func ratio(text string) sources.Value {
	digits, ok := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || !(v >= 0 && v <= 100) {
		return sources.Value{}
	}
	return sources.Some(v / 100)
}

func number(c count) sources.Value {
	if !c.OK || c.V < 0 {
		return sources.Value{}
	}
	return sources.Some(float64(c.V))
}

// SwitchBreaker implements sources.BreakerSwitcher.
func (s *Source) SwitchBreaker(ctx context.Context, name string, to map[string]string) map[string]error {
	out := make(map[string]error, len(to))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for host, state := range to {
		wg.Go(func() {
			err := s.set(ctx, host, name, state)
			mu.Lock()
			defer mu.Unlock()
			out[host] = err
		})
	}
	wg.Wait()
	return out
}

func (s *Source) set(ctx context.Context, host, name, state string) error {
	at := slices.IndexFunc(s.instances, func(i instance) bool { return i.name == host })
	if at < 0 {
		return fmt.Errorf("%s has no instance %s: %w", s.name, sources.Clean(host, sources.MaxName), sources.ErrNotFound)
	}
	order := orders[state]
	if order == "" {
		return fmt.Errorf("%s cannot be told to be %s: %w", host, sources.Clean(state, 40), sources.ErrUnsupported)
	}
	var got struct {
		CurrentState string `json:"currentState"`
	}
	_, err := s.instances[at].client.Do(ctx, web.Request{
		Method: http.MethodPost, Path: endpoint + "/" + url.PathEscape(name), Body: map[string]string{"updateState": order},
	}, &got)
	switch status := web.StatusOf(err); {
	case errors.Is(err, sources.ErrUnauthorized):
		return fmt.Errorf("%s; it may look and not switch: the account needs write access, and the endpoint must be left out of CSRF protection: %w", sources.Sentence(err), sources.ErrUnauthorized)
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s takes no changes of its breakers (%d): management.endpoint.circuitbreakers.access must be unrestricted: %w", host, status, sources.ErrUnsupported)
	case err != nil:
		return err
	case got.CurrentState == "":
		return fmt.Errorf("%s answered without the state that it has now, look before you go on: %w", host, sources.ErrUnavailable)
	}
	return nil
}

// InspectBreaker implements sources.BreakerInspector with one request to each instance.
func (s *Source) InspectBreaker(ctx context.Context, name string) (sources.BreakerDetail, error) {
	at := s.now()
	answers, err := s.ask(ctx)
	if err != nil {
		return sources.BreakerDetail{}, err
	}
	d := sources.BreakerDetail{Source: s.name, Name: sources.Clean(name, sources.MaxName), Instances: s.of(answers, name), ReadAt: at}
	failure, slow := map[string]bool{}, map[string]bool{}
	found := false
	for i := range answers {
		b, has := answers[i].breakers[name]
		if found = found || has; has {
			failure[b.FailureRateThreshold], slow[b.SlowRateThreshold] = true, true
		}
	}
	if !found {
		return d, fmt.Errorf("%s has no breaker %s: %w", s.name, d.Name, sources.ErrNotFound)
	}
	d.Facts = append(d.Facts, threshold("opens at", failure, "failed")...)
	d.Facts = append(d.Facts, threshold("or at", slow, "slow")...)
	return d, nil
}

// threshold is one setting over the instances, which can differ while a new version is
// rolled out.
func threshold(name string, values map[string]bool, of string) []sources.Fact {
	var all []string
	for v := range values {
		if r := ratio(v); r.OK {
			all = append(all, strconv.FormatFloat(r.V*100, 'f', -1, 64)+"%")
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return []sources.Fact{{Name: name, Text: strings.Join(all, " or ") + " " + of}}
}
