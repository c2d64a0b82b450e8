package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"

	"relctl-tui/sources"
)

//go:embed report.html.tmpl
var htmlText string

var html = template.Must(template.New("html").Funcs(template.FuncMap{
	"text":   func(s string) string { return sources.Clean(s, maxText) },
	"lasted": lasted, "amount": amount, "draw": draw, "day": day, "or": or,
}).Parse(htmlText))

// HTML writes the document as one page that loads nothing and runs nothing, with charts
// as SVG.
func (d *Document) HTML(w io.Writer) error {
	var b bytes.Buffer
	if err := html.Execute(&b, page{d}); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
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
