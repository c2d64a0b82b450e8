package control_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/journal"
)

// slowDisk is a disk that takes what is written at once and then takes its time: each
// sync says that it began, and waits for its outcome.
type slowDisk struct {
	*memory
	began   chan struct{}
	outcome chan error
	synced  atomic.Int32
}

func newSlowDisk() *slowDisk {
	return &slowDisk{memory: newMemory(), began: make(chan struct{}, 10), outcome: make(chan error, 10)}
}

func (s *slowDisk) Append(path string) (journal.File, error) {
	f, err := s.memory.Append(path)
	return slowFile{f, s}, err
}

type slowFile struct {
	journal.File
	s *slowDisk
}

func (f slowFile) Sync() error {
	f.s.began <- struct{}{}
	defer f.s.synced.Add(1)
	return <-f.s.outcome
}

func (s *slowDisk) journal() func(*control.Options) {
	return func(o *control.Options) {
		o.Stores[0].Journal = journal.Open("j.jsonl", journal.Options{Disk: s})
	}
}

// text is what was written to the journal.
func (s *slowDisk) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.files["j.jsonl"].b)
}

func TestAKillWaitsForNoDiskButItsStoresAndIsOnDiskWhenItIsSaidToBeDone(t *testing.T) {
	t.Parallel()
	s := newSlowDisk()
	d := sit(t, s.journal())
	type done struct {
		r   sources.Receipt
		err error
	}
	killed := make(chan done, 1)
	go func() {
		r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
		killed <- done{r, err}
	}()
	<-s.began
	require.Contains(t, d.bytes(), "DISABLED", "the flag is off before the record is on disk")
	require.Equal(t, 1, strings.Count(s.text(), `"intent"`), "and the record is written")
	require.Empty(t, killed)
	s.outcome <- nil
	got := <-killed
	require.NoError(t, got.err)
	require.Empty(t, got.r.Warning)
	require.Equal(t, 1, strings.Count(s.text(), `"result"`))
	require.Equal(t, int32(1), s.synced.Load(), "intent and result at once")
}

func TestARampWaitsUntilItsIntentIsOnDisk(t *testing.T) {
	t.Parallel()
	s := newSlowDisk()
	d := sit(t, s.journal())
	before := d.bytes()
	ramped := make(chan error, 1)
	go func() {
		_, err := d.set(checkout, 50, "ana")
		ramped <- err
	}()
	<-s.began
	require.Equal(t, before, d.bytes())
	s.outcome <- errors.New("input/output error")
	require.ErrorContains(t, <-ramped, "nothing was changed because it could not be recorded")
	require.Equal(t, before, d.bytes())
}

func TestAKillWhoseRecordMayNotBeOnDiskSaysSo(t *testing.T) {
	t.Parallel()
	s := newSlowDisk()
	d := sit(t, s.journal())
	s.outcome <- errors.New("input/output error")
	r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	require.Contains(t, d.bytes(), "DISABLED")
	require.Contains(t, r.Warning, "may not have reached the disk (input/output error)")
}

// stuckDisk is a disk on which nothing is even written until it is let go.
type stuckDisk struct {
	*memory
	free chan struct{}
}

func (s *stuckDisk) Append(path string) (journal.File, error) {
	<-s.free
	return s.memory.Append(path)
}

func TestAKillLeavesAJournalThatHangsBehindAndIsOnRecordWhenThatGoesOn(t *testing.T) {
	t.Parallel()
	s := &stuckDisk{newMemory(), make(chan struct{})}
	d := sit(t, func(o *control.Options) {
		o.Stores[0].Journal = journal.Open("j.jsonl", journal.Options{Disk: s})
	})
	killed := make(chan sources.Receipt, 1)
	go func() {
		r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
		assert.NoError(t, err)
		killed <- r
	}()
	require.Eventually(t, func() bool { return strings.Contains(d.bytes(), "DISABLED") }, time.Minute, time.Millisecond,
		"the flag is off while the journal hangs")
	close(s.free)
	require.Empty(t, (<-killed).Warning)
	require.Equal(t, 1, strings.Count(string(s.files["j.jsonl"].b), `"confirmed"`))
	_, err := d.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ana"})
	require.NoError(t, err)
	require.NotContains(t, d.bytes(), "DISABLED", "it was on record")
}

func TestAKillWhoseJournalHangsForEverSaysThatUndoWillNotKnowOfIt(t *testing.T) {
	t.Parallel()
	s := &stuckDisk{newMemory(), make(chan struct{})}
	d := sit(t, func(o *control.Options) {
		o.Stores[0].Journal = journal.Open("j.jsonl", journal.Options{Disk: s})
	})
	r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	require.Contains(t, d.bytes(), "DISABLED")
	require.Contains(t, r.Warning, "undo will not know of this kill: journal j.jsonl did not answer within 2s")
	close(s.free)
}
