package control_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/journal"
)

const threeFlags = `{"flags": {
  "a": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 25], ["off", 75]]}},
  "b": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
  "c": {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}
}}`

// made is one change of a flag that the model saw go through.
type made struct {
	flag          sources.FlagID
	before, after sources.Revision
}

// office is two operators over one store, and what the model knows of their changes: of
// each the groups that are not undone, the last one last.
type office struct {
	t     *rapid.T
	store *table
	desks map[string]*control.Controller
	done  map[string][][]made
}

func newOffice(t *rapid.T, dir string) *office {
	o := &office{t: t, store: &table{b: []byte(threeFlags)}, desks: map[string]*control.Controller{}, done: map[string][][]made{}}
	for _, name := range []string{"ann", "bob"} {
		o.desks[name] = control.New(control.Options{
			Stores: []control.Store{{Name: "prod", Driver: o.store, Journal: journal.Open(filepath.Join(dir, "j.jsonl"), journal.Options{})}},
		})
	}
	return o
}

func (o *office) flag(id sources.FlagID) sources.Flag {
	f, err := o.store.Flag(context.Background(), id)
	require.NoError(o.t, err)
	return f
}

func (o *office) revisions(ids []sources.FlagID) (out []sources.Revision) {
	for _, id := range ids {
		out = append(out, o.flag(id).Revision)
	}
	return out
}

// group does one thing to some flags at once and holds each against what was asked.
func (o *office) group(who string, kind sources.ChangeKind, ids []sources.FlagID, to sources.Percent) {
	was := o.revisions(ids)
	var ins []sources.Intent
	for i, id := range ids {
		ins = append(ins, sources.Intent{Kind: kind, Flag: id, Seen: was[i], To: to, Actor: who})
	}
	_, done := o.desks[who].DoAll(context.Background(), ins)
	var all []made
	for i := range done {
		f := o.flag(ids[i])
		switch {
		case done[i].Err != nil:
			require.Equal(o.t, was[i], f.Revision, "what failed is as it was: %v", done[i].Err)
			continue
		case kind == sources.Kill:
			require.True(o.t, f.Killed)
		default:
			require.Equal(o.t, sources.Some(to), f.Rollout, "exactly what was asked for, and never more")
		}
		if f.Revision != was[i] {
			all = append(all, made{ids[i], was[i], f.Revision})
		}
	}
	if len(all) > 0 {
		o.done[who] = append(o.done[who], all)
	}
}

// undo takes back the last of one operator: each flag of the group to its own former
// definition, or not at all.
func (o *office) undo(who string) {
	stack := o.done[who]
	_, done := o.desks[who].UndoLast(context.Background(), who)
	if len(stack) == 0 {
		require.Len(o.t, done, 1)
		require.ErrorIs(o.t, done[0].Err, sources.ErrNotFound)
		return
	}
	var left []made
	for _, c := range stack[len(stack)-1] {
		i := slices.IndexFunc(done, func(d control.Done) bool { return d.Flag == c.flag || d.Receipt.New.ID == c.flag })
		if i >= 0 && done[i].Err == nil {
			require.Equal(o.t, c.before, o.flag(c.flag).Revision, "an undo restores exactly")
			continue
		}
		left = append(left, c)
	}
	if stack = stack[:len(stack)-1]; len(left) > 0 {
		stack = append(stack, left)
	}
	o.done[who] = stack
}

// back returns a flag to any state of its history.
func (o *office) back(who string, id sources.FlagID, pick int) {
	h, err := o.desks[who].FlagHistory(context.Background(), id)
	require.NoError(o.t, err)
	if len(h.Past) == 0 {
		return
	}
	l := &h.Past[pick%len(h.Past)]
	was := o.flag(id).Revision
	_, err = o.desks[who].Do(context.Background(), sources.Intent{
		Kind: sources.Restore, Flag: id, Seen: was, Change: l.ID, Before: l.Before, Actor: who,
	})
	now := o.flag(id).Revision
	switch {
	case err != nil:
		require.Equal(o.t, was, now)
	case now != was:
		require.Equal(o.t, l.Revision, now, "the definition of then, byte for byte")
		o.done[who] = append(o.done[who], []made{{id, was, now}})
	default:
		require.Equal(o.t, l.Revision, was)
	}
}

// TestNoSequenceOfGroupsUndosReturnsAndFaultsLeavesAFlagWhereNobodyPutIt plays two
// operators who share three flags.
func TestNoSequenceOfGroupsUndosReturnsAndFaultsLeavesAFlagWhereNobodyPutIt(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		require.NoError(t, err)
		defer func() { _ = os.RemoveAll(dir) }()
		o := newOffice(t, dir)
		flags := []sources.FlagID{{Source: "prod", Key: "a"}, {Source: "prod", Key: "b"}, {Source: "prod", Key: "c"}}
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			who := rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "who")
			o.store.fault = rapid.SampledFrom([]string{"", "", "", "", "refuse", "lose"}).Draw(t, "fault")
			some := rapid.SliceOfNDistinct(rapid.SampledFrom(flags), 1, 3, rapid.ID[sources.FlagID]).Draw(t, "flags")
			pick := rapid.IntRange(0, 100).Draw(t, "number")
			switch rapid.SampledFrom([]string{"set", "set", "kill", "undo", "undo", "back"}).Draw(t, "key") {
			case "set":
				o.group(who, sources.Set, some, sources.Pct(pick))
			case "kill":
				o.group(who, sources.Kill, some, 0)
			case "undo":
				o.undo(who)
			case "back":
				o.back(who, some[0], pick)
			}
		}
	})
}
