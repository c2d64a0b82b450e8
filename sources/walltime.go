package sources

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Wall is a time of day as a clock on the wall shows it, to the minute.
type Wall struct{ Hour, Minute int }

// String is the time of day as clocks show it: "09:05".
func (w Wall) String() string { return fmt.Sprintf("%02d:%02d", w.Hour, w.Minute) }

func (w Wall) before(o Wall) bool { return w.Hour < o.Hour || w.Hour == o.Hour && w.Minute < o.Minute }

// ParseWall reads "18:00"; the day ends at 24:00, which begins the next one and is
// written 00:00.
func ParseWall(text string) (Wall, error) {
	h, m, ok := strings.Cut(text, ":")
	hour, errH := strconv.ParseUint(h, 10, 8)
	minute, errM := strconv.ParseUint(m, 10, 8)
	if !ok || errH != nil || errM != nil || hour > 23 || minute > 59 || len(h) > 2 || len(m) != 2 {
		return Wall{}, fmt.Errorf("%q is no time of day: write one from 00:00 to 23:59: %w", Clean(text, 40), ErrInvalid)
	}
	return Wall{int(hour), int(minute)}, nil
}

// ParseWeekday reads a day of the week in English, in full or its first three letters.
func ParseWeekday(text string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := d.String(); strings.EqualFold(text, name) || strings.EqualFold(text, name[:3]) {
			return d, true
		}
	}
	return 0, false
}

// day is a date without a time zone: midnight of it in UTC.
func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// dayOf is the date that a moment has where loc is.
func dayOf(t time.Time, loc *time.Location) time.Time {
	y, m, d := t.In(loc).Date()
	return day(y, m, d)
}

// moments are those at which the clocks of a zone show a time of a date, the earliest
// first: one as a rule, two where the clocks are set back over it, none where they are
// set forward over it. around are the two readings with the offsets before and after,
// which are the same moment as a rule.
func moments(date time.Time, w Wall, loc *time.Location) (hits []time.Time, around [2]time.Time) {
	wall := date.Add(time.Duration(w.Hour)*time.Hour + time.Duration(w.Minute)*time.Minute)
	for i, near := range []time.Time{wall.Add(-36 * time.Hour), wall.Add(36 * time.Hour)} {
		_, offset := near.In(loc).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		around[i] = t
		_, is := t.In(loc).Zone()
		if is == offset && (len(hits) == 0 || !hits[0].Equal(t)) {
			hits = append(hits, t)
		}
	}
	if len(hits) == 2 && hits[1].Before(hits[0]) {
		hits[0], hits[1] = hits[1], hits[0]
	}
	return hits, around
}

// opens is the earliest reading of a time of a date, closes the latest: what is closed
// between them is never closed for less than was written, whatever the clocks do.
func opens(date time.Time, w Wall, loc *time.Location) time.Time {
	hits, a := moments(date, w, loc)
	if len(hits) > 0 {
		return hits[0]
	}
	return a[1] // the clocks are set forward, so this one is the earlier
}

func closes(date time.Time, w Wall, loc *time.Location) time.Time {
	hits, a := moments(date, w, loc)
	if n := len(hits); n > 0 {
		return hits[n-1]
	}
	return a[0]
}

// splitDate reads "2026-12-04 10:00", with a space or a T between.
func splitDate(text string) (date time.Time, w Wall, ok bool, err error) {
	head, tail, found := strings.Cut(strings.Replace(text, "T", " ", 1), " ")
	if date, err = time.Parse(time.DateOnly, head); !found || err != nil {
		return time.Time{}, w, false, nil //nolint:nilerr // then it is something else
	}
	w, err = ParseWall(strings.TrimSpace(tail))
	return date, w, true, err
}

// ParseMoment reads when something is to happen, in a zone and seen from now:
// "2026-12-04 10:00", "Fri 10:00" (the next one), "10:00" (today, or else tomorrow), or
// with an offset of its own "2026-12-04T10:00:00+01:00". What the clocks of the zone
// show twice on that day, or never, is ErrInvalid in a sentence that says how to write
// what is meant.
func ParseMoment(text string, loc *time.Location, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	date, w, dated, err := splitDate(text)
	switch {
	case err != nil:
		return time.Time{}, err
	case dated:
		return theMoment(date, w, loc)
	}
	today := dayOf(now, loc)
	head, tail, found := strings.Cut(text, " ")
	weekday, named := ParseWeekday(head)
	if !found || !named {
		if w, err = ParseWall(text); err != nil {
			return time.Time{}, fmt.Errorf(`%q is no moment: write "10:00", "Fri 10:00", "2026-12-04 10:00" or "2026-12-04T10:00:00+01:00": %w`, Clean(text, 40), ErrInvalid)
		}
		return nextMoment(today, 1, w, loc, now)
	}
	if w, err = ParseWall(strings.TrimSpace(tail)); err != nil {
		return time.Time{}, err
	}
	ahead := (int(weekday) - int(today.Weekday()) + 7) % 7
	return nextMoment(today.AddDate(0, 0, ahead), 7, w, loc, now)
}

// nextMoment is the time of a date, or step days later where that is over.
func nextMoment(date time.Time, step int, w Wall, loc *time.Location, now time.Time) (time.Time, error) {
	if !closes(date, w, loc).After(now) {
		date = date.AddDate(0, 0, step)
	}
	return theMoment(date, w, loc)
}

// theMoment is the one at which clocks show a time of a date.
func theMoment(date time.Time, w Wall, loc *time.Location) (time.Time, error) {
	hits, around := moments(date, w, loc)
	said := date.Format(time.DateOnly) + " " + w.String()
	switch len(hits) {
	case 1:
		return hits[0].In(loc), nil
	case 0:
		return time.Time{}, fmt.Errorf("%s does not exist in %s, the clocks are set forward over it: write %s or %s: %w",
			said, loc, around[1].In(loc).Format("15:04"), around[0].In(loc).Format("15:04"), ErrInvalid)
	default:
		return time.Time{}, fmt.Errorf("%s comes twice in %s, the clocks are set back over it: write %s or %s: %w",
			said, loc, hits[0].In(loc).Format(time.RFC3339), hits[1].In(loc).Format(time.RFC3339), ErrInvalid)
	}
}
