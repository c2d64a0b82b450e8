package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
)

const (
	keptReports = 10      // the newest; a board that fails again and again fills no disk
	maxReport   = 1 << 20 // bytes
	maxLine     = 1000    // runes of one line of a report
	maxPanic    = 200     // runes of what a panic says
	maxPath     = 250     // runes

	reportName = "relctl-tui-"
	stampName  = "20060102T150405.000Z"
)

// crashes keeps reports of faults of the program's own, in files that only their
// owner can read. What a report says of the world is cleaned, and holds neither
// arguments nor environment nor anything that looks like a secret.
type crashes struct {
	dir string
	now func() time.Time
}

func newCrashes(now func() time.Time) *crashes {
	return &crashes{dir: filepath.Join(stateDir(), "crash"), now: now}
}

// keep writes the report of a panic. The error that it returns is the one with
// which the program ends.
func (c *crashes) keep(value any, stack []byte) error {
	what := sources.Clean(withoutSecrets(panicText(value)), maxPanic)
	const calm = "no change is lost: what was under way is in the journal and is listed at the next start"
	path, err := c.write("panic: "+what, string(stack))
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return fmt.Errorf("the program failed by a fault of its own (%s), and its report could not be written to %s (%s); %s",
			what, sources.Clean(c.dir, maxPath), cleanMsg(err.Error()), calm)
	}
	return fmt.Errorf("the program failed by a fault of its own, the report is in %s; %s", sources.Clean(path, maxPath), calm)
}

// survivor keeps reports of panics that the program goes on after. The same one
// again is no news, and a loop that fails again and again pushes nothing out.
func (c *crashes) survivor() func(value any, stack []byte) {
	var mu sync.Mutex
	known := map[string]bool{}
	return func(value any, stack []byte) {
		mu.Lock()
		defer mu.Unlock()
		if text := panicText(value); !known[text] && len(known) < keptReports/2 {
			known[text] = true
			_ = c.keep(value, stack)
		}
	}
}

// panicText is what a panic says. Of a value that is no text its type is enough:
// what it holds might be anything.
func panicText(value any) string {
	switch v := value.(type) {
	case error:
		return v.Error()
	case string:
		return v
	case fmt.Stringer:
		return v.String()
	default:
		return fmt.Sprintf("a %T", v)
	}
}

// write makes a report and says where it is.
func (c *crashes) write(what, stacks string) (path string, err error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return "", err
	}
	now := c.now().UTC()
	f, err := os.CreateTemp(c.dir, reportName+now.Format(stampName)+"-*.txt") // 0600
	if err != nil {
		return "", err
	}
	is := thisBuild()
	_, err = fmt.Fprintf(f, "relctl-tui %s %s\n%s\n%s/%s %s\n\n%s\n\n%s\n", is.Version, is.Commit, now.Format(time.RFC3339),
		runtime.GOOS, runtime.GOARCH, runtime.Version(), what, cleanLines(withoutSecrets(stacks)))
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	c.prune()
	return f.Name(), nil
}

// prune keeps the newest reports. Their names are sorted by time.
func (c *crashes) prune() {
	reports := c.files(".txt")
	for _, old := range reports[:max(0, len(reports)-keptReports)] {
		_ = os.Remove(old)
	}
}

// files are the program's own in the folder with that ending, oldest first.
func (c *crashes) files(ending string) (paths []string) {
	all, _ := os.ReadDir(c.dir) // sorted by name
	for _, e := range all {
		if strings.HasPrefix(e.Name(), reportName) && strings.HasSuffix(e.Name(), ending) {
			paths = append(paths, filepath.Join(c.dir, e.Name()))
		}
	}
	return paths
}

func cleanLines(text string) string {
	lines := strings.Split(text[:min(len(text), maxReport)], "\n")
	for i, l := range lines {
		indent := len(l) - len(strings.TrimLeft(l, "\t"))
		lines[i] = l[:indent] + sources.Clean(l[indent:], maxLine)
	}
	return strings.Join(lines, "\n")
}

// withoutSecrets leaves of every address its scheme and host, for user, path and
// query may each be a secret, and nothing of what is called a token or the like.
func withoutSecrets(text string) string {
	text = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>]+`).ReplaceAllStringFunc(text, func(s string) string {
		u, err := url.Parse(s)
		if err != nil {
			scheme, _, _ := strings.Cut(s, "://")
			return scheme + "://" + redacted
		}
		if u.Path == "" && u.RawQuery == "" && u.User == nil && u.Fragment == "" {
			return s
		}
		return u.Scheme + "://" + u.Host + "/" + redacted
	})
	text = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+`).ReplaceAllString(text, "$1 "+redacted)
	return regexp.MustCompile(`(?i)([a-z0-9_-]*(?:token|passw|secret|api[_-]?key|authorization|cookie|credential)[a-z0-9_-]*["']?\s*[:=]\s*["']?)[^\s"',;&]+`).
		ReplaceAllString(text, "${1}"+redacted)
}
