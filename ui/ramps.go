package ui

import (
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// This file is what the board does about guards: overriding them, and guarded ramps.

// pauseKind is what the gate knows the pause key by.
const pauseKind sources.ChangeKind = "pause"

// secondThoughts is how long after a refusal, or a warning, the same key means it.
const secondThoughts = 5 * time.Second

// refusal is a raise that a guard has refused.
type refusal struct {
	intent sources.Intent
	at     time.Time
}

// objected keeps a refused raise for the key's second press, and says what that does.
func (m *Model) objected(msg ActionFinishedMsg) string {
	if !errors.Is(msg.Err, control.ErrGuarded) {
		return ""
	}
	if msg.Intent.Kind == sources.Undo { // of a migration, forward: the key that moves it has its own override
		return sources.Sentence(msg.Err) + " (an undo forward is guarded as a move is)"
	}
	m.refused = refusal{msg.Intent, m.opts.Now()}
	key := views.Named(m.keys.Ramp)
	switch msg.Intent.Kind {
	case sources.Set:
		key = views.Named(m.keys.SetPercent)
	case sources.Restore:
		key = views.Named(m.keys.Return)
	default:
	}
	return fmt.Sprintf("%s (%s again within %s, with a reason, overrides)", sources.Sentence(msg.Err), key, secondThoughts)
}

// overrides asks for the reason when the key of a refused raise is pressed again.
func (m *Model) overrides(kind sources.ChangeKind, f *sources.Flag) bool {
	r := m.refused
	was := r.intent.Kind
	if was == sources.Move { // which the same key asks for
		was = sources.Ramp
	}
	if r.intent.Flag != f.ID || was != kind || m.opts.Now().Sub(r.at) > secondThoughts || r.intent.Seen != f.Revision {
		return false
	}
	m.refused = refusal{}
	m.footer.SetStatus("", footer.Info)
	m.prompt.OpenReason(*f, r.intent)
	return true
}

// rampKey starts, resumes, takes over or pauses the guarded ramp of a flag.
func (m *Model) rampKey(kind sources.ChangeKind, f *sources.Flag) tea.Cmd {
	refuse := func(format string, args ...any) tea.Cmd {
		m.footer.SetStatus(fmt.Sprintf(format, args...), footer.Warning)
		return nil
	}
	r := m.snapshot.Ramp(f.ID)
	if r != nil && r.Phase.Ended() {
		r = nil
	}
	in := sources.Intent{Kind: sources.Guarded, Flag: f.ID, Seen: f.Revision, SeenAs: f.Brief(), To: sources.Full}
	switch {
	case kind == pauseKind && r == nil:
		return refuse("%s has no guarded ramp to pause: %s starts one", f.Name, views.Named(m.keys.Guarded))
	case kind == pauseKind && !r.Own:
		return refuse("%s runs this ramp: %s takes it over", r.Owner, views.Named(m.keys.Guarded))
	case kind == pauseKind && r.Phase != sources.RampHolding:
		return refuse("the guarded ramp of %s is %s", f.Name, r.Phase)
	case kind == pauseKind:
		return tellRamp(m.control, f.ID, (*control.Ramp).Pause)
	case r == nil:
		if err := f.CanRamp(); err != nil {
			return refuse("%s", sources.Sentence(err))
		}
		return m.intended(in, false)
	case !r.Own:
		in.Change = r.Token
		return m.intended(in, false)
	case r.Phase == sources.RampPaused, r.Phase == sources.RampAsking:
		return tellRamp(m.control, f.ID, (*control.Ramp).Resume)
	default:
		return refuse("%s climbs already: %s pauses it, %s kills", f.Name, views.Named(m.keys.Pause), views.Named(m.keys.Kill))
	}
}

// takeover is what speaks against a guarded ramp that somebody else runs; "" where
// nobody does.
func (m *Model) takeover(in *sources.Intent) string {
	switch r := m.snapshot.Ramp(in.Flag); {
	case in.Change == "" || r == nil:
		return ""
	case r.Astray:
		return "a wrong clock keeps it for " + r.Owner + ", who would be stopped"
	default:
		return r.Owner + " runs it and would be stopped"
	}
}

// startRamp sends a guarded ramp on its way.
func (m *Model) startRamp(in sources.Intent) tea.Cmd {
	o := control.RampOptions{Flag: in.Flag, To: in.To, Actor: m.opts.Actor, Owner: m.opts.Owner, Over: in.Change}
	if m.opts.Ramp != nil {
		o.Hold, o.OnBreach = m.opts.Ramp(in.Flag.Key)
	}
	m.footer.SetStatus("guarded ramp of "+m.nameOf(in.Flag)+": asking its guards", footer.Waiting, m.nameOf(in.Flag))
	return beginRamp(m.life(), m.control, o)
}

func (m *Model) rampStarted(msg RampStartedMsg) {
	name := m.nameOf(msg.Flag)
	if msg.Err != nil {
		m.footer.SetStatus("no guarded ramp: "+sources.Sentence(msg.Err), footer.Failure)
		return
	}
	how := "it runs as long as this board does"
	if m.outlived() {
		how = "it goes on when you leave"
	}
	m.footer.SetStatus(fmt.Sprintf("guarded ramp of %s began: %s pauses it, %s kills; %s",
		name, views.Named(m.keys.Pause), views.Named(m.keys.Kill), how), footer.Done, name)
}

// tellRamps says what became of this board's guarded ramps since the last snapshot.
func (m *Model) tellRamps(before *sources.Snapshot) {
	if before == nil {
		return
	}
	for i := range m.snapshot.Ramps {
		r := &m.snapshot.Ramps[i]
		if was := before.Ramp(r.Flag); !r.Own || was == nil || was.Phase == r.Phase {
			continue
		}
		text := fmt.Sprintf("guarded ramp of %s: %s at %s%%", r.Name, r.Phase, r.At)
		if r.Why != "" {
			text += ": " + r.Why
		}
		n := notice{level: footer.Warning, text: text, names: []string{r.Name}}
		switch r.Phase {
		case sources.RampArrived:
			n.level = footer.Done
		case sources.RampAsking:
			n.text = fmt.Sprintf("%s (%s steps back, %s kills, %s stays)", text,
				views.Named(m.keys.Back), views.Named(m.keys.Kill), views.Named(m.keys.Guarded))
		case sources.RampBack, sources.RampKilled, sources.RampLost, sources.RampFailed:
			n.level = footer.Failure
		case sources.RampPaused, sources.RampOvertaken:
		default:
			continue
		}
		m.notify(n)
	}
}

// staysFor keeps the operator from leaving while this board ramps a flag, unless the
// key is pressed again.
func (m *Model) staysFor() bool {
	now := m.opts.Now()
	if m.outlived() || !m.warned.IsZero() && now.Sub(m.warned) <= secondThoughts {
		return false
	}
	for i := range m.snapshot.Ramps {
		if r := &m.snapshot.Ramps[i]; r.Own && !r.Phase.Ended() {
			m.warned = now
			m.footer.SetStatus(fmt.Sprintf("this board ramps %s, which would stay at %s%%: press again to leave all the same", r.Name, r.At), footer.Warning)
			return true
		}
	}
	return false
}
