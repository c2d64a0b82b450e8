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

// task is one change under way, or one whose result nobody has been shown.
type task struct {
	seq    int
	text   string        // what is done, for people
	done   chan struct{} // closed at the end
	result tea.Msg       // what became of it; valid after done, nil after a panic
}

// work is the changes under way. A board that ends, or is suspended, first lets
// them finish: a write cut in half is in doubt, and a store's lock held by a
// stopped process keeps everybody else out. It is goroutine-safe; make it with
// newWork.
type work struct {
	mu     sync.Mutex
	closed bool
	tasks  map[int]*task // by their number
}

func newWork() *work { return &work{tasks: map[int]*task{}} }

// track is the command as part of the work. Once the work is closed it does
// nothing: a change that has not begun by then never begins.
func (w *work) track(seq int, text string, cmd tea.Cmd) tea.Cmd {
	return func() tea.Msg {
		t := &task{seq: seq, text: text, done: make(chan struct{})}
		if !w.begin(t) {
			return nil
		}
		defer close(t.done)
		t.result = cmd()
		return t.result
	}
}

func (w *work) begin(t *task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.tasks[t.seq] = t
	}
	return !w.closed
}

// seen takes note that the board shows what became of a change.
func (w *work) seen(seq int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tasks, seq)
}

// unseen is what runs, and what nobody has been shown, in the order of its start.
func (w *work) unseen() []*task {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Values(w.tasks), func(a, b *task) int { return a.seq - b.seq })
}

// wait lets what is under way finish, and says what it waits for when that takes
// long enough to be noticed. It returns what nobody has been shown.
func (w *work) wait(say func(string)) (finished []*task) {
	noticed, limit := time.After(unnoticed), time.After(patience)
	for all := w.unseen(); len(all) > 0; {
		select {
		case <-all[0].done:
			finished, all = append(finished, all[0]), all[1:]
		case <-noticed:
			say("still writing " + texts(all) + ": waiting for the result, " + actionTimeout.String() + " at most")
		case <-limit:
			say("no answer about " + texts(all) + ": it may still be written; the next start says what became of it")
			return finished
		}
	}
	return finished
}

func texts(tasks []*task) string {
	all := make([]string, len(tasks))
	for i, t := range tasks {
		all[i] = t.text
	}
	return strings.Join(all, ", ")
}

// finish lets nothing new begin, waits, and returns what nobody has been shown.
func (w *work) finish(say func(string)) []*task {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	return w.wait(say)
}
