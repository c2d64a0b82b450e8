package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/views"
)

const doctorLong = `Ask every source of the context once and say what works, what does not and what to do:
flag stores (how many flags, whether they can be changed, for flag files by trying, where changes are journalled, whether
who proves them answers, whether they keep schedules and guarded ramps), metrics (which presets of breakers, latencies and exposure are exported, how many alerts there are).
Exit code 1 when something that is configured does not work.`

func newDoctorCmd(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what works of all that is configured, and which presets match",
		Long:  doctorLong,
		Args:  argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			d := s.examine(cmd.Context(), o.now)
			if o.output == "json" {
				err = writeJSON(cmd.OutOrStdout(), map[string]any{"doctor": d})
			} else {
				err = d.print(cmd.OutOrStdout())
			}
			return errors.Join(err, d.failed())
		},
	}
	addOutput(cmd, o)
	return cmd
}

// diagnosis is what the doctor found, as JSON has it.
type diagnosis struct {
	Context string      `json:"context"`
	Stores  []storeDoc  `json:"stores"`
	Metrics []readerDoc `json:"metrics"`
	Outlets []outletDoc `json:"outlets"`
	Freeze  []string    `json:"freeze"` // windows during which no flag is raised, in words
	Config  []string    `json:"config"` // what the config names and is not there, in words
}

type storeDoc struct {
	Name      string       `json:"name"`
	Kind      string       `json:"kind"`
	Flags     int          `json:"flags"`
	Broken    int          `json:"broken"`
	Took      float64      `json:"took_s"`
	Changes   string       `json:"changes"` // why flags cannot be changed; "" when they can
	Journal   string       `json:"journal"`
	Journaled bool         `json:"journal_writable"`
	Proven    bool         `json:"proven"`    // somebody can be asked whether a change is in force
	Unproven  string       `json:"unproven"`  // why not all of those can be asked; "" when they can
	Verify    []proverDoc  `json:"verify"`    // those who are asked
	Schedules bool         `json:"schedules"` // it keeps changes for later
	Leases    bool         `json:"leases"`    // it keeps who runs a flag's guarded ramp
	Unseen    string       `json:"unseen"`    // why boards elsewhere do not see who looks here; "" when they do
	Here      []personJSON `json:"here"`
	Error     string       `json:"error"`
	Warnings  []string     `json:"warnings"`
}

// proverDoc is one who is asked whether a change is in force.
type proverDoc struct {
	Name  string  `json:"name"`
	Kind  string  `json:"kind"`
	Took  float64 `json:"took_s"`
	Error string  `json:"error"`
}

type readerDoc struct {
	Name    string      `json:"name"`
	Kind    string      `json:"kind"`
	Took    float64     `json:"took_s"`
	Presets []presetDoc `json:"presets"`
	Alerts  *alertsDoc  `json:"alerts"`            // null when it has none to tell of
	Fuses   *fusesDoc   `json:"switched_breakers"` // null when it measures and cannot switch
	Error   string      `json:"error"`
}

// fusesDoc is what a source knows whose breakers can be switched.
type fusesDoc struct {
	Breakers  int      `json:"breakers"`
	Changes   string   `json:"changes"` // why they cannot be switched; "" when they can
	Journal   string   `json:"journal"`
	Journaled bool     `json:"journal_writable"`
	Warnings  []string `json:"warnings"`
}

type alertsDoc struct {
	Firing   int      `json:"firing"`
	Pending  int      `json:"pending"`
	Silenced int      `json:"silenced"`
	Warnings []string `json:"warnings"`
}

type presetDoc struct {
	Kind   string `json:"kind"`
	Preset string `json:"preset"`
	About  string `json:"about"`
	Metric string `json:"metric"` // "" when nothing of it is exported
}

// matcher is a source of metrics that can say which presets it fits.
type matcher interface {
	Matches(ctx context.Context) ([]metrics.Match, error)
}

// examine asks each source once, one after another, so that the times are its own.
func (s *setup) examine(ctx context.Context, now func() time.Time) *diagnosis {
	d := &diagnosis{Context: s.context, Stores: []storeDoc{}, Metrics: []readerDoc{}, Outlets: s.examineOutlets(ctx), Freeze: append([]string{}, calendarWords(s.calendar, now())...), Config: append([]string{}, s.misnamed...)}
	ctl := s.controller(now)
	for i := range s.stores {
		d.Stores = append(d.Stores, s.examineStore(ctx, &s.stores[i], ctl.CanVerify(s.stores[i].name), now))
	}
	for i := range s.readers {
		d.Metrics = append(d.Metrics, s.examineReader(ctx, &s.readers[i], now))
	}
	return d
}

func (s *setup) examineStore(ctx context.Context, st *store, proven bool, now func() time.Time) storeDoc {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	doc := storeDoc{Name: st.name, Kind: st.kind, Journal: st.journal, Journaled: writable(st.journal), Proven: proven, Unproven: st.unproven, Verify: []proverDoc{}, Here: []personJSON{}, Warnings: []string{}}
	s.examineProvers(ctx, st, &doc, now)
	_, doc.Schedules = st.src.(sources.Scheduler)
	_, doc.Leases = st.src.(sources.Leaser)
	began := now()
	set, err := listFlags(ctx, st)
	doc.Took = now().Sub(began).Seconds()
	if err != nil {
		doc.Error = errorSentences(err)[0]
		return doc
	}
	doc.Flags, doc.Warnings = len(set.Flags), append(doc.Warnings, set.Warnings...)
	for i := range set.Flags {
		if set.Flags[i].State == sources.FlagBroken {
			doc.Broken++
		}
	}
	_, writes := st.src.(sources.FlagWriter)
	switch {
	case set.ReadOnly != "":
		doc.Changes = set.ReadOnly
	case !writes:
		doc.Changes = "it can only be looked at"
	case st.readOnly || s.readOnly:
		doc.Changes = "the config or --read-only forbids it"
	default:
		doc.Changes = tryWrite(ctx, st)
	}
	people, why := s.examinePresence(ctx, st)
	doc.Here, doc.Unseen = peopleShape(people, true), why
	return doc
}

// probeTimeout is how long one who evaluates flags may take to say that it is there.
const probeTimeout = 5 * time.Second

// examineProvers asks each who proves a store's changes, once, whether it could be asked.
func (s *setup) examineProvers(ctx context.Context, st *store, doc *storeDoc, now func() time.Time) {
	all := st.evaluators
	if v, ok := st.src.(sources.Verifier); ok {
		all = append([]evaluator{{st.name, st.kind, v}}, all...)
	}
	for i := range all {
		e := proverDoc{Name: all[i].name, Kind: all[i].kind}
		began := now()
		if err := probe(ctx, &all[i]); err != nil {
			e.Error = errorSentences(err)[0]
			doc.Unproven = cmp.Or(doc.Unproven, e.Error)
		}
		e.Took = now().Sub(began).Seconds()
		doc.Verify = append(doc.Verify, e)
	}
	doc.Proven = doc.Proven && doc.Unproven == ""
}

// probe is why somebody could not be asked right now; nil also where that cannot be told beforehand.
func probe(ctx context.Context, e *evaluator) error {
	p, can := e.src.(sources.Prober)
	if !can {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := p.Probe(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer within %s", e.name, probeTimeout)
	}
	return err
}

func (p *proverDoc) line() string {
	if p.Error != "" {
		return fmt.Sprintf("verify   %s (%s): DOES NOT WORK, so changes are confirmed, but not proven: %s", p.Name, p.Kind, p.Error)
	}
	return fmt.Sprintf("verify   %s (%s): answers in %s", p.Name, p.Kind, views.Took(time.Time{}, time.Time{}.Add(seconds(p.Took))))
}

// tryWrite is why a store that can say so could not take a change right now; "" when it could.
func tryWrite(ctx context.Context, st *store) string {
	t, can := st.src.(interface {
		TryWrite(ctx context.Context) error
	})
	if !can {
		return ""
	}
	if err := t.TryWrite(ctx); err != nil {
		return views.Unprefixed(st.name, sources.Sentence(err))
	}
	return ""
}

func (s *setup) examineReader(ctx context.Context, r *reader, now func() time.Time) readerDoc {
	ctx, cancel := context.WithTimeout(ctx, max(r.timeout, readTimeout))
	defer cancel()
	doc := readerDoc{Name: r.name, Kind: r.kind, Presets: []presetDoc{}}
	began := now()
	var err error
	if m, ok := r.src.(matcher); ok {
		var all []metrics.Match
		all, err = m.Matches(ctx)
		for _, p := range all {
			if !r.breakersOnly || p.Kind == "breakers" {
				doc.Presets = append(doc.Presets, presetDoc(p))
			}
		}
	}
	if l, ok := r.src.(sources.AlertLister); ok && !r.breakersOnly && err == nil {
		doc.Alerts, err = countAlerts(ctx, l)
	}
	if l, ok := r.src.(sources.BreakerLister); ok && r.switches && err == nil {
		doc.Fuses, err = s.examineFuses(ctx, r, l)
	}
	doc.Took = now().Sub(began).Seconds()
	if err != nil {
		doc.Error = errorSentences(err)[0]
	}
	return doc
}

func (s *setup) examineFuses(ctx context.Context, r *reader, l sources.BreakerLister) (*fusesDoc, error) {
	set, err := l.Breakers(ctx)
	if err != nil {
		return nil, err
	}
	doc := &fusesDoc{
		Breakers: len(set.Breakers), Changes: set.ReadOnly, Journal: r.journal, Journaled: writable(r.journal),
		Warnings: append([]string{}, set.Warnings...),
	}
	if r.readOnly || s.readOnly {
		doc.Changes = "the config or --read-only forbids it"
	}
	return doc, nil
}

func (f *fusesDoc) lines() []string {
	line := fmt.Sprintf("         breakers %d, can be switched", f.Breakers)
	if f.Changes != "" {
		line = fmt.Sprintf("         breakers %d; cannot be switched: %s", f.Breakers, f.Changes)
	}
	lines := []string{line}
	if !f.Journaled {
		lines = append(lines, "         the journal "+sources.Clean(f.Journal, sources.MaxName)+" cannot be written: closing will be refused")
	}
	for _, w := range f.Warnings {
		lines = append(lines, "         "+w)
	}
	return lines
}

func countAlerts(ctx context.Context, l sources.AlertLister) (*alertsDoc, error) {
	set, err := l.Alerts(ctx)
	switch {
	case errors.Is(err, sources.ErrUnsupported):
		return nil, nil
	case err != nil:
		return nil, err
	}
	doc := &alertsDoc{Warnings: append([]string{}, set.Warnings...)}
	for i := range set.Alerts {
		switch set.Alerts[i].State {
		case sources.AlertPending:
			doc.Pending++
		case sources.AlertSilenced:
			doc.Silenced++
		default:
			doc.Firing++
		}
	}
	return doc, nil
}

// failed is an error when something that is configured does not work.
func (d *diagnosis) failed() error {
	n := 0
	for i := range d.Stores {
		if d.Stores[i].Error != "" {
			n++
		}
	}
	for i := range d.Metrics {
		if d.Metrics[i].Error != "" {
			n++
		}
	}
	switch all := len(d.Stores) + len(d.Metrics); {
	case n == 1 && all == 1:
		return errors.New("the only source does not work")
	case n == 1:
		return fmt.Errorf("1 of %d sources does not work", all)
	case n > 1:
		return fmt.Errorf("%d of %d sources do not work", n, all)
	}
	for i := range d.Stores {
		if d.Stores[i].Unproven != "" {
			return fmt.Errorf("verify of %s does not work", d.Stores[i].Name)
		}
	}
	for i := range d.Outlets {
		if d.Outlets[i].Error != "" {
			return fmt.Errorf("outlet %s does not work", d.Outlets[i].Name)
		}
	}
	return nil
}

func (d *diagnosis) print(out io.Writer) error {
	for i := range d.Stores {
		if err := d.Stores[i].print(out); err != nil {
			return err
		}
	}
	for i := range d.Metrics {
		if err := d.Metrics[i].print(out); err != nil {
			return err
		}
	}
	for i := range d.Outlets {
		if err := d.Outlets[i].print(out); err != nil {
			return err
		}
	}
	for _, z := range d.Freeze {
		if _, err := fmt.Fprintf(out, "freeze   %s\n", z); err != nil {
			return err
		}
	}
	for _, w := range d.Config {
		if _, err := fmt.Fprintf(out, "config   warning: %s\n", w); err != nil {
			return err
		}
	}
	if len(d.Stores)+len(d.Metrics) == 0 {
		_, err := fmt.Fprintln(out, "nothing is configured: name a flag store with --flags or metrics with --metrics")
		return err
	}
	return nil
}

func flagsIn(n int) string {
	if n == 1 {
		return "1 flag"
	}
	return fmt.Sprintf("%d flags", n)
}

func (s *storeDoc) print(out io.Writer) error {
	var provers []string
	for i := range s.Verify {
		provers = append(provers, s.Verify[i].line())
	}
	if s.Error != "" {
		return printLines(out, append([]string{fmt.Sprintf("flags    %s (%s): DOES NOT WORK: %s", s.Name, s.Kind, s.Error)}, provers...))
	}
	line := fmt.Sprintf("flags    %s (%s): %s in %s", s.Name, s.Kind, flagsIn(s.Flags), views.Took(time.Time{}, time.Time{}.Add(seconds(s.Took))))
	if s.Broken > 0 {
		line += fmt.Sprintf(", %d of them broken", s.Broken)
	}
	if s.Changes != "" {
		line += "; cannot be changed: " + s.Changes
	}
	lines := []string{line, "         " + s.keeps()}
	if !s.Journaled {
		lines = append(lines, "         the journal "+sources.Clean(s.Journal, sources.MaxName)+" cannot be written: ramps will be refused")
	}
	if len(provers) == 0 && s.Changes == "" {
		lines = append(lines, "         nobody is named who evaluates the flags: changes are confirmed, but not proven (verify)")
	}
	if s.Unseen != "" {
		lines = append(lines, "         other boards do not see who looks here: "+s.Unseen)
	}
	if len(s.Here) > 0 {
		lines = append(lines, "         at their boards: "+whoIs(s.Here))
	}
	for _, w := range s.Warnings {
		lines = append(lines, "         "+w)
	}
	return printLines(out, append(lines, provers...))
}

// keeps is what the store has a place for beside its flags.
func (s *storeDoc) keeps() string {
	switch {
	case s.Schedules && s.Leases:
		return "keeps schedules, and who runs a guarded ramp"
	case s.Schedules:
		return "keeps schedules, but not who runs a guarded ramp: R is refused here"
	case s.Leases:
		return "keeps who runs a guarded ramp, but no schedules"
	default:
		return "keeps neither schedules nor who runs a guarded ramp (flag files and etcd do)"
	}
}

func (r *readerDoc) print(out io.Writer) error {
	if r.Error != "" {
		_, err := fmt.Fprintf(out, "metrics  %s (%s): DOES NOT WORK: %s\n", r.Name, r.Kind, r.Error)
		return err
	}
	lines := []string{fmt.Sprintf("metrics  %s (%s): answers in %s", r.Name, r.Kind, views.Took(time.Time{}, time.Time{}.Add(seconds(r.Took))))}
	absent := map[string]int{}
	for _, p := range r.Presets {
		if p.Metric == "" {
			absent[p.Kind]++
			continue
		}
		line := fmt.Sprintf("         %-9s%s", p.Kind, p.Preset)
		if p.Metric != p.Preset {
			line += " by " + p.Metric
		}
		if p.About != "" {
			line += ": " + p.About
		}
		lines = append(lines, line)
	}
	for _, kind := range []string{"breakers", "latency", "calls", "exposure"} {
		if n := absent[kind]; n > 0 {
			lines = append(lines, "         "+kind+": "+strconv.Itoa(n)+" other presets are not exported")
		}
	}
	if r.Fuses != nil {
		lines = append(lines, r.Fuses.lines()...)
	}
	if a := r.Alerts; a != nil {
		lines = append(lines, fmt.Sprintf("         alerts   %d firing, %d pending, %d silenced", a.Firing, a.Pending, a.Silenced))
		for _, w := range a.Warnings {
			lines = append(lines, "         "+w)
		}
	}
	return printLines(out, lines)
}

func printLines(out io.Writer, lines []string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintln(out, l); err != nil {
			return err
		}
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
