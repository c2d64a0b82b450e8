package prometheus

import (
	"context"
	"maps"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	externalFor = 10 * time.Minute // how long the external labels are good for
	maxGlobal   = 64 << 10         // bytes of a config's global part
)

// external is the labels that the server adds to every alert on its way to an
// Alertmanager, which its own list of alerts lacks: without them one alert would be two.
// Nil where the server does not say. It is asked once in externalFor, whatever it
// answered.
func (s *Source) external(ctx context.Context) map[string]string {
	now := s.opts.Now()
	s.extMu.Lock()
	defer s.extMu.Unlock()
	if !s.extAt.IsZero() && now.Sub(s.extAt) < externalFor && !now.Before(s.extAt) {
		return s.ext
	}
	config, err := s.api.config(context.WithValue(ctx, alertsKey{}, &alertsCall{}))
	if ctx.Err() != nil {
		return s.ext // it ended with the read, and says nothing about the server
	}
	s.extAt = now
	if err == nil {
		s.ext = externalLabels(config)
	}
	return s.ext
}

// externalLabels finds them in a config's global part, the only one that is parsed. What
// nests is bounded by the parser: that of the config of our own takes a hundred kilobytes
// for each level of it.
func externalLabels(config string) map[string]string {
	config = "\n" + config
	_, rest, found := strings.Cut(config, "\nglobal:")
	if !found {
		return nil
	}
	var b strings.Builder
	b.WriteString("global:")
	for i, line := range strings.Split(rest[:min(len(rest), maxGlobal)], "\n") {
		if i > 0 && line != "" && line[0] != ' ' {
			break
		}
		b.WriteString(line + "\n")
	}
	var doc struct {
		Global struct {
			External map[string]string `yaml:"external_labels"`
		} `yaml:"global"`
	}
	if yaml.Unmarshal([]byte(b.String()), &doc) != nil {
		return nil
	}
	return doc.Global.External
}

// with is labels and those of extra that they have not, as a server sends them on.
func with(labels, extra map[string]string) map[string]string {
	if len(extra) == 0 {
		return labels
	}
	out := maps.Clone(extra)
	maps.Copy(out, labels)
	return out
}
