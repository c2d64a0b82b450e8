package ui

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	// unnoticed is how long a wait needs no explanation.
	unnoticed = 300 * time.Millisecond
	// patience is longer than any change may take: who still works then has hung.
	patience = actionTimeout + 2*time.Second
)

// work is the changes under way. A board that ends, or is suspended, first lets
// them finish: a write cut in half is in doubt, and a store's lock held by a
// stopped process keeps everybody else out. It is goroutine-safe; make it with
// newWork.
type work struct {
	mu      sync.Mutex
	closed  bool
	running map[int]string            // what is being done, by its number
	unseen  map[int]ActionFinishedMsg // done, but not taken note of by the board
	waiting []chan struct{}           // to be closed when nothing is running
}

func newWork() *work {
	return &work{running: map[int]string{}, unseen: map[int]ActionFinishedMsg{}}
}

// track is the command as part of the work. Once the work is closed it does
// nothing: a change that has not begun by then never begins.
func (w *work) track(seq int, text string, cmd tea.Cmd) tea.Cmd {
	return func() tea.Msg {
		if !w.begin(seq, text) {
			return nil
		}
		var msg tea.Msg
		defer func() { w.end(seq, msg) }()
		msg = cmd()
		return msg
	}
}

func (w *work) begin(seq int, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.running[seq] = text
	}
	return !w.closed
}

func (w *work) end(seq int, msg tea.Msg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, seq)
	if done, ok := msg.(ActionFinishedMsg); ok {
		w.unseen[seq] = done
	}
	if len(w.running) > 0 {
		return
	}
	for _, c := range w.waiting {
		close(c)
	}
	w.waiting = nil
}

// seen takes note that the board shows what became of a change, and reports whether
// that is news.
func (w *work) seen(seq int) (news bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, news = w.unseen[seq]
	delete(w.unseen, seq)
	return news
}

// quiet is closed when nothing is running.
func (w *work) quiet() <-chan struct{} {
	c := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.running) == 0 {
		close(c)
		return c
	}
	w.waiting = append(w.waiting, c)
	return c
}

// wait lets what is under way finish, and says what it waits for when that takes
// long enough to be noticed.
func (w *work) wait(say func(string)) {
	quiet := w.quiet()
	select {
	case <-quiet:
		return
	case <-time.After(unnoticed):
	}
	say("still writing " + w.list() + ": waiting for the result, " + actionTimeout.String() + " at most")
	select {
	case <-quiet:
	case <-time.After(patience):
		say("no answer about " + w.list() + ": it may still be written; the next start says what became of it")
	}
}

func (w *work) list() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, seq := range slices.Sorted(maps.Keys(w.running)) {
		all = append(all, w.running[seq])
	}
	return strings.Join(all, ", ")
}

// finish lets nothing new begin, waits, and returns what nobody has been shown.
func (w *work) finish(say func(string)) []ActionFinishedMsg {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.wait(say)
	return w.missed()
}

// missed is what was done and nobody has been shown; from now on it counts as seen.
func (w *work) missed() (all []ActionFinishedMsg) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, seq := range slices.Sorted(maps.Keys(w.unseen)) {
		all = append(all, w.unseen[seq])
	}
	clear(w.unseen)
	return all
}
