package sources

import "errors"

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
