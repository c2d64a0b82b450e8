package views

import (
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
)

// IntentMsg is a key's meaning, before it is done: what to do to which flag or
// breaker, and what the operator saw of it.
type IntentMsg struct{ Intent sources.Intent }

// RefusedMsg says why a key did nothing, in one sentence for the status line.
type RefusedMsg struct{ Reason string }

// Kind is what a Subject is.
type Kind int

// The kinds of subjects. The zero value is no subject.
const (
	NoSubject Kind = iota
	AFlag
	ABreaker
	ALatency
	AnAlert
	AlertGroup
	Happening // a line of Activity
)

// Subject is what a detail pane is about, by identity and never by row. It can be
// compared; the zero Subject is none.
type Subject struct {
	Kind   Kind
	Flag   sources.FlagID // of a flag
	Source string         // of anything else
	ID     string         // a breaker's or latency's name, an alert's ID, of a group its state and its rule
}

// FlagSubject is a flag as a subject.
func FlagSubject(id sources.FlagID) Subject { return Subject{Kind: AFlag, Flag: id} }

// BreakerSubject is a breaker as a subject.
func BreakerSubject(b *sources.Breaker) Subject {
	return Subject{Kind: ABreaker, Source: b.Source, ID: b.Name}
}

// LatencySubject is a latency as a subject.
func LatencySubject(l *sources.Latency) Subject {
	return Subject{Kind: ALatency, Source: l.Source, ID: l.Name}
}

// AlertSubject is an alert as a subject.
func AlertSubject(a *sources.Alert) Subject {
	return Subject{Kind: AnAlert, Source: a.Source, ID: a.ID}
}

// GroupSubject is all alerts of one alert's rule that are in its state, as a subject.
func GroupSubject(a *sources.Alert) Subject {
	return Subject{Kind: AlertGroup, ID: a.State.String() + " " + a.Name}
}

// DetailMsg asks for everything about one subject.
type DetailMsg struct{ Subject Subject }

// Send is a command that delivers a message which is already there.
func Send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }

// Act is the command for a changing key on a flag as it is on the screen: an
// IntentMsg, or a RefusedMsg with the reason. A nil flag is none. Where what the screen
// shows is old, no kill is taken for done: control reads the flag afresh.
func Act(s *sources.Snapshot, f *sources.Flag, kind sources.ChangeKind, readOnly bool) tea.Cmd {
	switch {
	case f == nil:
		return Send(RefusedMsg{Reason: "no flag is selected"})
	case readOnly:
		return Send(RefusedMsg{Reason: "this board is read-only"})
	}
	in, err := f.Intend(kind)
	if err != nil && (kind != sources.Kill || Fresh(s, f.ID.Source, sources.PartFlags)) {
		return Send(RefusedMsg{Reason: sources.Sentence(err)})
	}
	return Send(IntentMsg{Intent: in})
}

// Switch is the command for a key that switches a breaker as it is on the screen: an
// IntentMsg, or a RefusedMsg with the reason. A nil breaker is none. What stands there
// already is for control to find out, which reads the breaker afresh.
func Switch(s *sources.Snapshot, b *sources.Breaker, kind sources.ChangeKind, readOnly bool) tea.Cmd {
	refuse := func(reason string) tea.Cmd { return Send(RefusedMsg{Reason: reason}) }
	switch st := s.Source; {
	case b == nil:
		return refuse("no breaker is selected")
	case readOnly:
		return refuse("this board is read-only")
	case b.Own:
		return refuse("that is this board's own breaker around " + b.Source + ": it closes by itself once the source answers")
	case !st(b.Source).Switches:
		return refuse(b.Name + " is known from " + b.Source + ", which measures and cannot switch: name its Actuator or HAProxy with --breakers")
	case st(b.Source).Fixed != "":
		return refuse(b.Source + " cannot be switched from here: " + st(b.Source).Fixed)
	}
	return Send(IntentMsg{Intent: sources.Intent{
		Kind: kind, Flag: sources.FlagID{Source: b.Source, Key: b.Name},
		Seen: sources.Revision(b.State.String()), SeenAs: b.State.String(),
	}})
}

// Silencer is the source through which an alert can be silenced, or in one sentence why
// there is none.
func Silencer(s *sources.Snapshot, a *sources.Alert) (source, why string) {
	for _, name := range []string{a.Source, a.Also} {
		switch st := s.Source(name); {
		case name == "" || !st.Silences:
		case st.Fixed != "":
			why = name + " silences nothing from here: " + st.Fixed
		default:
			return name, ""
		}
	}
	if why == "" {
		why = a.Name + " is known from " + a.Source + ", which has no silences: name its Alertmanager under metrics, with silences: true"
	}
	return "", why
}

// AlertAbout is the flag or the service that an alert names; "" for neither.
func AlertAbout(a *sources.Alert) string {
	if a.Flag != "" {
		return a.Flag
	}
	return a.Service
}
