package sources

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Who looks at a store says so every BeatEvery, and is taken to be gone after PresentFor
// without a word: three beats that were missed.
const (
	BeatEvery  = 10 * time.Second
	PresentFor = 3 * BeatEvery
)

// What bounds presence: boards of one store that are read, and people that are told of.
const (
	MaxBoards = 200
	MaxPeople = 100
)

// Person is somebody who looks at a store.
type Person struct {
	Name     string `json:"name"`
	Watching bool   `json:"watching,omitempty"` // and may change nothing there
	Boards   int    `json:"boards,omitempty"`   // how many boards they have open; 0 counts as one
}

// Attendance is everybody who looks at a store through one process. Its strings are as
// whoever shares the store wrote them: Present cleans them.
type Attendance struct {
	ID     string   `json:"-"` // of the process: lower-case letters and digits
	People []Person `json:"people"`
}

// Attender keeps beside the flags who looks at them. It is no change of a flag, and
// nothing that is done to flags waits for it.
type Attender interface {
	// Attend says for PresentFor who looks at the store through a process, in the place
	// of what it said before; nobody means that it has ended.
	Attend(ctx context.Context, a Attendance) error
	// Attending is what is in force, of every process, at most MaxBoards of them.
	Attending(ctx context.Context) ([]Attendance, error)
}

// AttendanceWatcher is an Attender that can be followed.
type AttendanceWatcher interface {
	// Attendances says that Attending may be another, at once after it did not know for a
	// while; the channel is closed when ctx ends, and only then.
	Attendances(ctx context.Context) <-chan struct{}
}

// Present is each person once, cleaned and by name, at most MaxPeople of them. Who may
// change something on one board is no mere watcher, and nameless ones are nobody.
func Present(all ...[]Person) []Person {
	var out []Person
	at := map[string]int{}
	for _, people := range all {
		for _, p := range people {
			p.Name, p.Boards = Clean(p.Name, 40), min(max(p.Boards, 1), MaxBoards)
			if p.Name == "" {
				continue
			}
			i, known := at[p.Name]
			if !known {
				at[p.Name] = len(out)
				out = append(out, p)
				continue
			}
			out[i].Boards = min(out[i].Boards+p.Boards, MaxBoards)
			out[i].Watching = out[i].Watching && p.Watching
		}
	}
	slices.SortFunc(out, func(a, b Person) int { return cmp.Compare(a.Name, b.Name) })
	return out[:min(len(out), MaxPeople)]
}

// PresentIn is Present of what a store says.
func PresentIn(all []Attendance) []Person {
	people := make([][]Person, len(all))
	for i := range all {
		people[i] = all[i].People
	}
	return Present(people...)
}
