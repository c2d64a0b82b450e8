package views

import (
	"fmt"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// Feed is how the sources behind one pane stand. The zero Feed has no sources.
type Feed struct {
	Names   []string // sources that feed the pane
	Loaded  bool     // at least one has ever been read
	Stale   bool     // some data is older than it should be
	AllOld  bool     // no data is fresh
	OldAge  time.Duration
	lost    bool   // some data is so old that it means nothing any more
	Trouble string // one sentence on what cannot be read; "" when all is well
}

// FlagFeed is the standing of the flag stores.
func FlagFeed(s *sources.Snapshot, now time.Time) Feed {
	return feed(s, now, sources.PartFlags, func(st *sources.SourceStatus) bool { return st.Flags })
}

// BreakerFeed is the standing of what knows breakers.
func BreakerFeed(s *sources.Snapshot, now time.Time) Feed {
	return feed(s, now, sources.PartBreakers, func(st *sources.SourceStatus) bool { return st.Metrics })
}

// LatencyFeed is the standing of what knows latencies.
func LatencyFeed(s *sources.Snapshot, now time.Time) Feed {
	return feed(s, now, sources.PartLatencies, func(st *sources.SourceStatus) bool { return st.Metrics && !st.Switches })
}

// AlertFeed is the standing of what knows alerts.
func AlertFeed(s *sources.Snapshot, now time.Time) Feed {
	return feed(s, now, sources.PartAlerts, func(st *sources.SourceStatus) bool { return st.Alerts })
}

// feed is the standing of the sources that are shown: one for which another speaks
// has its place in the header, and no part in what stands here.
func feed(s *sources.Snapshot, now time.Time, part sources.Part, wanted func(*sources.SourceStatus) bool) Feed {
	f := Feed{AllOld: true}
	if s == nil {
		return f
	}
	for i := range s.Sources {
		st := &s.Sources[i]
		if !wanted(st) || !st.Shown() {
			continue
		}
		f.Names = append(f.Names, st.Name)
		is := st.Part(part)
		if !is.LastOK.IsZero() {
			f.Loaded = true
			if is.Health == sources.Fresh {
				f.AllOld = false
			} else {
				f.Stale = true
				f.lost = f.lost || is.Health != sources.Stale
				f.OldAge = max(f.OldAge, now.Sub(is.LastOK))
			}
		}
		if f.Trouble == "" && is.Err != "" {
			f.Trouble = Trouble(st, is, now)
		}
	}
	return f
}

// Trouble says what a source cannot do in one of its parts, since when, and what
// that means for the numbers on the screen.
func Trouble(st *sources.SourceStatus, part sources.PartStatus, now time.Time) string {
	since, kept := "", " The board keeps trying."
	if part.Health != sources.Fresh && !st.Since.IsZero() {
		since = " since " + Clock(st.Since, now)
	}
	if !part.LastOK.IsZero() {
		kept = goodData
	}
	reason := Unprefixed(st.Name, strings.TrimRight(part.Err, ". "))
	if strings.Contains(reason, st.Name) {
		if since != "" {
			since = " (" + strings.TrimSpace(since) + ")"
		}
		return reason + since + "." + kept
	}
	return fmt.Sprintf("cannot read %s%s: %s.%s", st.Name, since, reason, kept)
}

// Unprefixed is a driver's sentence without the source's name in front, which the
// screen says beside it and which many of the sentences hold a second time.
func Unprefixed(source, sentence string) string {
	if rest, found := strings.CutPrefix(strings.TrimPrefix(sentence, "source "), source+": "); found {
		return rest
	}
	return sentence
}

// Word is how far the oldest data can be trusted, as the header says it of its source.
func (f *Feed) Word() string {
	switch {
	case f.lost:
		return sources.Unknown.String()
	case f.Stale:
		return sources.Stale.String()
	default:
		return sources.Fresh.String()
	}
}

// Age is that and how old it is, in words for a title.
func (f *Feed) Age() string { return f.Word() + " " + Age(f.OldAge, true) }

// Say writes what a pane without rows has to say: that it has no source, that it waits,
// why it cannot read, and empty for what was read and had no rows. Nothing is said to be
// so now of what is old.
func (f *Feed) Say(p *Pen, th *themes.Theme, noSource, empty string) {
	switch {
	case len(f.Names) == 0:
		p.Say(th.Quiet, noSource)
	case !f.Loaded && f.Trouble != "":
		p.Say(th.Bad, f.Trouble)
	case !f.Loaded:
		p.Say(th.Quiet, "waiting for "+strings.Join(f.Names, ", ")+th.Glyphs.Ellipsis)
	default:
		if f.Trouble != "" {
			p.Say(th.Warn, strings.TrimSuffix(f.Trouble, goodData))
		}
		switch {
		case f.AllOld:
			empty = "when last read: " + empty
		case f.Stale:
			empty = "as far as can be read: " + empty
		}
		p.Say(th.Quiet, empty)
	}
}

// goodData ends the sentence about trouble where there is something to show.
const goodData = " The last good data is shown."

// mostTrouble is the lines that trouble takes in a pane whatever room there is.
const mostTrouble = 3

// Warning is the trouble in lines for the top of a pane of w x h cells that has so many
// rows of data to show below: one line, two where there is room, none where there is not.
// Lines that no row needs it has too, or it would be cut above blank ones.
func (f *Feed) Warning(th *themes.Theme, w, h, rows int) []string {
	if !f.Loaded || f.Trouble == "" {
		return nil
	}
	lines := 2
	switch {
	case h <= 3:
		lines = 0
	case h < 8:
		lines = 1
	}
	return WrapLines(th, f.Trouble, w-Indent-1, max(lines, min(h-1-rows, mostTrouble)))
}

// TroubleLines is how many lines of w cells the trouble could use in a pane.
func (f *Feed) TroubleLines(th *themes.Theme, w int) int {
	return len(WrapLines(th, f.Trouble, w-Indent-1, mostTrouble))
}

// Fresh tells whether one part of a source's data can be shown as it is.
func Fresh(s *sources.Snapshot, source string, part sources.Part) bool {
	return Health(s, source, part) == sources.Fresh
}

// Health is how far one part of a source's data can be trusted. What is not fresh is
// called by its name wherever it stands: stale, or unknown where it means nothing.
func Health(s *sources.Snapshot, source string, part sources.Part) sources.Health {
	st := s.Source(source)
	return st.Part(part).Health
}
