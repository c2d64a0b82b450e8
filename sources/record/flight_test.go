package record_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/record"
)

func TestTheFlightRecorderHoldsItsSpanAndNotMuchMore(t *testing.T) {
	t.Parallel()
	f := record.NewFlight(5*time.Minute, 0)
	at := newWorld(1)
	s := at.next()
	for range 1200 { // twenty minutes
		next := *s
		next.At = next.At.Add(time.Second)
		next.Flags = append([]sources.Flag{{Name: next.At.Format("15:04:05")}}, next.Flags[:min(len(next.Flags), 3)]...)
		s = &next
		require.NoError(t, f.Add(s, 0))
	}
	data, from, to, err := f.Recording()
	require.NoError(t, err)
	require.GreaterOrEqual(t, to.Sub(from), 5*time.Minute)
	require.LessOrEqual(t, to.Sub(from), 7*time.Minute)
	rec := open(t, data)
	require.True(t, rec.To.Equal(s.At))
	require.True(t, rec.From.Equal(from))
	last, _, err := rec.At(rec.To)
	require.NoError(t, err)
	require.Equal(t, shown(s), shown(last.Snapshot))

	require.NoError(t, f.Add(s, 0), "it goes on after it was saved")
	data, _, _, err = f.Recording()
	require.NoError(t, err)
	require.Greater(t, open(t, data).Snapshots, rec.Snapshots)
}

func TestTheFlightRecorderIsBoundedInSizeWhateverTheBoardShows(t *testing.T) {
	t.Parallel()
	const most = 200 << 10
	f := record.NewFlight(0, most)
	at := newWorld(2)
	for range 400 {
		require.NoError(t, f.Add(at.next(), 0))
		require.Less(t, f.Size(), 2*most)
	}
	data, from, to, err := f.Recording()
	require.NoError(t, err)
	require.NotEmpty(t, frames(t, open(t, data)))
	require.Less(t, to.Sub(from), 400*time.Second, "the oldest went")
}

func TestAFlightRecorderWithoutASnapshotSaysSo(t *testing.T) {
	t.Parallel()
	_, _, _, err := record.NewFlight(0, 0).Recording()
	require.ErrorIs(t, err, sources.ErrNotFound)
}

// feed is a live engine without one: a latest snapshot, and a wait for the next.
type feed struct {
	mu   sync.Mutex
	s    *sources.Snapshot
	wake chan struct{}
}

func newFeed(s *sources.Snapshot) *feed { return &feed{s: s, wake: make(chan struct{})} }

func (f *feed) show(s *sources.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.s = s
	close(f.wake)
	f.wake = make(chan struct{})
}

func (f *feed) Snapshot() *sources.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.s
}

func (f *feed) Next(ctx context.Context, after uint64) (*sources.Snapshot, error) {
	for {
		f.mu.Lock()
		s, wake := f.s, f.wake
		f.mu.Unlock()
		if s.Seq > after {
			return s, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// slow is a sink whose disk takes its time.
type slow struct {
	*record.Flight
	entered chan struct{}
	free    chan struct{}
}

func (s slow) Add(snap *sources.Snapshot, lost uint64) error {
	s.entered <- struct{}{}
	<-s.free
	return s.Flight.Add(snap, lost)
}

func TestADiskThatIsTooSlowHoldsUpNobodyAndLeavesAGap(t *testing.T) {
	t.Parallel()
	w := newWorld(3)
	f := newFeed(w.next())
	to := slow{record.NewFlight(0, 0), make(chan struct{}), make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- record.Follow(ctx, f, to) }()
	<-to.entered
	for range 7 { // while the first is being written nobody waits
		f.show(w.next())
	}
	to.free <- struct{}{}
	<-to.entered
	to.free <- struct{}{}
	f.show(w.next())
	<-to.entered
	to.free <- struct{}{}
	cancel()
	require.NoError(t, <-done)
	data, _, _, err := to.Recording()
	require.NoError(t, err)
	rec := open(t, data)
	require.Equal(t, 3, rec.Snapshots)
	require.Equal(t, 1, rec.Gaps)
	require.EqualValues(t, 6, rec.Lost)
}

// deaf is a feed that nobody hears of anything from until it is over.
type deaf struct {
	*feed
	asked chan struct{}
}

func (d deaf) Next(ctx context.Context, _ uint64) (*sources.Snapshot, error) {
	close(d.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWhatWasShownLastIsRecordedThoughTheEndCameWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(3)
	f := deaf{newFeed(w.next()), make(chan struct{})}
	to := record.NewFlight(0, 0)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.asked // then the first is recorded
		f.show(w.next())
		cancel()
	}()
	require.NoError(t, record.Follow(ctx, f, to))
	data, _, _, err := to.Recording()
	require.NoError(t, err)
	rec := open(t, data)
	require.Equal(t, 2, rec.Snapshots)
	require.Zero(t, rec.Lost)
}

type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestAWriterWhoseDiskIsFullSaysWhy(t *testing.T) {
	t.Parallel()
	disk := &full{left: 4000}
	w := record.NewWriter(func() io.Writer { return disk })
	at := newWorld(1)
	var err error
	for range 1000 {
		if err = w.Add(at.next(), 0); err != nil {
			break
		}
		if err = w.Flush(); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, errFull)
}

func TestAFileHoldsWhatTheFlightRecorderEncodedAndIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.gz")
	file, err := record.Create(path)
	require.NoError(t, err)
	flight := record.NewFlight(0, 0)
	require.NoError(t, file.Copy(flight), "nothing was shown yet")
	at := newWorld(1)
	for i := range 200 { // several segments
		require.NoError(t, flight.Add(at.next(), 0))
		if i%7 == 0 {
			require.NoError(t, file.Copy(flight))
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, i+1, open(t, data).Snapshots, "a crash now would lose nothing")
		}
		if i == 90 { // ctrl+s ends a segment
			_, _, _, err := flight.Recording()
			require.NoError(t, err)
		}
	}
	stats, err := file.Close(flight)
	require.NoError(t, err)
	require.Equal(t, 200, stats.Snapshots)
	held, _, _, err := flight.Recording()
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(held, data), "they are encoded once")
	require.Error(t, file.Copy(flight), "it is closed")

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = record.Create(path)
	require.ErrorContains(t, err, "overwrites nothing")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, after))
}

func TestAFileWhoseDiskIsTooSlowEndsAndTheFlightRecorderGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.gz")
	file, err := record.Create(path)
	require.NoError(t, err)
	flight := record.NewFlight(time.Minute, 0)
	at := newWorld(1)
	require.NoError(t, flight.Add(at.next(), 0))
	require.NoError(t, file.Copy(flight))
	for range 600 { // so long the disk hangs
		require.NoError(t, flight.Add(at.next(), 0))
	}
	err = file.Copy(flight)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "it can be replayed until about")
	require.NoError(t, flight.Add(at.next(), 0))
	_, err = file.Close(flight)
	require.Error(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, open(t, data).Snapshots)
	_, _, _, err = flight.Recording()
	require.NoError(t, err)
}
