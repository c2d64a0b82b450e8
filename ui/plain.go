package ui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/live"
	"relctl-tui/views/plain"
)

const (
	// perLine is the pause after news for each of their lines: what happens within it is
	// told as it ended, and no storm is told faster than this.
	perLine = 50 * time.Millisecond
	// lookAround is how soon is told what time alone brings.
	lookAround = 5 * time.Second
	// longestLine bounds what is typed.
	longestLine = 4096
	// answerWithin is how long a question waits.
	answerWithin = time.Minute
)

// Verb does what was typed and writes what came of it, errors included. Ask puts a
// question to whoever typed it and waits for the answer; none is a no.
type Verb func(ctx context.Context, line string, out io.Writer, ask func(question string) bool)

// PlainOptions are what the line mode needs. Engine, Now, Stamp and Out are required;
// the engine is already running.
type PlainOptions struct {
	Engine *live.Engine
	Now    func() time.Time
	Stamp  func(time.Time) string // before each line of news
	Out    io.Writer              // lines of text, no control characters but the line's end

	Typed io.Reader // whose lines are done by Verb; nil only follows
	Verb  Verb
	Help  []string // what "help" says
}

// Plain says how things stand and then what changes, line by line, and does what is
// typed, until "quit", the end of Typed, ctx, or nobody reads Out any more. It returns
// when what was typed has been done, at the latest some time after ctx has ended. A
// cancelled ctx is no error.
func Plain(ctx context.Context, o PlainOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &plainMode{o: o, out: &lineWriter{to: o.Out, lost: cancel}, asks: make(chan plainQuestion)}
	snap := firstLook(ctx, o.Engine)
	p.say(plain.Status(snap, o.Now())...)
	p.teller = plain.New(snap, o.Now())
	p.loop(ctx, snap)
	if ctx.Err() == nil && p.busy() {
		p.say("still at work, waiting for the result; ctrl+c ends at once")
	}
	done := make(chan struct{})
	go func() { p.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
		}
	}
	return nil
}

// firstLook is how things stand once each source has answered, which is waited for, but not
// for long.
func firstLook(ctx context.Context, engine *live.Engine) *sources.Snapshot {
	ctx, cancel := context.WithTimeout(ctx, lookAround)
	defer cancel()
	return engine.Heard(ctx)
}

// plainQuestion waits for the next line.
type plainQuestion struct {
	text   string
	answer chan<- bool     // has room for one
	over   <-chan struct{} // closed when nobody waits any more
}

// plainMode is the line mode at work. Its fields are the loop's, but for out, asks and
// work.
type plainMode struct {
	o      PlainOptions
	out    *lineWriter
	teller *plain.Teller
	asks   chan plainQuestion
	open   []plainQuestion // the first is asked
	work   sync.WaitGroup

	mu      sync.Mutex
	running int

	lines []string  // typed within one hold
	until time.Time // of that hold
	twice bool      // it has been waited for once more
}

// loop tells news and does what is typed until the end.
func (p *plainMode) loop(ctx context.Context, snap *sources.Snapshot) {
	fresh, typed := follow(ctx, p.o.Engine, snap.Seq), readLines(ctx, p.o.Typed)
	due, held := time.NewTimer(lookAround), time.NewTimer(time.Hour)
	defer due.Stop()
	defer held.Stop()
	quiet := p.o.Now() // until then nothing is told
	for {
		select {
		case <-ctx.Done():
			return
		case snap = <-fresh:
			due.Reset(max(0, quiet.Sub(p.o.Now())))
		case <-due.C:
			quiet = p.o.Now().Add(p.news(snap))
			due.Reset(lookAround)
		case line, ok := <-typed:
			if !ok {
				return
			}
			if line = strings.TrimSpace(line); line != "" || p.asked() {
				p.lines = append(p.lines, line)
				p.waits(held)
			}
		case <-held.C:
			if !p.twice && time.Since(p.until) > hold {
				// The machine stood still, or the terminal took nothing: what was typed
				// meanwhile has not been read yet.
				p.twice = true
				p.waits(held)
				continue
			}
			if p.twice = false; p.entered(ctx, snap) {
				return
			}
		case q := <-p.asks:
			if first := !p.asked(); first {
				p.say(q.text)
			}
			p.open = append(p.open, q)
		}
	}
}

// waits begins a hold.
func (p *plainMode) waits(held *time.Timer) {
	p.until = time.Now().Add(hold)
	held.Reset(hold)
}

// news tells what is new, and returns for how long that is enough.
func (p *plainMode) news(s *sources.Snapshot) time.Duration {
	now := p.o.Now()
	lines := p.teller.News(s, now)
	stamp := p.o.Stamp(now) + " "
	for i := range lines {
		lines[i] = stamp + lines[i]
	}
	p.say(lines...)
	return time.Duration(len(lines)) * perLine
}

// entered is what was typed, unless it came faster than anybody types.
func (p *plainMode) entered(ctx context.Context, s *sources.Snapshot) (quit bool) {
	lines := p.lines
	p.lines = nil
	switch {
	case len(lines) == 0:
		return false
	case len(lines) > 1:
		p.say(fmt.Sprintf("%d lines within %d ms look like a paste: nothing was done", len(lines), hold.Milliseconds()))
		return false
	case p.asked():
		p.answered(lines[0])
		return false
	}
	switch line := lines[0]; line {
	case "quit", "exit", "q":
		return true
	case "help", "?":
		p.say(p.o.Help...)
	case "status":
		p.say(plain.Status(s, p.o.Now())...)
	default:
		p.do(ctx, line)
	}
	return false
}

// asked tells whether a question waits for its answer, and forgets those that do not.
func (p *plainMode) asked() bool {
	p.open = slices.DeleteFunc(p.open, func(q plainQuestion) bool {
		select {
		case <-q.over:
			return true
		default:
			return false
		}
	})
	return len(p.open) > 0
}

func (p *plainMode) answered(line string) {
	q := p.open[0]
	p.open = p.open[1:]
	q.answer <- strings.EqualFold(line, "yes") || strings.EqualFold(line, "y")
	if p.asked() {
		p.say(p.open[0].text)
	}
}

// do runs what was typed beside the loop: nothing that hangs holds up a kill.
func (p *plainMode) do(ctx context.Context, line string) {
	if p.begin() > mostAtOnce {
		p.end()
		p.say(fmt.Sprintf("%d commands are still at work: nothing was done", mostAtOnce))
		return
	}
	p.work.Go(func() {
		defer p.end()
		p.o.Verb(ctx, line, p.out, func(q string) bool { return p.ask(ctx, q) })
	})
}

// mostAtOnce is how many commands run beside each other.
const mostAtOnce = 8

func (p *plainMode) begin() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running++
	return p.running
}

func (p *plainMode) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
}

func (p *plainMode) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running > 0
}

// ask puts a question and waits for its answer. No answer is a no.
func (p *plainMode) ask(ctx context.Context, question string) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer := make(chan bool, 1)
	select {
	case p.asks <- plainQuestion{question + " (yes or no)", answer, ctx.Done()}:
	case <-ctx.Done():
		return false
	}
	select {
	case yes := <-answer:
		return yes
	case <-ctx.Done():
		return false
	}
}

func (p *plainMode) say(lines ...string) {
	if len(lines) > 0 {
		_, _ = io.WriteString(p.out, strings.Join(lines, "\n")+"\n")
	}
}

// follow sends each newer snapshot, the latest where nobody takes them fast enough.
func follow(ctx context.Context, engine *live.Engine, seq uint64) <-chan *sources.Snapshot {
	out := make(chan *sources.Snapshot)
	go func() {
		for {
			s, err := engine.Next(ctx, seq)
			if err != nil {
				return
			}
			seq = s.Seq
			select {
			case out <- s:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// readLines sends what is typed, line by line, and is closed at its end; nil for nothing
// to read. What is longer than a line can be ends it, as ctx does.
func readLines(ctx context.Context, in io.Reader) <-chan string {
	if in == nil {
		return nil
	}
	out := make(chan string)
	go func() {
		defer close(out)
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, longestLine)
		for lines.Scan() {
			select {
			case out <- lines.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// lineWriter lets several write whole lines. It is goroutine-safe.
type lineWriter struct {
	mu   sync.Mutex
	to   io.Writer
	lost func() // called when nobody reads any more
}

// Write writes all of b before anybody else writes.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.to.Write(b)
	if err != nil {
		w.lost()
	}
	return n, err //nolint:wrapcheck // as it came
}
