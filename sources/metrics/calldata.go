package metrics

import (
	_ "embed"
	"fmt"
	"regexp"
	"sync"

	"relctl-tui/sources"
)

// CallData is the presets of service graphs that come with the program, as their YAML.
//
//go:embed calls.yaml
var CallData []byte

// CallPreset says how one service graph is exported. calls.yaml says what each field
// means.
type CallPreset struct {
	Name     string   `yaml:"name"`
	About    string   `yaml:"about"`
	Metric   string   `yaml:"metric"`
	Unit     Unit     `yaml:"unit"`
	Client   []string `yaml:"client"`
	Server   []string `yaml:"server"`
	Where    string   `yaml:"where"`
	Code     []string `yaml:"outcome"`
	Failed   string   `yaml:"failed"`
	FailedOf string   `yaml:"counter"` // "" for the histogram's own outcomes

	where  []Matcher
	failed *regexp.Regexp
}

// ParseCallPresets reads presets as calls.yaml has them. It is strict: an unknown key or
// a preset that could not be read wraps ErrInvalid and says where.
func ParseCallPresets(b []byte) ([]CallPreset, error) {
	return parsePresets(b, func(p *CallPreset) (string, error) { return p.Name, p.check() })
}

func (p *CallPreset) check() error {
	// What it shares with a latency is held to the same rules.
	l := LatencyPreset{
		Name: p.Name, Metric: p.Metric, Unit: p.Unit, Identity: p.Server, Where: p.Where,
		Code: p.Code, Failed: p.Failed, CodeOf: p.FailedOf, Auto: Never,
	}
	if err := l.check(); err != nil {
		return err
	}
	p.where, p.failed = l.where, l.failed
	if len(p.Client) == 0 {
		return fmt.Errorf("it has no label that names the caller: %w", sources.ErrInvalid)
	}
	for _, label := range p.Client {
		if !isLabel(label) {
			return fmt.Errorf("%q is no label name: %w", sources.Clean(label, 40), sources.ErrInvalid)
		}
	}
	return nil
}

// callPresets are those that come with the program; a test holds them to be readable.
var callPresets = sync.OnceValue(func() []CallPreset {
	list, err := ParseCallPresets(CallData)
	if err != nil {
		panic("calls.yaml: " + err.Error())
	}
	return list
})
