package record

import (
	"context"
	"errors"
	"time"

	"relctl-tui/sources"
)

// flushEvery is how much of a recording a crash may cost.
const flushEvery = time.Second

// Feed is where snapshots come from: a live engine.
type Feed interface {
	Snapshot() *sources.Snapshot
	Next(ctx context.Context, after uint64) (*sources.Snapshot, error)
}

// Sink is what takes snapshots, as a Flight does.
type Sink interface {
	Add(s *sources.Snapshot, lost uint64) error
	Flush() error
}

// Follow records every snapshot of a feed until ctx ends, which is no error, or the
// sink takes no more. It only ever looks at the latest snapshot: a sink that is slow
// holds up nobody, and what it missed is known by the numbers of the snapshots and
// written down as a gap.
func Follow(ctx context.Context, feed Feed, to Sink) error {
	s := feed.Snapshot()
	if err := to.Add(s, 0); err != nil {
		return err
	}
	flushed := s.At
	for {
		next, err := within(ctx, flushEvery, feed, s.Seq)
		switch {
		case ctx.Err() != nil:
			return end(feed.Snapshot(), s.Seq, to)
		case err == nil:
			if err := to.Add(next, next.Seq-s.Seq-1); err != nil {
				return err
			}
			s = next
		case !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		if err != nil || s.At.Sub(flushed) >= flushEvery {
			if err := to.Flush(); err != nil {
				return err
			}
			flushed = s.At
		}
	}
}

// end records what was shown last, which may have come with the end itself.
func end(last *sources.Snapshot, seq uint64, to Sink) error {
	if last.Seq > seq {
		if err := to.Add(last, last.Seq-seq-1); err != nil {
			return err
		}
	}
	return to.Flush()
}

// within waits for the next snapshot, but not for ever.
func within(ctx context.Context, limit time.Duration, feed Feed, after uint64) (*sources.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return feed.Next(ctx, after)
}
