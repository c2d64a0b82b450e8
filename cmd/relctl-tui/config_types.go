package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
	"relctl-tui/themes"
)

// Config is a config file as it is written: nothing is expanded, no file that it
// names is opened. The doc tags become the JSON Schema, so that editors and the
// decoder can never disagree.
type Config struct {
	Default  Text                      `yaml:"default" doc:"The context to open when --context is not given."`
	Contexts map[string]*ContextConfig `yaml:"contexts" doc:"The environments, by name."`
	Keys     KeysConfig                `yaml:"keys" doc:"Other keys for actions; relctl-tui keys lists both."`

	file string
}

// ContextConfig is one environment: its sources and its rules.
type ContextConfig struct {
	Accent       Text                   `yaml:"accent" doc:"Colour of the context's name in the header."`
	Theme        Text                   `yaml:"theme" doc:"Colours of the board: the name of a theme, or the path of a file of your own."`
	Motion       Text                   `yaml:"motion" doc:"full, or reduced: no sparklines, numbers change each 5 s, states at once. Default full."`
	Notify       Text                   `yaml:"notify" doc:"How you are called when something breaks: off, bell or desktop. Default off."`
	Title        Text                   `yaml:"title" doc:"Whether the window's title says the context and its worst state: on or off. Default on."`
	Plain        bool                   `yaml:"plain" doc:"Lines of text in place of the board, as --plain."`
	Confirm      bool                   `yaml:"confirm" doc:"Ask before each change."`
	ReadOnly     bool                   `yaml:"read_only" doc:"Refuse every change."`
	Ladder       []Step                 `yaml:"ladder" doc:"Steps of a ramp in percent, ascending. Default 1 5 10 25 50 100."`
	StaleAfter   Duration               `yaml:"stale_after" doc:"Age at which data is marked stale, such as 15s."`
	UnknownAfter Duration               `yaml:"unknown_after" doc:"Age at which data is too old to mean anything, such as 2m."`
	EffectiveIn  Duration               `yaml:"effective_within" doc:"How soon a change must be in force where the flags are evaluated. Default 60s."`
	CoolDown     Duration               `yaml:"cool_down" doc:"How long a source that failed five times in a row is left alone, such as 15s."`
	Flags        []FlagsConfig          `yaml:"flags" doc:"Flag stores."`
	Metrics      []MetricsConfig        `yaml:"metrics" doc:"Where breakers, latencies and exposure are read: the first Prometheus that works speaks, the next stand by, scraped pages come last."`
	Breakers     []BreakerConfig        `yaml:"breakers" doc:"Which metrics are breakers. Default: every preset that matches."`
	Presets      Text                   `yaml:"breaker_presets" doc:"File of further breaker presets; relctl-tui config presets prints the form."`
	Latencies    Text                   `yaml:"latency_presets" doc:"File of further latency presets; relctl-tui config presets latency prints the form."`
	Deploys      []DeployConfig         `yaml:"deploys" doc:"Further metrics that say which version runs, besides those that end in build_info."`
	Latency      []LatencyConfig        `yaml:"latency" doc:"Which latencies to show, and what they must keep."`
	Rules        map[string]*RuleConfig `yaml:"rules" doc:"What holds for single flags, by flag key."`
	Guards       []GuardConfig          `yaml:"guards" doc:"Conditions on which flags may be raised."`
	Ramp         RampConfig             `yaml:"ramp" doc:"How guarded ramps climb."`
	Freeze       []FreezeConfig         `yaml:"freeze" doc:"Windows during which no flag is raised."`

	Mouse    bool            `yaml:"mouse" doc:"Click and scroll with the mouse; without it the terminal keeps the mouse for selecting text."`
	Tour     *bool           `yaml:"tour" doc:"Three tips on the first board that somebody ever opens. Default: true."`
	Filters  map[string]Text `yaml:"filters" doc:"Filters of the flags by name: the palette's show NAME sets one."`
	Outlets  []OutletConfig  `yaml:"outlets" doc:"Who is told of each change that is made here."`
	Keys     KeysConfig      `yaml:"keys" doc:"Other keys for actions in this context, over those of the file."`
	Presence *bool           `yaml:"presence" doc:"Boards on the same flags see who else looks at them. Default: true."`
	Reports  Text            `yaml:"reports" doc:"Folder for the reports that the board writes. Default: reports under the state directory."`

	presets   []metrics.BreakerPreset // of the file, read when the config is
	latencies []metrics.LatencyPreset // likewise
	look      themes.Options          // likewise: a name, or what the file holds
}

// FlagsConfig is one flag store.
type FlagsConfig struct {
	DSN      Text `yaml:"dsn" doc:"Where the flags are, such as flagd:PATH or etcd://HOST:2379/PREFIX; README lists all stores." need:"true"`
	Name     Text `yaml:"name" doc:"Name on screen. Default: from the DSN."`
	ReadOnly bool `yaml:"read_only" doc:"Refuse changes to this store."`
	Journal  Text `yaml:"journal" doc:"Path of the journal of changes. Default: beside the flags, else under the state directory."`

	ClientToken       Secret         `yaml:"client_token" doc:"Unleash: a backend token of the environment, to follow changes cheaply."`
	ClientTokenFile   Text           `yaml:"client_token_file" doc:"File that holds the backend token."`
	FrontendToken     Secret         `yaml:"frontend_token" doc:"Unleash: a frontend token of the environment, to prove that a change is in force."`
	FrontendTokenFile Text           `yaml:"frontend_token_file" doc:"File that holds the frontend token."`
	Verify            []VerifyConfig `yaml:"verify" doc:"Who evaluates these flags: asked after each change whether it is in force."`
	AccessConfig
}

// VerifyConfig is one side that evaluates the flags of a store.
type VerifyConfig struct {
	DSN Text `yaml:"dsn" doc:"ofrep+http(s)://HOST of an OpenFeature Remote Evaluation endpoint, or a metrics DSN whose counters tell what applications evaluate." need:"true"`
	AccessConfig
}

// MetricsConfig is one metrics backend and how to reach it.
type MetricsConfig struct {
	DSN   Text     `yaml:"dsn" doc:"http(s)://HOST of a Prometheus, scrape+http(s)://HOST/metrics to read one endpoint directly, alertmanager+http(s)://HOST for its alerts, or actuator+http(s)://HOST/actuator and haproxy:SOCKET for breakers that can be switched." need:"true"`
	Name  Text     `yaml:"name" doc:"Name on screen. Default: from the DSN."`
	Group Text     `yaml:"group" doc:"Sources of one group stand in for each other, in order. Default: all are one group, Alertmanagers another."`
	Every Duration `yaml:"every" doc:"How often to read, such as 5s."`

	Window Duration `yaml:"window" doc:"Over which rates and quantiles are taken, at least four scrapes of the server. Default: 1m."`

	ReadOnly bool `yaml:"read_only" doc:"Refuse to switch the breakers of this source, and to silence its alerts."`
	Silences bool `yaml:"silences" doc:"Of an Alertmanager: its alerts may be silenced from here."`
	AccessConfig
}

// AccessConfig is how to be let in by a server; it is embedded in what names one.
type AccessConfig struct {
	Token        Secret            `yaml:"token" doc:"Token, best as ${VARIABLE}."`
	TokenFile    Text              `yaml:"token_file" doc:"File that holds the token."`
	Username     Text              `yaml:"username" doc:"User of basic authentication."`
	Password     Secret            `yaml:"password" doc:"Password of basic authentication, best as ${VARIABLE}."`
	PasswordFile Text              `yaml:"password_file" doc:"File that holds the password."`
	Headers      map[string]Secret `yaml:"headers" doc:"Further request headers, such as X-Scope-OrgID."`
	CAFile       Text              `yaml:"ca_file" doc:"PEM file of the authorities to trust."`
	CertFile     Text              `yaml:"cert_file" doc:"PEM file of the client certificate."`
	KeyFile      Text              `yaml:"key_file" doc:"PEM file of the client key."`
	ServerName   Text              `yaml:"server_name" doc:"Name that the server's certificate must have."`
	Insecure     bool              `yaml:"insecure_skip_verify" doc:"Accept any certificate."`
	Timeout      Duration          `yaml:"timeout" doc:"How long one request may take, such as 5s."`

	lacks  error // the variable that is not set, at its place, where it need not keep the others from working
	unread error // the secret's file that proves changes and cannot be read, at its place; it is read anew each time
}

// BreakerConfig says which metrics are breakers.
type BreakerConfig struct {
	Preset    Text            `yaml:"preset" doc:"auto, or the name of a library's preset."`
	Metric    Text            `yaml:"metric" doc:"Name of a gauge that holds the state, where no preset fits."`
	Match     Text            `yaml:"match" doc:"Label matchers that narrow it, such as job=\"payment\"."`
	Values    map[string]Text `yaml:"values" doc:"What each value of the gauge means: closed, half-open or open."`
	NameLabel Text            `yaml:"name_label" doc:"Label that names the breaker."`
}

// DeployConfig is a metric with one series for each instance of what is deployed.
type DeployConfig struct {
	Metric  Text `yaml:"metric" doc:"Its name, such as kube_pod_container_info." need:"true"`
	Version Text `yaml:"version" doc:"Label that holds the version, or an image whose tag it is. Default: version."`
	Service Text `yaml:"service" doc:"Label that names the service. Default: service, app, job and the like."`
	Match   Text `yaml:"match" doc:"Label matchers that narrow it, such as namespace=\"shop\"."`
}

// LatencyConfig is one latency row.
type LatencyConfig struct {
	Name   Text     `yaml:"name" doc:"Name on screen." need:"true"`
	Preset Text     `yaml:"preset" doc:"Name of the preset that says which histogram to read."`
	Match  Text     `yaml:"match" doc:"Label matchers that narrow it, such as job=\"payment\"."`
	SLO    Duration `yaml:"slo" doc:"What p99 must stay within, such as 500ms; with an objective, how fast is fast enough."`

	Objective Share    `yaml:"objective" doc:"Percentage of calls that must be good, such as 99.9. Its error budget is shown, and how fast it burns."`
	Window    Duration `yaml:"window" doc:"Over which the objective must be kept, such as 30d, which is the default."`
	SLI       Text     `yaml:"sli" doc:"What makes a call bad: latency, it took longer than slo, or errors, it failed. Default: latency."`

	Calls []Text `yaml:"calls" doc:"Names of the latencies that this one calls."`
}

// RuleConfig holds for one flag.
type RuleConfig struct {
	Ladder []Step `yaml:"ladder" doc:"Steps of this flag's ramp in percent, ascending."`
	Metric Text   `yaml:"metric" doc:"Name of the latency that this flag is expected to move."`
	Drill  bool   `yaml:"drill" doc:"This flag may be killed and brought back by relctl-tui drill."`

	Migration *MigrationConfig `yaml:"migration" doc:"This flag's variants are the stages of a dual-write migration."`
	Guards    []GuardConfig    `yaml:"guards" doc:"Conditions on which this flag may be raised, besides those of the context."`
	Ramp      RampConfig       `yaml:"ramp" doc:"How this flag's guarded ramp climbs, where that is other than in the context."`
}

// pos is a place in the config file; the zero pos is a command-line option.
type pos struct{ line, col int }

// Text is a string and where it was written.
type Text struct {
	S  string
	at pos
}

func (t *Text) setScalar(s string, at pos) error {
	if err := oneLine(s); err != nil {
		return err
	}
	*t = Text{S: s, at: at}
	return nil
}

// Secret is a string that no formatting verb and no encoder prints. The zero
// Secret is unset.
type Secret struct {
	s  string
	at pos
}

func (s *Secret) setScalar(v string, at pos) error {
	if err := oneLine(v); err != nil {
		return err
	}
	*s = Secret{s: v, at: at}
	return nil
}

// oneLine refuses control characters: no path, name or header may hold one, and
// a line break in a header would be a header of its own.
func oneLine(s string) error {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return errors.New("holds a line break or another control character")
	}
	return nil
}

// Reveal is the secret itself, for the one place that sends it.
func (s Secret) Reveal() string { return s.s }

// Set tells whether there is a secret at all.
func (s Secret) Set() bool { return s.s != "" }

const redacted = "(secret)"

// String never is the secret.
func (s Secret) String() string { return redacted }

// Format never writes the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText never writes the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil } //nolint:unparam // encoding.TextMarshaler

// Duration is a positive duration and where it was written.
type Duration struct {
	D  time.Duration
	at pos
}

func (d *Duration) setScalar(s string, at pos) error {
	v, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); err != nil && ok {
		var n uint64
		if n, err = strconv.ParseUint(days, 10, 16); err == nil {
			v = time.Duration(n) * 24 * time.Hour
		}
	}
	if err != nil || v <= 0 {
		return fmt.Errorf("%s is no duration: write a number above 0 and a unit, such as 500ms, 15s or 2m", quote(s))
	}
	*d = Duration{D: v, at: at}
	return nil
}

// Share is a percentage above 0 and below 100 as a share, and where it was written.
type Share struct {
	V  float64 // 0..1; 0 for unset
	at pos
}

func (p *Share) setScalar(s string, at pos) error {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(v > 0 && v < 100) {
		return fmt.Errorf("%s is no objective: write a percentage above 0 and below 100, such as 99.9", quote(s))
	}
	*p = Share{V: v / 100, at: at}
	return nil
}

// Step is one step of a ladder and where it was written.
type Step struct {
	P  sources.Percent
	at pos
}

func (p *Step) setScalar(s string, at pos) error {
	v, err := sources.ParsePercent(s)
	if err != nil {
		return fmt.Errorf("%s is no step: write percents above 0 and up to 100", quote(s))
	}
	*p = Step{P: v, at: at}
	return nil
}

func ladderOf(steps []Step) (sources.Ladder, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	out := make([]sources.Percent, len(steps))
	for i, s := range steps {
		out[i] = s.P
	}
	return sources.NewLadder(out)
}

// ConfigError is one fault of a config file, at its place.
type ConfigError struct {
	File      string
	Line, Col int
	Msg       string
}

// Error is "prod.yaml:7:5: what is wrong: what would be right".
func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString(sources.Clean(e.File, sources.MaxName))
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Col))
	}
	return b.String() + ": " + e.Msg
}

// Unwrap makes every fault of a config sources.ErrInvalid.
func (e *ConfigError) Unwrap() error { return errUsage }

func quote(s string) string { return `"` + sources.Clean(s, 60) + `"` }
