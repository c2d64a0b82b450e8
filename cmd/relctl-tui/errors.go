package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
)

// The exit codes, as the command line promises them.
const (
	exitDone        = 0
	exitFailed      = 1 // nothing changed
	exitUsage       = 2 // usage or config
	exitRefused     = 3 // by a guard or a rule
	exitConflict    = 4 // nothing changed
	exitUnconfirmed = 5 // written, not read back, not in force or not told to be
)

// errUsage marks what the operator typed or configured wrongly.
var errUsage = errors.New("usage")

// errRefused marks what a rule forbids, whatever the store says.
var errRefused = errors.New("refused")

// usageError is a sentence for what was typed wrongly.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func (e *usageError) Unwrap() error { return errUsage }

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, control.ErrUnconfirmed), control.EffectError(err):
		return exitUnconfirmed
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, sources.ErrConflict):
		return exitConflict
	case errors.Is(err, errRefused), errors.Is(err, control.ErrGuarded), errors.Is(err, sources.ErrRefused), errors.Is(err, sources.ErrConfirm), errors.Is(err, sources.ErrReadOnly),
		errors.Is(err, sources.ErrApprovalNeeded), errors.Is(err, sources.ErrUnsupported):
		return exitRefused
	default:
		return exitFailed
	}
}

// severalErrors is one error for each source that failed.
type severalErrors []error

func (e severalErrors) Error() string { return errors.Join(e...).Error() }

func (e severalErrors) Unwrap() []error { return e }

// errorSentences is an error as clean lines: one, or one for each source that
// failed.
func errorSentences(err error) []string {
	var several severalErrors
	if !errors.As(err, &several) {
		several = severalErrors{err}
	}
	out := make([]string, len(several))
	for i, e := range several {
		out[i] = trimRefused(e)
	}
	return out
}

// trimRefused is an error as a sentence that does not end on its sentinel.
func trimRefused(err error) string {
	text, _ := strings.CutSuffix(sources.Sentence(err), ": "+errRefused.Error())
	return once(text)
}

// undone is the error of a change of which nothing was written, and says so and of what before it
// says why.
type undone struct {
	msg  string
	errs []error
}

func (u *undone) Error() string { return u.msg }

func (u *undone) Unwrap() []error { return u.errs }

// notDone is err with what a verb did not do, and to what, where a source failed: who asked for a
// kill must not have to guess what became of it. Nothing may have been written when err came.
func notDone(cmd *cobra.Command, args []string, err error) error {
	var several severalErrors
	switch {
	case errors.As(err, &several):
	case strings.Contains(err.Error(), "nothing was changed"), strings.Contains(err.Error(), "nothing was undone"):
		return err
	case errors.Is(err, sources.ErrUnavailable) && exitCode(err) == exitFailed:
		several = severalErrors{err}
	default:
		return err // a rule, a conflict and a slip name what they are about
	}
	did := map[string]string{"kill": "killed", "drill": "killed", "undo": "undone", "schedule": "scheduled", "open": "opened", "close": "closed", "silence": "silenced"}[cmd.Name()]
	if did == "" {
		did = "changed"
	}
	what := "no flag was "
	switch {
	case cmd.Name() == "undo" && len(args) == 0:
		what = "nothing was "
	case cmd.Name() == "undo":
		what = "change " + sources.Clean(args[0], sources.MaxName) + " was not "
	case len(args) > 0:
		what = sources.Clean(args[0], sources.MaxName) + " was not "
	}
	why := errorSentences(several)
	for i := range why {
		why[i] = strings.TrimSuffix(why[i], ", nothing was written")
	}
	return &undone{what + did + ", nothing was written: " + strings.Join(why, "; "), several}
}

// once leaves out the source's name at the head of a sentence whose next word, or the one
// behind it, holds it again: "prom:9090: prom:9090 refuses connections", "h:2379: etcd h:2379: no answer".
func once(sentence string) string {
	head, rest, found := strings.Cut(sentence, ": ")
	name := strings.TrimPrefix(head, "source ")
	next, more, _ := strings.Cut(rest, " ")
	if found && name != "" && (strings.Contains(next, name) || strings.HasPrefix(more, name+": ")) {
		return rest
	}
	return sentence
}
