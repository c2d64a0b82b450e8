package main

import (
	"context"
	"time"
)

// turnEvery is about twice what one board costs that draws news.
const turnEvery = 2 * time.Millisecond

// turns lets boards that have news draw them one after another, so that a key of one
// does not wait for the news of all. A turn passes on when the one before has had its
// time; where the machine is busy that timer is late as well, and the turns with it.
// It is goroutine-safe; make it with newTurns.
type turns chan struct{}

func newTurns() turns { return make(turns, 1) }

// take waits for the next turn, or until ctx ends.
func (t turns) take(ctx context.Context) {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return
	}
	timer := time.NewTimer(turnEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	<-t
}
