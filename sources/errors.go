package sources

import (
	"errors"
	"strings"
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
)

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
			ErrNotFound, ErrConflict, ErrUnsupported, ErrUnauthorized,
			ErrReadOnly, ErrApprovalNeeded, ErrUnavailable, ErrInvalid,
		} {
			if cut, found := strings.CutSuffix(text, ": "+s.Error()); found && errors.Is(err, s) {
				text, again = cut, true
			}
		}
	}
	return text
}
