package sources

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// DefaultStages are the stages of a dual-write migration: old only; both written,
// old read; the same with the reads compared; both written, new read; new only; done.
func DefaultStages() []string {
	return []string{"off", "dualwrite", "shadow", "live", "rampdown", "complete"}
}

// Migration is what the configuration says about a flag whose variants are the
// stages of a dual-write migration. Make it with NewMigration; it is never written to.
type Migration struct {
	Stages   []string // in order; at least three, each a variant of the flag
	Compared int      // the first stage that is left forward only with a proof
	NoReturn int      // the first stage in which the old side is not written any more
	Mismatch string   // name of the ratio of comparisons that differ; "" for none
	Limit    float64  // the highest ratio that still counts as equal, 0..1
	Window   time.Duration
	AtLeast  float64 // comparisons that the window must hold
	Old, New string  // names of latencies; "" for none
}

// MaxStages bounds the stages of a migration.
const MaxStages = 20

// NewMigration completes and checks m, of which stages are named in words: compared
// and noReturn are "" for shadow and rampdown. No stages are the default ones.
func NewMigration(m Migration, compared, noReturn string) (*Migration, error) {
	m.Stages = slices.Clone(m.Stages)
	if len(m.Stages) == 0 {
		m.Stages = DefaultStages()
	}
	if n := len(m.Stages); n < 3 || n > MaxStages {
		return nil, fmt.Errorf("a migration has 3 to %d stages, not %d: %w", MaxStages, n, ErrInvalid)
	}
	for i, s := range m.Stages {
		if s == "" || Clean(s, MaxName) != s || slices.Contains(m.Stages[:i], s) {
			return nil, fmt.Errorf("stage %q is empty, not printable or there twice: %w", Clean(s, 40), ErrInvalid)
		}
	}
	var err error
	if m.Compared, err = m.stage(compared, "shadow", "compared"); err != nil {
		return nil, err
	}
	if m.NoReturn, err = m.stage(noReturn, "rampdown", "no_return"); err != nil {
		return nil, err
	}
	switch {
	case m.Compared == 0 || m.Compared >= m.NoReturn:
		return nil, fmt.Errorf("compared must be a stage after the first and before no_return (%s): %w", m.Stages[m.NoReturn], ErrInvalid)
	case !(m.Limit >= 0 && m.Limit < 1):
		return nil, fmt.Errorf("the mismatch limit must be from 0%% to below 100%%: %w", ErrInvalid)
	case m.Window < 2*time.Second || m.Window > 24*time.Hour:
		return nil, fmt.Errorf("the verify window %s is outside 2s..24h: %w", m.Window, ErrInvalid)
	}
	return &m, nil
}

// Beyond says that the flag is known to be at or past the point of no return, for some
// of the users at least.
func (m *Migration) Beyond(f *Flag) bool {
	at, err := m.Position(f)
	return err == nil && at.High >= m.NoReturn
}

func (m *Migration) stage(name, usual, what string) (int, error) {
	if name == "" {
		name = usual
	}
	i := slices.Index(m.Stages, name)
	if i < 0 {
		return 0, fmt.Errorf("%s: %q is none of the stages %s: %w", what, Clean(name, 40), strings.Join(m.Stages, ", "), ErrInvalid)
	}
	return i, nil
}

// Share is a variant and the part of the users who get it.
type Share struct {
	Variant string // cleaned
	Of      Percent
}

// Position is where a migration stands: its lowest and its highest stage that
// anybody gets, which are the same unless cohorts are at different stages.
type Position struct{ Low, High int }

// Position is where the flag stands, or why that cannot be told (ErrUnsupported).
func (m *Migration) Position(f *Flag) (Position, error) {
	unknown := func(why string) (Position, error) {
		return Position{}, fmt.Errorf("the stage of %s cannot be told (%s): %w", f.Name, why, ErrUnsupported)
	}
	switch {
	case f.Killed:
		return unknown("it is disabled as a whole, so applications use the default in their code")
	case len(f.Serves) == 0 && f.Note != "":
		return unknown(f.Note)
	case len(f.Serves) == 0:
		return unknown("its store does not say which variants it serves")
	}
	at := Position{Low: len(m.Stages), High: -1}
	for _, s := range f.Serves {
		i := slices.Index(m.Stages, s.Variant)
		if i < 0 {
			return unknown("it serves " + s.Variant + ", which is none of the stages")
		}
		at.Low, at.High = min(at.Low, i), max(at.High, i)
	}
	return at, nil
}

// Next is the stage that one step forward leads to. Cohorts at two neighbouring
// stages are brought together at the higher of them first.
func (m *Migration) Next(f *Flag) (string, error) {
	at, err := m.Position(f)
	switch {
	case err != nil:
		return "", err
	case at.High-at.Low > 1:
		return "", fmt.Errorf("cohorts of %s are more than one stage apart (%s and %s), so a step forward would skip one: step back first: %w",
			f.Name, m.Stages[at.Low], m.Stages[at.High], ErrInvalid)
	case at.High > at.Low:
		return m.Stages[at.High], nil
	case at.High == len(m.Stages)-1:
		return "", fmt.Errorf("%s is at its last stage (%s): %w", f.Name, m.Stages[at.High], ErrInvalid)
	default:
		return m.Stages[at.High+1], nil
	}
}

// Back is the stage that one step back leads to. Cohorts at different stages are
// brought together at the lowest of them first.
func (m *Migration) Back(f *Flag) (string, error) {
	at, err := m.Position(f)
	switch {
	case err != nil:
		return "", err
	case at.High > at.Low:
		return m.Stages[at.Low], nil
	case at.Low == 0:
		return "", fmt.Errorf("%s is at its first stage (%s): %w", f.Name, m.Stages[0], ErrInvalid)
	default:
		return m.Stages[at.Low-1], nil
	}
}

// Past is what the record of changes knows of a migration.
type Past struct {
	Entered time.Time // when it came to the stage where it is; zero when unknown
	// Gap says that the old side misses what was written while the migration was
	// beyond the point of no return, and that nobody has signed that it was refilled.
	Gap   bool
	Since time.Time // when it went beyond; zero when unknown
	// Unread says that the record could not be read, so that a gap may be there.
	Unread bool
}

// Course is what a move needs before it may be made.
type Course struct {
	Forward bool
	Proof   bool   // the mismatch must have stayed under the limit for the whole window
	Name    string // why the flag's name must be typed out, in a clause; "" when it need not
}

// Judge is the one rule of a move, whatever key or undo it came from: it never skips
// a stage forward, it leaves a compared stage forward with a proof only, and it
// crosses the point of no return, either way, only with the flag's name. A kill
// leads to the first stage and is refused (ErrRefused) where the old side, which is
// read there, is not written any more.
func (m *Migration) Judge(kind ChangeKind, old, after *Flag, past Past) (Course, error) {
	from, err := m.Position(old)
	to, errTo := m.Position(after)
	switch {
	case errTo != nil:
		return Course{Name: Sentence(errTo) + ", so neither can what would be read and written then"}, nil
	case err != nil && kind != Kill && kind != Undo && kind != Restore:
		return Course{}, err
	case err != nil:
		return Course{Name: Sentence(err) + "; if anybody is at " + m.Stages[m.NoReturn] + " or beyond, what was written there is lost to " + m.Stages[to.Low]}, nil
	case kind == Kill && from.High >= m.NoReturn && to.Low < m.NoReturn:
		return Course{}, fmt.Errorf("%s is not killed: at %s the old side is not written any more%s, so %s would read old data and lose what was written since; repair the new side, or step back, which says what is lost: %w",
			old.Name, m.Stages[from.High], since(past), m.Stages[to.Low], ErrRefused)
	}
	var c Course
	if to.High > from.Low {
		if c, err = m.forward(kind, old, from, to); err != nil {
			return Course{}, err
		}
	}
	if to.Low < from.High { // cohorts apart can go forward and back in one move
		c.Name = JoinClauses(c.Name, m.lost(from, to, past))
	}
	return c, nil
}

func (m *Migration) forward(kind ChangeKind, old *Flag, from, to Position) (Course, error) {
	if to.High > from.Low+1 {
		verb := "this"
		if kind == Undo {
			verb = "an undo"
		}
		return Course{}, fmt.Errorf("%s would take %s from %s to %s and skip what lies between, though the new side has missed writes: go forward one stage at a time: %w",
			verb, old.Name, m.Stages[from.Low], m.Stages[to.High], ErrRefused)
	}
	c := Course{Forward: true, Proof: m.Proves(from)}
	if from.Low < m.NoReturn && to.High >= m.NoReturn {
		c.Name = "this is the point of no return: from " + m.Stages[m.NoReturn] + " on the old side is not written any more"
	}
	return c, nil
}

// Proves says that a step forward from a position needs a proof: both sides are
// compared there, and the old one is still written.
func (m *Migration) Proves(at Position) bool { return at.Low >= m.Compared && at.Low < m.NoReturn }

// lost is what a step back takes away for good, "" for nothing.
func (m *Migration) lost(from, to Position, past Past) string {
	switch {
	case to.Low >= m.NoReturn:
		return ""
	case from.High >= m.NoReturn:
		return "the old side was not written" + since(past) + ": what was written meanwhile is on the new side alone, and no stage that reads the old side has it until it is refilled"
	case past.Gap:
		return "the old side misses what was written while it was beyond " + m.Stages[m.NoReturn-1] + since(past) + ", and nobody has signed that it was refilled"
	case past.Unread:
		return "the record of changes cannot be read, so it cannot be told whether the old side misses writes"
	default:
		return ""
	}
}

func since(p Past) string {
	if p.Since.IsZero() {
		return ""
	}
	return " since " + p.Since.Local().Format("2 Jan 15:04")
}

// What can be signed off for a migration: that a thing outside was done. They are
// items of a checklist and change nothing.
const (
	SignDeleteOld = "delete-old" // the old side was deleted; at the last stage alone
	SignRefillOld = "refill-old" // the old side was refilled from the new one
)

// Signed is one item of the checklist that somebody has signed.
type Signed struct {
	Item, By, Reason string // cleaned
	At               time.Time
}

// CanSign says why an item cannot be signed for the flag as it is, or nil.
func (m *Migration) CanSign(f *Flag, item string) error {
	at, err := m.Position(f)
	switch {
	case item != SignDeleteOld && item != SignRefillOld:
		return fmt.Errorf("there is no item %q to sign, only %s and %s: %w", Clean(item, 40), SignDeleteOld, SignRefillOld, ErrInvalid)
	case err != nil:
		return err
	case item == SignDeleteOld && at.Low < len(m.Stages)-1:
		return fmt.Errorf("%s is at %s: the old side may be deleted only when everybody is at %s: %w", f.Name, m.Stages[at.Low], m.Stages[len(m.Stages)-1], ErrRefused)
	case item == SignRefillOld && at.High >= m.NoReturn:
		return fmt.Errorf("%s is at %s, where the old side still misses every write: step back first, then refill it: %w", f.Name, m.Stages[at.High], ErrRefused)
	default:
		return nil
	}
}
