package control

import (
	"fmt"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/journal"
)

// begun is an intent that was written to the journal, or why it was not.
type begun struct {
	endure func() error // brings it to the disk
	err    error
}

// record puts an intent on record before its write. A kill waits until it is written,
// which outlives this process, but for no disk but the store's, and not for long: what it
// does not wait for is up to finish. All else waits until it is on disk.
func (a *attempt) record(j *journal.Journal, e journal.Entry) error {
	if !protects(a.intent.Kind) {
		err := patiently(j, func() error { return j.Intent(e) })
		a.journaled = a.journaled || err == nil
		return err
	}
	writing := make(chan begun, 1)
	go func() {
		endure, err := j.Begin(e)
		writing <- begun{endure, err}
	}()
	timeout := time.NewTimer(glance)
	defer timeout.Stop()
	select {
	case b := <-writing:
		a.recorded(b)
	case <-timeout.C:
		a.late = append(a.late, writing)
	}
	return nil
}

// recorded takes what became of the record of a kill, which goes on without one.
func (a *attempt) recorded(b begun) {
	if b.err != nil {
		a.warnings = append(a.warnings, "the journal could not be written, so undo will not know of this "+string(a.intent.Kind)+": "+sources.Sentence(b.err))
		return
	}
	a.journaled = true
	a.endure = append(a.endure, b.endure)
}

// awaitLate waits, but not for ever, for the records that a kill did not wait for. One that
// arrives after that is brought to the disk all the same, and InDoubt settles it.
func (a *attempt) awaitLate() {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for _, writing := range a.late {
		select {
		case b := <-writing:
			a.recorded(b)
		case <-timeout.C:
			timeout.Reset(0) // for those behind it
			a.recorded(begun{err: silent(a.store.Journal)})
			go func() {
				if b := <-writing; b.err == nil {
					_ = b.endure()
				}
			}()
		}
	}
	a.late = nil
}

// protects says that a change takes load or risk away: nothing but the store may stop it.
func protects(k sources.ChangeKind) bool { return k == sources.Kill || k == sources.ForceOpen }

// patiently writes to the journal, but waits for a disk that hangs only so long:
// the driver holds the store's lock meanwhile, and everybody's kill needs it.
// Should the record arrive after all, InDoubt settles it.
func patiently(j *journal.Journal, write func() error) error {
	done := make(chan error, 1)
	go func() { done <- write() }()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case err := <-done:
		return err
	case <-timeout.C:
		return silent(j)
	}
}

// silent is the error of a journal whose disk hangs.
func silent(j *journal.Journal) error {
	return fmt.Errorf("journal %s did not answer within %s: %w", j.Path(), patience, sources.ErrUnavailable)
}
