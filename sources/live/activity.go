package live

import (
	"cmp"
	"slices"
	"time"

	"relctl-tui/sources"
)

// matchWindow is how far apart a change's record and its appearance in the store
// may be and still be the same change: revisions come back when values do.
const matchWindow = 2 * time.Minute

// settled is how long after a confirmed change the store's next difference is
// taken for something newer than that change.
const settled = 15 * time.Second

// line is one activity and whether its appearance in the store was seen, so that
// one record never explains two appearances.
type line struct {
	sources.Activity
	matched bool
	flaps   *flaps // of a breaker's line; nil for a flag's
}

func (l *line) tookEffect() bool {
	return l.Outcome == sources.Confirmed || l.Outcome == sources.Seen || l.Outcome == sources.Unconfirmed
}

// observe takes an activity of this process or of the journal.
func (s *state) observe(a sources.Activity, now time.Time) { s.merge(a, now, true) }

// recall takes an activity read from the journal, which knows less than what was
// observed directly: a pending line never replaces a result.
func (s *state) recall(a sources.Activity, now time.Time) { s.merge(a, now, false) }

func (s *state) merge(a sources.Activity, now time.Time, direct bool) {
	if a.ID != "" {
		if i := slices.IndexFunc(s.activity, func(l *line) bool { return l.ID == a.ID }); i >= 0 {
			s.replace(s.activity[i], a, direct)
			return
		}
		if l := s.anonymous(a); l != nil {
			l.Activity = a
			s.touched(l)
			s.order()
			return
		}
	}
	if n := len(s.activity); n >= s.opts.MaxActivity && a.At.Before(s.activity[n-1].At) {
		return
	}
	// What is old by now showed in the store before we looked.
	l := &line{Activity: a, matched: now.Sub(a.At) > matchWindow}
	s.activity = append(s.activity, l)
	s.order()
	s.touched(l)
}

// replace brings a line up to what is known of its change now.
func (s *state) replace(l *line, a sources.Activity, direct bool) {
	if l.Activity == a || (!direct && a.Outcome == sources.Pending) {
		return
	}
	a.Revision = cmp.Or(a.Revision, l.Revision)
	// What was taken for failed may have shown as somebody's edit.
	if dup := s.anonymous(a); dup != nil && !l.matched {
		s.activity = slices.DeleteFunc(s.activity, func(x *line) bool { return x == dup })
		l.matched = true
	}
	l.Activity = a
	s.touched(l)
}

// anonymous finds the change seen in the store that a record explains.
func (s *state) anonymous(a sources.Activity) *line {
	if a.Outcome.Void() || a.Revision == "" {
		return nil
	}
	for _, l := range s.activity {
		if l.ID == "" && l.Outcome == sources.Seen && l.Flag == a.Flag && l.Revision == a.Revision && near(l.At, a.At) {
			return l
		}
	}
	return nil
}

// changed takes a difference between two sets of a store: a known change shows
// itself, or somebody else's is new.
func (s *state) changed(was, is *sources.Flag, now time.Time) {
	a := sources.Activity{At: now, Kind: string(sources.Edited), Outcome: sources.Seen}
	if is != nil {
		a.Flag, a.Name, a.New, a.Revision = is.ID, is.Name, is.Brief(), is.Revision
		if l := s.known(is, now); l != nil {
			s.touched(l)
			return
		}
	} else {
		a.Flag, a.Name, a.New = was.ID, was.Name, "removed"
	}
	if was != nil {
		a.Old = was.Brief()
	}
	s.unattributed = s.unattributed || is != nil
	l := &line{Activity: a, matched: true}
	s.activity = append(s.activity, l)
	s.order()
	s.touched(l)
}

// known finds the record of a change that shows itself in the store, and closes
// those before it: the store has gone past them, whether or not each was seen.
func (s *state) known(is *sources.Flag, now time.Time) (found *line) {
	for _, l := range s.activity { // newest first
		switch {
		case l.ID == "" || l.Flag != is.ID || l.Outcome.Void():
		case found != nil:
			l.matched = true
		case !l.matched && l.Revision == is.Revision && near(l.At, now):
			l.matched, found = true, l
		case l.Outcome == sources.Confirmed && now.Sub(l.At) > settled:
			return nil // the store was at this one: the older ones cannot be what shows now
		}
	}
	return found
}

func near(a, b time.Time) bool { return a.Sub(b).Abs() <= matchWindow }

// touched marks a line, and the flags whose last change it may be, for the next
// snapshot.
func (s *state) touched(l *line) {
	s.activityDirty, s.dirty = true, true
	if l.Flag.Key != "" && l.tookEffect() {
		s.flagsDirty = true
	}
}

// order keeps the newest first and the number bounded.
func (s *state) order() {
	slices.SortStableFunc(s.activity, func(a, b *line) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	})
	if len(s.activity) > s.opts.MaxActivity {
		s.activity = slices.Delete(s.activity, s.opts.MaxActivity, len(s.activity))
	}
}
