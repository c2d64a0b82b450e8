package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/outlet"
	"relctl-tui/themes"
	"relctl-tui/views"
)

// setup is one context, opened: its sources and its rules.
type setup struct {
	context, accent          string
	theme                    themes.Options // the theme that the config names
	mouse                    bool
	filters                  map[string]string // of the flags, by name
	keys                     *views.KeyMap     // the config's own; nil for the default
	next                     string            // the context after this one; "" for none
	motion, notify, title    string            // words of the config; "" for the defaults
	plain                    bool              // lines of text in place of the board
	contexts                 []string          // all that can be opened, sorted; nil where there is no other
	readOnly, confirm        bool
	staleAfter, unknownAfter time.Duration
	coolDown                 time.Duration
	effectiveIn              time.Duration // 0 for the default
	ladder                   sources.Ladder
	rules                    map[string]rule
	guards                   []sources.Guard
	ramp                     rampRule
	calendar                 sources.Calendar
	stores                   []store
	readers                  []reader
	banner                   string
	outlets                  *outlet.Queue // told of each change; nil for nobody
	outletList               []outlet.Outlet
	reports                  string   // folder for the board's reports; "" for the default
	many                     bool     // people look at it through this process, over SSH
	misnamed                 []string // what the config calls a latency and is none
	absent                   bool     // nobody is told who looks here
	untold                   bool     // nobody is shown the tour
	shared                   *running // whose control and snapshots serve verbs as well; nil for none
}

// rule is what the config says about one flag.
type rule struct {
	ladder    sources.Ladder
	metric    string
	migration *sources.Migration // nil for a flag that is none

	drill bool // may be killed and brought back to see how long that takes
	ramp  rampRule
}

// store is one flag store and where its changes are journalled.
type store struct {
	name, kind string
	src        any
	readOnly   bool
	journal    string
	evaluators []evaluator
	unproven   string // why not all of them can be asked; "" when they can
}

// reader is one source of breakers, latencies and exposures.
type reader struct {
	name, kind   string
	src          any
	every        time.Duration // 0 for the engine's own pace
	timeout      time.Duration // for one read as a whole; 0 for the default
	warmUp       time.Duration // a second read after this long is needed before rates exist
	breakersOnly bool
	alertsOnly   bool
	silences     bool   // the config lets us silence its alerts
	switches     bool   // its breakers can be switched: it has nothing else, and nobody stands in for it
	readOnly     bool   // but not by us
	journal      string // of what is switched or silenced
	page         bool   // one endpoint's own page: speaks together with others of its kind
	group        string // readers of one group stand in for each other, by tier
	tier         int
}

// open resolves options and config and makes the sources. Nothing is read yet
// but the config and the files that it names. Warnings go to errOut.
func (o *options) open(errOut io.Writer) (*setup, error) {
	if o.opened != nil {
		return o.opened(o.context)
	}
	c, err := o.contextConfig(errOut)
	if err != nil {
		return nil, err
	}
	ctx, banner := c.ctx, ""
	if c.file == "" && len(ctx.Flags)+len(ctx.Metrics)+len(o.breakers) == 0 && !o.completing {
		path, err := exampleStore()
		if err != nil {
			return nil, err
		}
		ctx.Flags = []FlagsConfig{{DSN: Text{S: "flagd:" + path}}}
		banner = "the example file " + path + "; yours: --flags flagd:PATH --metrics URL; to try it out: relctl-tui demo"
	}
	s := &setup{
		context: c.name, next: c.next, contexts: c.contexts, accent: ctx.Accent.S, theme: ctx.look, keys: c.keys, mouse: ctx.Mouse, filters: filtersOf(ctx.Filters), banner: banner,
		readOnly: ctx.ReadOnly || o.readOnly, confirm: ctx.Confirm, plain: ctx.Plain,
		motion: ctx.Motion.S, notify: ctx.Notify.S, title: ctx.Title.S,
		staleAfter: ctx.StaleAfter.D, unknownAfter: ctx.UnknownAfter.D, coolDown: ctx.CoolDown.D,
		effectiveIn: ctx.EffectiveIn.D, rules: map[string]rule{}, guards: guardsOf(ctx), ramp: ctx.Ramp.rule(), calendar: ctx.calendar(),
		reports: resolvePath(ctx.Reports.S, c.file), absent: ctx.Presence != nil && !*ctx.Presence,
		untold: ctx.Tour != nil && !*ctx.Tour, misnamed: ctx.misnamed(c.file),
	}
	if s.ladder, err = ladderOf(ctx.Ladder); err != nil {
		return nil, &usageError{msg: trimInvalid(err)}
	}
	for key, r := range ctx.Rules {
		l, err := ladderOf(r.Ladder)
		if err != nil {
			return nil, &usageError{msg: trimInvalid(err)}
		}
		m, err := r.Migration.rule(key)
		if err != nil {
			return nil, &usageError{msg: trimInvalid(err)}
		}
		s.rules[key] = rule{ladder: l, metric: r.Metric.S, drill: r.Drill, migration: m, ramp: r.Ramp.rule()}
	}
	if err := s.openSources(c.file, ctx, distinct(o.breakers)); err != nil {
		return s, err
	}
	s.openOutlets(o, c.file, ctx.Outlets)
	return s, nil
}

// chosen is the context to open.
type chosen struct {
	name, next string // next is the context after it; "" for none
	contexts   []string
	file       string // the config that it stands in; "" for none
	ctx        *ContextConfig
	keys       *views.KeyMap // nil for the default
}

// contextConfig is the context to open. Options that name sources replace those
// of the context; without a named config or context they stand alone.
func (o *options) contextConfig(errOut io.Writer) (chosen, error) {
	c := chosen{ctx: &ContextConfig{}}
	adHoc := len(o.flags)+len(o.metrics)+len(o.breakers) > 0
	path, named := configPath(o.config)
	wanted := o.config != "" || o.context != "" || !adHoc
	if wanted && !named {
		_, err := os.Stat(path)
		switch missing := errors.Is(err, fs.ErrNotExist); {
		case missing && o.context == "":
			wanted = false
		case missing && path != "":
			return c, contextless(o.context, path)
		}
	}
	if wanted {
		var err error
		if c, err = o.fromFile(path, errOut); err != nil {
			return c, err
		}
	}
	if adHoc {
		c.next, c.contexts = "", nil // it would have the very sources of this one
	}
	if len(o.flags) > 0 {
		c.ctx.Flags = nil
		for _, dsn := range distinct(o.flags) {
			c.ctx.Flags = append(c.ctx.Flags, FlagsConfig{DSN: Text{S: dsn}})
		}
	}
	if len(o.metrics) > 0 {
		c.ctx.Metrics = nil
		for _, dsn := range distinct(o.metrics) {
			c.ctx.Metrics = append(c.ctx.Metrics, MetricsConfig{DSN: Text{S: dsn}})
		}
	}
	return c, nil
}

// contextless is that a context was named, and there is no config that could have it.
func contextless(name, path string) error {
	return &usageError{msg: fmt.Sprintf("--context %s is looked for in the config, and %s: no such file: leave --context out, name the config with --config, or write one with: relctl-tui config init",
		sources.Clean(name, sources.MaxName), sources.Clean(path, sources.MaxName))}
}

func (o *options) fromFile(path string, errOut io.Writer) (c chosen, err error) {
	cfg, warnings, err := loadConfig(path)
	if err != nil {
		return c, err
	}
	say(errOut, warnings...)
	c.file = path
	if c.name, c.ctx, err = cfg.pick(o.context); err != nil {
		return c, err
	}
	if c.next = cfg.after(c.name); c.next != "" {
		c.contexts = keysOf(cfg.Contexts)
	}
	keys, err := cfg.keyMap(c.ctx)
	if err != nil {
		return c, err
	}
	c.keys = &keys
	if err := c.ctx.expand(path, os.LookupEnv); err != nil {
		return c, err
	}
	say(errOut, c.ctx.lacking()...)
	if err := cfg.validateContext(c.ctx); err != nil {
		return c, err
	}
	say(errOut, c.ctx.findSecrets(path)...)
	return c, nil
}

// distinct drops what is there already: naming a source twice is no mistake worth
// a refusal, and a completing shell does it.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (s *setup) openSources(file string, ctx *ContextConfig, breakers []string) error {
	names, journals := uniqueNames{}, map[string]string{}
	for i := range ctx.Flags {
		f := &ctx.Flags[i]
		d, err := dsnOf(f.DSN, "flags")
		if err != nil {
			return err
		}
		if drivers[d.Scheme].path {
			d.Target = resolvePath(d.Target, baseOf(f.DSN, file))
		}
		name := names.take(firstWord(sources.Clean(f.Name.S, 40), d.sourceName()))
		resolved := *f // the config itself stays as it was written
		resolved.ClientTokenFile.S = resolvePath(f.ClientTokenFile.S, file)
		resolved.FrontendTokenFile.S = resolvePath(f.FrontendTokenFile.S, file)
		st := storeWithout(name, d, f.lacks)
		if f.lacks == nil {
			if st, err = drivers[d.Scheme].openFlags(name, d, &resolved, f.access(file)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		st.name, st.readOnly = name, f.ReadOnly
		if st.evaluators, st.unproven, err = openEvaluators(f, name, file); err != nil {
			return err
		}
		st.journal = journalPath(s.context, name, resolvePath(f.Journal.S, file), st.src)
		if other := journals[st.journal]; other != "" {
			return &usageError{msg: fmt.Sprintf("%s and %s share one journal: name the store once, or give each a journal of its own", other, name)}
		}
		journals[st.journal] = name
		s.stores = append(s.stores, st)
	}
	mc := ctx.metricsConfig()
	all := ctx.Metrics
	for _, dsn := range breakers {
		all = append(all, MetricsConfig{DSN: Text{S: dsn}})
	}
	for i := range all {
		r, err := openReader(names, &all[i], file, mc)
		if err != nil {
			return err
		}
		if r.switches || r.silences {
			r.readOnly, r.journal = all[i].ReadOnly, journalPath(s.context, r.name, "", r.src)
		}
		if r.breakersOnly = i >= len(ctx.Metrics); r.breakersOnly && r.alertsOnly {
			return &usageError{msg: fmt.Sprintf("--breakers: %s has alerts and no breakers: name it with --metrics", r.name)}
		}
		if !r.breakersOnly && !r.switches {
			r.group = r.standsIn(sources.Clean(all[i].Group.S, 40))
			r.tier = i
			if r.page {
				r.tier = len(all)
			}
		}
		s.readers = append(s.readers, r)
	}
	slices.SortStableFunc(s.readers, func(a, b reader) int { return a.tier - b.tier })
	return nil
}

// standsIn is the group of a reader for which the config names one, or "". What has
// alerts alone never stands in for what has metrics, nor the other way round.
func (r *reader) standsIn(named string) string {
	switch {
	case !r.alertsOnly:
		return firstWord(named, "metrics")
	case strings.TrimSpace(named) == "":
		return "alerts"
	default:
		return "alerts of " + named
	}
}

// readQueries is how many queries one read waits for, one after another: the
// config's timeout is for one of them, the driver keeps it.
const readQueries = 2

func openReader(names uniqueNames, m *MetricsConfig, file string, mc metrics.Config) (reader, error) {
	d, err := dsnOf(m.DSN, "metrics")
	if err != nil {
		return reader{}, err
	}
	if drivers[d.Scheme].path {
		d.Target = resolvePath(d.Target, baseOf(m.DSN, file))
	}
	name := names.take(firstWord(sources.Clean(m.Name.S, 40), d.sourceName()))
	mc.Window = m.Window.D
	let := m.access(file)
	if m.lacks != nil {
		let = access{} // half of it may be no way in at all, and it is never used
	}
	r, err := drivers[d.Scheme].openMetrics(name, d, let, mc)
	if err != nil {
		return reader{}, &usageError{msg: fmt.Sprintf("%s: %s", name, trimInvalid(err))}
	}
	if _, can := r.src.(sources.AlertSilencer); m.Silences && !can {
		return reader{}, &usageError{msg: fmt.Sprintf("%s: silences: true needs an Alertmanager: alertmanager+http(s)://HOST", name)}
	}
	r.silences = m.Silences
	r.name, r.every, r.timeout = name, m.Every.D, readQueries*m.Timeout.D
	r.lack(m.lacks)
	return r, nil
}

// dsnOf parses a DSN from an option or, where it has a place, from the config,
// whose errors were told at that place already.
func dsnOf(t Text, kind string) (DSN, error) {
	d, err := parseDSN(t.S, kind)
	if err != nil {
		return DSN{}, &usageError{msg: fmt.Sprintf("--%s: %s", kind, err)}
	}
	return d, nil
}

// baseOf is the file that a relative path counts from: the config for what stands
// in it, the working directory for an option.
func baseOf(t Text, file string) string {
	if t.at.line > 0 {
		return file
	}
	return ""
}

func firstWord(words ...string) string {
	for _, w := range words {
		if strings.TrimSpace(w) != "" {
			return w
		}
	}
	return "source"
}

// journalPath prefers the place beside the flags, because then everybody who
// shares the flags shares the history; where that cannot be written it is under
// the operator's own state directory.
func journalPath(context, name, configured string, src any) string {
	if configured != "" {
		return configured
	}
	if p, ok := src.(sources.JournalPlacer); ok {
		if path := p.JournalPath(); path != "" && writable(path) {
			return path
		}
	}
	if context == "" {
		context = "adhoc"
	}
	return filepath.Join(stateDir(), "journal", fileWord(context)+"-"+fileWord(name)+".jsonl")
}

const exampleFlags = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "my-first-flag": {
      "state": "ENABLED",
      "variants": { "on": true, "off": false },
      "defaultVariant": "off",
      "targeting": {
        "fractional": [["on", 10], ["off", 90]]
      }
    }
  }
}
`

// exampleStore is the path of the flag file that is opened when nothing is named;
// it is made when it is not there, and never touched when it is.
func exampleStore() (string, error) {
	path := filepath.Join(stateDir(), "flags.flagd.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("cannot make the state directory %s: %s: name a flag store with --flags", sources.Clean(filepath.Dir(path), sources.MaxName), plainWriteError(err))
	}
	if _, err := writeExample(path); err != nil {
		return "", fmt.Errorf("cannot write %s: %s: name a flag store with --flags", sources.Clean(path, sources.MaxName), plainWriteError(err))
	}
	return path, nil
}

// writeExample makes a file of example flags where there is none.
func writeExample(path string) (made bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err == nil {
		_, err = f.WriteString(exampleFlags)
		err = errors.Join(err, f.Close())
	}
	return err == nil, err
}
