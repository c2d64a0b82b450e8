package control

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
)

// silencer lets an alert pass the way that a flag takes. The silences that hold it are
// what a flag's definition is.
type silencer struct {
	store string
	to    sources.AlertSilencer
}

var _ sources.FlagWriter = (*silencer)(nil)

// silencer is the store's alerts, or nil where it has something else.
func (s *Store) silencer() *silencer {
	if d, ok := s.Driver.(sources.AlertSilencer); ok {
		return &silencer{s.Name, d}
	}
	return nil
}

// maxReason is the runes of a silence's reason: it is compared with what is read back.
const maxReason = 300

// hush is what a Restore of a silence holds, and what it is found by: its ID is not
// known before it is made.
type hush struct {
	Alert  string    `json:"alert"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
}

func (h *hush) is(s sources.HeldSilence) bool {
	return s.By == h.By && s.Reason == h.Reason && s.Until.Truncate(time.Second).Equal(h.Until)
}

// prepareSilence checks what needs no alert, and fixes when it ends.
func (a *attempt) prepareSilence() error {
	in := &a.intent
	in.Reason = sources.Clean(strings.TrimSpace(in.Reason), maxReason)
	switch {
	case in.For < time.Minute || in.For > sources.MaxSilence:
		return fmt.Errorf("a silence lasts from 1m to %s, not %s: %w", sources.MaxSilence, in.For, sources.ErrInvalid)
	case in.Reason == "":
		return fmt.Errorf("a silence needs a reason, for whoever wonders why nobody was told: %w", sources.ErrInvalid)
	}
	a.change.Seen, a.change.Reason = "", in.Reason
	a.change.Until = a.c.opts.Now().Add(in.For).Truncate(time.Second)
	return nil
}

// flag is an alert as control sees it.
func (w *silencer) flag(key, state string, list []sources.HeldSilence) sources.Flag {
	var all []string
	var until time.Time
	for i := range list {
		s := &list[i]
		all = append(all, fmt.Sprintf("%q %q %d", s.By, s.Reason, s.Until.Unix()))
		if s.Until.After(until) {
			until = s.Until
		}
	}
	slices.Sort(all)
	if len(list) > 0 {
		state = "silenced until " + until.UTC().Format("Jan 2 15:04 UTC")
	}
	return sources.Flag{
		ID: sources.FlagID{Source: w.store, Key: key}, Name: sources.Clean(key, sources.MaxName),
		Breaker: state, Revision: sources.RevisionOf([]byte(strings.Join(all, "\n"))),
	}
}

// loud is the state of an alert that no silence holds.
func loud(a *sources.AlertNow) string {
	if len(a.Silences) == 0 {
		return a.State.String()
	}
	return sources.AlertFiring.String()
}

func (w *silencer) read(ctx context.Context, key string) (sources.Flag, error) {
	a, err := w.to.AlertNow(ctx, key)
	if err != nil {
		return sources.Flag{}, err
	}
	return w.flag(key, loud(&a), a.Silences), nil
}

// Apply implements sources.FlagWriter. An undo ends the silence that the change made
// and no other, so an alert that somebody else silenced as well stays silenced.
func (w *silencer) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	if c.Kind != sources.SilenceAlert && c.Kind != sources.Undo {
		return sources.Receipt{}, fmt.Errorf("%s is an alert, %q is nothing that can be done to it: %w",
			sources.Clean(c.Flag.Key, sources.MaxName), sources.Clean(string(c.Kind), 20), sources.ErrUnsupported)
	}
	h := hush{c.Flag.Key, sources.Clean(c.Actor, sources.MaxName), c.Reason, c.Until}
	if c.Kind == sources.Undo && (json.Unmarshal(c.Restore, &h) != nil || h.Alert != c.Flag.Key) {
		return sources.Receipt{}, fmt.Errorf("%s: what was kept for the undo cannot be read: %w", sources.Clean(c.Flag.Key, sources.MaxName), sources.ErrInvalid)
	}
	now, err := w.to.AlertNow(ctx, c.Flag.Key)
	if err != nil {
		return sources.Receipt{}, err
	}
	var rest, mine []sources.HeldSilence
	for _, s := range now.Silences {
		if h.is(s) {
			mine = append(mine, s)
		} else {
			rest = append(rest, s)
		}
	}
	after := rest
	if c.Kind == sources.SilenceAlert {
		after = append(slices.Clone(now.Silences), sources.HeldSilence{By: h.By, Reason: h.Reason, Until: h.Until})
	}
	restore, err := json.Marshal(h)
	if err != nil {
		return sources.Receipt{}, fmt.Errorf("%s: what an undo needs cannot be kept: %w", now.Name, sources.ErrInvalid)
	}
	r := sources.Receipt{
		Change: c.ID, Kind: c.Kind, Restore: restore,
		Old: w.flag(c.Flag.Key, loud(&now), now.Silences), New: w.flag(c.Flag.Key, loud(&now), after),
	}
	if c.Commit != nil {
		if err := c.Commit(sources.Planned{Old: r.Old, New: r.New, Restore: restore}); err != nil {
			return sources.Receipt{}, err
		}
	}
	if c.Kind == sources.SilenceAlert {
		return r, w.to.Silence(ctx, sources.Silence{Exact: now.Exact, Until: h.Until, By: h.By, Reason: h.Reason})
	}
	for _, s := range mine {
		if err := w.to.Expire(ctx, s.ID); err != nil {
			return r, err
		}
	}
	if len(rest) > 0 {
		r.Warning = "still silenced by " + rest[0].By
	}
	return r, nil
}
