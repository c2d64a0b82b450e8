package sources

import "time"

// ChangeKind is what is done to a flag.
type ChangeKind string

// The kinds of change.
const (
	Ramp    ChangeKind = "ramp"         // to a higher percentage
	Back    ChangeKind = "back"         // to a lower percentage
	Set     ChangeKind = "set"          // to a typed percentage
	Kill    ChangeKind = "kill"         // off as a whole
	Move    ChangeKind = "move"         // everybody to one variant: a migration to a stage
	Undo    ChangeKind = "undo"         // back to the definition before a change
	Restore ChangeKind = "restore"      // back to the state that the flag was in at some time; never handed to a FlagWriter
	Guarded ChangeKind = "guarded ramp" // what a key asks for: no change itself, but those that a runner makes
	Later   ChangeKind = "schedule"     // what is typed: no change itself, but one that is kept for later
	CallOff ChangeKind = "call off"     // of a schedule that waits: no change itself
	Edited  ChangeKind = "edited"       // seen in the store, made by somebody else

	ForceOpen    ChangeKind = "force-open" // a breaker, on all its instances
	CloseBreaker ChangeKind = "close"      // a breaker: let it go, back to closed
	SilenceAlert ChangeKind = "silence"    // an alert, for a while
)

// OfBreaker says that the change is one of a breaker and not of a flag.
func (k ChangeKind) OfBreaker() bool { return k == ForceOpen || k == CloseBreaker }

// Intent is a key's or a command's meaning before it is done. It carries the
// flag's identity and the revision that the operator saw, never a row.
type Intent struct {
	Kind   ChangeKind
	Flag   FlagID   // for ForceOpen and CloseBreaker the breaker's source and name, for SilenceAlert the alert's source and Key
	Seen   Revision // what the operator saw, of a breaker its state's word; ignored by Kill and ForceOpen
	SeenAs string   // the same in words ("25%"), for the sentence about a conflict; "" when unknown
	To     Percent  // for Ramp, Back and Set
	Stage  string   // for Move: the variant
	// Confirm is the flag's name as the operator typed it out, where a change needs
	// that (ErrConfirm); "" otherwise.
	Confirm string
	Change  string // for Undo: which change, "" for the actor's last; for Restore: the change that made that state; for Guarded: the lease to take over, "" for none
	Before  bool   // for Restore: the state before that change and not the one after it
	ToAs    string // for Restore: that state in words ("25%"), for Undo: that change, for sentences; "" when unknown
	Reason  string
	Actor   string

	// Override raises a flag against its guards. It needs a Reason, and is on record.
	Override bool

	At    time.Time // for Later: when
	Until time.Time // nothing is written at or after it; zero for no such time

	For time.Duration // for SilenceAlert: how long
}

// Change is one write handed to a FlagWriter.
type Change struct {
	ID      string // unique and sortable by time
	Flag    FlagID
	Kind    ChangeKind
	As      ChangeKind // what a record of it calls it, where that is not Kind; "" for Kind
	Group   string     // shared by the changes that were asked for as one, "" for one alone
	To      Percent    // for Ramp, Back and Set
	Variant string     // for Move: what everybody gets, by its cleaned name
	Seen    Revision   // compare-and-swap; empty means unconditional
	Restore []byte     // for Undo: the Restore of the receipt being undone, or of any change that found the state to return to
	Undoes  string     // for Undo: ID of the change being undone; "" for a return to some state
	Actor   string
	Reason  string
	Until   time.Time // for SilenceAlert: when it ends, in whole seconds

	// Lease is the token of the lease under which this is written: a store that keeps
	// leases writes nothing, with ErrConflict, when it is not in force. "" for a change
	// that needs none.
	Lease string

	// Commit, when not nil, must be called exactly once after Seen was compared
	// and before the write becomes visible; a writer may call it on another
	// goroutine while it prepares. When it returns an error nothing is written
	// and Apply returns that error. This is how an intent becomes durable before
	// its write without the two waiting for each other; a kill's is only written then.
	Commit func(Planned) error
}

// Planned is what a write is about to do: known after the compare, before the swap.
type Planned struct {
	Old, New Flag
	Restore  []byte // hand it back in an Undo to return to Old exactly
	Warning  string // of a write that would change nothing: what keeps it from being in force, "" for nothing; cleaned
}

// Receipt is what became of a change.
type Receipt struct {
	Change    string // Change.ID
	Kind      ChangeKind
	Old, New  Flag
	Restore   []byte
	Visible   time.Time // readers see it; zero when the writer does not say
	Accepted  time.Time // durable in the store
	Reread    time.Time // read back and equal; zero while unconfirmed
	Effective time.Time // the side that evaluates has it; zero while that is not known
	Warning   string    // cleaned sentence for the operator, "" for none
}

// Evidence is what the evaluating side says about a change.
type Evidence struct {
	Effective bool      // it evaluates the flag as the change left it
	At        time.Time // when it was asked
	Detail    string    // what it says, in a cleaned clause: "0 of 200 keys get on"
}

// Recorded is a change as a store itself has it on record.
type Recorded struct {
	Activity
	OldRevision Revision // "" when unknown
	Restore     []byte   // hand it back in an Undo to return to what was before; nil when the store does not keep it
	Undoes      string   // ID of the change that this one took back; "" for none
	Group       string   // shared by the changes that were asked for as one; "" for one alone
}

// Outcome is how far a change has come.
type Outcome string

// The outcomes of a change.
const (
	Pending     Outcome = "pending"     // intent is durable, result not known yet
	Confirmed   Outcome = "confirmed"   // written and read back
	Unconfirmed Outcome = "unconfirmed" // written, not read back
	Failed      Outcome = "failed"      // nothing changed
	Seen        Outcome = "seen"        // somebody else's change, observed
	Scheduled   Outcome = "scheduled"   // the store will do it by itself
	Awaiting    Outcome = "awaiting"    // somebody has to approve it first; nothing changed yet
	Refused     Outcome = "refused"     // a guard said no before anything was asked of the store; nothing changed
)

// Void says that the change never happened: it failed, was refused, or waits to be approved.
func (o Outcome) Void() bool { return o == Failed || o == Awaiting || o == Refused }

// What an Activity can be besides a ChangeKind.
const (
	KindBreaker = "breaker" // a breaker's transition
	KindSource  = "source"  // another source speaks for a group
	KindAlert   = "alert"   // an alert fires, or fires no more

	KindDeploy = "deploy" // another version of a service runs: what runs, not what users get

	KindSigned   = "sign-off" // somebody signed an item of a migration's checklist
	KindUpcoming = "upcoming" // what a store will do to a flag by itself
)

// Activity is one line of what happened: a change by anyone, a breaker's
// transition, or that another source speaks. Strings are cleaned, but for Flag.Key.
type Activity struct {
	ID      string // change id; "" for what was only observed
	At      time.Time
	Kind    string // a ChangeKind, KindBreaker or KindSource
	Flag    FlagID // zero for what is no change of a flag
	Name    string // flag, breaker or group name for display
	Actor   string // "" when unknown
	Reason  string
	Old     string // "25%"
	New     string // "killed"
	Outcome Outcome
	Err     string

	// Revision is what the flag has after the change, "" when unknown. It is how
	// a change seen in the store is told apart from one that is known already.
	Revision Revision

	Variant   string    // of a change of ours: the variant whose share it changed; "" when unknown
	Untold    string    // of a change of ours: the outlets that could not be told of it
	Done      time.Time // of a change of ours: when its result was on record; zero while there is none
	Effective time.Time // when the side that evaluates was seen to have it; zero while that is not known
}
