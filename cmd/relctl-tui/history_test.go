package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type pastDoc struct {
	changeDoc
	Before, Exact         bool
	Group, Undoes, Undone string
	UndoneBy              string `json:"undone_by"`
	InForce               bool   `json:"in_force"`
	Cannot                string `json:"cannot_restore"`
}

func (b *bench) past(flag string) []pastDoc {
	b.t.Helper()
	r := b.run("log", flag, "-o", "json")
	require.Zero(b.t, r.code, r.stderr)
	var doc struct {
		Flag    struct{ Source, Key string }
		Now     string
		Changes []pastDoc
	}
	strictly(b.t, r.stdout, &doc)
	require.Equal(b.t, flag, doc.Flag.Key)
	return doc.Changes
}

func TestAFlagIsReturnedToAStateOutOfItsHistoryPastWhateverOthersDid(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Zero(t, b.run("ramp", "checkout-v2", "40").code)
	forty := b.file()
	require.Zero(t, b.run("ramp", "checkout-v2", "60", "--actor", "ben", "--reason", "wants more").code)
	require.Zero(t, b.run("kill", "checkout-v2").code)
	past := b.past("checkout-v2")
	require.Len(t, past, 4)
	require.Equal(t, []string{"ben", "wants more", "40%", "60%"}, []string{past[1].Actor, past[1].Reason, past[1].Old, past[1].New})
	require.True(t, past[0].InForce)
	require.True(t, past[3].Before, "what was at first")

	r := b.run("restore", "checkout-v2", "--to", past[2].ID, "--reason", "ben was wrong")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "checkout-v2 killed → 40% confirmed")
	require.Equal(t, forty, b.file())
	r = b.run("restore", "checkout-v2", "--before", past[3].ID)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, twoFlags, b.file())
	require.Zero(t, b.run("undo").code)
	require.Equal(t, forty, b.file())
	require.Equal(t, "ana", b.past("checkout-v2")[1].UndoneBy)
	table := b.run("log", "checkout-v2")
	require.Regexp(t, `(?m)^20.* ben .*40% +60% +confirmed +--to `+past[1].ID+` +wants more`, table.stdout)
	require.Regexp(t, `(?m)^20.* undo +25% +40% +current +-$`, table.stdout, "nobody asked whether it is in force where flags are evaluated")
	require.Regexp(t, `(?m)^ +at first +25% +--before `+past[3].ID+`$`, table.stdout, "as the board's history has it")

	require.Equal(t, exitUsage, b.run("restore", "checkout-v2").code)
	require.Equal(t, exitFailed, b.run("restore", "checkout-v2", "--to", "nothing").code)
}

func TestAnUndoPastSomebodyElsesChangeExitsWith4AndSaysWhatReturnsItAllTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Zero(t, b.run("ramp", "checkout-v2", "40").code)
	require.Zero(t, b.run("ramp", "checkout-v2", "60", "--actor", "ben").code)
	r := b.run("undo")
	require.Equal(t, exitConflict, r.code, r.stderr)
	require.Contains(t, r.stderr, "checkout-v2 is 60% now and not 40%")
	_, typed, found := strings.Cut(r.stderr, "to return it to 25% all the same: relctl-tui ")
	require.True(t, found, r.stderr)
	args := strings.Fields(typed)
	require.Equal(t, "restore", args[0])
	r = b.run(args[:4]...)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, twoFlags, b.file())
}

func TestSeveralFlagsTakeAStepAsOneAndWhatCannotIsListed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tagged := strings.Replace(b.file(), `"gone": {`, `"gone": { "metadata": {"relctl.tags": "shop"},`, 1)
	require.NoError(t, os.WriteFile(b.path, []byte(tagged), 0o644))
	r := b.run("ramp", "checkout-v2", "steady", "--tag", "shop", "next")
	require.Equal(t, exitUnconfirmed, r.code, r.stdout+r.stderr)
	require.Contains(t, r.stdout, "checkout-v2 25% → 50% confirmed")
	require.Contains(t, r.stdout, "gone killed → 1% confirmed")
	require.Contains(t, r.stdout, "steady not changed, refused: steady is at the top of its ladder")
	require.Contains(t, r.stdout, "2 of 3 flags changed")
	require.Zero(t, b.run("undo").code)
	require.Equal(t, tagged, b.file())

	require.Zero(t, b.run("ramp", "checkout-v2", "steady", "10").code)
	require.Equal(t, 2, strings.Count(b.file(), `["on", 10]`))
	require.Zero(t, b.run("ramp", "--tag", "shop").code)
	before := b.file()
	require.Equal(t, exitRefused, b.run("ramp", "pricing", "pricing", "next").code)
	require.Equal(t, exitFailed, b.run("ramp", "checkout-v2", "nobody", "next").code)
	require.Equal(t, exitUsage, b.run("ramp", "checkout-v2", "steady", "gone").code, "a group needs a step")
	require.Equal(t, exitUsage, b.run("ramp").code)
	require.Equal(t, before, b.file())
}

func TestAFileThatIsLaidOutAnewHasChangedNoFlagAndKeepsNothingFromBeingUndone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := open(t, 100, 30, nil, "--flags", "flagd:"+b.path)
	s.awaitLine("checkout-v2", "25")
	require.Zero(t, b.run("kill", "checkout-v2").code)
	s.awaitLine("checkout-v2", "killed", "ana")
	var laidOut bytes.Buffer
	require.NoError(t, json.Indent(&laidOut, []byte(b.file()), "", "\t\t"))
	require.NotEqual(t, b.file(), laidOut.String())
	require.NoError(t, os.WriteFile(b.path, laidOut.Bytes(), 0o644))
	require.Zero(t, b.run("ramp", "steady", "50", "--actor", "ben").code) // which the board sees after it
	text := s.awaitText("ben")
	require.NotContains(t, text, "somebody")
	s.awaitLine("checkout-v2", "killed", "ana")
	require.Len(t, b.past("checkout-v2"), 2, "the kill, and what was before it")
	r := b.run("undo")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "checkout-v2 killed → 25% confirmed")
	require.Contains(t, b.file(), "\t\t", "all else stays laid out as it is")
	require.Zero(t, s.quit())
}
