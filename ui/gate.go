package ui

import (
	"fmt"
	"time"

	"relctl-tui/sources"
)

// One keystroke acts, so what keeps an accident out is when a key counts, not a
// second key. These are the rules; time is an argument.
const (
	// hold is how long an action waits to see whether its key was the start of a
	// burst. It is shorter than anybody can notice and than a person can type.
	hold = 30 * time.Millisecond
	// burstKeys keys within hold are a paste, a stuck line or a cat, never a person.
	burstKeys = 4
	// repeatStart is longer than any keyboard waits before it repeats a held key.
	repeatStart = 700 * time.Millisecond
	// repeatNext is longer than the pause between two repeats of a held key.
	repeatNext = 250 * time.Millisecond
	// grace is how long keys do not act after the row under the cursor changed by itself.
	grace = 400 * time.Millisecond
)

// gate decides whether a key that acts may act. The zero gate is ready.
type gate struct {
	recent [burstKeys]time.Time // a ring of the last key presses of any kind
	at     int
	void   time.Time // until when a burst is being swallowed

	lastKey   sources.ChangeKind
	lastPress time.Time
	lastAct   time.Time
}

// press records any key press and reports whether it completes a burst.
func (g *gate) press(now time.Time) bool {
	g.recent[g.at] = now
	g.at = (g.at + 1) % burstKeys
	oldest := g.recent[g.at] // the next to be overwritten
	if !oldest.IsZero() && now.Sub(oldest) <= hold {
		g.void = now.Add(hold)
		return true
	}
	return false
}

// rushed reports whether the last two keys came closer to each other than anybody types:
// as they do in a paste that ends a line.
func (g *gate) rushed() bool {
	n := len(g.recent)
	last, before := g.recent[(g.at+n-1)%n], g.recent[(g.at+n-2)%n]
	return !before.IsZero() && last.Sub(before) < hold
}

// other records that a key which does not act came between, so that the next
// press of an action key is a new press and not a repeat.
func (g *gate) other() { g.lastKey = "" }

// bursting reports whether a burst is going on, or was until just now.
func (g *gate) bursting(now time.Time) bool { return now.Before(g.void) }

// admit says why a key that acts must not act now, or nil. moved is when the
// row under the cursor last changed by itself.
func (g *gate) admit(kind sources.ChangeKind, repeat bool, now, moved time.Time) error {
	same := g.lastKey == kind
	sincePress, sinceAct := now.Sub(g.lastPress), now.Sub(g.lastAct)
	g.lastKey, g.lastPress = kind, now
	switch {
	case g.bursting(now):
		return fmt.Errorf("%d keys within %d ms look like a paste: nothing was done", burstKeys, hold.Milliseconds())
	case repeat, same && sincePress < repeatNext, same && sinceAct < repeatStart:
		return fmt.Errorf("a held key is one step: release it, then press again")
	case !moved.IsZero() && now.Sub(moved) < grace:
		return fmt.Errorf("the row under the cursor has just changed by itself: look, then press again")
	}
	g.lastAct = now
	return nil
}
