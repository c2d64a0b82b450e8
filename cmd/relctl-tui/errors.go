package main

import (
	"errors"
	"strings"

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

// once leaves out the source's name at the head of a sentence whose next word
// holds it again: "prom:9090: prom:9090 refuses connections".
func once(sentence string) string {
	head, rest, found := strings.Cut(sentence, ": ")
	name := strings.TrimPrefix(head, "source ")
	if next, _, _ := strings.Cut(rest, " "); found && name != "" && strings.Contains(next, name) {
		return rest
	}
	return sentence
}
