package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// FlagID is a flag's identity: the name of its source and its key exactly as
// the store spells it. Never print Key; print Flag.Name.
type FlagID struct {
	Source string `json:"source"`
	Key    string `json:"key"`
}

// Revision is an opaque mark of a flag's content for compare-and-swap. Equal
// content gives equal revisions. The empty Revision means "whatever is there".
type Revision string

// RevisionOf is the revision of content: long enough that two contents of one flag
// never meet by chance, short enough to read out loud in part.
func RevisionOf(content []byte) Revision {
	sum := sha256.Sum256(content)
	var text [16]byte
	hex.Encode(text[:], sum[:8])
	return Revision(text[:])
}

// FlagState is what a flag does now, in one word.
type FlagState int

// The flag states. The zero value is FlagBroken, so that a state nobody worked
// out never reads as healthy.
const (
	FlagBroken FlagState = iota // the definition cannot be evaluated as written; Note says why
	FlagOff                     // nobody is served the variant: killed, or at 0 %
	FlagOn                      // somebody is served the variant
	FlagCustom                  // targeting that is not one percentage; only kill is offered
)

// String is the state's word: on, off, custom or broken.
func (s FlagState) String() string {
	switch s {
	case FlagOff:
		return "off"
	case FlagOn:
		return "on"
	case FlagCustom:
		return "custom"
	default:
		return "broken"
	}
}

// Flag is one flag as its store holds it (target, never observed). All strings
// but ID.Key are already cleaned for display.
type Flag struct {
	ID          FlagID
	Name        string // ID.Key, cleaned
	Description string
	Owner       string
	Tags        []string // sorted; what guards and groups of flags go by
	State       FlagState
	Killed      bool         // switched off as a whole; the split behind it is kept
	Custom      bool         // the percentage cannot be set, whatever State says (a killed flag with custom targeting); Note says why
	Rollout     Opt[Percent] // the target in force: 0 when killed; absent for custom and broken
	Stored      Opt[Percent] // the split that is written down, also while killed
	Variant     string       // the variant that Rollout counts
	Note        string       // why custom or broken, or what else is worth a warning
	Metric      string       // name of the latency this flag is expected to move; "" for none
	Revision    Revision
	Ladder      Ladder    // nil for the context's
	ChangedAt   time.Time // zero when unknown
	ChangedBy   string    // "" when unknown
	Pinned      bool      // a kill switch: shown before the others
	Upcoming    []Upcoming
	Breaker     string // the state in few words, of a breaker that stands for a flag in a receipt; "" for a flag

	// Serves is which variants are served to which part of the users, where the store
	// says so and it is more than one percentage can say; nil otherwise. While the flag
	// is killed it is what is written down.
	Serves    []Share
	Migration *Migration // what the configuration says, for a flag that is a migration
}

// Upcoming is a step that a store will take by itself, such as one of a schedule.
// A flag has them in the order of time, and not more than MaxUpcoming.
type Upcoming struct {
	ID   string // of the schedule that keeps it, cleaned; "" for what the store does by itself
	At   time.Time
	What string // what becomes of the flag, in few words; cleaned
	By   string // who scheduled it here; "" for the store itself
	Why  string // what stands in its way so far, "" for nothing; cleaned
}

// MaxUpcoming bounds the steps of a flag that are kept.
const MaxUpcoming = 20

// FlagSet is everything a store holds at one moment.
type FlagSet struct {
	Source   string
	Revision Revision // of the whole set: equal when nothing changed
	Flags    []Flag   // sorted by key; shared, never written to
	ReadAt   time.Time
	Warnings []string // cleaned sentences
	ReadOnly string   // why this access cannot change the flags, in a cleaned clause; "" when it can, or when that is not known
}

// FlagEvent is one message of a watch: a whole new set, or why there is none.
// Exactly one of Set and Err is non-nil.
type FlagEvent struct {
	Set *FlagSet
	Err error
}

// CanRamp says why a flag's percentage cannot be set, or nil.
func (f *Flag) CanRamp() error {
	if f.Migration != nil {
		return fmt.Errorf("%s is a migration, which moves from stage to stage and has no percentage: %w", f.Name, ErrUnsupported)
	}
	switch f.State {
	case FlagCustom:
		return fmt.Errorf("%s has custom targeting (%s), only kill is offered: %w", f.Name, f.Note, ErrUnsupported)
	case FlagBroken:
		return fmt.Errorf("%s is broken (%s), only kill is offered: %w", f.Name, f.Note, ErrUnsupported)
	}
	if f.Custom {
		return fmt.Errorf("%s cannot be ramped (%s): %w", f.Name, f.Note, ErrUnsupported)
	}
	return nil
}

// Plan is the percentage that a change of this kind would bring the flag to,
// or the reason why there is none. It is the one rule behind the board's keys
// and the command line's words.
func (f *Flag) Plan(kind ChangeKind) (Percent, error) {
	if kind == Kill {
		if f.Killed {
			return 0, fmt.Errorf("%s is already killed: %w", f.Name, ErrInvalid)
		}
		return 0, nil
	}
	if err := f.CanRamp(); err != nil {
		return 0, err
	}
	switch kind {
	case Ramp:
		if to, ok := f.Ladder.Next(f.Rollout.V); ok {
			return to, nil
		}
		return 0, fmt.Errorf("%s is at the top of its ladder (%s%%): %w", f.Name, f.Rollout.V, ErrInvalid)
	case Back:
		if to, ok := f.Ladder.Back(f.Rollout.V); ok {
			return to, nil
		}
		return 0, fmt.Errorf("%s is at 0%% already: %w", f.Name, ErrInvalid)
	default:
		return 0, fmt.Errorf("%s has no step of its own: %w", kind, ErrInvalid)
	}
}

// Intend is what a key or a word means for the flag as it is: the next step, the step
// back or the kill, of a percentage or of a migration.
func (f *Flag) Intend(kind ChangeKind) (Intent, error) {
	in := Intent{Kind: kind, Flag: f.ID, Seen: f.Revision, SeenAs: f.Brief()}
	var err error
	switch m := f.Migration; {
	case m == nil:
		in.To, err = f.Plan(kind)
	case kind == Ramp:
		in.Kind = Move
		in.Stage, err = m.Next(f)
	case kind == Back:
		in.Kind = Move
		in.Stage, err = m.Back(f)
	case kind == Kill:
		in.Stage = m.Stages[0]
		if f.Brief() == in.Stage {
			err = fmt.Errorf("%s is at %s already: %w", f.Name, in.Stage, ErrInvalid)
		}
	default:
		err = f.CanRamp()
	}
	return in, err
}

// Stage is the stage of a migration in one word, or its stages with their parts when
// cohorts are at different ones; "" when it is no migration or that cannot be told.
func (f *Flag) Stage() string {
	if f.Migration == nil {
		return ""
	}
	if _, err := f.Migration.Position(f); err != nil {
		return ""
	}
	return f.Serving()
}

// Serving is what is served in few words: "shadow", or "shadow 90% live 10%"; "" when
// that is not told by Serves.
func (f *Flag) Serving() string {
	var b strings.Builder
	for i, s := range f.Serves {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s.Variant)
		if len(f.Serves) > 1 {
			b.WriteString(" " + s.Of.String() + "%")
		}
	}
	return b.String()
}

// Brief is the flag's value in few words: "25%", "killed", "shadow", "custom".
func (f *Flag) Brief() string {
	switch {
	case f.Breaker != "":
		return f.Breaker
	case f.Killed:
		return "killed"
	case f.Migration != nil && len(f.Serves) > 0:
		return f.Serving()
	case f.Rollout.OK:
		return f.Rollout.V.String() + "%"
	default:
		return f.State.String()
	}
}

// ParseTags reads tags with commas between them, as they stand in a flag's metadata.
func ParseTags(text string) []string {
	var tags []string
	for part := range strings.SplitSeq(text, ",") {
		if part = Clean(strings.TrimSpace(part), 60); part != "" && len(tags) < 20 {
			tags = append(tags, part)
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
