package views

import (
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
)

// IntentMsg is a key's meaning, before it is done: what to do to which flag, and
// the revision that the operator saw.
type IntentMsg struct{ Intent sources.Intent }

// RefusedMsg says why a key did nothing, in one sentence for the status line.
type RefusedMsg struct{ Reason string }

// DetailMsg asks for everything about one flag.
type DetailMsg struct{ Flag sources.FlagID }

// Send is a command that delivers a message which is already there.
func Send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }

// Act is the command for a changing key on a flag as it is on the screen: an
// IntentMsg, or a RefusedMsg with the reason. A nil flag is none.
func Act(f *sources.Flag, kind sources.ChangeKind, readOnly bool) tea.Cmd {
	switch {
	case f == nil:
		return Send(RefusedMsg{Reason: "no flag is selected"})
	case readOnly:
		return Send(RefusedMsg{Reason: "this board is read-only"})
	}
	to, err := f.Plan(kind)
	if err != nil {
		return Send(RefusedMsg{Reason: sources.Sentence(err)})
	}
	return Send(IntentMsg{Intent: sources.Intent{Kind: kind, Flag: f.ID, Seen: f.Revision, SeenAs: f.Brief(), To: to}})
}
