//go:build !unix

package ui

import (
	"errors"
	"os"
)

// nobodyResumes is true where there is no job control: a stop would be for ever.
func nobodyResumes() bool { return true }

// notifyJobs sends nothing: no signals of job control exist here.
func notifyJobs(_, _ chan<- os.Signal) {}

// stopGroup is never asked for, as nobodyResumes says.
func stopGroup() error { return errors.ErrUnsupported }
