package report

import (
	"fmt"
	"strings"
	"time"

	"relctl-tui/sources"
)

// maxText is the most runes of one text in a document.
const maxText = 1000

// page writes a document. text/template would do it with less code, and keeps the
// linker from leaving out any method of any type: that costs several MB.
type page struct {
	*Document
	strings.Builder
	plain func(string) string // makes a text that came from outside one without markup
}

// markup is text of our own that is written as it is.
type markup string

// put writes as fmt.Sprintf does, but makes every string plain: only markup is written
// as it is, and nothing has to be remembered.
func (p *page) put(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = p.plain(sources.Clean(s, maxText))
		}
	}
	_, _ = fmt.Fprintf(p, format, args...) // into memory
}

// zoned tells whether the readers' clocks differ from UTC.
func (p *page) zoned() bool { return p.zone() != "" }

// localDay is a moment by the readers' clocks, with its day.
func (p *page) localDay(t time.Time) string { return t.In(p.Zone).Format("2006-01-02 15:04:05 MST") }

// length is how long the document's span is.
func (p *page) length() string { return span(p.To.Sub(p.From)) }

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// cells are an action's columns behind its number.
func (a *Action) cells(p *page) []string {
	return []string{
		p.clock(a.At), or(a.Who, "unknown"), a.What, or(a.Why, "–"), a.Result, lasted(a.Written), lasted(a.Effective),
		or(a.Metric, "–"), amount(a.Before, a.Unit), amount(a.After, a.Unit), lasted(a.Recovered),
	}
}
