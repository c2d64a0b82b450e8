package history_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/history"
	"relctl-tui/views/viewtest"
)

var id = sources.FlagID{Source: "prod", Key: "checkout-v2"}

func past(n int) *sources.History {
	h := &sources.History{Flag: sources.Flag{ID: id, Name: "checkout-v2", Rollout: sources.Some(sources.Pct(n)), Revision: "now"}}
	for i := n; i > 0; i-- {
		h.Past = append(h.Past, sources.PastChange{Exact: true, Activity: sources.Activity{
			ID: fmt.Sprint("c", i), At: time.Date(2026, 3, 1, 3, i, 0, 0, time.Local), Kind: "set", Flag: id, Actor: "ana",
			Reason: "because", Old: fmt.Sprint(i-1, "%"), New: fmt.Sprint(i, "%"), Outcome: sources.Confirmed,
		}})
	}
	h.Past[0].InForce = true
	return h
}

func screen(t *testing.T, w, h int) history.Model {
	m := history.New(viewtest.Theme(t, "mono", false), views.DefaultKeyMap())
	m.SetSize(w, h)
	m.SetSnapshot(nil, time.Date(2026, 3, 1, 4, 0, 0, 0, time.Local))
	m.Open(id, "checkout-v2")
	return m
}

func down(m history.Model, n int) history.Model {
	for range n {
		m, _ = m.Update(tea.KeyPressMsg{Code: 'j', Text: "j"})
	}
	return m
}

func TestTheScreenFillsEverySizeAndSaysWhatTheKeyWouldDo(t *testing.T) {
	t.Parallel()
	for _, s := range [][2]int{{60, 13}, {80, 22}, {120, 37}} {
		m := screen(t, s[0], s[1])
		viewtest.RequireFrame(t, m.View(), s[0], s[1])
		m.SetHistory(past(90), nil)
		m = down(m, 50)
		viewtest.RequireFrame(t, m.View(), s[0], s[1])
		text := ansi.Strip(m.View())
		require.Contains(t, text, "r returns checkout-v2 90% ➔ 40%")
		require.Contains(t, text, "39% ➔ 40%", "the cursor is in sight")
	}
}

func TestTheCursorStaysOnItsStateWhenAChangeComesIn(t *testing.T) {
	t.Parallel()
	m := screen(t, 80, 22)
	m.SetHistory(past(5), nil)
	m = down(m, 2)
	m.SetHistory(past(6), nil)
	in, refused := m.Intend()
	require.Empty(t, refused)
	require.Equal(t, sources.Intent{Kind: sources.Restore, Flag: id, Seen: "now", SeenAs: "6%", ToAs: "3%", Change: "c3"}, in)
	m.SetHistory(&sources.History{Flag: sources.Flag{ID: id}}, errors.New("the store is down"))
	require.Contains(t, ansi.Strip(m.View()), "the store is down")
	require.Contains(t, ansi.Strip(m.View()), "2% ➔ 3%", "what was read stays")
	m.SetHistory(past(1), nil)
	_, refused = m.Intend()
	require.Contains(t, refused, "1% already")
}
