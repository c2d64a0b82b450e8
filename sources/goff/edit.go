package goff

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"relctl-tui/sources"
)

// editor works out the edits for one flag on the text that it stands in.
type editor struct {
	splicer
	key, flag *yaml.Node // the flag's key and its definition
	e         *entry
	got       reading
	now       time.Time
	warnings  []string
}

// kill disables the flag, and what would enable it: GO Feature Flag applies a
// schedule to a disabled flag too, so that a step with disable: false, be it taken
// or to come, would undo the kill.
func (d *editor) kill() error {
	if d.flag.Kind != yaml.MappingNode {
		return fmt.Errorf("its definition is no mapping, so there is nothing to disable; repair the file by hand: %w", sources.ErrInvalid)
	}
	if !of(d.e.def.Disable) {
		if err := d.disable(true); err != nil {
			return err
		}
	}
	count, left := 0, time.Time{}
	var next time.Time
	for i := range d.e.def.steps() {
		s := &d.e.def.steps()[i]
		if s.Disable == nil || *s.Disable || s.Date == nil {
			continue
		}
		decides := d.got.eff.disabledBy == i
		if s.passed(d.now) && !decides {
			continue
		}
		err := d.stepDisable(i, true)
		switch {
		case err == nil:
			count, next = count+1, earlier(next, *s.Date)
		case decides && s.passed(d.now):
			return err
		default:
			left = earlier(left, *s.Date)
		}
	}
	if count > 0 {
		d.warn(fmt.Sprintf("%s of its schedule with disable: false would have kept it on or switched it on again, from %s; they say disable: true now", steps(count), clock(next)))
	}
	if !left.IsZero() {
		d.warn("its schedule switches it on again " + clock(left) + ": that step is shared with other flags and was left as it is")
	}
	return nil
}

func steps(n int) string {
	if n == 1 {
		return "1 step"
	}
	return strconv.Itoa(n) + " steps"
}

func (d *editor) warn(s string) { d.warnings = append(d.warnings, s) }

// disable sets disable of the flag itself.
func (d *editor) disable(on bool) error {
	word := strconv.FormatBool(on)
	_, v, err := d.pair(d.flag, "disable")
	if err != nil {
		return err
	}
	if v == nil {
		return d.first(d.flag, "disable", word)
	}
	return d.scalar(v, "disable", word)
}

func (d *editor) stepDisable(i int, on bool) error {
	m, err := d.layer(i)
	if err != nil {
		return err
	}
	_, v, err := d.pair(m, "disable")
	if err != nil {
		return err
	}
	if v == nil {
		return uncertain("disable")
	}
	return d.scalar(v, "disable", strconv.FormatBool(on))
}

// layer is the mapping of the flag itself or of a step of its schedule.
func (d *editor) layer(i int) (*yaml.Node, error) {
	if i == base {
		return d.flag, nil
	}
	list, err := d.within(d.flag, "scheduledRollout")
	if err != nil {
		return nil, err
	}
	if list == nil || list.Kind != yaml.SequenceNode || i >= len(list.Content) || list.Content[i].Kind != yaml.MappingNode {
		return nil, uncertain("scheduledRollout")
	}
	if why := d.links.why(list.Content[i]); why != "" {
		return nil, fmt.Errorf("a step of its schedule is shared: %s; change it by hand: %w", why, sources.ErrUnsupported)
	}
	return list.Content[i], nil
}

// defaultRule is the default rule of a layer.
func (d *editor) defaultRule(i int) (*yaml.Node, error) {
	m, err := d.layer(i)
	if err != nil {
		return nil, err
	}
	r, err := d.within(m, "defaultRule")
	if err != nil {
		return nil, err
	}
	if r == nil || r.Kind != yaml.MappingNode {
		return nil, uncertain("defaultRule")
	}
	return r, nil
}

// ramp sets the percentage where it comes from, be it a step of the schedule, and
// switches a disabled flag on again.
func (d *editor) ramp(to sources.Percent) error {
	if to < 0 || to > sources.Full {
		return fmt.Errorf("%s%% is outside 0..100: %w", to, sources.ErrInvalid)
	}
	if err := d.enable(); err != nil {
		return err
	}
	switch d.got.form {
	case formVariation:
		return d.rampVariation(to)
	case formPercentage:
		return d.rampPercentage(to)
	case formProgressive:
		p := d.got.eff.progressive
		d.warn("the progressive rollout from " + clock(*p.Initial.Date) + " to " + clock(*p.End.Date) + " was ended, the percentage is a fixed one now")
		return d.rampInstead(d.got.eff.progressBy[0], "progressiveRollout", to)
	default:
		return fmt.Errorf("%s: %w", d.got.note, sources.ErrUnsupported)
	}
}

func (d *editor) enable() error {
	if !d.got.eff.disabled {
		return nil
	}
	if by := d.got.eff.disabledBy; by != base {
		if err := d.stepDisable(by, false); err != nil {
			return err
		}
	}
	if of(d.e.def.Disable) {
		return d.disable(false)
	}
	return nil
}

func (d *editor) rampVariation(to sources.Percent) error {
	name := d.got.on
	switch {
	case to == d.got.percent():
		return nil
	case to == 0:
		name = d.got.off
	case to != sources.Full:
		return d.rampInstead(d.got.eff.variationBy, "variation", to)
	}
	r, err := d.defaultRule(d.got.eff.variationBy)
	if err != nil {
		return err
	}
	_, v, err := d.pair(r, "variation")
	if err != nil {
		return err
	}
	if v == nil {
		return uncertain("variation")
	}
	return d.scalar(v, "variation", d.like(v, name, d.name(name)))
}

// like is a name in the quotes that another value has.
func (d *editor) like(v *yaml.Node, name, spelled string) string {
	switch {
	case v.Style&yaml.DoubleQuotedStyle != 0:
		return quoted(name)
	case v.Style&yaml.SingleQuotedStyle != 0 && !strings.ContainsAny(name, "'\r\n\u0085\u2028\u2029"):
		return "'" + name + "'"
	default:
		return spelled
	}
}

// name is how a variation is spelled where the variations are listed.
func (d *editor) name(name string) string {
	list := child(d.flag, "variations")
	k, _ := pair(list, name)
	return d.spelled(k, name)
}

func (d *editor) weights(to sources.Percent) ([2]string, error) {
	on, off, ok := weights(to, d.got.on > d.got.off)
	if !ok {
		return [2]string{}, fmt.Errorf("GO Feature Flag cannot express %s%%: %w", to, sources.ErrUnsupported)
	}
	return [2]string{on, off}, nil
}

// rampInstead puts percentages where something else decides.
func (d *editor) rampInstead(layer int, key string, to sources.Percent) error {
	r, err := d.defaultRule(layer)
	if err != nil {
		return err
	}
	k, v, err := d.pair(r, key)
	if err != nil {
		return err
	}
	if _, twice, err := d.pair(r, "percentage"); err != nil || v == nil || twice != nil {
		return uncertain(key)
	}
	w, err := d.weights(to)
	if err != nil {
		return err
	}
	return d.replace(r, k, v, d.step(), [2]string{d.name(d.got.on), d.name(d.got.off)}, w)
}

// step is how far the flag's keys are indented.
func (d *editor) step() string {
	if n := d.flag.Content[0].Column - d.key.Column; n > 0 && n <= 8 && d.flag.Content[0].Line > d.key.Line {
		return strings.Repeat(" ", n)
	}
	return "  "
}

func (d *editor) rampPercentage(to sources.Percent) error {
	if exactly(to, d.got.n, d.got.whole) {
		return nil
	}
	w, err := d.weights(to)
	if err != nil {
		return err
	}
	if d.got.note != "" {
		d.warn("the percentages sum to 100 now, so who gets what is dealt anew")
	}
	for i, name := range [2]string{d.got.on, d.got.off} {
		if err := d.weigh(name, w[i]); err != nil {
			return err
		}
	}
	return nil
}

// weigh sets the percentage of a variation, in the layer that it comes from, or
// beside the only other one.
func (d *editor) weigh(name, to string) error {
	have, ok := d.got.eff.percentage[name]
	if !ok {
		for _, only := range d.got.eff.percentage {
			have = only
		}
	}
	r, err := d.defaultRule(have.layer)
	if err != nil {
		return err
	}
	m, err := d.within(r, "percentage")
	if err != nil {
		return err
	}
	if m == nil || m.Kind != yaml.MappingNode || len(m.Content) == 0 {
		return uncertain("percentage")
	}
	_, v, err := d.pair(m, name)
	switch {
	case err != nil:
		return err
	case v == nil && ok:
		return uncertain("percentage")
	case v == nil:
		return d.last(m, d.name(name), to)
	default:
		return d.scalar(v, "percentage", to)
	}
}

// weights is a percentage as two numbers that sum to 100 and that GO Feature Flag,
// which multiplies floats and cuts, makes exactly that percentage of. Where the
// plain numbers fall short by a bucket (1.001 of 100 gives 1.000), a ten-thousandth
// more does it, and reaches nobody else. first says that on has the first buckets.
func weights(p sources.Percent, first bool) (on, off string, ok bool) {
	want := uint32(p)
	for _, more := range [][2]string{{"", ""}, {"1", ""}, {"", "1"}, {"1", "1"}} {
		on, off = digits(p, more[0]), digits(sources.Full-p, more[1])
		a, _ := strconv.ParseFloat(on, 64)
		z, _ := strconv.ParseFloat(off, 64)
		names := map[string]weighted{"b": {value: a}, "a": {value: z}}
		if !first {
			names = map[string]weighted{"a": {value: a}, "b": {value: z}}
		}
		list, whole, _ := shares(names)
		n := [2]uint32{list[0].n, list[1].n}
		if !first {
			n[0], n[1] = n[1], n[0]
		}
		if whole == full && n == [2]uint32{want, full - want} {
			return on, off, true
		}
	}
	return "", "", false
}

// digits is a percentage with a ten-thousandth more, when more is "1".
func digits(p sources.Percent, more string) string {
	s := p.String()
	if more == "" {
		return s
	}
	whole, frac, _ := strings.Cut(s, ".")
	return whole + "." + (frac + "000")[:3] + more
}

// exactly says whether n of whole is that percentage.
func exactly(p sources.Percent, n, whole uint32) bool {
	return uint64(p)*uint64(whole) == uint64(n)*uint64(sources.Full)
}
