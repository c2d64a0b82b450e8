package report

import (
	"io"
	"math"
	"strings"
	"unicode"
)

// Markdown writes the document with sparklines for charts. Nothing that came from
// outside can be markup in it.
func (d *Document) Markdown(w io.Writer) error {
	p := &page{Document: d, plain: escape}
	p.put("# What happened")
	if p.Context != "" {
		p.put(" in %s", p.Context)
	}
	p.put("\n\n%s to %s (%s)", day(p.From), day(p.To), p.length())
	if p.zoned() {
		p.put(", %s to %s", p.localDay(p.From), p.localDay(p.To))
	}
	p.put("\n\n## Summary\n\n")
	for _, s := range p.Summary {
		p.put("- %s\n", s)
	}
	if len(p.Suspects) > 0 {
		p.put("\n## Suspects\n\n")
		for i := range p.Suspects {
			s := &p.Suspects[i]
			p.put("1. %s %s at %s UTC, %s: %s\n", s.Subject, s.What, p.clock(s.At), s.Word, s.Why)
		}
	}
	p.markdownTimeline()
	p.markdownActions()
	p.markdownCharts()
	p.put("\n## Open questions\n\n")
	for _, q := range p.Questions {
		p.put("- %s\n", q)
	}
	if len(p.Questions) == 0 {
		p.put("None.\n")
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) markdownTimeline() {
	p.put("\n## Timeline\n\n")
	if len(p.Timeline) == 0 {
		p.put("Nothing is on record.\n")
		return
	}
	if p.zoned() {
		p.put("| UTC | %s | | |\n|---|---|---|---|\n", p.zone())
	} else {
		p.put("| UTC | | |\n|---|---|---|\n")
	}
	for _, e := range p.Timeline {
		p.put("| %s |", p.clock(e.At))
		if p.zoned() {
			p.put(" %s |", p.local(e.At))
		}
		p.put(" %s | %s |\n", e.What, e.Text)
	}
}

func (p *page) markdownActions() {
	p.put("\n## Actions\n\n")
	if len(p.Actions) == 0 {
		p.put("Nobody changed anything.\n")
		return
	}
	p.put("| | UTC | who | what | why | result | confirmed after | in force after | metric | before | after | within its limit after |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range p.Actions {
		p.put("| %d |", p.Actions[i].Number)
		for _, c := range p.Actions[i].cells(p) {
			p.put(" %s |", c)
		}
		p.put("\n")
	}
}

func (p *page) markdownCharts() {
	p.put("\n## Metrics\n\n")
	if len(p.Charts) == 0 {
		p.put("No source of metrics keeps a past.\n")
		return
	}
	p.put("| | begin | worst | at (UTC) | end | above its limit for | |\n|---|---|---|---|---|---|---|\n")
	for _, c := range p.Charts {
		at, above := "–", "–"
		if c.Worst.OK {
			at = p.clock(c.WorstAt)
		}
		if c.Above != 0 {
			above = lasted(c.Above)
		}
		p.put("| %s | %s | %s | %s | %s | %s | `%s` |\n", c.Name, amount(c.Before, c.Unit), amount(c.Worst, c.Unit), at, amount(c.After, c.Unit), above, markup(sparkline(c)))
	}
}

// escape makes a text plain in Markdown: no character of it is markup, and it stays in
// its table cell. What could not be markup where it stands is left readable.
func escape(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		word := i > 0 && i+1 < len(runes) && wordly(runes[i-1]) && wordly(runes[i+1])
		first := i == 0 && strings.ContainsRune("#+-=>", r)
		if strings.ContainsRune("\\`*[]<>|&~!$@", r) || r == '_' && !word || first {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func wordly(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// sparkline is a chart in at most 60 characters, of which each is the worst of its
// points; a dot is a gap.
func sparkline(c Chart) string {
	const width = 60
	bars := []rune("▁▂▃▄▅▆▇█")
	top := c.Limit
	if c.Worst.OK {
		top = max(top, c.Worst.V)
	}
	var b strings.Builder
	n := min(width, len(c.Points))
	for i := range n {
		v := worst(c.Points[i*len(c.Points)/n : (i+1)*len(c.Points)/n])
		switch {
		case math.IsNaN(v):
			b.WriteRune('·')
		case top <= 0:
			b.WriteRune(bars[0])
		default:
			b.WriteRune(bars[min(len(bars)-1, max(0, int(v/top*float64(len(bars)))))])
		}
	}
	return b.String()
}

// worst is the largest of some points; NaN where all are gaps.
func worst(points []float64) float64 {
	out := math.NaN()
	for _, v := range points {
		if !math.IsNaN(v) && (math.IsNaN(out) || v > out) {
			out = v
		}
	}
	return out
}
