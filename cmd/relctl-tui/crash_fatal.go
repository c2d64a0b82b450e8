package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"relctl-tui/sources"
)

// What no recover of ours can reach, a panic in a library's goroutine or a fatal
// error of the runtime, ends the process at once. The runtime then writes its last
// words into a file that was opened for them; the next start makes a report of it.

const (
	lastWords = ".fatal"
	// newborn is how long an empty file may be one whose owner has not locked it yet.
	newborn = time.Minute
)

// watch opens the file for last words until stop, which removes it again when
// nothing was written. Where it cannot be opened nothing is watched.
func (c *crashes) watch() (stop func()) {
	nothing := func() {}
	if os.MkdirAll(c.dir, 0o700) != nil {
		return nothing
	}
	name := fmt.Sprintf("%s%s-%d%s", reportName, c.now().UTC().Format(stampName), os.Getpid(), lastWords)
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nothing
	}
	defer f.Close() //nolint:errcheck // the runtime has its own descriptor
	// Whoever holds the lock is alive, and the file is not left behind.
	lock := flock.New(f.Name(), flock.SetFlag(os.O_RDONLY))
	if ok, err := lock.TryLock(); err != nil || !ok || debug.SetCrashOutput(f, debug.CrashOptions{}) != nil {
		_ = lock.Close()
		_ = os.Remove(f.Name())
		return nothing
	}
	return func() {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_ = os.Remove(f.Name())
		_ = lock.Close()
	}
}

// leftBehind turns last words of programs that are gone into reports, and is the
// sentence about the newest; "" when there are none.
func (c *crashes) leftBehind() (sentence string) {
	for _, path := range c.files(lastWords) {
		lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
		ok, err := lock.TryLock()
		if err == nil && ok {
			if report := c.adopt(path); report != "" {
				sentence = "the last run ended in a fatal error, the report is in " + sources.Clean(report, maxPath)
			}
		}
		_ = lock.Close()
	}
	return sentence
}

// adopt makes a report of a file that its owner left behind.
func (c *crashes) adopt(path string) (report string) {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // nothing was written
	info, err := f.Stat()
	if err != nil || (info.Size() == 0 && c.now().Sub(info.ModTime()) < newborn) {
		return ""
	}
	words, err := io.ReadAll(io.LimitReader(f, maxReport))
	if err == nil && len(words) > 0 {
		what := "fatal, at " + info.ModTime().UTC().Format(time.RFC3339) + ":"
		if report, err = c.write(what, strings.TrimSpace(string(words))); err != nil {
			return ""
		}
	}
	_ = os.Remove(path)
	return report
}
