package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/journal"
)

// desk is another operator at the same file: what runs after a crash, with a
// clock of its own.
func (b *bench) desk(later time.Duration) *control.Controller {
	store := flagd.New(filepath.Base(b.path), b.path)
	now := func() time.Time { return time.Now().Add(later) }
	return control.New(control.Options{Now: now, Stores: []control.Store{{
		Name: filepath.Base(b.path), Driver: store, Journal: journal.Open(store.JournalPath(), journal.Options{Now: now}),
	}}})
}

func (b *bench) do(kind sources.ChangeKind, key string, to int) (sources.Receipt, error) {
	id := sources.FlagID{Source: filepath.Base(b.path), Key: key}
	return b.desk(0).Do(b.t.Context(), sources.Intent{Kind: kind, Flag: id, To: sources.Pct(to), Actor: "ana"})
}

func (b *bench) mustDo(kind sources.ChangeKind, key string, to int) {
	b.t.Helper()
	_, err := b.do(kind, key, to)
	require.NoError(b.t, err)
}

// entry is a line of the journal as it lies on disk.
type entry struct{ Type, ID, Outcome string }

func (b *bench) records() (intents []string, results map[string]string) {
	b.t.Helper()
	results = map[string]string{}
	raw, err := os.ReadFile(flagd.New("", b.path).JournalPath())
	if !os.IsNotExist(err) {
		require.NoError(b.t, err)
	}
	for line := range strings.Lines(string(raw)) {
		var r entry
		require.NoError(b.t, json.Unmarshal([]byte(line), &r), line)
		if r.Type == "intent" {
			require.NotContains(b.t, intents, r.ID, "never two intents of one change")
			intents = append(intents, r.ID)
			continue
		}
		require.Contains(b.t, intents, r.ID, "no result without its intent")
		results[r.ID] = r.Outcome
	}
	return intents, results
}

// leftovers is the temporary files beside the store, made old enough for the next
// writer to sweep.
func (b *bench) leftovers() (temps []string) {
	b.t.Helper()
	temps, err := filepath.Glob(filepath.Join(filepath.Dir(b.path), ".*.tmp"))
	require.NoError(b.t, err)
	old := time.Now().Add(-time.Hour)
	for _, path := range temps {
		require.NoError(b.t, os.Chtimes(path, old, old))
	}
	return temps
}

// ordeal is one kind of change that is killed again and again in one folder.
type ordeal struct {
	*bench
	args     []string
	old, new string                     // the file
	doubts   map[string]sources.Outcome // what InDoubt has to say, by change
	acked    []string                   // changes that the program said were confirmed
	crashes  int
}

// changesKilled is every kind of change that the verbs make.
var changesKilled = map[string]struct {
	args   []string
	undoes bool // there has to be a change to take back
	first  bool // nothing was ever changed in this folder: each crash has one of its own
}{
	"kill":             {args: []string{"kill", "checkout-v2"}},
	"the very first":   {args: []string{"kill", "checkout-v2"}, first: true},
	"ramp":             {args: []string{"ramp", "checkout-v2", "next"}},
	"ramp to a number": {args: []string{"ramp", "checkout-v2", "12.5"}},
	"a step back":      {args: []string{"ramp", "checkout-v2", "back"}},
	"undo":             {args: []string{"undo"}, undoes: true},
}

// perFolder keeps a journal that is killed on short enough to be read in one go,
// so that a change takes the same steps each time.
const perFolder = 20

func TestAChangeKilledAtAnyStepIsMadeOrNotAndTheJournalSaysWhichIsInDoubt(t *testing.T) {
	t.Parallel()
	unharmed := func(step) bool { return false }
	newBench(t).follow(unharmed, "flags") // where nothing can be traced it ends here
	var total atomic.Int32
	t.Cleanup(func() {
		t.Logf("%d changes were killed", total.Load())
		if !t.Failed() && !testing.Short() {
			require.GreaterOrEqual(t, total.Load(), int32(500))
		}
	})
	for name, c := range changesKilled {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := func() *ordeal {
				o := &ordeal{bench: newBench(t), args: c.args, doubts: map[string]sources.Outcome{}}
				if !c.first {
					o.mustDo(sources.Kill, "steady", 0) // lock and journal are there
					o.mustDo(sources.Undo, "", 0)
				}
				return o
			}
			o := start()
			o.ready(c.undoes)
			whole := o.follow(unharmed, c.args...)
			require.Zero(t, whole.code, whole.stderr)
			changed := o.file()
			require.NotEqual(t, o.old, changed)
			o = start()
			for i, s := range moments(whole.steps) {
				if testing.Short() && i%9 != 0 {
					continue
				}
				if o.crashes == perFolder || c.first {
					o.settle()
					o = start()
				}
				o.ready(c.undoes)
				o.new = changed
				if o.crash(s) {
					total.Add(1)
				}
				o.goOn(c.undoes)
			}
			o.settle()
		})
	}
}

// moments is before each step, and after each that changes something.
func moments(steps []step) (all []step) {
	for _, s := range steps {
		all = append(all, s)
		if s.changes() {
			s.after = true
			all = append(all, s)
		}
	}
	return all
}

// changes says whether the step leaves something behind: data, a file, a lock.
func (s step) changes() bool {
	call, _, _ := strings.Cut(s.name, " ")
	switch call {
	case "openat", "write", "fsync", "renameat", "fchmod", "flock", "close", "mkdirat":
		return true
	}
	return false
}

func (o *ordeal) ready(undoes bool) {
	o.t.Helper()
	if undoes {
		o.mustDo(sources.Set, "checkout-v2", 40)
	}
	o.old = o.file()
}

// crash kills the change at a step and holds what is left against what was said.
// A step that only reads may not come: then the change was made.
func (o *ordeal) crash(at step) (killed bool) {
	t := o.t
	before, _ := o.records()
	r := o.follow(func(s step) bool { return s == at }, o.args...)
	if !r.killed { // how often a folder or a file is read depends on the file system, and on what was left there
		require.False(t, at.after || at.changes(), "%s was never reached: %v", at, r.steps)
		require.Zero(t, r.code, r.stderr)
		require.Equal(t, o.new, o.file(), at)
	}
	o.crashes++

	file := o.file()
	require.Contains(t, []string{o.old, o.new}, file, "%s: old or new, byte for byte", at)
	intents, results := o.records()
	fresh := intents[len(before):]
	require.LessOrEqual(t, len(fresh), 1, at)
	acked := strings.Contains(r.stdout, "confirmed")
	if len(fresh) == 0 {
		require.Equal(t, o.old, file, "%s: nothing is written before its intent is", at)
		require.False(t, acked, at)
		return r.killed
	}
	id := fresh[0]
	outcome, known := results[id]
	switch {
	case known:
		require.Equal(t, "confirmed", outcome, at)
		require.Equal(t, o.new, file, at)
	case file == o.new:
		o.doubts[id] = sources.Confirmed
	default:
		o.doubts[id] = sources.Failed
	}
	if acked {
		require.True(t, known, "%s: what was said to be done is on record", at)
		require.Contains(t, r.stdout, id)
		o.acked = append(o.acked, id)
	}
	return r.killed
}

// goOn makes the next changes as if nothing had happened: no lock is stale, undo
// takes back what is there to be taken back, and what lay about is gone.
func (o *ordeal) goOn(undoes bool) {
	t := o.t
	o.leftovers()
	if o.crashes%3 == 0 { // else the doubts pile up, and are told apart all the same
		o.inDoubt()
	}
	switch made := o.file() == o.new; {
	case made && undoes:
		_, err := o.do(sources.Undo, "", 0)
		require.ErrorContains(t, err, "nothing left to undo")
		require.Equal(t, o.new, o.file())
		o.mustDo(sources.Kill, "steady", 0)
		o.mustDo(sources.Undo, "", 0)
	case made:
		o.mustDo(sources.Undo, "", 0)
	case undoes:
		o.mustDo(sources.Undo, "", 0)
		require.Equal(t, o.new, o.file())
	default:
		o.mustDo(sources.Kill, "steady", 0)
		o.mustDo(sources.Undo, "", 0)
	}
	require.Equal(t, twoFlags, o.file())
	require.Empty(t, o.leftovers())
}

// inDoubt holds what the next start would list against what was found.
func (o *ordeal) inDoubt() {
	t := o.t
	got := map[string]sources.Outcome{}
	for _, a := range o.desk(time.Hour).InDoubt() {
		got[a.ID] = a.Outcome
		require.NotEmpty(t, a.Err)
	}
	require.Equal(t, o.doubts, got)
	require.Empty(t, o.desk(time.Hour).InDoubt(), "listed once")
	clear(o.doubts)
}

// settle is the end of a folder: the program's own record names what is in doubt,
// and nothing acknowledged is missing from it.
func (o *ordeal) settle() {
	t := o.t
	var log struct{ Changes []changeDoc }
	strictly(t, o.run("log", "-n", "1000", "-o", "json").stdout, &log)
	listed, pending := map[string]string{}, 0
	for _, c := range log.Changes {
		if listed[c.ID] = c.Outcome; c.Outcome == "pending" {
			pending++
			require.Contains(t, o.doubts, c.ID)
		}
	}
	require.Len(t, o.doubts, pending)
	for _, id := range o.acked {
		require.Equal(t, "confirmed", listed[id])
	}
	o.inDoubt()
}

func TestALineTornByACrashIsReportedAndTheNextChangeIsRecordedWhole(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.follow(func(s step) bool { return s == step{name: "renameat temp", n: 1} }, "kill", "checkout-v2")
	require.True(t, r.killed)
	path := flagd.New("", b.path).JournalPath()
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, info.Size()/2)) // the power went with half of the line on disk
	log := b.run("log")
	require.Zero(t, log.code)
	require.Contains(t, log.stderr, "the last line of journal")
	require.Contains(t, log.stderr, "is incomplete and was skipped")
	require.Contains(t, log.stdout, "no changes on record")

	require.Zero(t, b.run("ramp", "checkout-v2").code)
	log = b.run("log")
	require.Contains(t, log.stderr, "1 line(s) of journal")
	require.Regexp(t, `checkout-v2 +25% +50% +confirmed`, log.stdout)
	require.Zero(t, b.run("undo").code)
	require.Equal(t, twoFlags, b.file())
}

func TestAChangeThatCannotBeReadBackEndsWithFiveAndTheNextStartListsIt(t *testing.T) {
	t.Parallel()
	for verb, args := range map[string][]string{"kill": {"kill", "checkout-v2"}, "set": {"ramp", "checkout-v2", "40"}} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			away := b.path + ".away"
			r := b.follow(func(s step) bool {
				if (s == step{name: "close lock", n: 1, after: true}) {
					require.NoError(t, os.Rename(b.path, away)) // written, and gone before it is read back
				}
				return false
			}, args...)
			require.Equal(t, exitUnconfirmed, r.code, r.stdout+r.stderr)
			require.Len(t, lines(r.stderr), 1)
			require.Contains(t, r.stderr, "checkout-v2 was written but could not be read back")
			require.Contains(t, r.stderr, "there is no such file")
			require.Contains(t, r.stdout, "written, not confirmed")
			require.NoError(t, os.Rename(away, b.path))
			require.NotEqual(t, twoFlags, b.file())
			log := b.run("log")
			require.Regexp(t, `checkout-v2 +25% +\S+ +unconfirmed`, log.stdout)

			doubts := b.desk(time.Hour).InDoubt()
			require.Len(t, doubts, 1)
			require.Equal(t, verb, doubts[0].Kind)
			require.Equal(t, sources.Confirmed, doubts[0].Outcome)
			require.Contains(t, doubts[0].Err, "could not be read back at the time, but the change is in force")
			require.Empty(t, b.desk(time.Hour).InDoubt(), "listed once")
			require.Regexp(t, `checkout-v2 +25% +\S+ +confirmed`, b.run("log").stdout)
			require.Zero(t, b.run("undo").code, "what was written is found, and taken back")
			require.Equal(t, twoFlags, b.file())
		})
	}
}
