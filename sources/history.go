package sources

import "time"

// History is the past of one flag, as far as anybody has it on record.
type History struct {
	Flag     Flag         // as its store has it now; zero, but for ID and Name, when it could not be read
	Past     []PastChange // newest first
	ReadAt   time.Time
	Warnings []string // cleaned sentences about what could not be read
}

// PastChange is one line of a flag's history: a change, and with it the state that the
// flag was in afterwards. A line of kind Edited, or the last of all, may stand for what
// no record tells: the state that the change after it found. It is then Before that
// change and has its ID.
type PastChange struct {
	Activity
	Before   bool   // the state before the change ID, not the one after it
	Group    string // what the change was one of, "" for one alone
	Undoes   string // ID of the change that it took back, "" for none
	Undone   string // ID of the change that took it back, "" while nobody did
	UndoneBy string // who did, cleaned
	InForce  bool   // the flag is in that state now
	Exact    bool   // the definition of that state is on record and can be brought back as it was
	Cannot   string // why the flag cannot be returned to that state, in a cleaned clause; "" when it can
}

// First tells whether it is the state that the first change on record found: nobody's
// change, but how the flag was at first.
func (p *PastChange) First() bool { return p.Before && p.Old == "" }
