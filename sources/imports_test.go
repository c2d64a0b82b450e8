package sources_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "relctl-tui"

// listed is what `go list -json` says of one package, as far as the rules need it.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct
	Deps       []string // direct and indirect
}

// importRule is one row of the table in DESIGN: who may import whom.
type importRule struct {
	who    string   // the row's name in a sentence
	match  string   // path.Match pattern below the module, "" for the root
	own    []string // patterns of our packages it may import, besides its own folders below it
	only   []string // when not nil, prefixes of the only outside packages it may import
	never  []string // outside packages it may not import itself
	beyond []string // prefixes of outside packages that it may not even reach through another
}

var charm = []string{"charm.land/", "github.com/charmbracelet/"}

// importRules are tried in order; the first whose pattern matches counts. What
// matches none is a violation, so a new folder needs a row here first.
func importRules() []importRule {
	engine := []string{"sources", "sources/live", "sources/control", "sources/journal"}
	metricsReader := []string{"sources", "sources/metrics", "sources/web"}
	overHTTP := []string{"sources", "sources/web"}
	drawing := charm
	pure := []string{"net/http", "os", "os/exec", "os/signal", "syscall"}
	return []importRule{
		{who: "the domain", match: "sources", only: []string{}, beyond: charm},
		{who: "the live engine", match: "sources/live", own: engine, beyond: charm},
		{who: "the control path", match: "sources/control", own: append(slices.Clone(engine), "sources/guarded"), beyond: charm},
		{who: "the machine of guarded ramps", match: "sources/guarded", own: []string{"sources"}, only: []string{}, never: pure, beyond: charm},
		{who: "the recorder", match: "sources/record", own: []string{"sources"}, only: []string{}, beyond: charm},
		{who: "the ranking of suspects", match: "sources/suspect", own: []string{"sources"}, only: []string{}, never: pure, beyond: charm},
		{who: "the look at an incident", match: "sources/incident", own: []string{"sources", "sources/suspect"}, only: []string{}, never: pure, beyond: charm},
		{who: "the report", match: "sources/report", own: []string{"sources"}, only: []string{}, never: pure, beyond: charm},
		{who: "the journal", match: "sources/journal", own: engine, beyond: charm},
		// Exception: demo runs a fleet whose flags are evaluated from the very
		// file that the flagd driver edits, and exports the series that the
		// presets of metrics read.
		{who: "the demo fleet", match: "sources/demo", own: []string{"sources", "sources/flagd", "sources/flagdef", "sources/metrics"}, beyond: charm},
		// Exception: metrics is no driver. It holds the presets that both readers
		// of Prometheus series share, so that they cannot drift apart.
		{who: "a driver", match: "sources/prometheus", own: metricsReader, beyond: charm},
		{who: "a driver", match: "sources/scrape", own: metricsReader, beyond: charm},
		// Exceptions: flagdef, flagfile and web are no drivers. They hold what
		// several have in common: flagd's definitions, wherever they are kept, one
		// file as a store, whatever its format, and HTTP: the words for a request
		// that failed (which the readers of metrics above use too) and a bounded
		// JSON client.
		{who: "a driver of flag files", match: "sources/flagd", own: []string{"sources", "sources/flagdef", "sources/flagfile"}, beyond: charm},
		{who: "a driver of flag files", match: "sources/goff", own: []string{"sources", "sources/flagfile"}, beyond: charm},
		{who: "a driver of flagd definitions", match: "sources/etcd", own: []string{"sources", "sources/flagdef"}, beyond: charm},
		{who: "a driver over HTTP", match: "sources/unleash", own: overHTTP, beyond: charm},
		{who: "a driver over HTTP", match: "sources/launchdarkly", own: overHTTP, beyond: charm},
		{who: "a driver over HTTP", match: "sources/ofrep", own: overHTTP, beyond: charm},
		{who: "a driver over HTTP", match: "sources/alertmanager", own: overHTTP, beyond: charm},
		{who: "a driver over HTTP", match: "sources/actuator", own: overHTTP, beyond: charm},
		{who: "a driver over HTTP", match: "sources/flagsync", own: []string{"sources", "sources/flagdef", "sources/web"}, beyond: charm},
		{who: "what tells other systems", match: "sources/outlet", own: overHTTP, beyond: charm},
		// Exception: publish is no driver. It serves what a driver exports.
		{who: "what serves flags", match: "sources/publish", own: []string{"sources", "sources/flagdef"}, beyond: charm},
		{who: "a driver", match: "sources/*", own: []string{"sources"}, beyond: charm},
		{
			who: "a theme", match: "themes",
			only: []string{"charm.land/lipgloss/", "github.com/charmbracelet/colorprofile", "go.yaml.in/yaml/v3"}, never: []string{"net/http", "os/exec"},
		},
		{who: "what views share", match: "views", own: []string{"sources", "themes"}, only: drawing, never: pure},
		// Exception: detail is composed of the rows that these panes draw, so that
		// one thing looks the same wherever it is seen.
		{
			who: "the detail pane", match: "views/detail",
			own: []string{"sources", "themes", "views", "views/activity", "views/chart", "views/latency"}, only: drawing, never: pure,
		},
		// Exception: the header counts firing alerts and open breakers exactly as
		// their panes do.
		{
			who: "the header", match: "views/header",
			own: []string{"sources", "themes", "views", "views/alerts", "views/breakers", "views/latency"}, only: drawing, never: pure,
		},
		// Exception: the timeline draws its number as a chart.
		{who: "the timeline", match: "views/timeline", own: []string{"sources", "themes", "views", "views/chart"}, only: drawing, never: pure},
		{who: "a view", match: "views/*", own: []string{"sources", "themes", "views"}, only: drawing, never: pure},
		{
			who: "the board", match: "ui",
			own: []string{"sources", "sources/live", "sources/control", "sources/incident", "themes", "views", "views/*", "ui/wire"}, never: []string{"net/http"},
		},
		{who: "what draws on a terminal", match: "ui/wire", own: []string{}, only: charm, never: pure},
		{
			who: "a server of the board", match: "ui/*",
			own: []string{"sources", "sources/live", "sources/control", "themes", "views", "views/*", "ui"},
		},
		{who: "the command", match: "cmd/*", own: []string{"sources", "sources/*", "themes", "views", "views/*", "ui", "ui/*"}},
	}
}

// below is an import path without the module, and whether it is ours.
func below(importPath string) (string, bool) {
	rest, ours := strings.CutPrefix(importPath, module)
	if !ours || (rest != "" && rest[0] != '/') {
		return importPath, false
	}
	return strings.TrimPrefix(rest, "/"), true
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func hasPrefix(name string) func(string) bool {
	return func(prefix string) bool { return strings.HasPrefix(name+"/", strings.TrimSuffix(prefix, "/")+"/") }
}

// violations is one sentence for each import that the rules do not allow.
func violations(pkgs []listed) []string {
	standard := map[string]bool{"C": true, "unsafe": true}
	for _, p := range pkgs {
		standard[p.ImportPath] = standard[p.ImportPath] || p.Standard
	}
	var all []string
	for _, p := range pkgs {
		name, ours := below(p.ImportPath)
		if !ours {
			continue
		}
		rule, ok := ruleFor(name)
		if !ok {
			all = append(all, fmt.Sprintf("%s has no row in the import rules.", name))
			continue
		}
		for _, imported := range p.Imports {
			if why := rule.forbids(name, imported, standard[imported]); why != "" {
				all = append(all, fmt.Sprintf("%s imports %s, but %s %s.", name, imported, rule.who, why))
			}
		}
		for _, dep := range p.Deps {
			if !slices.Contains(p.Imports, dep) && slices.ContainsFunc(rule.beyond, hasPrefix(dep)) {
				all = append(all, fmt.Sprintf("%s reaches %s through another package, but %s never depends on the terminal.", name, dep, rule.who))
			}
		}
	}
	return all
}

func ruleFor(name string) (importRule, bool) {
	rules := importRules()
	i := slices.IndexFunc(rules, func(r importRule) bool { return matches(r.match, name) })
	if i < 0 {
		// A folder below a package's own is that package's affair.
		if parent := path.Dir(name); parent != "." {
			return ruleFor(parent)
		}
		return importRule{}, false
	}
	return rules[i], true
}

func (r importRule) forbids(name, imported string, standard bool) string {
	to, ours := below(imported)
	switch {
	case ours && strings.HasPrefix(to, name+"/") && !slices.Contains([]string{"sources", "views", "ui"}, r.match):
		return ""
	case ours && slices.ContainsFunc(r.own, func(p string) bool { return matches(p, to) }):
		return ""
	case ours && len(r.own) == 0:
		return "imports nothing of ours"
	case ours:
		return "may import only " + strings.Join(r.own, ", ") + " of ours"
	case slices.Contains(r.never, imported):
		return "never does I/O of that kind itself"
	case standard:
		return ""
	case r.only != nil && !slices.ContainsFunc(r.only, hasPrefix(imported)):
		return "may import from outside only " + orNothing(r.only)
	case slices.ContainsFunc(r.beyond, hasPrefix(imported)):
		return "never depends on the terminal"
	default:
		return ""
	}
}

func orNothing(prefixes []string) string {
	if len(prefixes) == 0 {
		return "the standard library"
	}
	return strings.Join(prefixes, ", ")
}

func TestEveryPackageImportsOnlyWhatItsRowAllows(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,Deps", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go list: %s", stderr.String())

	pkgs := decodeList(t, out)
	require.True(t, slices.ContainsFunc(pkgs, func(p listed) bool { return p.ImportPath == module+"/sources" }),
		"the list must hold this very package, or it proves nothing")
	for _, sentence := range violations(pkgs) {
		t.Error(sentence)
	}
}

func decodeList(t *testing.T, out []byte) []listed {
	t.Helper()
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		require.NoError(t, err)
		pkgs = append(pkgs, p)
	}
}

func TestImportRulesNameEachBadImport(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		from, to, want string
	}{
		"domain imports a library":       {"sources", "github.com/fsnotify/fsnotify", "sources imports github.com/fsnotify/fsnotify, but the domain may import from outside only the standard library."},
		"domain imports a driver":        {"sources", "relctl-tui/sources/flagd", "sources imports relctl-tui/sources/flagd, but the domain imports nothing of ours."},
		"driver imports another driver":  {"sources/etcd", "relctl-tui/sources/flagd", "sources/etcd imports relctl-tui/sources/flagd, but a driver of flagd definitions may import only sources, sources/flagdef of ours."},
		"driver imports a view":          {"sources/flagd", "relctl-tui/views/flags", "sources/flagd imports relctl-tui/views/flags, but a driver of flag files may import only sources, sources/flagdef, sources/flagfile of ours."},
		"driver imports Charm":           {"sources/scrape", "charm.land/lipgloss/v2", "sources/scrape imports charm.land/lipgloss/v2, but a driver never depends on the terminal."},
		"control imports a driver":       {"sources/control", "relctl-tui/sources/flagd", "sources/control imports relctl-tui/sources/flagd, but the control path may import only sources, sources/live, sources/control, sources/journal, sources/guarded of ours."},
		"theme imports the domain":       {"themes", "relctl-tui/sources", "themes imports relctl-tui/sources, but a theme imports nothing of ours."},
		"theme imports Bubble Tea":       {"themes", "charm.land/bubbletea/v2", "themes imports charm.land/bubbletea/v2, but a theme may import from outside only charm.land/lipgloss/, github.com/charmbracelet/colorprofile, go.yaml.in/yaml/v3."},
		"view opens a file":              {"views/flags", "os", "views/flags imports os, but a view never does I/O of that kind itself."},
		"view imports control":           {"views/flags", "relctl-tui/sources/control", "views/flags imports relctl-tui/sources/control, but a view may import only sources, themes, views of ours."},
		"view imports another view":      {"views/flags", "relctl-tui/views/latency", "views/flags imports relctl-tui/views/latency, but a view may import only sources, themes, views of ours."},
		"view imports the root model":    {"views/flags", "relctl-tui/ui", "views/flags imports relctl-tui/ui, but a view may import only sources, themes, views of ours."},
		"view imports a metrics client":  {"views/latency", "github.com/prometheus/common/model", "views/latency imports github.com/prometheus/common/model, but a view may import from outside only charm.land/, github.com/charmbracelet/."},
		"board imports a driver":         {"ui", "relctl-tui/sources/flagd", "ui imports relctl-tui/sources/flagd, but the board may import only sources, sources/live, sources/control, sources/incident, themes, views, views/*, ui/wire of ours."},
		"board speaks HTTP":              {"ui", "net/http", "ui imports net/http, but the board never does I/O of that kind itself."},
		"somebody imports the command":   {"ui", "relctl-tui/cmd/relctl-tui", "ui imports relctl-tui/cmd/relctl-tui, but the board may import only sources, sources/live, sources/control, sources/incident, themes, views, views/*, ui/wire of ours."},
		"folder nobody planned":          {"tools", "fmt", "tools has no row in the import rules."},
		"part of a driver imports Charm": {"sources/flagd/edit", "charm.land/lipgloss/v2", "sources/flagd/edit imports charm.land/lipgloss/v2, but a driver of flag files never depends on the terminal."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pkgs := []listed{
				{ImportPath: "os", Standard: true},
				{ImportPath: "fmt", Standard: true},
				{ImportPath: "net/http", Standard: true},
				{ImportPath: module + "/" + tc.from, Imports: []string{tc.to}, Deps: []string{tc.to}},
			}
			require.Equal(t, []string{tc.want}, violations(pkgs))
		})
	}
}

func TestADriverMayNotReachCharmThroughALibrary(t *testing.T) {
	t.Parallel()
	pkgs := []listed{{
		ImportPath: module + "/sources/flagd",
		Imports:    []string{"example.com/pretty"},
		Deps:       []string{"charm.land/lipgloss/v2", "example.com/pretty"},
	}}
	require.Equal(t, []string{
		"sources/flagd reaches charm.land/lipgloss/v2 through another package, but a driver of flag files never depends on the terminal.",
	}, violations(pkgs))
}

func TestImportRulesLetThePlannedImportsThrough(t *testing.T) {
	t.Parallel()
	ours := func(names ...string) []string {
		for i, n := range names {
			names[i] = module + "/" + n
		}
		return names
	}
	pkgs := []listed{
		{ImportPath: "fmt", Standard: true},
		{ImportPath: "net/http", Standard: true},
		{ImportPath: module + "/sources", Imports: []string{"fmt"}},
		{ImportPath: module + "/sources/flagd", Imports: append(ours("sources", "sources/flagd/edit"), "github.com/fsnotify/fsnotify", "net/http")},
		{ImportPath: module + "/sources/prometheus", Imports: append(ours("sources", "sources/metrics"), "github.com/prometheus/client_golang/api")},
		{ImportPath: module + "/sources/demo", Imports: append(ours("sources/flagd", "sources/metrics"), "github.com/sony/gobreaker/v2")},
		{ImportPath: module + "/sources/control", Imports: ours("sources", "sources/journal")},
		{ImportPath: module + "/themes", Imports: []string{"charm.land/lipgloss/v2", "fmt"}},
		{ImportPath: module + "/views/flags", Imports: append(ours("sources", "themes", "views"), "charm.land/bubbles/v2/key", "fmt")},
		{ImportPath: module + "/ui", Imports: append(ours("sources/live", "sources/control", "views/flags", "themes"), "charm.land/bubbletea/v2")},
		{ImportPath: module + "/ui/sshserver", Imports: append(ours("ui"), "charm.land/wish/v2")},
		{ImportPath: module + "/cmd/relctl-tui", Imports: append(ours("ui", "sources/flagd", "sources/demo"), "github.com/spf13/cobra", "net/http")},
	}
	require.Empty(t, violations(pkgs))
}
