package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/anmitsu/go-shlex"

	"relctl-tui/sources"
	"relctl-tui/ui"
	"relctl-tui/ui/sshserver"
)

// lines follows a context in lines of text for a client without a terminal, until it goes:
// that nothing more is typed is no reason, for what only follows types nothing. Verbs that
// are typed are those that can be asked for behind the host's name, as the same key.
func (h *serveSSH) lines(ctx context.Context, s *sshserver.Session, name string) error {
	both, err := h.hub.get(ctx, name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := both.as(s.Role == sshserver.Operator)
	defer r.enter(s.Name)()
	s.Idles()
	say(s.Err, fmt.Sprintf("you are %s, %s; these are lines of text: help lists what can be typed, ssh -t opens the board", s.Name, s.Role))
	out := s.Out
	if asciiLocale(lookIn(s.Environ)) || h.o.ascii {
		out = asciiOnly{out}
	}
	return ui.Plain(ctx, ui.PlainOptions{
		Engine: r.engine, Now: h.o.now, Out: out,
		Stamp: func(at time.Time) string { return at.Local().Format(time.RFC3339) },
		Typed: unending{ctx, s.Keys(ctx)}, Help: servedHelp(r),
		Verb: func(ctx context.Context, line string, out io.Writer, ask func(string) bool) {
			h.typed(ctx, s, r, line, out, ask)
		},
	})
}

// typed does one verb. A panic in it ends no other session.
func (h *serveSSH) typed(ctx context.Context, s *sshserver.Session, r *running, line string, out io.Writer, ask func(string) bool) {
	defer func() {
		if p := recover(); p != nil {
			say(out, sources.Sentence(newCrashes(h.o.now).keep(p, debug.Stack())))
		}
	}()
	words, err := shlex.Split(line, true)
	if err != nil {
		say(out, "a quotation mark is not closed: nothing was done")
		return
	}
	if err := h.verb(ctx, s, servedVerb{words, r.context, out, out, ask}); err != nil {
		say(out, errorSentences(err)...)
	}
	for i := range r.stores {
		r.engine.Nudge(r.stores[i].name)
	}
}

// servedHelp is what can be typed.
func servedHelp(r *running) []string {
	help := []string{
		"status                          how things stand",
		"flags, breakers, latency        tables; so are alerts, deploys, log, suspects",
	}
	if !r.readOnly {
		help = append(help,
			"ramp FLAG [PERCENT|next|back]   set a flag, or take a step of its ladder",
			"kill FLAG                       switch a flag off, at once",
			"undo [CHANGE]                   take back your last change, or another one",
			"migrate, restore                as on the command line; VERB --help says how",
		)
	}
	return append(help, "quit                            leave, after what is under way; ctrl+c leaves at once")
}

// unending is what is typed, whose end comes with ctx alone.
type unending struct {
	ctx  context.Context //nolint:containedctx // a read ends with it
	from io.Reader
}

// Read is the reader's until that ends.
func (u unending) Read(b []byte) (int, error) {
	n, err := u.from.Read(b)
	if errors.Is(err, io.EOF) && n == 0 {
		<-u.ctx.Done()
	}
	return n, err //nolint:wrapcheck // io.EOF must stay io.EOF
}
