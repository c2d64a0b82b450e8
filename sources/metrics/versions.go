package metrics

import (
	"cmp"
	"fmt"
	"strings"

	"relctl-tui/sources"
)

// versionRule is a VersionRule that was checked.
type versionRule struct {
	VersionRule
	match []Matcher
}

// maxVersionRules bounds what one look at the deploys asks.
const maxVersionRules = 20

func compileVersions(rules []VersionRule) (out []versionRule, errs []error) {
	if len(rules) > maxVersionRules {
		return nil, []error{fmt.Errorf("more than %d rules of deploys: %w", maxVersionRules, sources.ErrInvalid)}
	}
	for _, r := range rules {
		r.Version = cmp.Or(r.Version, "version")
		match, err := ParseMatch(r.Match)
		switch {
		case err != nil:
			err = fmt.Errorf("deploys: %w", err)
		case !isMetric(r.Metric):
			err = fmt.Errorf("deploys: %q is no metric name: %w", sources.Clean(r.Metric, 60), sources.ErrInvalid)
		case strings.HasSuffix(r.Metric, BuildInfo):
			err = fmt.Errorf("deploys: %s is read anyway, leave it out: %w", r.Metric, sources.ErrInvalid)
		case !isLabel(r.Version):
			err = fmt.Errorf("deploys: %q is no label name: %w", sources.Clean(r.Version, 40), sources.ErrInvalid)
		case r.Service != "" && !isLabel(r.Service):
			err = fmt.Errorf("deploys: %q is no label name: %w", sources.Clean(r.Service, 40), sources.ErrInvalid)
		}
		out, errs = append(out, versionRule{r, match}), appendErr(errs, err)
	}
	return out, errs
}

// query asks how many instances run which version by the rule.
func (r *versionRule) query() Query {
	by := union(serviceLabels, namespaceLabels, []string{r.Version}, matchLabels(r.match))
	if r.Service != "" {
		by = union(by, []string{r.Service})
	}
	match := append(append([]Matcher{}, r.match...), Matcher{Label: r.Version, Op: NotEqual})
	return Query{Kind: Instances, Metric: r.Metric, By: by, Any: [][]Matcher{match}, Optional: true}
}

// infos is what a rule found in the form of a build_info.
func (r *versionRule) infos(series []Series) []Series {
	out := make([]Series, 0, len(series))
	for _, s := range series {
		service := s.Labels.first(serviceLabels)
		if r.Service != "" {
			service = s.Labels[r.Service]
		}
		if service == "" {
			continue
		}
		out = append(out, Series{Value: s.Value, Labels: Labels{
			NameLabel: r.Metric, "service": service, "version": tag(s.Labels[r.Version]), "namespace": s.Labels.first(namespaceLabels),
		}})
	}
	return out
}

// tag is the version in an image's name, "registry:5000/shop/web:2.14.1@sha256:ab" as
// well as "web:2.14.1"; anything else is a version itself.
func tag(text string) string {
	name, digest, pinned := strings.Cut(text, "@")
	slash := strings.LastIndexByte(name, '/')
	if at := strings.LastIndexByte(name, ':'); at > slash {
		return name[at+1:]
	}
	if pinned {
		return digest
	}
	return text
}
