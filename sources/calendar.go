package sources

import (
	"fmt"
	"strings"
	"time"
)

// Freeze is a window during which no flag is raised: once between two moments, or again
// every week or every day. It is never shorter than it was written, whatever the clocks
// of its zone do at its ends. Make it with NewFreeze.
type Freeze struct {
	Reason      string   // cleaned
	Flags, Tags []string // the flags that it holds for, as those of a Guard
	Override    bool     // a flag may be raised all the same, with a reason and on record

	start, end edge
	loc        *time.Location
}

// edge is one end of a window: of a date, of a day of the week, or of every day.
type edge struct {
	date    time.Time // zero for one that comes again
	weekday time.Weekday
	weekly  bool
	at      Wall
}

// NewFreeze is the window between two ends as they are written: "2026-12-18 18:00",
// "Fri 18:00" or "18:00", both alike, by the clocks of loc. An end at or before its
// start is ErrInvalid, but for one that comes again, which then ends a week or a day
// later.
func NewFreeze(from, to string, loc *time.Location) (Freeze, error) {
	f := Freeze{loc: loc}
	var err error
	if f.start, err = parseEdge(from); err != nil {
		return f, fmt.Errorf("from: %w", err)
	}
	if f.end, err = parseEdge(to); err != nil {
		return f, fmt.Errorf("to: %w", err)
	}
	switch {
	case f.start.date.IsZero() != f.end.date.IsZero() || f.start.weekly != f.end.weekly:
		return f, fmt.Errorf("from and to are of two kinds: write both with a date, both with a day of the week, or both as a time of day: %w", ErrInvalid)
	case !f.start.date.IsZero() && !closes(f.end.date, f.end.at, loc).After(opens(f.start.date, f.start.at, loc)):
		return f, fmt.Errorf("it ends before it begins: %w", ErrInvalid)
	case f.start.date.IsZero() && f.start == f.end:
		return f, fmt.Errorf("it begins and ends at the same time, so it would never end: %w", ErrInvalid)
	default:
		return f, nil
	}
}

func parseEdge(text string) (e edge, err error) {
	date, w, dated, err := splitDate(text)
	if dated || err != nil {
		return edge{date: date, at: w}, err
	}
	head, tail, found := strings.Cut(text, " ")
	if d, named := ParseWeekday(head); found && named {
		e.weekday, e.weekly = d, true
		text = strings.TrimSpace(tail)
	}
	if e.at, err = ParseWall(text); err != nil {
		return e, fmt.Errorf(`%q is no end of a window: write "2026-12-18 18:00", "Fri 18:00" or "18:00": %w`, Clean(text, 40), ErrInvalid)
	}
	return e, nil
}

// Ended says that the window is over for good.
func (z *Freeze) Ended(now time.Time) bool {
	return !z.start.date.IsZero() && !closes(z.end.date, z.end.at, z.loc).After(now)
}

// String is the window as it was written.
func (z *Freeze) String() string {
	word := func(e edge) string {
		switch {
		case !e.date.IsZero():
			return e.date.Format(time.DateOnly) + " " + e.at.String()
		case e.weekly:
			return e.weekday.String()[:3] + " " + e.at.String()
		default:
			return e.at.String()
		}
	}
	return word(z.start) + " to " + word(z.end) + " " + z.loc.String()
}

// window is the span around a moment, or none.
func (z *Freeze) window(now time.Time) (from, to time.Time, ok bool) {
	if !z.start.date.IsZero() {
		from, to = opens(z.start.date, z.start.at, z.loc), closes(z.end.date, z.end.at, z.loc)
		return from, to, !now.Before(from) && now.Before(to)
	}
	// The latest start is not more than a week ago; a day more, for a zone's sake.
	for ago := -1; ago <= 8; ago++ {
		date := dayOf(now, z.loc).AddDate(0, 0, -ago)
		if z.start.weekly && date.Weekday() != z.start.weekday {
			continue
		}
		days := 0
		if z.start.weekly {
			days = (int(z.end.weekday) - int(z.start.weekday) + 7) % 7
		}
		if days == 0 && !z.start.at.before(z.end.at) {
			days = 1
			if z.start.weekly {
				days = 7
			}
		}
		from, to = opens(date, z.start.at, z.loc), closes(date.AddDate(0, 0, days), z.end.at, z.loc)
		if !now.Before(from) && now.Before(to) {
			return from, to, true
		}
	}
	return time.Time{}, time.Time{}, false
}

// holds says whether the window is one of a flag; nil is any flag.
func (z *Freeze) holds(f *Flag) bool {
	if f == nil {
		return len(z.Flags) == 0 && len(z.Tags) == 0
	}
	return (&Guard{Flags: z.Flags, Tags: z.Tags}).For(f)
}

// Calendar is all windows of a context. It is immutable.
type Calendar []Freeze

// Frost is why a flag is not raised now.
type Frost struct {
	From, Until time.Time // Until is in the zone of the window that ends last
	Reason      string
	Override    bool // every window that is open allows it
}

// maxChain bounds windows that follow each other without a gap.
const maxChain = 64

// Of is what holds a flag now, or false. A nil flag asks for what holds all of them.
// Windows that overlap, or follow each other without a gap, are one.
func (c Calendar) Of(f *Flag, now time.Time) (out Frost, frozen bool) {
	at := now
	for range maxChain {
		grown := false
		for i := range c {
			z := &c[i]
			from, to, ok := z.window(at)
			if !ok || !z.holds(f) {
				continue
			}
			if !frozen {
				out = Frost{From: from, Reason: z.Reason, Override: z.Override}
			}
			if at.Equal(now) {
				out.Override = out.Override && z.Override
				if from.Before(out.From) {
					out.From = from
				}
			}
			if frozen = true; to.After(out.Until) {
				if at.Equal(now) {
					out.Reason = z.Reason
				}
				out.Until, grown = to.In(z.loc), true
			}
		}
		if !grown {
			break
		}
		at = out.Until
	}
	return out, frozen
}

// Partly is what holds some flags now and not all of them, or false.
func (c Calendar) Partly(now time.Time) (out Frost, frozen bool) {
	for i := range c {
		from, to, ok := c[i].window(now)
		if !ok || c[i].holds(nil) || frozen && !to.After(out.Until) {
			continue
		}
		out, frozen = Frost{From: from, Until: to.In(c[i].loc), Reason: c[i].Reason, Override: c[i].Override}, true
	}
	return out, frozen
}

// Brief is the freeze in few words: "freeze until Mon 06:00: peak weekend". A moment
// more than six days ahead has its date.
func (f *Frost) Brief(now time.Time) string {
	text := "freeze until " + Soon(f.Until, now)
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	return text
}

// Soon is a moment of the near future in few words, by the clocks of its own zone:
// "14:00" today, "Mon 06:00" within six days, else "4 Jan 06:00".
func Soon(t, now time.Time) string {
	days := int(dayOf(t, t.Location()).Sub(dayOf(now, t.Location())).Hours() / 24)
	switch {
	case days == 0:
		return t.Format("15:04")
	case days > 0 && days <= 6:
		return t.Format("Mon 15:04")
	case t.Year() != now.In(t.Location()).Year():
		return t.Format("2 Jan 2006 15:04")
	default:
		return t.Format("2 Jan 15:04")
	}
}

// Raises says that a change gives somebody the new behaviour who had it not: a higher
// percentage, a later stage of a migration, or a flag that was off as a whole and is
// not any more. What cannot be told apart counts as raising.
func Raises(old, after *Flag) bool {
	if m := old.Migration; m != nil {
		from, err := m.Position(old)
		to, errTo := m.Position(after)
		if err != nil || errTo != nil {
			return errTo == nil || !after.Killed
		}
		return to.Low > from.Low || to.High > from.High
	}
	switch {
	case after.Killed:
		return false
	case after.Rollout.OK && old.Rollout.OK:
		return after.Rollout.V > old.Rollout.V
	case after.Rollout.OK:
		return after.Rollout.V > 0
	default:
		return true
	}
}
