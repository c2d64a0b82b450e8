package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

// A file has no network, so each fault is what happens to files in its place:
//
//	refused             the file is removed
//	hang                its file system accepts requests and answers none; another
//	                    program holds an exclusive lease
//	slow                a large file is written in place, piece by piece
//	reset mid-body      a writer was cut off in the middle
//	429                 another writer holds the lock: reading goes on, a kill waits
//	500                 a directory is where the file should be
//	garbage             bytes that mean nothing
//	huge                more than the store reads
//	wrong content type  YAML
//	DNS failure         a link to a file that is not there
//	TLS error           does not apply; what it guards, who may read, is a file whose
//	                    owner keeps it to himself
//	clock skew          times of change in the future, and going backwards

// flagFault is what can happen to a flag file.
type flagFault struct {
	name, says string
	begin      func(c *cell, path string) (end func()) // end makes a whole file with other flags possible
	board      func(c *cell, config string) *screen    // nil for one in this process
}

// flagFaultsHere are those that this system alone can have.
var flagFaultsHere []flagFault

// otherFile is fleetFile after somebody else's ramp.
var otherFile = strings.Replace(fleetFile, `["on", 25], ["off", 75]`, `["on", 60], ["off", 40]`, 1)

func flagFaults() []flagFault {
	none := func() {}
	overwrite := func(text string) func(c *cell, path string) func() {
		return func(c *cell, path string) func() {
			require.NoError(c, os.WriteFile(path, []byte(text), 0o644))
			return none
		}
	}
	noise := make([]byte, 4096)
	for i, r := 0, rand.NewChaCha8([32]byte{7}); i < len(noise); i++ {
		noise[i] = byte(r.Uint64())
	}
	list := []flagFault{
		{name: "refused (no file)", says: "there is no such file; create it or name another", begin: func(c *cell, path string) func() {
			require.NoError(c, os.Remove(path))
			return none
		}},
		{name: "slow (written in pieces)", says: "ends", begin: trickle},
		{name: "reset mid-body (cut off)", says: "ends", begin: overwrite(fleetFile[:300])},
		{name: "500 (a directory)", says: "that is a directory; name the flag file in it", begin: func(c *cell, path string) func() {
			require.NoError(c, os.Remove(path))
			require.NoError(c, os.Mkdir(path, 0o755))
			return func() { require.NoError(c, os.Remove(path)) }
		}},
		{name: "garbage", says: "JSON", begin: overwrite(string(noise))},
		{name: "huge", says: "the file has 34603008 bytes, the most that is read is", begin: func(c *cell, path string) func() {
			require.NoError(c, os.Truncate(path, 33<<20))
			return none
		}},
		{name: "wrong content type (YAML)", says: "JSON", begin: overwrite("flags:\n  checkout-v2:\n    state: ENABLED\n    defaultVariant: \"on\"\n")},
		{name: "DNS failure (dangling link)", says: "there is no such file; create it or name another", begin: func(c *cell, path string) func() {
			require.NoError(c, os.Remove(path))
			require.NoError(c, os.Symlink(filepath.Join(filepath.Dir(path), "elsewhere.json"), path))
			return none
		}},
	}
	return append(list, flagFaultsHere...)
}

// trickle writes a large file piece by piece, and the rest of it at the end.
func trickle(c *cell, path string) func() {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(c, err)
	whole := strings.Replace(otherFile, "{", "{"+strings.Repeat(" \n", 1<<20), 1)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer f.Close()
		r := strings.NewReader(whole)
		for {
			_, _ = io.CopyN(f, r, 4096)
			select {
			case <-stop:
				_, _ = io.Copy(f, r)
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() { close(stop); <-done }
}

// flagsCell is a board on a flag file to which something happens, beside metrics to
// which nothing does.
func flagsCell(page string, f flagFault) *cell {
	return &cell{source: "flags", fault: f.name, run: func(c *cell) {
		p := newFlagPlant(c, page, f.board)
		p.awaitFlags("25%")
		end := sync.OnceFunc(f.begin(c, p.flags))
		c.Cleanup(end)
		p.awaitOldFlags(f.says)
		p.awaitFresh() // what is measured
		lifted := time.Now()
		end()
		replaceFile(c, p.flags, otherFile)
		p.awaitFlags("60%")
		c.healed = time.Since(lifted)
	}}
}

func newFlagPlant(c *cell, page string, board func(*cell, string) *screen) *plant {
	p := &plant{c: c, source: "scrape", flags: flagFile(c, fleetFile)}
	config := faultConfig(c, p.flags, "{dsn: \"scrape+"+page+"\", name: scrape, every: 1s}")
	if board == nil {
		board = func(c *cell, config string) *screen { return boardOn(c, config) }
	}
	p.s = board(c, config)
	p.awaitFresh()
	return p
}

// awaitFlags waits until the flags are those of now, and marked as such.
func (p *plant) awaitFlags(percent string) {
	p.await("fresh flags", func(text string) bool {
		return strings.Contains(head(text), "✓ flags fresh") && !strings.Contains(flat(text), "cannot read flags") &&
			lineWith(text, "checkout-v2", "ramping", percent) != "" && lineWith(text, "checkout-v2", "stale") == "" && lineWith(text, "checkout-v2", "unknown") == ""
	})
	require.True(p.c, p.s.pane("Flags")[0].colours[cyan], "ramping, and known to be")
}

// awaitOldFlags waits until the last good flags are shown as what they are, and the
// screen says in words why there are none of now.
func (p *plant) awaitOldFlags(says string) {
	p.await("stale flags", func(text string) bool {
		return strings.Contains(head(text), "◔ flags stale") && lineWith(text, "checkout-v2", "25%", "stale") != "" &&
			p.all("Flags", dull)
	})
	p.awaitSentence("Flags", says)
	p.await("unknown flags", func(text string) bool {
		return strings.Contains(head(text), "? flags unknown") && p.all("Flags", dull)
	})
}

// lockedCell is a store whose lock somebody else holds: all is read as before, a
// kill waits, says so when it has waited long enough, and goes through at once when
// the lock is free.
func lockedCell(page string) *cell {
	return &cell{source: "flags", fault: "429 (the lock is taken)", run: func(c *cell) {
		p := newFlagPlant(c, page, nil)
		p.awaitFlags("25%")
		l := flock.New(filepath.Join(filepath.Dir(p.flags), "."+filepath.Base(p.flags)+".relctl.lock"))
		c.Cleanup(func() { _ = l.Close() })
		require.NoError(c, l.Lock())
		pick(p.s, "checkout-v2")
		p.s.press("K")
		p.await("a kill that waits", func(text string) bool { return lineWith(text, "checkout-v2", "pending") != "" })
		text := p.await("why it was not done", has("another writer holds the file's lock"))
		c.said = plain(lineWith(text, "another writer holds"), p.flags)
		require.Equal(c, fleetFile, readAll(c, p.flags))
		p.awaitFlags("25%")
		p.awaitFresh()
		p.s.press("K")
		p.await("a kill that waits", func(text string) bool { return lineWith(text, "checkout-v2", "pending") != "" })
		lifted := time.Now()
		require.NoError(c, l.Unlock())
		p.await("killed", func(text string) bool { return lineWith(text, "✗ killed", "checkout-v2") != "" })
		p.s.awaitFile(p.flags, has(`"state": "DISABLED"`))
		c.healed = time.Since(lifted)
	}}
}

// mtimeCell is a file whose time of change is in the future, and then years ago:
// each of its versions is shown, as fresh.
func mtimeCell(page string) *cell {
	return &cell{source: "flags", fault: "clock skew (times of change)", run: func(c *cell) {
		p := newFlagPlant(c, page, nil)
		p.awaitFlags("25%")
		for i, ahead := range []time.Duration{time.Hour, -87600 * time.Hour, 8760 * time.Hour} {
			on := 61 + i
			text := strings.Replace(fleetFile, `["on", 25], ["off", 75]`, fmt.Sprintf(`["on", %d], ["off", %d]`, on, 100-on), 1)
			require.NoError(c, os.WriteFile(p.flags+".new", []byte(text), 0o644))
			at := time.Now().Add(ahead)
			require.NoError(c, os.Chtimes(p.flags+".new", at, at))
			require.NoError(c, os.Rename(p.flags+".new", p.flags))
			p.awaitFlags(fmt.Sprintf("%d%%", on))
		}
		p.awaitFresh()
		c.said = "nothing: each version is shown"
	}}
}
