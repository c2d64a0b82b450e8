package sources

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Deploy is what runs of one service: its versions, and how far a rollout of the next
// one has come. It is another thing than a release: a deploy changes what runs, a
// flag what users get. Strings are cleaned.
type Deploy struct {
	Source    string
	Service   string    // "shop/web" where another namespace has a deployment of that name too, else "web"
	Namespace string    // "" when not exported
	Versions  []Running // the newest first; none where only a rollout's progress is exported
	Updated   int       // replicas that are the new ones
	Desired   int       // replicas that there are to be; 0 when not exported
	Weight    Value     // share of traffic that a canary gets, 0..1; absent for none
	Phase     string    // of a rollout, as its controller calls it; "" for none
	Preset    string    // what it was recognised by
}

// Running is one version and how many instances run it.
type Running struct {
	Version   string
	Instances int
	Since     time.Time // when it was first seen running; zero when it was there before anybody looked
}

// DeploySet is what one source says of deploys at one moment.
type DeploySet struct {
	Deploys  []Deploy   // by service
	Changes  []Deployed // that are known of, the oldest first, bounded
	Warnings []string
	ReadAt   time.Time
}

// Rolling tells whether a deploy is under way: several versions run, replicas are yet
// to be replaced, or a canary has a part of the traffic.
func (d *Deploy) Rolling() bool {
	return len(d.Versions) > 1 || d.Updated < d.Desired || (d.Weight.OK && d.Weight.V > 0 && d.Weight.V < 1)
}

// Of tells whether the deploy is of a service by this name, with its namespace in front
// or not, whatever spaces and dashes naming habits put into it.
func (d *Deploy) Of(service string) bool {
	is := plain(service)
	return plain(d.Bare()) == is || d.Namespace != "" && plain(d.Namespace+"/"+d.Bare()) == is
}

// Bare is the service's name without its namespace.
func (d *Deploy) Bare() string { return strings.TrimPrefix(d.Service, d.Namespace+"/") }

// JoinDeploys puts what several sources say together, each service once as the first
// of them has it, those under way first, then by name.
func JoinDeploys(sets [][]Deploy) []Deploy {
	var all []Deploy
	known := map[string]bool{}
	for _, set := range sets {
		for _, d := range set {
			if !known[d.Service] {
				known[d.Service] = true
				all = append(all, d)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Deploy) int {
		if a.Rolling() != b.Rolling() {
			if a.Rolling() {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Service, b.Service)
	})
	return all
}

// Instances is how many instances run any version.
func (d *Deploy) Instances() (n int) {
	for _, v := range d.Versions {
		n += v.Instances
	}
	return n
}

// Brief is what runs in few words: "2.14.1 on 9/12", "canary 25%".
func (d *Deploy) Brief() string {
	var parts []string
	if len(d.Versions) > 0 {
		v := d.Versions[0]
		parts = append(parts, fmt.Sprintf("%s on %d/%d", v.Version, v.Instances, d.Instances()))
	}
	if progress := d.Progress(); progress != "" {
		parts = append(parts, progress)
	}
	return strings.Join(parts, ", ")
}

// Progress is how far a rollout has come, as its controller exports it: "3/10 updated",
// "canary 25%, paused"; "" where none does, or all is done.
func (d *Deploy) Progress() string {
	var parts []string
	if d.Desired > 0 && (d.Updated < d.Desired || len(d.Versions) == 0) {
		parts = append(parts, fmt.Sprintf("%d/%d updated", d.Updated, d.Desired))
	}
	if d.Weight.OK {
		parts = append(parts, fmt.Sprintf("canary %.3g%%", d.Weight.V*100))
	}
	if d.Phase != "" {
		parts = append(parts, strings.ToLower(d.Phase))
	}
	return strings.Join(parts, ", ")
}

// SortVersions puts the newest first: what was first seen last, and of those that
// were there from the beginning the one with the higher number.
func SortVersions(list []Running) {
	slices.SortStableFunc(list, func(a, b Running) int {
		return cmp.Or(b.Since.Compare(a.Since), compareVersions(b.Version, a.Version))
	})
}

// compareVersions orders texts by the numbers in them: 2.9 before 2.10.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, y := leading(a), leading(b)
		a, b = a[len(x):], b[len(y):]
		if c := cmp.Or(cmp.Compare(len(strings.TrimLeft(x, "0")), len(strings.TrimLeft(y, "0"))), cmp.Compare(x, y)); c != 0 {
			if !unicode.IsDigit(rune(x[0])) || !unicode.IsDigit(rune(y[0])) {
				return cmp.Compare(x, y)
			}
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// leading is the digits that a text begins with, or all that is none up to the next.
func leading(s string) string {
	digits := unicode.IsDigit(rune(s[0]))
	for i, r := range s {
		if unicode.IsDigit(r) != digits {
			return s[:i]
		}
	}
	return s
}

// Deployed is one change of what runs of a service.
type Deployed struct {
	Service  string
	Old, New string // versions; Old is "" when none was known
	At       time.Time
}
