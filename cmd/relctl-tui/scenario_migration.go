package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/demo"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/scrape"
)

// How the migration's story is paced: long enough for hundreds of comparisons, short
// enough to be watched.
const (
	storyVerify  = 5 * time.Second // the verify window
	storyRates   = 2 * time.Second // the span of its rates
	storyPace    = 200 * time.Millisecond
	storyPatient = 90 * time.Second // with a machine that is busy with other things
	storyOrders  = 25               // orders that must go through a stage before it is left
)

// crossing is the migration's story being played.
type crossing struct {
	ctl   *control.Controller
	fleet *demo.Fleet
	flag  sources.FlagID
	out   io.Writer
	actor string
	began time.Time
	now   func() time.Time
}

// playMigration walks the orders' migration from end to end over the same control path
// as the board. It must be refused while the stores differ, pass once they are
// repaired, and lose no order: both files are read at the end and compared row by row.
func playMigration(ctx context.Context, o *options, fleet *demo.Fleet, out io.Writer) error {
	m, err := demo.Migration(storyVerify)
	if err != nil {
		return err
	}
	s, err := demoSetup(fleet, false)
	if err != nil {
		return err
	}
	src, err := scrape.New("fleet", []string{fleet.MetricsURL()}, scrape.Options{
		Metrics:     metrics.Config{Latency: demo.LatencyRules(), Window: storyRates, Ratios: demo.RatioRules(m)},
		MinInterval: storyPace / 2,
	})
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	s.guards = nil // those of the demo are about the payment API; what holds this flag is its proof
	s.rules[demo.OrdersFlag] = rule{migration: m}
	s.readers = []reader{{name: "fleet", kind: "scrape", src: src}}
	c := &crossing{
		ctl: s.controller(o.now), fleet: fleet, flag: sources.FlagID{Source: "demo", Key: demo.OrdersFlag},
		out: out, actor: o.actorName(), began: o.now(), now: o.now,
	}
	for _, act := range []func(context.Context) error{c.toShadow, c.refusedWhileTheyDiffer, c.toLive, c.toTheEnd, c.nothingLost} {
		if err := act(ctx); err != nil {
			c.say("verdict: FAILED, %s", sources.Sentence(err))
			return fmt.Errorf("the migration ended otherwise than it should: %w", err)
		}
	}
	c.say("verdict: the migration refused to switch reads while the stores differed, passed once they were repaired, and lost no order")
	return nil
}

func (c *crossing) say(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, "%5.1fs  %s\n", c.now().Sub(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// step is one key: forward, or a kill, with the name typed out where given.
func (c *crossing) step(ctx context.Context, kind sources.ChangeKind, confirm string) error {
	st, err := c.ctl.Standing(ctx, c.flag)
	if err != nil {
		return err
	}
	in, err := st.Flag.Intend(kind)
	if err != nil {
		return err
	}
	in.Actor, in.Confirm, in.Reason = c.actor, confirm, "demo migration"
	r, err := c.ctl.Do(ctx, in)
	if err == nil {
		c.say("%s → %s confirmed", r.Old.Brief(), r.New.Brief())
	}
	return err
}

// refused makes a step that must be refused, with that error.
func (c *crossing) refused(ctx context.Context, kind sources.ChangeKind, as error) error {
	err := c.step(ctx, kind, "")
	if !errors.Is(err, as) {
		return fmt.Errorf("a %s that must be refused was not: %w", kind, errors.Join(err, sources.ErrInvalid))
	}
	c.say("refused: %s", sources.Sentence(err))
	return nil
}

// await looks again and again until it holds.
func (c *crossing) await(ctx context.Context, what string, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, storyPatient)
	defer cancel()
	for {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if err := wait(ctx, storyPace); err != nil {
			return fmt.Errorf("%s did not come within %s: %w", what, storyPatient, err)
		}
	}
}

// served waits until that many more orders went through the stage.
func (c *crossing) served(ctx context.Context) error {
	until := c.fleet.Placed() + storyOrders
	return c.await(ctx, "the next orders", func() (bool, error) { return c.fleet.Placed() >= until, nil })
}

func (c *crossing) proof(ctx context.Context, verdict sources.ProofVerdict) error {
	var last sources.Proof
	err := c.await(ctx, "the verdict "+verdict.String(), func() (bool, error) {
		st, err := c.ctl.Standing(ctx, c.flag)
		last = st.Proof
		return last.Verdict == verdict, err
	})
	if err != nil {
		return fmt.Errorf("%w; last: %s", err, last.Sentence())
	}
	c.say("%s: %s", last.Verdict, last.Sentence())
	return nil
}

func (c *crossing) toShadow(ctx context.Context) error {
	for range 2 {
		if err := c.served(ctx); err != nil {
			return err
		}
		if err := c.step(ctx, sources.Ramp, ""); err != nil {
			return err
		}
	}
	return nil
}

func (c *crossing) refusedWhileTheyDiffer(ctx context.Context) error {
	if err := c.proof(ctx, sources.ProofBreach); err != nil {
		return err
	}
	if err := c.refused(ctx, sources.Ramp, sources.ErrRefused); err != nil {
		return err
	}
	n, err := c.fleet.RepairOrders()
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("there was nothing to repair, so the mismatch was none: %w", sources.ErrInvalid)
	}
	c.say("repaired: %d orders were missing or wrong in the new store", n)
	return c.refused(ctx, sources.Ramp, sources.ErrRefused) // the window must pass all the same
}

func (c *crossing) toLive(ctx context.Context) error {
	if err := c.proof(ctx, sources.ProofPass); err != nil {
		return err
	}
	return c.step(ctx, sources.Ramp, "")
}

func (c *crossing) toTheEnd(ctx context.Context) error {
	if err := c.proof(ctx, sources.ProofPass); err != nil {
		return err
	}
	if err := c.refused(ctx, sources.Ramp, sources.ErrConfirm); err != nil {
		return err
	}
	if err := c.step(ctx, sources.Ramp, demo.OrdersFlag); err != nil {
		return err
	}
	if err := c.served(ctx); err != nil {
		return err
	}
	if err := c.refused(ctx, sources.Kill, sources.ErrRefused); err != nil {
		return err
	}
	return c.step(ctx, sources.Ramp, "")
}

// nothingLost reads both files and compares every row.
func (c *crossing) nothingLost(ctx context.Context) error {
	if err := c.served(ctx); err != nil {
		return err
	}
	taken := c.fleet.Placed()
	oldFile, newFile := c.fleet.OrderFiles()
	old, err := demo.ReadOrders(oldFile)
	if err != nil {
		return err
	}
	fresh, err := demo.ReadOrders(newFile)
	if err != nil {
		return err
	}
	for i := range fresh {
		if fresh[i].ID != int64(i+1) {
			return fmt.Errorf("order %d is lost: %w", i+1, sources.ErrInvalid)
		}
	}
	switch {
	case int64(len(fresh)) < taken:
		return fmt.Errorf("%d orders were taken and %d are kept: %w", taken, len(fresh), sources.ErrInvalid)
	case len(old) >= len(fresh):
		return fmt.Errorf("the old store is still written: %w", sources.ErrInvalid)
	}
	for i := range old { // the old one ends where it was not written any more
		if old[i] != fresh[i] {
			return fmt.Errorf("order %d is %v in the old store and %v in the new one: %w", old[i].ID, old[i], fresh[i], sources.ErrInvalid)
		}
	}
	c.say("compared: %d rows of the old store equal the new one's, %d more are in the new one alone, none of %d is lost", len(old), len(fresh)-len(old), taken)
	return c.ctl.Sign(ctx, c.flag, sources.SignDeleteOld, c.actor, "demo: every row compared")
}
