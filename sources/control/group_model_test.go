package control_test

import (
	"context"
	"errors"
	"flag"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/journal"
)

const threeFlags = `{"flags": {
  "a": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 25], ["off", 75]]}},
  "b": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
  "c": {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}
}}`

// made is one change of a flag that was written, or may have been.
type made struct {
	id, who       string
	flag          sources.FlagID
	before, after sources.Revision
}

// sequences is how many random sequences each model test tries, unless -rapid.checks says.
const sequences = "400"

func TestMain(m *testing.M) {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "rapid.checks" })
	if !set {
		_ = flag.Set("rapid.checks", sequences)
	}
	goleak.VerifyTestMain(m)
}

// office is two operators over one store, each on a machine that may be started anew,
// and what the model knows of their changes: of each the groups that are not undone, the
// last one last. From the first change on of which only the store knows whether it was
// made, an operator's order is not foretold any more; that an undo restores exactly is.
type office struct {
	t      *rapid.T
	now    time.Time
	store  *table
	disk   *memory
	meter  *meter
	j      *journal.Journal
	desks  map[string]*control.Controller
	done   map[string][][]made
	all    map[string]made         // by the change's ID
	moved  map[sources.FlagID]made // the last that happened to a flag; without an ID where that was an undo or a hand
	unsure map[string]bool         // by operator
}

func newOffice(t *rapid.T) *office {
	o := &office{
		t: t, now: time.Unix(1e9, 0), store: &table{b: []byte(threeFlags)}, disk: newMemory(), meter: &meter{},
		desks: map[string]*control.Controller{}, done: map[string][][]made{}, all: map[string]made{},
		moved: map[sources.FlagID]made{}, unsure: map[string]bool{},
	}
	o.j = journal.Open("j.jsonl", journal.Options{Disk: o.disk})
	o.restart("ann")
	o.restart("bob")
	return o
}

// restart begins a process of an operator.
func (o *office) restart(who string) {
	o.desks[who] = control.New(control.Options{
		Stores: []control.Store{{Name: "prod", Driver: o.store, Journal: journal.Open("j.jsonl", journal.Options{Disk: o.disk})}},
		Now:    func() time.Time { return o.now },
		Guards: control.Guards{
			Rules:   []sources.Guard{{Name: "errors", Flags: []string{"a", "b"}, Query: "errors", Count: "requests", Limit: 0.02, MinCount: 100}},
			Readers: []sources.GuardReader{o.meter},
			Snapshot: func(context.Context) (*sources.Snapshot, error) {
				return &sources.Snapshot{Flags: []sources.Flag{o.flag(flagA), o.flag(flagB), o.flag(flagC)}}, nil
			},
		},
	})
}

var (
	flagA = sources.FlagID{Source: "prod", Key: "a"}
	flagB = sources.FlagID{Source: "prod", Key: "b"}
	flagC = sources.FlagID{Source: "prod", Key: "c"}
)

// flag is what the store has, whatever it answers to others.
func (o *office) flag(id sources.FlagID) sources.Flag {
	f, err := o.store.look(id)
	require.NoError(o.t, err)
	return f
}

func (o *office) revisions() map[sources.FlagID]sources.Revision {
	return map[sources.FlagID]sources.Revision{flagA: o.flag(flagA).Revision, flagB: o.flag(flagB).Revision, flagC: o.flag(flagC).Revision}
}

// faulty says that something is in the way of changes at the moment.
func (o *office) faulty() bool { return o.store.fault != "" || o.disk.broken() }

// refuses says whether a flag's guard lets it be raised.
func (o *office) refuses(id sources.FlagID) bool { return id != flagC && o.meter.refuses }

// group does one thing to some flags at once and holds each against what was asked.
func (o *office) group(who string, kind sources.ChangeKind, ids []sources.FlagID, to sources.Percent) {
	var ins []sources.Intent
	was := map[sources.FlagID]sources.Flag{}
	for _, id := range ids {
		was[id] = o.flag(id)
		ins = append(ins, sources.Intent{Kind: kind, Flag: id, Seen: was[id].Revision, To: to, Actor: who})
	}
	_, done := o.desks[who].DoAll(context.Background(), ins)
	failed, all := 0, []made(nil)
	for i := range done {
		d, f, old := &done[i], o.flag(ids[i]), was[ids[i]]
		require.Equal(o.t, ids[i], d.Flag, "an answer for each flag, in their order")
		raised := kind == sources.Set && to > old.Rollout.Or(0)
		if errors.Is(d.Err, control.ErrGuarded) {
			require.True(o.t, kind == sources.Set && o.refuses(d.Flag) && (raised || o.store.dark), "a guard refuses what raises, or may: %v", d.Err)
		}
		require.False(o.t, raised && o.refuses(d.Flag) && f.Revision != old.Revision, "nothing is raised on a breach or on the unknown")
		failed += len(errs(d.Err))
		asked := f.Killed || kind == sources.Set && f.Rollout == sources.Some(to)
		switch {
		case errors.Is(d.Err, control.ErrUnconfirmed):
			require.True(o.t, f.Revision == old.Revision || asked, "what may have been written is as it was or as asked for, and never more")
			o.unsure[who] = true
		case d.Err != nil:
			require.Equal(o.t, old.Revision, f.Revision, "what failed is as it was: %v", d.Err)
		default:
			require.True(o.t, asked, "exactly what was asked for, and never more: %s", f.Brief())
		}
		if kind == sources.Kill && !slices.Contains([]string{"refuse", "abort"}, o.store.fault) {
			require.True(o.t, f.Killed, "nothing but the store keeps a kill from being made: %v", d.Err)
		}
		if f.Revision != old.Revision {
			all = append(all, made{d.Receipt.Change, who, d.Flag, old.Revision, f.Revision})
		}
	}
	require.Equal(o.t, failed == 0, control.Incomplete(done) == nil)
	o.push(who, all)
}

func errs(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}

// push puts on the model's record what was made together.
func (o *office) push(who string, all []made) {
	if len(all) == 0 {
		return
	}
	if o.disk.broken() || o.store.fault == "mute" { // it was made, and the record may not know how it ended
		o.unsure[who] = true
	}
	for _, m := range all {
		o.all[m.id], o.moved[m.flag] = m, m
	}
	o.done[who] = append(o.done[who], all)
}

// undo takes back the last of one operator: each flag of the group to its own former
// definition, or not at all.
func (o *office) undo(who string) {
	stack, was, faulty := o.done[who], o.revisions(), o.faulty()
	_, done := o.desks[who].UndoLast(context.Background(), who)
	sure := !o.unsure[who] && !faulty
	if len(stack) == 0 && sure {
		require.Len(o.t, done, 1)
		require.ErrorIs(o.t, done[0].Err, sources.ErrNotFound)
		return
	}
	moved := maps.Clone(o.moved)
	undone := o.undone(who, was, done)
	if !sure || len(stack) == 0 {
		o.unsure[who] = true
		return
	}
	var left []made
	for _, c := range stack[len(stack)-1] {
		i := slices.IndexFunc(done, func(d control.Done) bool { return d.Flag == c.flag || d.Receipt.New.ID == c.flag })
		last := moved[c.flag]
		switch {
		case undone[c.id]:
			require.False(o.t, last.id != "" && last.who != who, "an undo against somebody's later change is a conflict")
			continue
		case last.id == c.id:
			require.Fail(o.t, "the last change of a flag can be undone", "%v", done)
		case i >= 0 && last.id != "" && last.who != who:
			require.ErrorIs(o.t, done[i].Err, sources.ErrConflict)
		}
		left = append(left, c)
	}
	if stack = stack[:len(stack)-1]; len(left) > 0 {
		stack = append(stack, left)
	}
	o.done[who] = stack
}

// undone holds what an undo did against what it says, and against the change that it
// says it took back; it gives those.
func (o *office) undone(who string, was map[sources.FlagID]sources.Revision, done []control.Done) map[string]bool {
	undone := map[string]bool{}
	es, _, err := o.j.Read(len(done))
	require.NoError(o.t, err)
	now := o.revisions()
	for i := range done {
		r := &done[i].Receipt
		k := slices.IndexFunc(es, func(e journal.Entry) bool { return e.ID == r.Change && r.Change != "" })
		if done[i].Err != nil && !errors.Is(done[i].Err, control.ErrUnconfirmed) || k < 0 {
			continue
		}
		m, known := o.all[es[k].Undoes]
		require.True(o.t, known, "only what was made is undone")
		require.Equal(o.t, who, m.who, "everybody undoes their own")
		if now[m.flag] != was[m.flag] {
			require.Equal(o.t, m.after, was[m.flag], "an undo compares with what the change left")
			require.Equal(o.t, m.before, now[m.flag], "an undo restores exactly")
		}
		was[m.flag], undone[m.id], o.moved[m.flag] = now[m.flag], done[i].Err == nil, made{}
	}
	require.Equal(o.t, was, now, "what was not undone is as it was")
	return undone
}

// back returns a flag to any state of its history.
func (o *office) back(who string, id sources.FlagID, pick int) {
	h, err := o.desks[who].FlagHistory(context.Background(), id)
	require.NoError(o.t, err)
	if len(h.Past) == 0 {
		return
	}
	l, was := &h.Past[pick%len(h.Past)], o.flag(id)
	r, err := o.desks[who].Do(context.Background(), sources.Intent{
		Kind: sources.Restore, Flag: id, Seen: was.Revision, Change: l.ID, Before: l.Before, Actor: who,
	})
	now := o.flag(id)
	if now.Rollout.Or(0) > was.Rollout.Or(0) {
		require.False(o.t, o.refuses(id), "a return is guarded where it raises")
	}
	switch {
	case errors.Is(err, control.ErrUnconfirmed):
		o.unsure[who] = true
	case err != nil:
		require.Equal(o.t, was.Revision, now.Revision)
		return
	}
	switch {
	case err != nil && now.Revision == was.Revision:
	case l.Exact:
		require.Equal(o.t, l.Revision, now.Revision, "the definition of then, byte for byte")
	default:
		require.Equal(o.t, l.New, now.Brief(), "what the record says, where nobody has the definition of then")
	}
	if now.Revision != was.Revision {
		o.push(who, []made{{r.Change, who, id, was.Revision, now.Revision}})
	}
}

// hand changes a flag past every record.
func (o *office) hand(id sources.FlagID, pick int) {
	was := o.flag(id).Revision
	d, err := flagdef.NewDraft("prod", o.store.b, sources.Change{Kind: sources.Set, Flag: id, Seen: was, To: sources.Pct(pick)})
	if err == nil && d.Planned.New.Revision != was {
		o.store.b, o.moved[id] = d.Bytes, made{}
	}
}

// doubts settles what nobody knows the end of, some minutes later.
func (o *office) doubts(who string) {
	o.now = o.now.Add(2 * time.Minute)
	o.restart(who)
	doubts := o.desks[who].InDoubt()
	for i := range doubts {
		if d := &doubts[i]; o.moved[d.Flag].id == d.ID && d.ID != "" {
			require.NotEqual(o.t, sources.Failed, d.Outcome, "what is in force is never said not to be: %s", d.Err)
		}
	}
}

// trouble is what stands in the way of one step.
func (o *office) trouble(fault, disk string, value sources.GuardSample) {
	o.store.fault = fault
	o.disk.set(disk == "full", disk == "torn")
	o.meter.refuses = !value.Count.OK || value.Value.V > 0.02
	o.meter.value = func(sources.Percent) sources.GuardSample { return value }
	o.store.mute, o.store.dark = nil, false
	if fault == "mute" {
		o.store.mute = func() { o.disk.set(true, false) }
	}
}

// TestNoSequenceOfGroupsUndosReturnsAndFaultsLeavesAFlagWhereNobodyPutIt plays two
// operators who share three flags, over a store and a disk that fail at each step.
func TestNoSequenceOfGroupsUndosReturnsAndFaultsLeavesAFlagWhereNobodyPutIt(t *testing.T) {
	t.Parallel()
	flags := []sources.FlagID{flagA, flagB, flagC}
	values := map[string]sources.GuardSample{
		"pass":    {Value: sources.Some(0.01), Count: sources.Some(500.0)},
		"breach":  {Value: sources.Some(0.05), Count: sources.Some(500.0)},
		"unknown": {},
	}
	rapid.Check(t, func(t *rapid.T) {
		o := newOffice(t)
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			who := rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "who")
			o.trouble(
				rapid.SampledFrom([]string{"", "", "", "", "", "refuse", "abort", "lose", "blind", "mute"}).Draw(t, "fault"),
				rapid.SampledFrom([]string{"", "", "", "", "", "", "full", "torn"}).Draw(t, "disk"),
				values[rapid.SampledFrom([]string{"pass", "pass", "pass", "breach", "unknown"}).Draw(t, "guard")],
			)
			o.now = o.now.Add(time.Second)
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(flags), 1, 3, rapid.ID[sources.FlagID]).Draw(t, "flags")
			pick := rapid.IntRange(0, 100).Draw(t, "number")
			switch rapid.SampledFrom([]string{"set", "set", "set", "kill", "undo", "undo", "undo", "back", "hand", "doubts"}).Draw(t, "key") {
			case "set":
				o.group(who, sources.Set, some, sources.Pct(pick))
			case "kill":
				o.group(who, sources.Kill, some, 0)
			case "undo":
				o.undo(who)
			case "back":
				o.back(who, some[0], pick)
			case "hand":
				o.hand(some[0], pick)
			case "doubts":
				o.doubts(who)
			}
		}
	})
}
