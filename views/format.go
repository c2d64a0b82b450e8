package views

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// Absent is what stands where a number is missing.
const Absent = "-"

// Width is how many cells s takes, escape sequences apart.
func Width(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// Fit is s in exactly width cells: cut with '⋯' or padded with spaces. Escape
// sequences in s are kept and take no room.
func Fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	w := Width(s)
	if w > width {
		s = ansi.Truncate(s, width, "⋯")
		w = Width(s)
	}
	return s + strings.Repeat(" ", max(0, width-w))
}

// Age is a duration in one coarse unit: "<1m", "4m", "3h", "2d". Seconds are
// told only when fine, because every label that ticks costs a repaint. A
// negative duration is 0: clocks of two machines differ.
func Age(d time.Duration, fine bool) string {
	d = max(d, 0)
	switch {
	case d < time.Minute && fine:
		return number(float64(d/time.Second), 0, "s")
	case d < time.Minute:
		return "<1m"
	case d < time.Hour:
		return number(float64(d/time.Minute), 0, "m")
	case d < 48*time.Hour:
		return number(float64(d/time.Hour), 0, "h")
	default:
		return number(float64(d/(24*time.Hour)), 0, "d")
	}
}

// AgeOf is the age of a moment; Absent for the zero time.
func AgeOf(at, now time.Time, fine bool) string {
	if at.IsZero() {
		return Absent
	}
	return Age(now.Sub(at), fine)
}

// Clock is a moment as "15:04" in now's zone, or "02 Jan" on another day;
// Absent for the zero time.
func Clock(at, now time.Time) string {
	if at.IsZero() {
		return Absent
	}
	at = at.In(now.Location())
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04")
	}
	return at.Format("02 Jan")
}

// Ahead is a moment to come, by the clocks of its own zone, and in how long that is:
// "Fri 10:00 CET, in 2d".
func Ahead(at, now time.Time) string {
	return sources.Soon(at, now) + at.Format(" MST") + ", in " + Age(at.Sub(now), true)
}

// Took is the time from one moment to another as a person reads it: "18 ms", "1.2 s".
func Took(from, to time.Time) string {
	d := max(to.Sub(from), time.Millisecond)
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Seconds is a latency in two figures and its unit: "820ms", "3.2s", ">10s",
// or "no traffic".
func Seconds(q sources.Quantile) string {
	if !q.OK {
		return "no traffic"
	}
	s := seconds(q.Seconds)
	if q.Over {
		return ">" + s
	}
	return s
}

// ShortSeconds is Seconds for a narrow column: Absent instead of words.
func ShortSeconds(q sources.Quantile) string {
	if !q.OK {
		return Absent
	}
	return Seconds(q)
}

func seconds(s float64) string {
	switch {
	case math.IsNaN(s) || math.IsInf(s, 0) || s < 0:
		return "?"
	case s == 0:
		return "0ms"
	case s < 0.00995:
		return number(s*1e3, 1, "ms")
	case s < 0.9995:
		return number(s*1e3, 0, "ms")
	case s < 9.95:
		return number(s, 1, "s")
	case s < 120:
		return number(s, 0, "s")
	case s < 5940:
		return number(s/60, 0, "m")
	default:
		return number(min(s/3600, 9999), 0, "h")
	}
}

// Rate is a number per second: "120/s", "1.2k/s", "0.5/s"; Absent when absent.
func Rate(v sources.Value) string {
	if !v.OK {
		return Absent
	}
	n := v.V
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0) || n < 0:
		return "?/s"
	case n == 0:
		return "0/s"
	case n < 0.05:
		return "<0.1/s"
	case n < 9.95:
		return number(n, 1, "/s")
	case n < 999.5:
		return number(n, 0, "/s")
	case n < 9950:
		return number(n/1e3, 1, "k/s")
	case n < 999_500:
		return number(n/1e3, 0, "k/s")
	default:
		return number(min(n/1e6, 9999), 0, "M/s")
	}
}

// Ratio is a share of 0..1 in percent with one decimal below ten: "41%", "0.3%".
// A share that is there but rounds to nothing is "<0.1%", never "0%".
func Ratio(v sources.Value) string {
	if !v.OK {
		return Absent
	}
	p := v.V * 100
	switch {
	case math.IsNaN(p) || math.IsInf(p, 0) || p < 0:
		return "?"
	case p == 0:
		return "0%"
	case p < 0.05:
		return "<0.1%"
	case p < 9.95:
		return number(p, 1, "%")
	default:
		return number(min(p, 9999), 0, "%")
	}
}

// Share is an observed exposure of 0..1 with one decimal: "24.7%"; Absent when
// nothing was evaluated.
func Share(v sources.Value) string {
	if !v.OK || math.IsNaN(v.V) {
		return Absent
	}
	p := min(max(v.V, 0), 1) * 100
	if p > 0 && p < 0.05 {
		return "<0.1%"
	}
	return number(p, 1, "%")
}

// Left is what is left of an error budget, to the percent: "87%", "-12%".
func Left(v sources.Value) string {
	if !v.OK || math.IsNaN(v.V) || math.IsInf(v.V, 0) {
		return Absent
	}
	p := math.Floor(v.V * 100) // never more than there is
	if p <= -1000 {
		return "<-999%"
	}
	return strconv.Itoa(int(p)) + "%"
}

// Times is how many times faster than allowed something goes: "14x", "0.4x".
func Times(v float64) string {
	switch {
	case math.IsNaN(v) || v < 0:
		return "?"
	case v < 9.95:
		return strconv.FormatFloat(v, 'f', 1, 64) + "x"
	case v > 9999:
		return ">9999x"
	default:
		return strconv.FormatFloat(v, 'f', 0, 64) + "x"
	}
}

// PercentText is an exact percentage with its sign: "25%", "0.5%".
func PercentText(p sources.Percent) string {
	if p%1000 == 0 {
		return number(float64(p/1000), 0, "%")
	}
	return p.String() + "%"
}

// number is v with its unit, without ".0": one allocation, for it is called a
// hundred times a frame.
func number(v float64, decimals int, unit string) string {
	var room [32]byte
	b := strconv.AppendFloat(room[:0], v, 'f', decimals, 64)
	b = bytes.TrimSuffix(b, []byte(".0"))
	return string(append(b, unit...))
}

// Cut is s in at most width cells, with the theme's sign where it was cut.
func Cut(th *themes.Theme, s string, width int) string {
	if Width(s) <= width {
		return s
	}
	return ansi.Truncate(s, max(width, 0), th.Glyphs.Ellipsis)
}

// CutMiddle is s in at most width cells, without its middle where that is too few: how
// names end tells them apart as often as how they begin.
func CutMiddle(th *themes.Theme, s string, width int) string {
	w := Width(s)
	if w <= width {
		return s
	}
	tail := lastWords(s, w, width)
	if tail == 0 {
		return Cut(th, s, width)
	}
	head, end := ansi.Truncate(s, width-tail, th.Glyphs.Ellipsis), ansi.TruncateLeft(s, w-tail, "")
	if Width(head)+Width(end) > width { // a wide letter stands astride the cut
		end = ansi.TruncateLeft(s, w-tail+1, "")
	}
	return head + end
}

// lastWords is how many cells of a name of w stay at its end in width: its last words, as
// many as fit into half of it, else a third of it, or its last letters where nearly all of
// it fits. 0 where there is no room for two ends.
func lastWords(s string, w, width int) int {
	if width < 8 {
		return 0
	}
	for i, r := range s {
		if t := w - Width(s[:i]); i > 0 && strings.ContainsRune("-_./:", r) && t <= width/2+1 {
			return t
		}
	}
	if w-width <= 4 {
		return 3
	}
	return width / 3
}

// WrapLines is s in lines of at most width cells, the last of most ending in the
// theme's sign where there is more. Before that long words, names and paths, lose their
// middle: what happened, and what to do, is told after them.
func WrapLines(th *themes.Theme, s string, width, most int) []string {
	if s == "" || width <= 0 || most <= 0 {
		return nil
	}
	for _, longest := range [...]int{48, 32, 20} {
		if len(wrap(s, width)) <= most {
			break
		}
		s = squeeze(th, s, longest)
	}
	if most == 1 {
		return []string{Cut(th, s, width)}
	}
	lines := wrap(s, width)
	if len(lines) > most {
		lines = lines[:most]
		cut := Cut(th, lines[most-1], max(width-1, 0))
		lines[most-1] = strings.TrimRight(strings.TrimSuffix(cut, th.Glyphs.Ellipsis), " ") + th.Glyphs.Ellipsis
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// squeeze takes the middle out of every word of more than longest cells; how a name ends
// tells it from others as much as how it begins.
func squeeze(th *themes.Theme, s string, longest int) string {
	words := strings.Split(s, " ")
	for i, word := range words {
		words[i] = CutMiddle(th, word, longest)
	}
	return strings.Join(words, " ")
}

// wrap breaks s between words. Unlike ansi.Wrap it takes a hyphen for a letter:
// "--metrics" and a flag's name are to be read, and copied, in one piece.
func wrap(s string, width int) []string {
	const noBreak = "\u2011"
	wrapped := ansi.Wrap(strings.ReplaceAll(s, "-", noBreak), width, "")
	return strings.Split(strings.ReplaceAll(wrapped, noBreak, "-"), "\n")
}

// Lasts is a length of time as people write it: "1h", "1h30m".
func Lasts(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// RampLeft is what is left of a guarded ramp's time at its step: "1m20s left", or ""
// where none is running.
func RampLeft(r *sources.RampStatus, now time.Time) string {
	left := r.Left
	switch {
	case r.Phase == sources.RampHolding && !r.Due.IsZero():
		left = r.Due.Sub(now)
	case r.Phase != sources.RampPaused && r.Phase != sources.RampAsking:
		return ""
	}
	if left <= 0 {
		return "time is over"
	}
	return left.Round(time.Second).String() + " left"
}
