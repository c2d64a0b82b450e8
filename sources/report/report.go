package report

import (
	"slices"
	"time"

	"relctl-tui/sources"
)

// The bounds of a document, so that a busy week is still one that somebody reads.
const (
	maxEvents  = 1000
	maxActions = 200
	maxMetrics = 40
	maxAsked   = 50
)

// Input is what was read. Strings are cleaned, but for flag keys.
type Input struct {
	Context  string
	Zone     *time.Location     // of the people who read it; nil for UTC
	Incident sources.Incident   // its span is the document's
	Changes  []sources.Activity // by anybody, in any order; other lines are left alone
	Alerts   []sources.Alert    // as they stand at the end
	Breakers []sources.Breaker  // likewise
	Flags    []sources.Flag     // likewise
	Gaps     []string           // what could not be read besides Incident.Missing, a sentence each
}

// Document is what happened, ready to be written. All times are in UTC.
type Document struct {
	Context   string
	From, To  time.Time
	Zone      *time.Location
	Summary   []string
	Timeline  []Event
	Actions   []Action
	Charts    []Chart
	Suspects  []sources.Suspect
	Questions []string
}

// Event is one line of the timeline.
type Event struct {
	At   time.Time
	What string // "change" or "onset", else the lane's word: "deploys", "SLO"
	Text string
}

// Action is one change that somebody made.
type Action struct {
	Number     int // by which the charts name it, from 1
	At         time.Time
	ID         string
	Who        string // "" when unknown
	What       string // "kill checkout-v2: 50% to killed"
	Why        string // "" when no reason was given
	Result     string // the outcome, with the error where there was one
	Attributes map[string]string

	Written   time.Duration // until it was read back; negative when unknown
	Effective time.Duration // until the side that evaluates had it; negative when unknown

	Metric        string // what it was expected to move, or what breached; "" for none
	Unit          string // of Before and After: "s" for seconds, "" for a ratio
	Before, After sources.Value
	Recovered     time.Duration // until Metric was within its limit again; negative when it was not, or was never outside
}

// Build makes the document. It never fails: what is not known is a question in it.
func Build(in Input) *Document {
	if in.Zone == nil {
		in.Zone = time.UTC
	}
	d := &Document{Context: in.Context, From: in.Incident.From.UTC(), To: in.Incident.At.UTC(), Zone: in.Zone}
	b := &builder{Input: in, doc: d}
	b.activity()
	b.charts()
	b.actions()
	b.mark()
	b.timeline()
	b.questions()
	b.summary()
	return d
}

// builder holds what the parts of a document are worked out of.
type builder struct {
	Input
	doc     *Document
	changes []sources.Activity // of the span, the oldest first, each once

	unmeasured []string // metrics without any sample in the span
}

// within says that a moment is in the span.
func (b *builder) within(t time.Time) bool { return !t.Before(b.doc.From) && !t.After(b.doc.To) }

// activity picks the changes of the span.
func (b *builder) activity() {
	b.doc.Suspects = b.Incident.Suspects
	known := map[string]bool{}
	for i := range b.Changes {
		a := b.Changes[i]
		if !b.within(a.At) || a.ID != "" && known[a.ID] {
			continue
		}
		switch a.Kind {
		case sources.KindBreaker, sources.KindSource, sources.KindAlert, sources.KindDeploy, sources.KindUpcoming: // in Incident
		default:
			known[a.ID] = true
			b.changes = append(b.changes, a)
		}
	}
	slices.SortStableFunc(b.changes, func(x, y sources.Activity) int { return x.At.Compare(y.At) })
	if n := len(b.changes) - maxActions; n > 0 {
		b.Gaps = append(b.Gaps, plural(n, "earlier change")+" of this span left out: write a shorter one")
		b.changes = b.changes[n:]
	}
}

// flag is the flag of a change as it is now; nil when it is not there.
func (b *builder) flag(id sources.FlagID) *sources.Flag {
	i := slices.IndexFunc(b.Flags, func(f sources.Flag) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &b.Flags[i]
}
