package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/record"
	"relctl-tui/ui"
)

// tape is what the boards of this process are recorded to: always the flight recorder,
// and the file of --record where one was named.
type tape struct {
	dir     string // where the flight recorder is saved
	now     func() time.Time
	flight  *record.Flight
	file    *record.File // nil for none
	path    string
	notices chan string
	stopped atomic.Bool // of the file: it takes no more
}

// openTape makes the file first, so that a recording that cannot be made is known
// before the incident.
func (o *options) openTape() (*tape, error) {
	t := &tape{
		dir: filepath.Join(stateDir(), "recordings"), now: o.now,
		flight: record.NewFlight(0, 0), path: o.record, notices: make(chan string, 1),
	}
	if o.record == "" {
		return t, nil
	}
	var err error
	if t.file, err = record.Create(o.record); err != nil {
		return nil, &usageError{msg: "--record: " + sources.Sentence(err)}
	}
	return t, nil
}

// close ends the file and says what became of it.
func (t *tape) close(errOut io.Writer) {
	if t.file == nil {
		return
	}
	stats, err := t.file.Close(t.flight)
	switch {
	case err != nil:
		say(errOut, sources.Sentence(err))
	case stats.Snapshots == 0:
		say(errOut, "nothing was shown, so "+sources.Clean(t.path, maxPath)+" holds nothing")
	default:
		say(errOut, fmt.Sprintf("recorded %s to %s: relctl-tui replay %s",
			stats.From.Local().Format(time.TimeOnly), stats.To.Local().Format(time.TimeOnly), shellQuote(sources.Clean(t.path, maxPath))))
	}
}

// follow records what a feed shows until the end that it returns, which waits for the
// last of it, but not for a disk that hangs.
func (t *tape) follow(ctx context.Context, feed record.Feed) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { t.say(record.Follow(ctx, feed, t.flight)) })
	if t.file != nil {
		running.Go(func() { t.copy(ctx) })
	}
	return func() {
		cancel()
		awaitEnd(running.Wait)
	}
}

// copyEvery is how much of a recording a crash may cost; a disk that is full at once shows
// sooner.
const (
	copyEvery = time.Second
	firstCopy = 50 * time.Millisecond
)

// copy brings what the flight recorder has into the file as well. A disk that hangs holds
// up this goroutine and nothing else.
func (t *tape) copy(ctx context.Context) {
	next := time.NewTimer(firstCopy)
	defer next.Stop()
	for !t.stopped.Load() { // the board of another context has said why
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			next.Reset(copyEvery)
			err := t.file.Copy(t.flight)
			t.stopped.Store(err != nil)
			t.say(err)
		}
	}
}

// say has the board warn of a recording that ended before the board.
func (t *tape) say(err error) {
	if err == nil {
		return
	}
	select {
	case t.notices <- sources.Sentence(err):
	default: // another one is waiting to be read
	}
}

// board is what a board needs to have its recording saved.
func (t *tape) board(o *ui.Options) {
	o.SaveRecording, o.Notices, o.Recording = t.save, t.notices, t.file != nil && !t.stopped.Load()
}

// save writes what the flight recorder holds to a new file of the state directory.
func (t *tape) save() (path string, from, to time.Time, err error) {
	data, from, to, err := t.flight.Recording()
	if err != nil {
		return "", from, to, err
	}
	path, err = t.write(data)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return "", from, to, fmt.Errorf("what was shown could not be saved to %s (%w): it is still in memory, ctrl+s tries again", sources.Clean(t.dir, maxPath), err)
	}
	return sources.Clean(path, maxPath), from, to, nil
}

func (t *tape) write(data []byte) (path string, err error) {
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(t.dir, "relctl-tui-"+t.now().Format("20060102-150405")+"-*.jsonl.gz") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
