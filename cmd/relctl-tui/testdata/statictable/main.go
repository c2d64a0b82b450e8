// Command statictable is the baseline of the first-frame benchmark: a Charm v2
// program that shows a table of 24 rows, which never change, and leaves on a key.
package main

import (
	"fmt"
	"os"

	"charm.land/bubbles/v2/table"
	tea "charm.land/bubbletea/v2"
)

type model struct{ table table.Model }

func (model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(tea.KeyPressMsg); ok {
		return m, tea.Quit
	}
	return m, nil
}

func (m model) View() tea.View {
	v := tea.NewView(m.table.View() + "\ncomplete")
	v.AltScreen = true
	return v
}

func main() {
	rows := make([]table.Row, 24)
	for i := range rows {
		rows[i] = table.Row{fmt.Sprintf("flag-%02d", i), "on", fmt.Sprintf("%d%%", i*4), "4m ana"}
	}
	m := model{table.New(
		table.WithColumns([]table.Column{{Title: "flag", Width: 40}, {Title: "state", Width: 10}, {Title: "rollout", Width: 20}, {Title: "changed", Width: 20}}),
		table.WithRows(rows), table.WithHeight(26), table.WithWidth(110),
	)}
	if _, err := tea.NewProgram(m).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
