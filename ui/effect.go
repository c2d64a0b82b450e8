package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// effectIn is how soon a change must be in force where nothing else was said.
const effectIn = time.Minute

func (m *Model) effectWithin() time.Duration { return cmp.Or(m.opts.Effect, effectIn) }

func (m *Model) sep() string { return " " + m.opts.Theme.Glyphs.Sep + " " }

// provable says that a change was made of which somebody can say whether it is in
// force.
func (m *Model) provable(msg ActionFinishedMsg) bool {
	r := &msg.Receipt
	return msg.Err == nil && r.Old.Revision != r.New.Revision && m.control.CanVerify(r.New.ID.Source)
}

// receipt is how far a change has come: "checkout-v2 25% -> killed: accepted 18 ms,
// re-read 25 ms".
func (m *Model) receipt(msg ActionFinishedMsg) string {
	r := &msg.Receipt
	text := fmt.Sprintf("%s %s %s %s", r.New.Name, r.Old.Brief(), m.opts.Theme.Glyphs.Arrow, r.New.Brief())
	if msg.Intent.Kind == sources.Undo {
		text = "undone: " + text
	}
	text += ": accepted " + views.Took(msg.Start, r.Accepted)
	if !r.Reread.IsZero() {
		text += m.sep() + "re-read " + views.Took(msg.Start, r.Reread)
	}
	if r.Warning != "" {
		text += ", but " + r.Warning
	}
	return text
}

// effectFound says that a change is in force, or that it is not. What was found of
// an older change of the same flag is of no use any more.
func (m *Model) effectFound(msg EffectFoundMsg) {
	id := msg.Receipt.New.ID
	if m.proving[id].Seq != msg.Seq {
		return
	}
	delete(m.proving, id)
	if msg.Err == nil && msg.Action.Grouped {
		return // what is said of the group stands
	}
	text, level := m.receipt(msg.Action), footer.Done
	switch {
	case msg.Err == nil:
		text += m.sep() + "effective " + views.Took(msg.Action.Start, msg.Receipt.Effective)
		if msg.Action.Receipt.Warning != "" {
			level = footer.Warning
		} else if msg.Action.Intent.Kind != sources.Undo {
			text += m.undoes("it")
		}
	case errors.Is(msg.Err, sources.ErrUnsupported):
		text += ", but " + sources.Sentence(msg.Err)
		level = footer.Warning
	case errors.Is(msg.Err, control.ErrOvertaken), errors.Is(msg.Err, context.Canceled):
		return // the newer change has a sentence of its own
	case errors.Is(msg.Err, control.ErrUntold):
		text, level = m.receipt(msg.Action)+", but "+inEffect(msg.Err), footer.Warning
	default:
		text, level = fmt.Sprintf("%s accepted %s, %s; look at what evaluates the flag",
			msg.Receipt.New.Name, views.Took(msg.Action.Start, msg.Receipt.Accepted), inEffect(msg.Err)), footer.Failure
	}
	m.footer.SetStatus(text, level, msg.Receipt.New.Name)
}

// inEffect is the error without what the line says before it.
func inEffect(err error) string {
	_, text, found := strings.Cut(sources.Sentence(err), ", but ")
	if !found {
		return sources.Sentence(err)
	}
	return strings.TrimPrefix(text, "is ")
}
