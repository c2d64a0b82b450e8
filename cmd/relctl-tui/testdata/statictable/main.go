// Command statictable is the baseline of the first-frame benchmark: the least
// that a Charm v2 program does to draw a table of 24 rows and leave on a key.
package main

import (
	"fmt"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
)

type model struct{}

func (model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(tea.KeyPressMsg); ok {
		return m, tea.Quit
	}
	return m, nil
}

func (model) View() tea.View {
	var b strings.Builder
	for i := range 24 {
		fmt.Fprintf(&b, "row-%02d  on   %3d%%   ana   4m\n", i, i*4)
	}
	v := tea.NewView(b.String() + "complete")
	v.AltScreen = true
	return v
}

func main() {
	if _, err := tea.NewProgram(model{}).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
