package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"relctl-tui/sources"
)

// inHTML makes a text plain, in an element and in an attribute with quotes.
var inHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "+", "&#43;")

// The page loads nothing and runs nothing, and a browser is told so.
const htmlHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
`

const htmlStyle = `<style>
:root { color-scheme: light dark; --line: #1f6feb; --bad: #c9252d; --dim: #6e7781; --hole: #8884; }
@media (prefers-color-scheme: dark) { :root { --line: #79b8ff; --bad: #ff7b72; --dim: #8b949e; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--hole); padding: .25em .6em .25em 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.wide { overflow-x: auto; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
.dim { color: var(--dim); }
</style>
</head>
<body>
`

// HTML writes the document as one page that loads nothing and runs nothing, with charts
// as SVG.
func (d *Document) HTML(w io.Writer) error {
	p := &page{Document: d, plain: inHTML.Replace}
	title := "What happened"
	if p.Context != "" {
		title += " in " + sources.Clean(p.Context, maxText)
	}
	p.put("%s<title>%s, %s</title>\n%s<h1>%s</h1>\n", markup(htmlHead), title, day(p.From), markup(htmlStyle), title)
	p.put("<p>%s to %s (%s)", day(p.From), day(p.To), p.length())
	if p.zoned() {
		p.put("<br>%s to %s", p.localDay(p.From), p.localDay(p.To))
	}
	p.put("</p>\n<h2>Summary</h2>\n<ul>\n")
	for _, s := range p.Summary {
		p.put("<li>%s</li>\n", s)
	}
	p.put("</ul>\n")
	if len(p.Suspects) > 0 {
		p.put("<h2>Suspects</h2>\n<ol>\n")
		for i := range p.Suspects {
			s := &p.Suspects[i]
			p.put("<li><b>%s %s</b> at %s UTC, %s: %s</li>\n", s.Subject, s.What, p.clock(s.At), s.Word, s.Why)
		}
		p.put("</ol>\n")
	}
	p.htmlTimeline()
	p.htmlActions()
	p.htmlCharts()
	p.put("<h2>Open questions</h2>\n")
	if len(p.Questions) > 0 {
		p.put("<ul>\n")
		for _, q := range p.Questions {
			p.put("<li>%s</li>\n", q)
		}
		p.put("</ul>\n")
	} else {
		p.put("<p>None.</p>\n")
	}
	p.put("</body>\n</html>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

func (p *page) htmlTimeline() {
	p.put("<h2>Timeline</h2>\n")
	if len(p.Timeline) == 0 {
		p.put("<p>Nothing is on record.</p>\n")
		return
	}
	p.put(`<table>
<tr><th class="n">UTC</th>`)
	if p.zoned() {
		p.put(`<th class="n">%s</th>`, p.zone())
	}
	p.put("<th></th><th></th></tr>\n")
	for _, e := range p.Timeline {
		p.put(`<tr><td class="n">%s</td>`, p.clock(e.At))
		if p.zoned() {
			p.put(`<td class="n">%s</td>`, p.local(e.At))
		}
		p.put("<td class=\"dim\">%s</td><td>%s</td></tr>\n", e.What, e.Text)
	}
	p.put("</table>\n")
}

// numeric are the columns of numbers among an action's cells.
var numeric = [...]bool{0: true, 5: true, 6: true, 8: true, 9: true, 10: true}

func (p *page) htmlActions() {
	p.put("<h2>Actions</h2>\n")
	if len(p.Actions) == 0 {
		p.put("<p>Nobody changed anything.</p>\n")
		return
	}
	p.put(`<div class="wide"><table>
<tr><th></th><th class="n">UTC</th><th>who</th><th>what</th><th>why</th><th>result</th><th class="n">confirmed after</th><th class="n">in force after</th><th>metric</th><th class="n">before</th><th class="n">after</th><th class="n">within its limit after</th></tr>
`)
	for i := range p.Actions {
		p.put(`<tr><td class="n">%d</td>`, p.Actions[i].Number)
		for k, c := range p.Actions[i].cells(p) {
			if numeric[k] {
				p.put(`<td class="n">%s</td>`, c)
			} else {
				p.put("<td>%s</td>", c)
			}
		}
		p.put("</tr>\n")
	}
	p.put("</table></div>\n")
}

func (p *page) htmlCharts() {
	p.put("<h2>Metrics</h2>\n")
	if len(p.Charts) == 0 {
		p.put("<p>No source of metrics keeps a past.</p>\n")
		return
	}
	p.put("<p class=\"dim\">Numbers on the charts are the actions above; D is a deploy; grey is a span without samples.</p>\n")
	for _, c := range p.Charts {
		p.put("<h3>%s</h3>\n<p>%s at the begin, %s at its worst", c.Name, amount(c.Before, c.Unit), amount(c.Worst, c.Unit))
		if c.Worst.OK {
			p.put(" (%s UTC)", p.clock(c.WorstAt))
		}
		p.put(", %s at the end", amount(c.After, c.Unit))
		if c.Above != 0 {
			p.put("; above its limit for %s", lasted(c.Above))
		}
		p.put(".</p>\n")
		d := draw(c)
		p.svg(&d)
	}
}

// svg writes a drawing.
func (p *page) svg(d *drawing) {
	p.put("<svg viewBox=\"0 0 %v %v\" role=\"img\">\n", d.Width, d.Height)
	for _, h := range d.Holes {
		p.put("<rect x=\"%v\" y=\"16\" width=\"%v\" height=\"120\" fill=\"var(--hole)\"/>\n", h.X, h.W)
	}
	p.put("<line x1=\"%v\" y1=\"%v\" x2=\"%v\" y2=\"%v\" stroke=\"var(--dim)\"/>\n", d.Left, d.Base, d.Right, d.Base)
	if d.Limit != "" {
		p.put("<line x1=\"%v\" y1=\"%v\" x2=\"%v\" y2=\"%v\" stroke=\"var(--bad)\" stroke-dasharray=\"4 4\"/>\n", d.Left, d.LimitY, d.Right, d.LimitY)
		p.put("<text x=\"%v\" y=\"%v\" dx=\"-4\" dy=\"4\" text-anchor=\"end\" fill=\"var(--bad)\">%s</text>\n", d.Left, d.LimitY, d.Limit)
	}
	for _, m := range d.Marks {
		p.put("<line x1=\"%v\" y1=\"16\" x2=\"%v\" y2=\"%v\" stroke=\"var(--dim)\"/><text x=\"%v\" ", m.X, m.X, d.Base, m.X)
		if m.Label == "onset" {
			p.put(`y="28" dx="3"`)
		} else {
			p.put(`y="%v" text-anchor="middle"`, d.Above)
		}
		p.put(" fill=\"currentColor\">%s</text>\n", m.Label)
	}
	for _, l := range d.Lines {
		p.put("<polyline points=\"%s\" fill=\"none\" stroke=\"var(--line)\" stroke-width=\"1.5\"/>\n", markup(l))
	}
	for _, s := range d.Dots {
		p.put("<circle cx=\"%v\" cy=\"%v\" r=\"1.5\" fill=\"var(--line)\"/>\n", s.X, s.Y)
	}
	p.put("<text x=\"%v\" y=\"%v\" dx=\"-4\" text-anchor=\"end\" fill=\"var(--dim)\">0</text>\n", d.Left, d.Base)
	p.put("<text x=\"%v\" y=\"16\" dx=\"-4\" dy=\"4\" text-anchor=\"end\" fill=\"var(--dim)\">%s</text>\n", d.Left, d.Top)
	p.put("<text x=\"%v\" y=\"%v\" dy=\"-8\" fill=\"var(--dim)\">%s</text>\n", d.Left, d.Height, d.From)
	p.put("<text x=\"%v\" y=\"%v\" dy=\"-8\" text-anchor=\"end\" fill=\"var(--dim)\">%s UTC</text>\n</svg>\n", d.Right, d.Height, d.To)
}

// The size of a drawing, in SVG's units: the plot and the room around it.
const (
	wide, high = 720.0, 120.0
	left, top  = 60.0, 16.0
)

// drawing is a chart as SVG's attributes.
type drawing struct {
	Lines             []string // the points of a polyline each
	Dots              []spot   // a point with gaps on either side
	Holes             []bar    // spans without samples
	Marks             []spot
	Limit, Top        string
	LimitY            float64
	Left, Right, Base float64
	Above             float64 // where the labels of marks stand
	Width, Height     float64
	From, To          string
}

type spot struct {
	X, Y  float64
	Label string
}

type bar struct{ X, W float64 }

// draw works out where everything stands.
func draw(c Chart) drawing {
	highest := math.Max(c.Limit*1.1, c.Worst.Or(0)*1.05)
	if highest <= 0 {
		highest = 1
	}
	last := c.at(len(c.Points) - 1)
	shape := layout(c.From, last)
	d := drawing{
		Left: left, Right: left + wide, Base: top + high, Above: top - 4, Width: left + wide + 20, Height: top + high + 24,
		Top: sources.Amount(highest, c.Unit), From: c.From.UTC().Format(shape), To: last.UTC().Format(shape),
	}
	length := last.Sub(c.From).Seconds()
	x := func(t time.Time) float64 {
		if length <= 0 {
			return left
		}
		return round1(left + wide*math.Min(1, math.Max(0, t.Sub(c.From).Seconds()/length)))
	}
	y := func(v float64) float64 { return round1(top + high*(1-v/highest)) }
	if c.Limit > 0 {
		d.Limit, d.LimitY = sources.Amount(c.Limit, c.Unit), y(c.Limit)
	}
	var line []string
	end := func() {
		if len(line) == 1 {
			var s spot
			_, _ = fmt.Sscanf(line[0], "%g,%g", &s.X, &s.Y)
			d.Dots = append(d.Dots, s)
		} else if len(line) > 1 {
			d.Lines = append(d.Lines, strings.Join(line, " "))
		}
		line = nil
	}
	for i, v := range c.Points {
		if math.IsNaN(v) {
			end()
			continue
		}
		line = append(line, fmt.Sprintf("%g,%g", x(c.at(i)), y(v)))
	}
	end()
	for _, g := range c.Missing {
		d.Holes = append(d.Holes, bar{x(g.From), math.Max(1, x(g.To)-x(g.From))})
	}
	for _, m := range c.Marks {
		d.Marks = append(d.Marks, spot{X: x(m.At), Label: m.Label})
	}
	return d
}

func round1(v float64) float64 { return math.Round(v*10) / 10 }
