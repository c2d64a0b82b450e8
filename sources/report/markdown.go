package report

import (
	"bytes"
	_ "embed"
	"io"
	"math"
	"strings"
	"text/template"
	"time"
	"unicode"

	"relctl-tui/sources"
)

//go:embed report.md.tmpl
var markdownText string

// maxText is the most runes of one text in a document.
const maxText = 1000

var markdown = template.Must(template.New("markdown").Funcs(template.FuncMap{
	"text": escape, "lasted": lasted, "amount": amount, "spark": sparkline, "day": day, "or": or,
}).Parse(markdownText))

// Markdown writes the document with sparklines for charts. Nothing that came from
// outside can be markup in it.
func (d *Document) Markdown(w io.Writer) error {
	var b bytes.Buffer
	if err := markdown.Execute(&b, page{d}); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// page is what the templates ask a document for.
type page struct{ *Document }

// Zoned tells whether the readers' clocks differ from UTC.
func (p page) Zoned() bool { return p.zone() != "" }

// ZoneName is the readers' zone.
func (p page) ZoneName() string { return p.zone() }

// Clock is a moment by UTC.
func (p page) Clock(t time.Time) string { return p.clock(t) }

// Local is a moment by the readers' clocks.
func (p page) Local(t time.Time) string { return p.local(t) }

// LocalDay is the same with its day.
func (p page) LocalDay(t time.Time) string { return t.In(p.Zone).Format("2006-01-02 15:04:05 MST") }

// Span is how long the document's span is.
func (p page) Span() string { return span(p.To.Sub(p.From)) }

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// escape makes a text plain in Markdown: no character of it is markup, and it stays in
// its table cell. What could not be markup where it stands is left readable.
func escape(s string) string {
	s = sources.Clean(s, maxText)
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
