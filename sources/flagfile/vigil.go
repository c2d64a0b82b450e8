package flagfile

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"relctl-tui/sources"
)

// vigil is what is known from outside of a goroutine that touches the file: a
// dead network file system holds it inside a system call, for ever.
type vigil struct {
	since atomic.Int64 // when it went to the file system, 0 while it is back
	hung  atomic.Bool  // it was reported that it does not come back
}

func (v *vigil) begin() { v.since.Store(time.Now().UnixNano()) }
func (v *vigil) end()   { v.since.Store(0) }

// guard hands the watch's events on and says when the watch itself cannot: flags
// that nobody can read any more must not look fresh.
func (w *watch) guard(ctx context.Context, out chan<- sources.FlagEvent) {
	defer close(out)
	look := time.NewTicker(w.s.hang / 2)
	defer look.Stop()
	for {
		var e sources.FlagEvent
		select {
		case <-ctx.Done():
			return
		case e = <-w.out:
		case <-look.C:
			since := w.since.Load()
			if since == 0 || time.Since(time.Unix(0, since)) < w.s.hang || w.hung.Swap(true) {
				continue
			}
			e.Err = w.s.wrap(fmt.Errorf("its file system does not answer: %w", sources.ErrUnavailable))
		}
		select {
		case out <- e:
		case <-ctx.Done():
			return
		}
	}
}
