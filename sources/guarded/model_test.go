package guarded_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"relctl-tui/sources"
	"relctl-tui/sources/guarded"
)

// sequences is how many random sequences of commands and faults each model test
// tries.
const sequences = "100000"

func TestMain(m *testing.M) {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "rapid.checks" })
	if !set {
		_ = flag.Set("rapid.checks", sequences)
	}
	os.Exit(m.Run())
}

// value is a flag in the model's store. Undo puts exactly it back.
type value struct {
	at     sources.Percent
	killed bool
}

// written is one change on record.
type written struct{ old, now value }

// world is one store with a lease and up to two runners of one flag, and whatever
// can happen to them. Writes are under way for a while: anything may come between.
type world struct {
	t       *rapid.T
	now     time.Time
	flag    value
	rev     int
	changes []written
	lease   *sources.Lease
	verdict sources.GuardVerdict
	runners [2]*runner
	tokens  int
}

// runner is one process that runs a ramp.
type runner struct {
	state   guarded.State
	token   string
	goal    sources.Percent
	want    guarded.Doing // under way; Nothing for none
	to      sources.Percent
	seen    sources.Revision
	toldOff bool // it was told to kill
	doomed  bool // somebody killed the flag while it ran
	climbed bool
	queue   []guarded.Say // said while a write was under way
}

func (w *world) revision() sources.Revision { return sources.Revision(fmt.Sprint(w.rev)) }

func (w *world) sight() *guarded.Sight { return &guarded.Sight{Revision: w.revision(), At: w.serves()} }

// serves is what users get: nothing of a killed flag.
func (w *world) serves() sources.Percent {
	if w.flag.killed {
		return 0
	}
	return w.flag.at
}

func (w *world) set(v value) {
	w.changes = append(w.changes, written{w.flag, v})
	w.flag = v
	w.rev++
}

// begin starts a ramp, where the lease lets it; takeover is with the consent of whoever
// presses the key.
func (w *world) begin(i int, arg byte, takeover bool) {
	w.tokens++
	r := &runner{token: fmt.Sprint("token", w.tokens), goal: sources.Pct(1 + int(arg)%100)}
	f := sources.Flag{Name: "f", State: sources.FlagOn, Killed: w.flag.killed, Rollout: sources.Some(w.serves())}
	on := []sources.OnBreach{sources.AskOnBreach, sources.BackOnBreach, sources.KillOnBreach}[int(arg)%3]
	plan, err := guarded.NewPlan(&f, r.goal, 10*time.Second, on)
	if err != nil {
		return
	}
	over := ""
	if takeover && w.lease != nil {
		over = w.lease.Token
	}
	l := sources.Lease{Token: r.token, Until: w.now.Add(sources.LeaseFor)}
	if l.Open(w.lease, over, w.now) != nil {
		return
	}
	w.lease = &l
	r.state = guarded.Begin(plan, *w.sight(), w.now)
	w.runners[i] = r
}

// tick is a runner's look at the flag and its guards, and the renewal of its lease.
func (w *world) tick(i int, blind bool) {
	r := w.runners[i]
	if r == nil || r.want != guarded.Nothing {
		return
	}
	for len(r.queue) > 0 && r.want == guarded.Nothing {
		say := r.queue[0]
		r.queue = r.queue[1:]
		w.feed(r, guarded.Event{Now: w.now, Say: say}, sources.GuardUnknown)
	}
	if r.want != guarded.Nothing {
		return
	}
	look := &guarded.Look{Flag: w.sight(), Verdict: w.verdict}
	if blind {
		look.Flag = nil
	}
	strange := !blind && r.state.Seen != w.revision()
	w.feed(r, guarded.Event{Now: w.now, Look: look}, w.verdict)
	if strange && !r.state.Phase.Ended() {
		w.t.Fatalf("somebody changed the flag, and the ramp is %s", r.state.Phase)
	}
	if r.state.Phase.Ended() || r.want != guarded.Nothing {
		return
	}
	l := sources.Lease{Token: r.token, Until: w.now.Add(sources.LeaseFor)}
	if l.Open(w.lease, "", w.now) != nil {
		w.feed(r, guarded.Event{Now: w.now, Lost: "taken over"}, w.verdict)
		return
	}
	w.lease = &l
}

// feed hands an event over and holds what comes of it against the promises.
func (w *world) feed(r *runner, e guarded.Event, v sources.GuardVerdict) {
	ended := r.state.Phase.Ended()
	next, want, to := r.state.Next(e)
	r.state = next
	if ended && want != guarded.Nothing {
		w.t.Fatalf("a ramp that ended wants %d", want)
	}
	if want == guarded.Nothing {
		return
	}
	switch want {
	case guarded.Raise:
		if v != sources.GuardPass && (v != sources.GuardInsufficient || r.climbed) {
			w.t.Fatalf("a step on %s", v)
		}
		if to > r.goal || to <= r.state.At {
			w.t.Fatalf("a step from %s to %s, the goal is %s", r.state.At, to, r.goal)
		}
		if r.toldOff {
			w.t.Fatalf("a step after a kill")
		}
	case guarded.Lower:
		if to > r.state.At || r.toldOff || r.climbed && to == r.state.At {
			w.t.Fatalf("a step back from %s to %s", r.state.At, to)
		}
	}
	r.want, r.to, r.seen = want, to, r.state.Seen
}

// settle ends a write that is under way: the store compares, unless it fails first.
func (w *world) settle(i int, fault byte) {
	r := w.runners[i]
	if r == nil || r.want == guarded.Nothing {
		return
	}
	wrote := &guarded.Wrote{}
	held := w.lease != nil && w.lease.Token == r.token && w.lease.Until.After(w.now)
	switch {
	case fault == 1:
		wrote.Err = "unavailable"
	case r.want == guarded.Kill:
		w.set(value{at: w.flag.at, killed: true})
		wrote.Flag = *w.sight()
	case !held || w.revision() != r.seen:
		wrote.Err, wrote.Overtook = "changed meanwhile", true
	default:
		w.set(value{at: r.to})
		wrote.Flag = *w.sight()
		w.wroteUnderLease(i, r)
	}
	if fault == 2 && wrote.Err == "" { // it went through, and nobody could read it back
		wrote.Err, wrote.Unknown = "not confirmed", true
	}
	r.want = guarded.Nothing
	w.feed(r, guarded.Event{Now: w.now, Wrote: wrote}, sources.GuardUnknown)
	if (wrote.Overtook || wrote.Unknown && r.state.Phase != sources.RampBacking) && !r.state.Phase.Ended() {
		w.t.Fatalf("%s, and the ramp is %s", wrote.Err, r.state.Phase)
	}
}

func (w *world) wroteUnderLease(i int, r *runner) {
	if r.want == guarded.Raise {
		r.climbed = true
		if w.serves() > r.goal {
			w.t.Fatalf("at %s, more than the %s that was asked for", w.serves(), r.goal)
		}
		if r.doomed {
			w.t.Fatalf("raised to %s by a ramp that ran when the flag was killed", w.serves())
		}
	}
	if other := w.runners[1-i]; other != nil && !other.state.Phase.Ended() && other.state.Seen == w.revision() {
		w.t.Fatalf("two runners act on one state of the flag")
	}
}

// byHand is what operators do meanwhile, past every runner.
func (w *world) byHand(op, arg byte) {
	switch op % 3 {
	case 0:
		w.set(value{at: w.flag.at, killed: true})
		for _, r := range w.runners {
			if r != nil && !r.state.Phase.Ended() {
				r.doomed = true
			}
		}
	case 1:
		w.set(value{at: sources.Pct(int(arg) % 101)})
	case 2:
		if n := len(w.changes); n > 0 {
			last := w.changes[n-1]
			w.changes = w.changes[:n-1]
			if w.flag != last.now {
				w.t.Fatalf("the last change on record is not what is in force")
			}
			w.flag = last.old // the store's own form of the flag before
			w.rev++
		}
	}
}

func (w *world) say(i int, s guarded.Say) {
	r := w.runners[i]
	if r == nil || r.state.Phase.Ended() {
		return
	}
	if s == guarded.SayKill {
		r.toldOff = r.want == guarded.Nothing
	}
	if r.want != guarded.Nothing { // it is heard after the write
		r.queue = append(r.queue, s)
		return
	}
	w.feed(r, guarded.Event{Now: w.now, Say: s}, sources.GuardUnknown)
}

func (w *world) step(op, arg byte) {
	i := int(arg>>7) & 1
	switch op % 16 {
	case 0, 1:
		w.now = w.now.Add(time.Duration(arg%16) * time.Second)
	case 2, 3, 4:
		w.tick(i, false)
	case 5:
		w.tick(i, true)
	case 6, 7:
		w.settle(i, 0)
	case 8:
		w.settle(i, 1+arg%2)
	case 9, 10:
		w.verdict = [...]sources.GuardVerdict{
			sources.GuardPass, sources.GuardPass, sources.GuardPass, sources.GuardBreach, sources.GuardInsufficient, sources.GuardUnknown,
		}[arg%6]
	case 11, 12:
		w.begin(i, arg&0x7f, op%16 == 12)
	case 13:
		w.say(i, guarded.Say(1+arg%4))
	case 14:
		w.byHand(arg>>5, arg)
	case 15:
		w.runners[i] = nil // the process dies: its lease stays, its write never happened
	}
}

// settled plays every runner to a state in which nothing is under way, and holds a
// kill that was said against the store.
func (w *world) settled() {
	for i, r := range w.runners {
		if r == nil {
			continue
		}
		for range 4 {
			w.settle(i, 0)
			w.tick(i, false)
		}
		if r.toldOff && r.state.Phase == sources.RampKilled && r.state.Seen == w.revision() && !w.flag.killed {
			w.t.Fatalf("killed, and the flag serves %s", w.serves())
		}
		if r.toldOff && !r.state.Phase.Ended() {
			w.t.Fatalf("told to kill, and it is %s", r.state.Phase)
		}
	}
}

// TestNoSequenceOfCommandsAndFaultsBreaksAPromise: never above what was asked for,
// never two runners on one state of a flag, never a step on what is unknown, a kill
// is always an end, and taking every change back ends where all began.
func TestNoSequenceOfCommandsAndFaultsBreaksAPromise(t *testing.T) {
	t.Parallel()
	ops := rapid.SliceOfN(rapid.Uint16(), 10, 80)
	rapid.Check(t, func(t *rapid.T) {
		began := value{at: sources.Pct(5)}
		w := &world{t: t, now: time.Unix(1_800_000_000, 0), flag: began, verdict: sources.GuardPass}
		w.begin(0, 100, false)
		for _, op := range ops.Draw(t, "ops") {
			w.step(byte(op>>8), byte(op))
		}
		w.settled()
		for len(w.changes) > 0 {
			w.byHand(2, 0)
		}
		if w.flag != began {
			t.Fatalf("undone, the flag is %+v, and began as %+v", w.flag, began)
		}
	})
}
