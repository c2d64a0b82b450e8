package sources

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sentinel errors. Drivers wrap them with %w in a sentence that names the
// source; callers decide by errors.Is, never by text.
var (
	ErrNotFound       = errors.New("not found")
	ErrConflict       = errors.New("changed meanwhile")
	ErrUnsupported    = errors.New("not supported")
	ErrUnauthorized   = errors.New("not authorised")
	ErrReadOnly       = errors.New("read-only")
	ErrApprovalNeeded = errors.New("approval needed")
	ErrUnavailable    = errors.New("unavailable")
	ErrInvalid        = errors.New("invalid")
	ErrRefused        = errors.New("refused by a rule")
	ErrConfirm        = errors.New("the flag's name must be typed out") // nothing was written; repeat with Intent.Confirm
)

// ErrNoSecret is ErrUnauthorized of who was not asked at all, because what it takes to be let
// in cannot be read here: asking again is of no use until somebody puts it there.
var ErrNoSecret error = noSecret{}

type noSecret struct{}

func (noSecret) Error() string { return "no secret" }

func (noSecret) Is(target error) bool { return target == ErrUnauthorized }

// Changed is ErrConflict in a sentence: the flag is not any more what the operator
// saw. It is for a writer that compared and wrote nothing.
func Changed(now *Flag) error {
	return fmt.Errorf("%s has changed since you saw it and is %s now, nothing was written; look again and repeat: %w", now.Name, now.Brief(), ErrConflict)
}

// CannotMove is ErrUnsupported for a store whose changes are percentages: what it
// cannot express is refused with this reason. who is the store.
func CannotMove(who string) error {
	return fmt.Errorf("%s cannot move a flag from one variant to another, so none of its flags can be a migration: %w", who, ErrUnsupported)
}

// later is an error of a system that says when it wants to be asked again.
type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error { return l.error }

// WithRetryAfter is err, of which RetryAfter tells that the system wants not to be
// asked again for that long. A time that is not above 0 says nothing.
func WithRetryAfter(err error, after time.Duration) error {
	if err == nil || after <= 0 {
		return err
	}
	return later{err, after}
}

// RetryAfter is how long the system that caused err wants not to be asked again;
// false when it did not say so. Drivers bound it.
func RetryAfter(err error) (time.Duration, bool) {
	var l later
	if errors.As(err, &l) {
		return l.after, true
	}
	return 0, false
}

// unnamed is ErrConfirm of one flag.
type unnamed struct {
	error
	flag FlagID
}

func (u unnamed) Unwrap() error { return u.error }

// WithName is err, which wraps ErrConfirm, of which NameOf tells whose name must be
// typed out.
func WithName(err error, flag FlagID) error { return unnamed{err, flag} }

// NameOf is the flag whose name must be typed out before a change is made; false when
// that is not what err asks for.
func NameOf(err error) (FlagID, bool) {
	var u unnamed
	return u.flag, errors.As(err, &u)
}

// linked is an error with an address where the operator can do something about it.
type linked struct {
	error
	url string
}

func (l linked) Unwrap() error { return l.error }

// WithLink is err, of which LinkOf tells the address of the page where somebody
// can go on, such as that of a change that waits for approval.
func WithLink(err error, url string) error {
	if err == nil || url == "" {
		return err
	}
	return linked{err, Clean(url, maxSentence)}
}

// LinkOf is the address that belongs to err, cleaned; "" for none.
func LinkOf(err error) string {
	var l linked
	if errors.As(err, &l) {
		return l.url
	}
	return ""
}

// maxSentence bounds what an error may say on a screen, in runes.
const maxSentence = 500

// Sentence is an error as one clean sentence for a person: the sentinels, which
// are for errors.Is, are left out where other words say what happened. The empty
// string for nil.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	text := strings.Join(strings.Fields(Clean(err.Error(), maxSentence)), " ")
	for again := true; again; {
		again = false
		for _, s := range []error{
			ErrNoSecret, ErrNotFound, ErrConflict, ErrUnsupported, ErrUnauthorized,
			ErrReadOnly, ErrApprovalNeeded, ErrUnavailable, ErrInvalid, ErrRefused, ErrConfirm,
			context.Canceled, context.DeadlineExceeded,
		} {
			if cut, found := strings.CutSuffix(text, ": "+s.Error()); found && errors.Is(err, s) {
				text, again = cut, true
			}
		}
	}
	return text
}
