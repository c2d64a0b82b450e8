package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
)

// plural counts things in words.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// span is a length of time as people say it, to about three digits.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return strconv.FormatInt(int64(d.Round(time.Second)/time.Second), 10) + " s"
	case d < time.Hour:
		return two(d.Round(time.Second), time.Minute, "min", time.Second, "s")
	case d < 48*time.Hour:
		return two(d.Round(time.Minute), time.Hour, "h", time.Minute, "min")
	default:
		return two(d.Round(time.Hour), 24*time.Hour, "d", time.Hour, "h")
	}
}

func two(d, big time.Duration, bigs string, small time.Duration, smalls string) string {
	out := fmt.Sprintf("%d %s", d/big, bigs)
	if rest := d % big / small; rest > 0 {
		out += fmt.Sprintf(" %d %s", rest, smalls)
	}
	return out
}

// lasted is a length that may be unknown.
func lasted(d time.Duration) string {
	if d < 0 {
		return "–"
	}
	return span(d)
}

// amount is a measured number in its unit.
func amount(v sources.Value, unit string) string {
	if !v.OK {
		return "–"
	}
	return sources.Amount(v.V, unit)
}

// layout is how moments of a span are written: with their day where it has several.
func layout(from, to time.Time) string {
	if y, m, d := from.UTC().Date(); to.UTC().After(time.Date(y, m, d, 24, 0, 0, 0, time.UTC)) {
		return "01-02 15:04:05"
	}
	return "15:04:05"
}

// clock is a moment of the span, in UTC.
func (d *Document) clock(t time.Time) string { return t.UTC().Format(layout(d.From, d.To)) }

func (d *Document) local(t time.Time) string { return t.In(d.Zone).Format(layout(d.From, d.To)) }

// zone is the name of the readers' zone at the end of the span, "" where it is UTC.
func (d *Document) zone() string {
	name, offset := d.To.In(d.Zone).Zone()
	if offset == 0 {
		return ""
	}
	return name
}

// several is a list of names, the first of them by name.
func several(names []string) string {
	const most = 4
	out := strings.Join(names[:min(len(names), most)], ", ")
	if n := len(names) - most; n > 0 {
		out += fmt.Sprintf(" and %d more", n)
	}
	return out
}

// or is the first that is not empty.
func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
