// Command picture draws .github/board.png from the program's own output: the demo
// in an incident, checkout-v2 at 50 % and the payment API's breaker open. It runs
// the real program in a pty, reads it with a terminal emulator and draws each cell
// where it stands. It needs rsvg-convert and a monospaced font with Braille
// (Debian: librsvg2-bin fonts-dejavu-core). Run it from the root:
//
//	go run ./.ci/picture
package main

import (
	"flag"
	"fmt"
	"html"
	"image/color"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

const (
	cellW, cellH, fontSize, pad = 8.43, 18.0, 14.0, 16.0
	paper, ink                  = "#14161b", "#d6d8dc"
)

// palette is the sixteen colours of a terminal as people set them up today.
var palette = [16]color.RGBA{
	{0x28, 0x2c, 0x34, 255}, {0xf0, 0x5f, 0x6a, 255}, {0x7c, 0xc3, 0x7f, 255}, {0xe3, 0xc0, 0x6a, 255},
	{0x6c, 0xa8, 0xf0, 255}, {0xc7, 0x8d, 0xe0, 255}, {0x56, 0xbf, 0xcc, 255}, {0xd6, 0xd8, 0xdc, 255},
	{0x6b, 0x71, 0x7d, 255}, {0xff, 0x7b, 0x85, 255}, {0x98, 0xd8, 0x9b, 255}, {0xf5, 0xd5, 0x84, 255},
	{0x8c, 0xbe, 0xff, 255}, {0xdb, 0xa8, 0xf0, 255}, {0x7a, 0xd8, 0xe4, 255}, {0xff, 0xff, 0xff, 255},
}

func main() {
	log.SetFlags(0)
	w, h := flag.Int("w", 120, "columns"), flag.Int("h", 36, "rows")
	out := flag.String("o", ".github/board.png", "where the picture goes")
	calm := flag.Bool("calm", false, "before the incident")
	flag.Parse()
	dir, err := os.MkdirTemp("", "picture")
	check(err)
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "relctl-tui")
	build := exec.Command("go", "build", "-o", bin, "./cmd/relctl-tui")
	build.Stderr = os.Stderr
	check(build.Run())

	s := start(*w, *h, bin, "demo", "--seed", "3")
	defer s.stop()
	s.await(has("checkout-v2"))
	pause(20 * time.Second) // of healthy traffic, for the sparklines to compare with
	if !*calm {
		s.press("/", "c", "h", "e", "c", "k", "o", "u", "t", "-", "v", "2", "\r")
		pause(600 * time.Millisecond)
		s.press("=", "5", "0", "\r")
		s.await(has("confirmed in"))
		pause(200 * time.Millisecond)
		s.press("\x1b")
		pause(12 * time.Second)
		s.await(func(text string) bool {
			return line(text, "payment API", "breached") && line(text, "payment API", "\u2717 open")
		})
	}
	svg := filepath.Join(dir, "board.svg")
	check(os.WriteFile(svg, []byte(s.draw()), 0o600))
	convert := exec.Command("rsvg-convert", "--zoom", "1.6", "-o", *out, svg)
	convert.Stderr = os.Stderr
	check(convert.Run())
	fmt.Println(*out, "drawn")
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func pause(d time.Duration) { time.Sleep(d) }

func has(part string) func(string) bool {
	return func(text string) bool { return strings.Contains(text, part) }
}

func line(text string, parts ...string) bool {
next:
	for l := range strings.Lines(text) {
		for _, p := range parts {
			if !strings.Contains(l, p) {
				continue next
			}
		}
		return true
	}
	return false
}

type screen struct {
	cmd  *exec.Cmd
	tty  *os.File
	w, h int
	mu   sync.Mutex
	emu  *vt.Emulator
}

func start(w, h int, bin string, args ...string) *screen {
	s := &screen{cmd: exec.Command(bin, args...), w: w, h: h, emu: vt.NewEmulator(w, h)}
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "RELCTL_ACTOR=ana", "NO_COLOR=")
	tty, err := pty.StartWithSize(s.cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	check(err)
	s.tty = tty
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := tty.Read(buf)
			s.mu.Lock()
			_, _ = s.emu.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { _, _ = io.Copy(tty, s.emu) }()
	return s
}

func (s *screen) stop() {
	s.press("q")
	_ = s.cmd.Wait()
}

func (s *screen) press(keys ...string) {
	for _, k := range keys {
		_, err := io.WriteString(s.tty, k)
		check(err)
		pause(100 * time.Millisecond)
	}
}

func (s *screen) await(cond func(string) bool) {
	for range 600 {
		s.mu.Lock()
		text := s.emu.String()
		s.mu.Unlock()
		if cond(text) {
			return
		}
		pause(100 * time.Millisecond)
	}
	log.Fatal("the board never came to it:\n", s.emu.String())
}

// draw is the screen as SVG, each cell at its own place.
func (s *screen) draw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	w, h := float64(s.w)*cellW+2*pad, float64(s.h)*cellH+2*pad
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f"><rect width="100%%" height="100%%" rx="8" fill="%s"/><g font-family="DejaVu Sans Mono" font-size="%.0f" xml:space="preserve">`, w, h, paper, fontSize)
	for y := range s.h {
		for x := range s.w {
			if c := s.emu.CellAt(x, y); c != nil && c.Content != "" {
				cell(&b, x, y, c)
			}
		}
	}
	b.WriteString("</g></svg>")
	return b.String()
}

func cell(b *strings.Builder, x, y int, c *uv.Cell) {
	fg, bg := hex(c.Style.Fg, ink), hex(c.Style.Bg, "")
	if c.Style.Attrs&uv.AttrReverse != 0 {
		fg, bg = paper, fg
	}
	left, top := pad+float64(x)*cellW, pad+float64(y)*cellH
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"/>`, left, top, cellW*float64(c.Width)+0.3, cellH+0.3, bg)
	}
	if strings.TrimSpace(c.Content) == "" {
		return
	}
	extra := ""
	if c.Style.Attrs&uv.AttrBold != 0 {
		extra += ` font-weight="bold"`
	}
	if c.Style.Attrs&uv.AttrFaint != 0 {
		extra += ` opacity="0.55"`
	}
	fmt.Fprintf(b, `<text x="%.2f" y="%.2f" fill="%s"%s>%s</text>`, left, top+fontSize, fg, extra, html.EscapeString(c.Content))
}

func hex(c color.Color, fallback string) string {
	if c == nil {
		return fallback
	}
	if basic, ok := c.(ansi.BasicColor); ok {
		c = palette[basic&15]
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
