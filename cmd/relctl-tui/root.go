package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"relctl-tui/sources"
	"relctl-tui/sources/outlet"
	"relctl-tui/themes"
)

// options is what was typed, before anything is opened.
type options struct {
	config, context          string
	flags, metrics, breakers []string
	readOnly, ascii          bool
	theme                    string
	actor, reason            string
	noWait                   bool
	mouse                    bool
	confirm                  string
	toProve                  bool // a migration is to go forward
	proofWait                time.Duration
	output                   string
	record                   string // file to record the board to; "" for none
	stdin                    *os.File
	completing               bool // a shell asks what may follow: nothing is written for it
	now                      func() time.Time

	self selfFlags
	seen *self // what is measured of this process; nil for nothing

	queues []*outlet.Queue // of outlets, to be told before the program ends

	// opened gives what runs already, where verbs are served; nil opens it.
	opened func(context string) (*setup, error)

	plain    bool
	still    bool                       // nothing moves by itself
	followed bool                       // what was done is told by whoever follows the engine
	agree    func(question string) bool // asks before a change, as the board does; nil for never
}

const rootLong = `A live board for release operations: flag states, rollout percentages, breakers and latencies
on one screen; one key ramps a flag, one kills it, one undoes it. The verbs below do the same
without a screen. Without any option the board opens on a flag file of your own.

Exit codes: 0 done and confirmed · 1 failed, nothing changed · 2 usage or config ·
3 refused by a guard or a rule · 4 conflict, nothing changed · 5 written but not confirmed.`

// newRootCmd builds the command tree. It opens nothing.
func newRootCmd(stdin *os.File) *cobra.Command {
	return rootOf(&options{stdin: stdin, now: time.Now})
}

// rootOf is the command tree that fills these options.
func rootOf(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:   "relctl-tui",
		Short: "See what is unhealthy, act with one key",
		Long:  rootLong,
		Example: `relctl-tui demo
relctl-tui --flags flagd:prod.flagd.json --metrics https://prometheus.example
relctl-tui status
relctl-tui ramp checkout-v2 25 --reason "canary is clean"
relctl-tui kill checkout-v2`,
		Args: noVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBoard(cmd, o) },
	}
	p := root.PersistentFlags()
	p.StringVar(&o.config, "config", "", "config file (default $RELCTL_CONFIG, else under ~/.config)")
	p.StringVar(&o.context, "context", "", "context of the config file to open")
	p.StringArrayVar(&o.flags, "flags", nil, "flag store, such as flagd:PATH, etcd://HOST:2379/PREFIX or unleash+https://HOST?…; README has all (may be repeated)")
	p.StringArrayVar(&o.metrics, "metrics", nil, "metrics: http(s)://PROMETHEUS or scrape+http://HOST/metrics (may be repeated)")
	p.StringArrayVar(&o.breakers, "breakers", nil, "metrics to read breakers only from, or breakers to switch: actuator+http(s)://HOST/actuator, haproxy:SOCKET (may be repeated)")
	p.BoolVar(&o.readOnly, "read-only", false, "refuse every change")
	p.StringVar(&o.actor, "actor", "", "who acts (default $RELCTL_ACTOR, $SUDO_USER, else your user name)")
	addBoardFlags(root.Flags(), o)
	addPlain(root.Flags(), o)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		verb := verbOf(cmd)
		if verb != "" {
			verb += ": "
		}
		return cmp.Or(belowZero(cmd, err), error(&usageError{msg: verb + badOption(err) + flagHint(cmd, err)}))
	})
	root.AddCommand(
		newStatusCmd(o), newFlagsCmd(o), newBreakersCmd(o), newLatencyCmd(o), newAlertsCmd(o), newDeploysCmd(o), newLogCmd(o), newSuspectsCmd(o),
		newRampCmd(o), newMigrateCmd(o), newKillCmd(o), newUndoCmd(o), newRestoreCmd(o), newDrillCmd(o), newDoctorCmd(o), newServeCmd(o), newDemoCmd(o), newConfigCmd(o),
		newReportCmd(o), newReplayCmd(o),
	)
	root.AddCommand(newScheduleCmd(o), newSchedulesCmd(o), newVersionCmd(o), newManCmd(), newKeysCmd(o))
	o.completeOptions(root)
	strictCompletion(root)
	strictHelp(root)
	return root
}

// strictCompletion lets cobra's verb for shells refuse what is no shell, for its help would
// go into the file that the shell reads.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args = noVerb
			c.RunE = func(*cobra.Command, []string) error {
				return &usageError{msg: "completion needs one of: bash, zsh, fish, powershell"}
			}
		}
	}
}

// strictHelp lets cobra's verb for help refuse what is no verb, where it would print all
// there is and call that done.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, help := range root.Commands() {
		if help.Name() != "help" {
			continue
		}
		root.RemoveCommand(help) // it is added again when the root is executed
		help.RunE = func(help *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return &usageError{msg: cleanMsg(err.Error())}
			}
			if cmd.HasSubCommands() && len(rest) > 0 {
				return noVerb(cmd, rest)
			}
			cmd.SetContext(help.Context())
			cmd.InitDefaultHelpFlag()
			cmd.InitDefaultVersionFlag()
			return cmd.Help()
		}
	}
}

func addBoardFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.record, "record", "", "record what the board shows to this new file, for relctl-tui replay")
	addLooks(f, o)
}

func addPlain(f *pflag.FlagSet, o *options) {
	f.BoolVar(&o.plain, "plain", false, "lines of text in place of the board, for screen readers, logs and CI")
}

func addLooks(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.theme, "theme", "", "colours of the board: "+strings.Join(themes.Names(), ", ")+", or a file of your own")
	f.BoolVar(&o.mouse, "mouse", false, "click and scroll with the mouse; without it the terminal keeps the mouse for selecting text")
	f.BoolVar(&o.ascii, "ascii", false, "draw with ASCII only")
	f.BoolVar(&o.still, "reduced-motion", wantsStill(os.Getenv), "nothing moves by itself: numbers change each 5 s, no sparklines (also $RELCTL_REDUCED_MOTION)")
	addSelfFlags(f, o)
}

// noVerb refuses a word that is no verb, with the verb that was meant.
func noVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	return &usageError{msg: fmt.Sprintf("unknown verb %s%s", quote(args[0]), didYouMean(args[0], "verbs", verbs))}
}

// argCount makes cobra's complaint about arguments a usage error.
func argCount(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return &usageError{msg: fmt.Sprintf("%s takes %s, not %d arguments", verbOf(cmd), what, len(args))}
	}
}

// verbOf is a verb as it is typed behind the program's name; "" for none.
func verbOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().CommandPath()), " ")
}

// belowZero is the error of a percentage below 0, which looks like an option; nil for what
// is none.
func belowZero(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || !strings.Contains(cmd.Use, "PERCENT") {
		return nil
	}
	word := unknown.GetSpecifiedShortnames()
	if word == "" || !strings.ContainsRune("0123456789.", rune(word[0])) {
		return nil
	}
	_, err = sources.ParsePercent("-" + word)
	return notPercent(cmd, err)
}

// notPercent says what a verb takes in the place of what is no percentage.
func notPercent(cmd *cobra.Command, err error) error {
	instead := "or next, or back"
	if cmd.Name() == "schedule" {
		instead = "or kill"
	}
	return &usageError{msg: trimInvalid(err) + " (" + instead + ")"}
}

// badOption says what an option wants in the place of a value that it cannot take.
func badOption(err error) string {
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return cleanMsg(err.Error())
	}
	says := fmt.Sprintf("--%s: %s is no ", bad.GetFlag().Name, quote(sources.Clean(bad.GetValue(), 80)))
	switch bad.GetFlag().Value.Type() {
	case "int", "int32", "int64", "uint", "uint64":
		return says + "whole number that it can take"
	case "float64":
		return says + "number"
	case "duration":
		return says + "duration: write a number and a unit, such as 500ms, 15s or 2m"
	case "bool":
		return says + "choice: write true or false"
	default:
		return cleanMsg(err.Error())
	}
}

func flagHint(cmd *cobra.Command, err error) string {
	word, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !ok {
		return ""
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if near := sources.Nearest(word, known); len(near) > 0 {
		return ": did you mean --" + near[0] + "?"
	}
	return ""
}

func addOutput(cmd *cobra.Command, o *options) {
	cmd.Flags().StringVarP(&o.output, "output", "o", "table", "table or json")
	pre := cmd.PreRunE
	cmd.PreRunE = func(c *cobra.Command, args []string) error {
		if o.output != "table" && o.output != "json" {
			return &usageError{msg: fmt.Sprintf("unknown output %s: write -o table or -o json", quote(o.output))}
		}
		if pre != nil {
			return pre(c, args)
		}
		return nil
	}
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
}
