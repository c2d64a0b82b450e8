// Command picture draws the board in every theme that comes with it, at three sizes, into
// .github/themes, and the page that shows them. The moment is a recorded one: a flag climbs
// by itself, another went to 50 %, a breaker is open and an error budget burns. The board
// itself draws it, a terminal emulator reads what it wrote, and each run of cells stands in
// the picture where it stood on the screen. The same recording gives the same bytes. Run it
// from the root:
//
//	go run ./.ci/picture
//	go run ./.ci/picture -keep FILE  # take the last moment of a recording as the new one
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"relctl-tui/sources/record"
	"relctl-tui/themes"
)

const (
	moment = ".ci/picture/incident.jsonl.gz"
	folder = ".github/themes"
	page   = ".github/THEMES.md"
)

// extents are the sizes of the screens, in cells.
var extents = [...][2]int{{80, 24}, {120, 40}, {200, 60}}

func main() {
	log.SetFlags(0)
	time.Local = time.UTC // whoever draws it, wherever
	keep := flag.String("keep", "", "recording of which the last moment is to be drawn from now on")
	flag.Parse()
	run := drawAll
	if *keep != "" {
		run = func() error { return keepLast(*keep) }
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func drawAll() error {
	frame, err := lastOf(moment)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // pictures are for all
		return err
	}
	for _, theme := range themes.Names() {
		for _, e := range extents {
			svg, err := picture(frame.Snapshot, theme, e[0], e[1])
			if err != nil {
				return fmt.Errorf("%s at %dx%d: %w", theme, e[0], e[1], err)
			}
			if err := os.WriteFile(filepath.Join(folder, nameOf(theme, e)), svg, 0o644); err != nil { //nolint:gosec // as well
				return err
			}
		}
	}
	return os.WriteFile(page, []byte(gallery()), 0o644) //nolint:gosec // as well
}

func nameOf(theme string, e [2]int) string { return fmt.Sprintf("%s-%dx%d.svg", theme, e[0], e[1]) }

// gallery is the page that shows the pictures.
func gallery() string {
	var b strings.Builder
	b.WriteString("# Themes\n\nThe same moment in each theme: `search-ranking` climbs by itself, `checkout-v2` went to 50 %,\n" +
		"the payment API's breaker is open and the error budget of checkout burns. `task picture`\n" +
		"draws all of them from one recording, by the board's own hand.\n")
	for _, theme := range themes.Names() {
		fmt.Fprintf(&b, "\n## %s\n\n%s. `relctl-tui --theme %s`\n\n", theme, upper(themes.About(theme)), theme)
		for i, e := range extents {
			if i == 0 {
				fmt.Fprintf(&b, "![%s at %dx%d](themes/%s)\n\nLarger:", theme, e[0], e[1], nameOf(theme, e))
				continue
			}
			fmt.Fprintf(&b, " [%dx%d](themes/%s)", e[0], e[1], nameOf(theme, e))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// lastOf is the last moment of a recording.
func lastOf(path string) (frame record.Frame, err error) {
	f, err := os.Open(path)
	if err != nil {
		return frame, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return frame, err
	}
	rec, err := record.Open(f, info.Size())
	if err != nil {
		return frame, err
	}
	frame, _, err = rec.At(rec.To)
	return frame, err
}

// keepLast makes the last moment of a recording the one that is drawn.
func keepLast(path string) error {
	frame, err := lastOf(path)
	if err != nil {
		return err
	}
	out, err := os.Create(moment)
	if err != nil {
		return err
	}
	w := record.NewWriter(func() io.Writer { return out })
	return errors.Join(w.Add(frame.Snapshot, 0), w.Close(), out.Close())
}
