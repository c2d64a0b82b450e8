package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/ui"
	"relctl-tui/ui/sshserver"
)

// board shows the board of a context, and of the next one when the operator asks for it.
func (h *serveSSH) board(ctx context.Context, s *sshserver.Session, name string) error {
	terminal := terminalOf(append(s.Environ, "TERM="+s.Term, "SSH_TTY=remote"), false)
	banner := fmt.Sprintf("you are %s, %s", s.Name, s.Role)
	for {
		both, err := h.hub.get(ctx, name)
		if err != nil {
			return err
		}
		r := both.as(s.Role == sshserver.Operator)
		o := r.board(h.o, s.Name)
		if err := r.dress(h.o, &o, terminal); err != nil {
			return err
		}
		o.Banner = banner
		next, err := h.show(ctx, s, r, o)
		if err != nil || next == "" || ctx.Err() != nil {
			return err
		}
		name, banner = next, ""
		if _, err := h.hub.get(ctx, name); err != nil { // a fault there is no reason to be blind here
			banner = fmt.Sprintf("context %s cannot be opened, this is %s again: %s", name, r.context, strings.Join(errorSentences(err), "; "))
			name = r.context
		}
	}
}

// show runs one board in a client's terminal.
func (h *serveSSH) show(ctx context.Context, s *sshserver.Session, r *running, o ui.Options) (next string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // after which the next board has the keyboard
	defer r.enter(s.Name)()
	reports := newCrashes(h.o.now)
	o.Environ = append(s.Environ, "TERM="+s.Term)
	o.Input, o.Output, o.Crashed = s.Keys(ctx), s.Out, reports.keep
	o.Say = func(sentence string) { say(s.Err, sentence) }
	o.Remote = &ui.Remote{Size: s.Size, Resized: s.Resized, Baud: s.Baud, Life: r.life, Turn: h.turns.take}
	if s.Role != sshserver.Operator {
		o.Remote.Denied = "your key is a viewer's: it changes nothing"
	}
	return ui.Run(ctx, o)
}

// servedVerbs are what can be asked for beside the board, and the least role for it.
var servedVerbs = map[string]sshserver.Role{
	"status": sshserver.Viewer, "flags": sshserver.Viewer, "breakers": sshserver.Viewer, "latency": sshserver.Viewer,
	"alerts": sshserver.Viewer, "deploys": sshserver.Viewer, "log": sshserver.Viewer, "suspects": sshserver.Viewer,
	"ramp": sshserver.Operator, "migrate": sshserver.Operator, "kill": sshserver.Operator, "undo": sshserver.Operator, "restore": sshserver.Operator,
}

// servedUnder are the verbs below those, by the words that lead to them.
var servedUnder = map[string]sshserver.Role{
	"breakers open": sshserver.Operator, "breakers close": sshserver.Operator, "alerts silence": sshserver.Operator,
}

// unservedVerbs are the verbs of the program that cannot be asked for, and why.
var unservedVerbs = map[string]string{
	"drill":      "it kills a flag for practice, which is no errand for another machine's terminal",
	"doctor":     "it tells of this server's files and addresses",
	"version":    "it is about the program on your own machine",
	"schedule":   "its times are by the clocks of whoever types it",
	"schedules":  "it belongs to schedule",
	"keys":       "it looks at the terminal of this server",
	"report":     "it writes files",
	"replay":     "it reads files",
	"config":     "it reads and writes files",
	"man":        "it writes files",
	"completion": "it is for your own shell",
	"demo":       "it starts a fleet",
	"serve":      "it opens ports",
}

// servedCommands are the verbs that are served, on options of their own.
func servedCommands(o *options) []*cobra.Command {
	return []*cobra.Command{
		newStatusCmd(o), newFlagsCmd(o), newBreakersCmd(o), newLatencyCmd(o), newAlertsCmd(o), newDeploysCmd(o), newLogCmd(o), newSuspectsCmd(o),
		newRampCmd(o), newMigrateCmd(o), newKillCmd(o), newUndoCmd(o), newRestoreCmd(o),
	}
}

// servedVerb is a verb as a client typed it.
type servedVerb struct {
	words    []string
	context  string              // where none is named; "" for the default
	out, err io.Writer           // what it says
	ask      func(q string) bool // puts the board's questions; nil where nobody would answer
}

// verb does what a client typed behind the host's name, as the command line would, with
// the key as the actor. Options that name sources, files or actors do not exist here.
func (h *serveSSH) verb(ctx context.Context, s *sshserver.Session, a servedVerb) error {
	words := a.words
	o := &options{actor: s.Name, now: h.o.now, stdin: h.o.stdin, followed: a.ask != nil, agree: a.ask, opened: func(name string) (*setup, error) {
		both, err := h.hub.get(ctx, cmp.Or(name, a.context))
		if err != nil {
			return nil, err
		}
		return both.as(s.Role == sshserver.Operator).setup, nil
	}}
	root := verbsAs("ssh HOST", a.out, a.err, servedCommands(o)...)
	root.Short = "The board, and its verbs"
	root.Args = func(_ *cobra.Command, args []string) error {
		return fmt.Errorf("no verb %s, and no shell: %s: %w", quote(args[0]), h.helpOf(), errRefused)
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.PersistentFlags().StringVar(&o.context, "context", "", "context to look at")
	cmd, _, err := root.Find(words)
	if err == nil && cmd != root {
		if err := h.allowed(cmd, s, words); err != nil {
			return err
		}
	} else if len(words) > 0 && !isHelp(words[0]) {
		return h.refuse(s, words, h.unknown(words[0]))
	}
	root.SetArgs(words)
	ctx, cancel := afterwards(ctx, changeTimeout)
	defer cancel()
	return root.ExecuteContext(ctx)
}

// verbsAs are verbs for somebody who types them elsewhere than on this machine's command
// line, below a name that usage has for them. They read nothing and print no error.
func verbsAs(name string, out, errOut io.Writer, verbs ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use: "verbs", SilenceErrors: true, SilenceUsage: true,
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: name},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(verbs...)
	strictHelp(root)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return cmp.Or(belowZero(cmd, err), error(&usageError{msg: badOption(err) + flagHint(cmd, err)}))
	})
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetIn(strings.NewReader(""))
	return root
}

// unknown says of a word that is no served verb what it is.
func (h *serveSSH) unknown(word string) string {
	if why := unservedVerbs[word]; why != "" {
		return fmt.Sprintf("%s is not served over SSH, for %s: %s", word, why, h.helpOf())
	}
	return fmt.Sprintf("no verb %s, and no shell: %s", quote(word), h.helpOf())
}

func isHelp(word string) bool { return word == "help" || word == "--help" || word == "-h" }

// allowed holds a verb against the role of the key.
func (h *serveSSH) allowed(cmd *cobra.Command, s *sshserver.Session, words []string) error {
	path := strings.TrimPrefix(cmd.CommandPath(), "ssh HOST ")
	least := servedVerbs[path]
	if least == "" {
		least = servedUnder[path]
	}
	if top, _, below := strings.Cut(path, " "); below && top == "migrate" {
		least = servedVerbs[top]
	}
	switch {
	case least == "":
		return h.refuse(s, words, fmt.Sprintf("%s is not served over SSH: %s", path, h.helpOf()))
	case least == sshserver.Operator && s.Role != sshserver.Operator:
		return h.refuse(s, words, fmt.Sprintf("your key is a viewer's, and %s needs an operator's: nothing was changed", path))
	}
	if cmd.Flags().Lookup("guarded") != nil {
		noGuarded(cmd, "a guarded ramp is started on the board, where it goes on when you leave, nothing was changed")
	}
	return nil
}

func chain(one, two func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if one != nil {
			if err := one(cmd, args); err != nil {
				return err
			}
		}
		return two(cmd, args)
	}
}

// refuse logs what was refused and says it.
func (h *serveSSH) refuse(s *sshserver.Session, words []string, why string) error {
	s.Denied("command "+sources.Clean(strings.Join(words, " "), 100), why)
	return fmt.Errorf("%s: %w", why, errRefused)
}

// afterwards is ctx, but ends only some time after it: a client that is gone does not
// cut a change that is under way.
func afterwards(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		wait := time.NewTimer(grace)
		defer wait.Stop()
		select {
		case <-wait.C:
			cancel()
		case <-later.Done():
		}
	})
	return later, func() { stop(); cancel() }
}
