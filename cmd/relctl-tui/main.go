// Command relctl-tui is a live board for release operations, and the same verbs
// without a screen.
//
// Exit codes: 0 done and confirmed, 1 failed and nothing changed, 2 usage or
// config, 3 refused by a guard or a rule, 4 conflict and nothing changed,
// 5 written but not confirmed.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"charm.land/fang/v2"
	"charm.land/lipgloss/v2"
)

func main() {
	os.Exit(execute())
}

func execute() (code int) {
	defer func() {
		if p := recover(); p != nil {
			say(os.Stderr, errorSentences(newCrashes(time.Now).keep(p, debug.Stack()))...)
			code = exitFailed
		}
	}()
	// fang asks the terminal for its background colour before it prints help or an
	// error, and waits up to four seconds where nobody answers. It asks only through
	// os.Stdin when that is a terminal, so the real one is kept aside for the board.
	stdin := os.Stdin
	if null, err := os.Open(os.DevNull); err == nil {
		os.Stdin = null
		defer null.Close()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	is := thisBuild()
	o := &options{stdin: stdin, now: time.Now}
	root := rootOf(o)
	root.SetIn(stdin)
	err := fang.Execute(ctx, root,
		fang.WithVersion(is.Version),
		fang.WithCommit(is.Commit),
		fang.WithoutManpage(), // man writes better ones
		fang.WithColorSchemeFunc(colorScheme),
		fang.WithErrorHandler(func(w io.Writer, _ fang.Styles, err error) { say(w, errorSentences(err)...) }),
	)
	say(os.Stderr, o.tellOutlets()...)
	return exitCode(err)
}

// colorScheme keeps to the terminal's own sixteen colours and its own foreground:
// they are readable on any background, so none need be asked for.
func colorScheme(lipgloss.LightDarkFunc) fang.ColorScheme {
	plain := lipgloss.NoColor{}
	return fang.ColorScheme{
		Base: plain, Title: lipgloss.Blue, Description: plain, Codeblock: plain,
		Program: lipgloss.Cyan, DimmedArgument: plain, Comment: plain, Flag: lipgloss.Green,
		FlagDefault: plain, Command: lipgloss.Cyan, QuotedString: plain, Argument: plain,
		Help: plain, Dash: plain, ErrorDetails: plain,
	}
}
