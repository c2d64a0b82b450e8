package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/views"
)

func newDeploysCmd(o *options) *cobra.Command {
	return readCmd(o, "deploys", "List which versions run of each service, what is being rolled out first",
		want{deploys: true}, func(p *reading, out io.Writer) error {
			if len(p.deploySets) == 0 {
				return &usageError{msg: "no source here tells what is deployed: name a Prometheus with --metrics http://HOST"}
			}
			if o.output == "json" {
				shapes := make([]deployJSON, len(p.deploys))
				for i := range p.deploys {
					shapes[i] = deployShape(&p.deploys[i])
				}
				changes := make([]deployedJSON, len(p.deployed))
				for i, d := range p.deployed {
					changes[i] = deployedJSON{Service: d.Service, Old: d.Old, New: d.New, At: stamp(d.At)}
				}
				return writeJSON(out, map[string]any{"deploys": shapes, "changes": changes})
			}
			return deployTable(out, p.deploys, o.now())
		})
}

// readDeploys reads a source for nothing but what runs.
func readDeploys(ctx context.Context, r *reader, l sources.DeployLister, now func() time.Time) *reading {
	ctx, cancel := context.WithTimeout(ctx, max(r.timeout, readTimeout))
	defer cancel()
	p := &reading{}
	set, err := l.Deploys(ctx)
	if err == nil {
		p.deploySets = [][]sources.Deploy{slices.Clone(set.Deploys)}
		p.deployed = slices.Clone(set.Changes)
	}
	p.settle(sources.SourceStatus{Name: r.name, Kind: r.kind, Metrics: true}, err, set.Warnings, now())
	return p
}

type deployJSON struct {
	Source    string        `json:"source"`
	Service   string        `json:"service"`
	Namespace string        `json:"namespace"` // "" when not exported
	Versions  []versionJSON `json:"versions"`  // the newest first
	Instances int           `json:"instances"`
	Rolling   bool          `json:"rolling"`
	Updated   *int          `json:"updated"` // replicas; null where no controller is exported
	Desired   *int          `json:"desired"`
	Canary    *float64      `json:"canary_ratio"` // of the traffic, 0..1; null for none
	Phase     string        `json:"phase"`
	Preset    string        `json:"preset"`
}

type versionJSON struct {
	Version   string  `json:"version"`
	Instances int     `json:"instances"`
	Since     *string `json:"since"` // null: longer than anybody has looked
}

type deployedJSON struct {
	Service string  `json:"service"`
	Old     string  `json:"old"` // "" when not known
	New     string  `json:"new"`
	At      *string `json:"at"`
}

func deployShape(d *sources.Deploy) deployJSON {
	out := deployJSON{
		Source: d.Source, Service: d.Service, Namespace: d.Namespace, Versions: make([]versionJSON, len(d.Versions)),
		Instances: d.Instances(), Rolling: d.Rolling(), Phase: d.Phase, Preset: d.Preset,
	}
	for i, v := range d.Versions {
		out.Versions[i] = versionJSON{Version: v.Version, Instances: v.Instances, Since: stamp(v.Since)}
	}
	if d.Desired > 0 {
		out.Updated, out.Desired = &d.Updated, &d.Desired
	}
	if d.Weight.OK {
		out.Canary = &d.Weight.V
	}
	return out
}

func deployTable(out io.Writer, list []sources.Deploy, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "no deploys: nothing exports a build_info with a version, nor the progress of a rollout")
		return err
	}
	several := severalSources(list, func(d sources.Deploy) string { return d.Source })
	cols := []column{
		{title: "SOURCE"},
		{title: "SERVICE"},
		{title: "NAMESPACE"},
		{title: "VERSION"},
		{title: "ON", right: true},
		{title: "SINCE", right: true},
		{title: "BESIDE"},
		{title: "ROLLOUT"},
	}
	var rows [][]string
	for i := range list {
		d := &list[i]
		row := []string{only(several, d.Source), d.Service, d.Namespace, "", "", "", "", d.Progress()}
		if len(d.Versions) > 0 {
			v := &d.Versions[0]
			row[3], row[4] = v.Version, strconv.Itoa(v.Instances)+"/"+strconv.Itoa(d.Instances())
			row[5] = blankDash(views.AgeOf(v.Since, now, true))
			var rest []string
			for _, v := range d.Versions[1:] {
				rest = append(rest, fmt.Sprintf("%s on %d", v.Version, v.Instances))
			}
			row[6] = strings.Join(rest, ", ")
		}
		rows = append(rows, row)
	}
	return writeTable(out, cols, rows)
}
