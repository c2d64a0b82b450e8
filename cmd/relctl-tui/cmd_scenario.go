package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/demo"
)

// scenario is a story that the demo's fleet plays to its end.
type scenario struct {
	flag        string
	hold        time.Duration
	ladder      sources.Ladder // nil for the default
	connections int            // of the payment API to its database; 0 for as many as it needs
	want        sources.Phase
	at          func(sources.Percent) bool
	moral       string
}

// What the stories are about. The good one ramps a flag that changes nothing which is
// measured; the bad one the flag whose new path keeps database connections for too
// long, on a payment API that has one where it should have four: at 10 % charges queue until they time out.
var scenarios = map[string]scenario{
	"good-ramp": {
		flag: "three-ds-frictionless", hold: 1500 * time.Millisecond, want: sources.RampArrived,
		at:    func(p sources.Percent) bool { return p == sources.Full },
		moral: "the good ramp arrived at 100 %",
	},
	"bad-ramp": {
		flag: "checkout-v2", hold: 6 * time.Second, want: sources.RampBack,
		ladder: sources.Ladder{sources.Pct(1), sources.Pct(10), sources.Pct(50), sources.Full}, connections: 1,
		at:    func(p sources.Percent) bool { return p == sources.Pct(1) },
		moral: "the bad ramp was stopped at 10 % and rolled back",
	},
}

// demoGuards are the guards of the demo.
func demoGuards() []sources.Guard {
	return []sources.Guard{
		{Name: "errors", Preset: sources.GuardErrors, Of: demo.Payment, Limit: 0.05, Window: demoWindow, MinCount: 20},
		{Name: "p99", Preset: sources.GuardP99, Of: demo.Payment, Limit: 0.8, Window: demoWindow, MinCount: 20},
		{Name: "breakers", Preset: sources.GuardBreaker, Of: demo.Payment},
	}
}

// runScenario plays a story and says how it ended. The error is there when it ended
// otherwise than it should.
func runScenario(cmd *cobra.Command, o *options, fleet *demo.Fleet, name string) error {
	play := scenarios[name]
	s, err := demoSetup(fleet, false)
	if err != nil {
		return err
	}
	s.rules[play.flag] = rule{ladder: play.ladder}
	out := cmd.OutOrStdout()
	status, err := s.climb(cmd.Context(), o, control.RampOptions{
		Flag: sources.FlagID{Source: "demo", Key: play.flag}, Hold: play.hold, Tick: play.hold / 5,
		OnBreach: sources.BackOnBreach, Actor: o.actorName(), Owner: owner(o.actorName()), Reason: "demo " + name,
	}, out)
	if err != nil && !errors.Is(err, control.ErrGuarded) {
		return err
	}
	return verdict(out, name, &play, &status)
}

func verdict(out io.Writer, name string, play *scenario, status *sources.RampStatus) error {
	if status.Phase != play.want || !play.at(status.At) {
		return fmt.Errorf("%s ended otherwise than it should: %s is at %s%%, %s: %s", name, status.Name, status.At, status.Phase, status.Why)
	}
	_, err := fmt.Fprintf(out, "verdict: %s, %s is at %s%%\n", play.moral, status.Name, status.At)
	return err
}
