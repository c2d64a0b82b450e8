package haproxy

import (
	"context"
	"time"

	"relctl-tui/sources"
)

// Watch looks every Options.Every, since HAProxy tells nobody of a change, and after each
// write of this Store.
func (s *Store) Watch(ctx context.Context, from sources.Revision) (<-chan sources.FlagEvent, error) {
	out := make(chan sources.FlagEvent)
	go func() {
		defer close(out)
		tick := time.NewTicker(s.opts.Every)
		defer tick.Stop()
		last, failed := from, false
		for ctx.Err() == nil {
			written := s.written.Heard()
			set, err := s.Flags(ctx)
			var event sources.FlagEvent
			switch {
			case err != nil:
				failed, event.Err = true, err
			case failed || set.Revision != last:
				failed, last, event.Set = false, set.Revision, &set
			}
			if event != (sources.FlagEvent{}) {
				select {
				case out <- event:
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-tick.C:
			case <-written:
			case <-ctx.Done():
			}
		}
	}()
	return out, nil
}
