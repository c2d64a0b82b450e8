package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// validate checks what the decoder cannot: values that must fit each other.
// Values that hold a variable are checked when they are expanded.
func (c *Config) validate() error {
	if len(c.Contexts) == 0 {
		return &ConfigError{File: c.file, Msg: `no contexts: write at least one under "contexts", relctl-tui config init shows how`}
	}
	names := keysOf(c.Contexts)
	if c.Default.S != "" && c.Contexts[c.Default.S] == nil {
		return c.errAt(c.Default.at, "default: no context %s%s", quote(c.Default.S), contextHint(c.Default.S, names))
	}
	for _, name := range names {
		if name == "" || sources.Clean(name, 40) != name {
			return &ConfigError{File: c.file, Msg: fmt.Sprintf("context name %s: keep to 40 printable characters", quote(name))}
		}
		if err := c.validateContext(c.Contexts[name]); err != nil {
			return err
		}
		if err := c.validateOutlets(c.Contexts[name]); err != nil {
			return err
		}
	}
	return c.validateKeys()
}

func (c *Config) errAt(at pos, format string, args ...any) error {
	return &ConfigError{File: c.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf(format, args...)}
}

func contextHint(word string, names []string) string {
	if near := sources.Nearest(word, names); len(near) > 0 {
		return fmt.Sprintf(": did you mean %s?", quote(near[0]))
	}
	return ": the contexts are " + sources.Clean(strings.Join(names, ", "), 200)
}

func (c *Config) validateContext(ctx *ContextConfig) error {
	if err := c.validateLadder(ctx.Ladder); err != nil {
		return err
	}
	if ctx.StaleAfter.D > 0 && ctx.UnknownAfter.D > 0 && ctx.UnknownAfter.D <= ctx.StaleAfter.D {
		return c.errAt(ctx.UnknownAfter.at, `"unknown_after" must be longer than "stale_after" (%s)`, ctx.StaleAfter.D)
	}
	if ctx.Accent.S != "" && !slices.Contains(accentNames, ctx.Accent.S) {
		return c.errAt(ctx.Accent.at, "unknown accent %s%s", quote(ctx.Accent.S), didYouMean(ctx.Accent.S, "accents", slices.Clone(accentNames)))
	}
	if err := cmp.Or(c.oneOf(ctx.Motion, "motion", motionWords), c.oneOf(ctx.Notify, "way to be called", callWords), c.oneOf(ctx.Title, "title", titleWords)); err != nil {
		return err
	}
	if err := c.validateFilters(ctx.Filters); err != nil {
		return err
	}
	for _, key := range keysOf(ctx.Rules) {
		if err := c.validateRule(key, ctx.Rules[key]); err != nil {
			return err
		}
	}
	if err := c.validateGuards(ctx.Guards, false); err != nil {
		return err
	}
	if err := c.validateRamp(&ctx.Ramp); err != nil {
		return err
	}
	if err := c.validateFreeze(ctx.Freeze); err != nil {
		return err
	}
	for i := range ctx.Flags {
		if err := c.validateFlags(&ctx.Flags[i]); err != nil {
			return err
		}
	}
	for i := range ctx.Metrics {
		if err := c.validateMetrics(&ctx.Metrics[i]); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, l := range ctx.Latency {
		if seen[l.Name.S] {
			return c.errAt(l.Name.at, "latency %s is there twice", quote(l.Name.S))
		}
		seen[l.Name.S] = true
	}
	return c.validatePresets(ctx)
}

func (c *Config) validateRule(key string, r *RuleConfig) error {
	if err := c.validateLadder(r.Ladder); err != nil {
		return err
	}
	if err := c.validateMigration(key, r.Migration); err != nil {
		return err
	}
	if err := c.validateGuards(r.Guards, true); err != nil {
		return err
	}
	return c.validateRamp(&r.Ramp)
}

func (c *Config) validateLadder(steps []Step) error {
	for i, s := range steps {
		if s.P <= 0 {
			return c.errAt(s.at, "ladder step 0 is no step: start above 0")
		}
		if i > 0 && s.P <= steps[i-1].P {
			return c.errAt(s.at, "ladder steps must ascend: %s follows %s", s.P, steps[i-1].P)
		}
	}
	return nil
}

func (c *Config) validateDSN(t Text, kind string) error {
	if envRef.MatchString(t.S) {
		return nil
	}
	if _, err := parseDSN(t.S, kind); err != nil {
		return c.errAt(t.at, "%s", err)
	}
	return nil
}

func (c *Config) validateFlags(f *FlagsConfig) error {
	if err := c.validateDSN(f.DSN, "flags"); err != nil {
		return err
	}
	switch {
	case f.ClientToken.Set() && f.ClientTokenFile.S != "":
		return c.errAt(f.ClientToken.at, "give one of client_token and client_token_file, not both")
	case f.FrontendToken.Set() && f.FrontendTokenFile.S != "":
		return c.errAt(f.FrontendToken.at, "give one of frontend_token and frontend_token_file, not both")
	}
	for i := range f.Verify {
		v := &f.Verify[i]
		if v.unused() { // and it was checked as it is written
			continue
		}
		if err := c.validateDSN(v.DSN, "evaluations"); err != nil {
			return err
		}
		if err := c.validateAccess(&v.AccessConfig, v.DSN.at); err != nil {
			return err
		}
	}
	if d, err := dsnOf(f.DSN, "flags"); err == nil && (drivers[d.Scheme].path || drivers[d.Scheme].open) && f.asks() {
		return c.errAt(f.DSN.at, "%s: asks for no token, password or certificate: remove them, so that nobody takes it for protected by them", d.Scheme)
	}
	return c.validateAccess(&f.AccessConfig, f.DSN.at)
}

// asks tells whether anything is there to be let in with.
func (a *AccessConfig) asks() bool {
	return a.Token.Set() || a.TokenFile.S != "" || a.Username.S != "" || a.Password.Set() || a.PasswordFile.S != "" ||
		len(a.Headers) > 0 || a.CAFile.S != "" || a.CertFile.S != "" || a.KeyFile.S != "" || a.ServerName.S != "" || a.Insecure
}

func (c *Config) validateMetrics(m *MetricsConfig) error {
	if err := c.validateDSN(m.DSN, "metrics"); err != nil {
		return err
	}
	switch d, _ := parseDSN(m.DSN.S, "metrics"); {
	case m.Window.D == 0:
	case drivers[d.Scheme].breakersOnly || drivers[d.Scheme].alertsOnly:
		return c.errAt(m.Window.at, "a window belongs to what has rates: a Prometheus or a scraped page")
	case m.Window.D < 2*time.Second || m.Window.D > time.Hour:
		return c.errAt(m.Window.at, "window %s is outside 2s..1h", m.Window.D)
	}
	return c.validateAccess(&m.AccessConfig, m.DSN.at)
}

// validateAccess checks what lets a source in that was named at dsn.
func (c *Config) validateAccess(m *AccessConfig, dsn pos) error {
	auth := 0
	for _, set := range []bool{m.Token.Set(), m.TokenFile.S != "", m.Username.S != ""} {
		if set {
			auth++
		}
	}
	switch {
	case m.unused(): // and it was checked as it is written
	case auth > 1:
		return c.errAt(dsn, "give one of token, token_file and username, not several")
	case m.Password.Set() && m.PasswordFile.S != "":
		return c.errAt(m.Password.at, "give one of password and password_file, not both")
	case m.Username.S == "" && (m.Password.Set() || m.PasswordFile.S != ""):
		return c.errAt(dsn, "a password needs a username")
	case (m.CertFile.S == "") != (m.KeyFile.S == ""):
		return c.errAt(dsn, "cert_file and key_file go together")
	}
	return nil
}

// accentNames are those of the sixteen colours that stand out as a badge.
var accentNames = []string{"red", "green", "yellow", "blue", "magenta", "cyan", "white"}

// after is the context that follows name in the order of their names, the first
// after the last; "" where there is no other.
func (c *Config) after(name string) string {
	names := keysOf(c.Contexts)
	if len(names) < 2 {
		return ""
	}
	return names[(slices.Index(names, name)+1)%len(names)]
}

// pick is the context to open: the one asked for, else the default, else the only one.
func (c *Config) pick(asked string) (string, *ContextConfig, error) {
	names := keysOf(c.Contexts)
	switch {
	case asked != "" && c.Contexts[asked] == nil:
		return "", nil, &usageError{msg: fmt.Sprintf("no context %s in %s%s", quote(asked), sources.Clean(c.file, sources.MaxName), contextHint(asked, names))}
	case asked != "":
		return asked, c.Contexts[asked], nil
	case c.Default.S != "":
		return c.Default.S, c.Contexts[c.Default.S], nil
	case len(names) == 1:
		return names[0], c.Contexts[names[0]], nil
	default:
		return "", nil, &usageError{msg: fmt.Sprintf("%s has no default: name one of its contexts with --context (%s)",
			sources.Clean(c.file, sources.MaxName), sources.Clean(strings.Join(names, ", "), 200))}
	}
}
