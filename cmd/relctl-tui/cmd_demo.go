package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/demo"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/scrape"
)

// demoPace is how often the fleet is scraped: a story should be seen to move.
const demoPace = time.Second

func newDemoCmd(o *options) *cobra.Command {
	var fleet demo.Options
	var headless bool
	var story string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a small real fleet in this process and open the board on it",
		Long: `Run a small real fleet in this process and open the board on it: no network, no config, no server.
Ramp checkout-v2 up and watch the payment API become slow and its breaker open; kill it, and both heal.
With --headless the fleet runs without the board, for a Prometheus or a flagd of your own.`,
		Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if story != "" && !slices.Contains(stories(), story) {
				return &usageError{msg: fmt.Sprintf("unknown scenario %s%s", quote(story), didYouMean(story, "scenarios", stories()))}
			}
			if story == "" && !headless && !o.plain && !isTerminal(cmd.OutOrStdout()) {
				return &usageError{msg: "demo needs a terminal for its board: add --headless to run the fleet alone, or --plain for lines of text"}
			}
			if o.record != "" && (headless || story != "") {
				return &usageError{msg: "--record: without the board there is nothing to record"}
			}
			return runDemo(cmd, o, fleet, headless, story)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&headless, "headless", false, "run the fleet without the board")
	f.StringVar(&fleet.Listen, "listen", "", "address of the fleet's metrics, such as 127.0.0.1:9400")
	f.StringVar(&fleet.FlagsFile, "flags-file", "", "flag file to use and keep (default: a temporary one)")
	f.Int64Var(&fleet.Seed, "seed", 1, "same seed, same visits")
	f.StringVar(&story, "scenario", "", "play a story to its end and exit with a verdict: "+strings.Join(stories(), ", "))
	addBoardFlags(f, o)
	addPlain(f, o)
	return cmd
}

// migrationStory is the scenario in which the orders' migration is walked.
const migrationStory = "migration"

// stories are all scenarios.
func stories() []string { return append(keysOf(scenarios), migrationStory) }

func runDemo(cmd *cobra.Command, o *options, opts demo.Options, headless bool, story string) (err error) {
	ctx := cmd.Context()
	opts.Connections = scenarios[story].connections
	if opts.Listen != "" {
		if err := checkAddress(ctx, "--listen", opts.Listen); err != nil {
			return err
		}
	}
	fleet, err := demo.Start(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if story != "" {
		if story != migrationStory {
			return runScenario(cmd, o, fleet, story)
		}
		return playMigration(ctx, o, fleet, cmd.OutOrStdout())
	}
	if headless {
		return waitHeadless(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), fleet)
	}
	s, err := demoSetup(fleet, o.readOnly)
	if err != nil {
		return err
	}
	if opts.Listen != "" {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "metrics: %s\n", fleet.MetricsURL()); err != nil {
			return err
		}
	}
	t, err := o.openTape()
	if err != nil {
		return err
	}
	defer t.close(cmd.ErrOrStderr())
	_, err = showBoard(ctx, o, s, t, cmd.OutOrStdout(), cmd.ErrOrStderr())
	return err
}

// waitHeadless prints where the fleet can be found, for programs on stdout and for
// people on stderr, and waits to be told to stop.
func waitHeadless(ctx context.Context, out, errOut io.Writer, fleet *demo.Fleet) error {
	if _, err := fmt.Fprintf(out, "flags: %s\nmetrics: %s\n", fleet.FlagsFile(), fleet.MetricsURL()); err != nil {
		return err
	}
	say(errOut, fmt.Sprintf("the fleet runs until ^C; a board on it: relctl-tui --flags %s --metrics %s",
		shellQuote("flagd:"+fleet.FlagsFile()), shellQuote("scrape+"+fleet.MetricsURL())))
	<-ctx.Done()
	return nil
}

func demoSetup(fleet *demo.Fleet, readOnly bool) (*setup, error) {
	m, err := demo.Migration(demoVerify)
	if err != nil {
		return nil, err
	}
	src, err := scrape.New("fleet", []string{fleet.MetricsURL()}, scrape.Options{
		Metrics:     metrics.Config{Latency: demo.LatencyRules(), Window: demoWindow, Ratios: demo.RatioRules(m)},
		MinInterval: demoPace / 2,
	})
	if err != nil {
		return nil, err
	}
	flags := flagd.New("demo", fleet.FlagsFile())
	return &setup{
		context: "demo", accent: "cyan", readOnly: readOnly, rules: map[string]rule{demo.OrdersFlag: {migration: m}},
		stores:  []store{{name: "demo", kind: "flagd", src: flags, journal: journalPath("demo", "demo", "", flags)}},
		readers: []reader{{name: "fleet", kind: "scrape", src: src, every: demoPace}},
		guards:  demoGuards(),
		ramp:    rampRule{hold: demoHold, onBreach: sources.AskOnBreach},
		banner:  "a real little fleet: press + on checkout-v2, watch payment API; K heals it",
	}, nil
}

// demoHold is short, so that a guarded ramp is a story and no afternoon.
const demoHold = 15 * time.Second

// demoWindow is short, so that a kill is seen to heal within seconds.
const demoWindow = 10 * time.Second

// demoVerify is for how long the two sides of the migration must agree.
const demoVerify = 20 * time.Second
