// Package sources holds what every other package speaks: the domain types of
// a release (flags, breakers, latencies, changes), the capability interfaces
// that drivers implement, the sentinel errors by which callers decide, and the
// pure rules (ladder steps, legal changes, verdicts).
//
// It imports the standard library only. It does no I/O, starts no goroutine and
// reads no clock: a value of these types may be shared between goroutines as
// long as nobody writes to it, and the live engine relies on that.
package sources
