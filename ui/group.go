package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
	"relctl-tui/views/footer"
	"relctl-tui/views/prompt"
	"relctl-tui/views/results"
)

// This file is what the keys do when flags are marked: one thing to all of them.

// batch is one key's meaning for all the flags that are marked, before it is done.
type batch struct {
	kind    sources.ChangeKind
	to      sources.Percent // for sources.Set
	ins     []sources.Intent
	refused []control.Done // what is known before to be no change of that flag
}

// all is how many flags the batch is about.
func (b *batch) all() int { return len(b.ins) + len(b.refused) }

// verb is what is done, and what was done, in one word.
func (b *batch) verb() (does, did string) {
	switch b.kind {
	case sources.Kill:
		return "kill", "killed"
	case sources.Back:
		return "step back", "stepped back"
	case sources.Set:
		return "set to " + views.PercentText(b.to), "set to " + views.PercentText(b.to)
	case sources.Undo:
		return "undo", "undone"
	default:
		return "ramp", "ramped"
	}
}

// flagsText counts flags in words.
func flagsText(n int) string {
	if n == 1 {
		return "1 flag"
	}
	return fmt.Sprintf("%d flags", n)
}

// batchOf is a key's meaning for the marked flags as the operator sees them now.
func (m *Model) batchOf(kind sources.ChangeKind) *batch {
	b := &batch{kind: kind}
	for _, id := range m.flags.Marked() {
		f := m.snapshot.Flag(id)
		in, err := f.Intend(kind)
		switch p, busy := m.pending[id]; {
		case m.snapshot.Source(id.Source).ReadOnly != "":
			err = fmt.Errorf("%s cannot be changed from here: %s: %w", id.Source, m.snapshot.Source(id.Source).ReadOnly, sources.ErrUnsupported)
		case kind == sources.Kill:
			in, err = sources.Intent{Kind: kind, Flag: id}, nil // control knows what is killed already
		case busy && p.done == "":
			err = fmt.Errorf("%s is not confirmed yet: %w", p.text, sources.ErrConflict)
		case kind == sources.Set:
			in, err = sources.Intent{Kind: kind, Flag: id, Seen: f.Revision, SeenAs: f.Brief()}, f.CanRamp()
		}
		if err != nil {
			b.refused = append(b.refused, control.Done{Flag: id, Err: err})
			continue
		}
		b.ins = append(b.ins, in)
	}
	return b
}

// groupKey is a key that acts, while flags are marked. The one under the cursor has no
// part in it unless it is marked too.
func (m *Model) groupKey(kind sources.ChangeKind) tea.Cmd {
	b := m.batchOf(kind)
	switch {
	case kind == sources.Guarded, kind == pauseKind:
		m.footer.SetStatus(fmt.Sprintf("a guarded ramp is one flag's, and %s marked: esc clears the marks", flagsAre(b.all())), footer.Warning)
		return nil
	case len(b.ins) == 0:
		m.footer.SetStatus("none of the marked can be changed so: "+sources.Sentence(b.refused[0].Err), footer.Warning)
		return nil
	case kind == sources.Set:
		m.forming = b
		m.footer.SetStatus("", footer.Info)
		m.prompt.OpenPercent(sources.Flag{Name: flagsText(b.all()), Breaker: "each its own"}, m.now)
		return nil
	}
	return m.intendedAll(b, false)
}

func flagsAre(n int) string {
	if n == 1 {
		return "1 flag is"
	}
	return fmt.Sprintf("%d flags are", n)
}

// groupTyped is the percentage that was typed for the marked flags.
func (m *Model) groupTyped(b *batch, msg prompt.SubmittedMsg) tea.Cmd {
	m.forming, b.to = nil, msg.To
	if !msg.At.IsZero() {
		m.footer.SetStatus("nothing was scheduled: a moment to come is one flag's, and "+flagsAre(b.all())+" marked", footer.Warning)
		return nil
	}
	for i := range b.ins {
		b.ins[i].To = msg.To
	}
	return m.intendedAll(b, false)
}

// intendedAll starts the hold of a batch, as intended does that of an intent.
func (m *Model) intendedAll(b *batch, agreed bool) tea.Cmd {
	if m.drowsy() {
		return nil
	}
	if m.gate.bursting(m.opts.Now()) {
		m.pasteRefused()
		return nil
	}
	m.seq++
	m.held = held{seq: m.seq, batch: b, agreed: agreed}
	return holdFor(m.seq)
}

// batchHeld goes on with a batch after its hold: it asks where the context wants it, or
// where raising one of the flags should be thought over.
func (m *Model) batchHeld(b *batch, agreed bool) tea.Cmd {
	doubt := ""
	for i := range b.ins {
		if f := m.snapshot.Flag(b.ins[i].Flag); f != nil && doubt == "" {
			doubt = m.doubt(&b.ins[i], f)
		}
	}
	if agreed || (!m.opts.Confirm && doubt == "") {
		return m.startAll(b)
	}
	if m.bar(b); len(b.ins) == 0 {
		m.footer.SetStatus("none of the marked can be changed so: "+sources.Sentence(b.refused[len(b.refused)-1].Err), footer.Warning)
		return nil
	}
	m.asked = b
	does, _ := b.verb()
	which := flagsText(b.all())
	if len(b.refused) > 0 {
		which = fmt.Sprintf("%d of %s", len(b.ins), which)
	}
	m.confirm.AskGroup(strings.ToUpper(does[:1])+does[1:]+" "+which+"?", doubt)
	return nil
}

// bar takes out of a batch what the calendar would refuse, before anybody is asked.
func (m *Model) bar(b *batch) {
	b.ins = slices.DeleteFunc(b.ins, func(in sources.Intent) bool {
		f := m.snapshot.Flag(in.Flag)
		if f == nil {
			return false
		}
		err := m.control.Barred(&in, f)
		if err != nil {
			b.refused = append(b.refused, control.Done{Flag: in.Flag, Err: err})
		}
		return err != nil
	})
}

// startAll sends a batch on its way and marks its flags as pending.
func (m *Model) startAll(b *batch) tea.Cmd {
	m.seq++
	for i := range b.ins {
		in := &b.ins[i]
		in.Actor = m.opts.Actor
		m.pending[in.Flag] = inFlight{seq: m.seq, text: m.describe(*in)}
	}
	does, _ := b.verb()
	text := does + " " + flagsText(b.all())
	m.footer.SetStatus(text+": pending", footer.Waiting)
	m.refresh()
	return m.work.track(m.seq, text, actAll(m.ctx, m.control, m.engine, m.seq, *b, actionTimeout, m.opts.Now))
}

// groupFinished says how many flags of a group are as asked for, and shows which are
// where when not all are.
func (m *Model) groupFinished(msg GroupFinishedMsg) tea.Cmd {
	var cmds []tea.Cmd
	all := make([]results.Result, len(msg.Done))
	for i := range msg.Done {
		d := &msg.Done[i]
		if p, ok := m.pending[d.Flag]; ok && p.seq == msg.Seq {
			delete(m.pending, d.Flag)
		}
		all[i] = m.resultOf(d)
		one := ActionFinishedMsg{Seq: msg.Seq, Intent: sources.Intent{Kind: msg.Kind, Flag: d.Flag}, Receipt: d.Receipt, Err: d.Err, Start: msg.Start, Took: msg.Took, Grouped: true}
		cmds = append(cmds, m.awaitShown(one))
		if m.provable(one) {
			m.proving[d.Flag] = one
			cmds = append(cmds, awaitEffect(m.ctx, m.control, one, m.effectWithin()))
		}
	}
	level, text := m.groupOutcome(msg)
	if level != footer.Done {
		m.results.SetResults("What became of "+flagsText(len(all)), all)
		m.show(resultsScreen)
	}
	m.footer.SetStatus(text, level)
	m.refresh()
	return tea.Batch(cmds...)
}

// groupOutcome is the sentence about a group: how many flags are as asked for.
func (m *Model) groupOutcome(msg GroupFinishedMsg) (footer.Level, string) {
	b := batch{kind: msg.Kind, to: msg.To}
	_, did := b.verb()
	good := 0
	var not []string
	for i := range msg.Done {
		if d := &msg.Done[i]; d.Err == nil {
			good++
		} else {
			not = append(not, sources.Clean(d.Flag.Key, sources.MaxName))
		}
	}
	switch {
	case len(not) == 0:
		text := fmt.Sprintf("%s %s, confirmed in %d ms", flagsText(good), did, max(1, msg.Took.Milliseconds()))
		if msg.Kind != sources.Undo {
			text += m.undoes("them all")
		}
		return footer.Done, text
	case good == 0:
		return footer.Failure, fmt.Sprintf("none of %s %s: %s", flagsText(len(msg.Done)), did, strings.Join(not, ", "))
	default:
		return footer.Failure, fmt.Sprintf("DONE IN PART: %d of %s %s, not %s", good, flagsText(len(msg.Done)), did, strings.Join(not, ", "))
	}
}

// resultOf is one flag of a group in words.
func (m *Model) resultOf(d *control.Done) results.Result {
	r := results.Result{Name: m.nameOf(d.Flag), Old: d.Receipt.Old.Brief(), New: d.Receipt.New.Brief(), Word: "done", Good: true}
	if d.Receipt.Change == "" {
		r.Old, r.New = "", ""
		if f := m.snapshot.Flag(d.Flag); f != nil {
			r.New = "stays at " + f.Brief()
		}
	}
	if d.Err == nil {
		r.Why = d.Receipt.Warning
		return r
	}
	r.Good, r.Why, r.Word = false, sources.Sentence(d.Err), "failed"
	switch {
	case errors.Is(d.Err, control.ErrUnconfirmed):
		r.Word = "not confirmed"
	case errors.Is(d.Err, sources.ErrConflict):
		r.Word = "conflict"
	case errors.Is(d.Err, control.ErrGuarded), errors.Is(d.Err, sources.ErrRefused), errors.Is(d.Err, sources.ErrConfirm),
		errors.Is(d.Err, sources.ErrUnsupported), errors.Is(d.Err, sources.ErrReadOnly), errors.Is(d.Err, sources.ErrInvalid):
		r.Word = "refused"
	}
	return r
}

// awaitShown keeps a flag pending until a snapshot shows what the store confirmed.
func (m *Model) awaitShown(msg ActionFinishedMsg) tea.Cmd {
	id := msg.Intent.Flag
	f := m.snapshot.Flag(id)
	if msg.Err != nil || msg.Receipt.New.ID != id || f == nil || f.Revision == msg.Receipt.New.Revision {
		return nil
	}
	m.pending[id] = inFlight{
		seq: msg.Seq, done: msg.Receipt.New.Revision,
		text: msg.Receipt.Old.Brief() + " " + m.opts.Theme.Glyphs.Arrow + " " + msg.Receipt.New.Brief(),
	}
	return expirePending(msg.Seq, id, pendingFor)
}

// markedHelp is the keys while flags are marked: each says how many it acts on.
func (m *Model) markedHelp(n int) []key.Binding {
	k := m.shown
	say := func(b *key.Binding, verb, what string) key.Binding { // the footer keeps one word
		b.SetHelp(b.Help().Key, fmt.Sprintf("%s\u00a0%d%s", verb, n, what))
		return *b
	}
	unmark := k.Escape
	unmark.SetHelp(k.Escape.Help().Key, "clear")
	return []key.Binding{say(&k.Kill, "kill", "\u00a0marked"), say(&k.Ramp, "ramp", ""), say(&k.Back, "back", ""), say(&k.SetPercent, "set", ""), k.Undo, unmark, k.Mark, k.Filter, k.Help}
}

// severalTold is about more than one change: what became of a group, or a flag's past.
func (m *Model) severalTold(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case GroupFinishedMsg:
		m.work.seen(msg.Seq)
		return m.groupFinished(msg)
	case HistoryReadMsg:
		return m.historyRead(msg)
	default:
		return nil
	}
}
