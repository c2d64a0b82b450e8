package ui

import (
	"cmp"
	"fmt"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/flags"
	"relctl-tui/views/footer"
	"relctl-tui/views/palette"
	"relctl-tui/views/prompt"
)

// This file is all that can be said to the board.

func (m *Model) commandList() []command {
	out := m.flagCommands()
	out = append(out, m.otherActs()...)
	out = append(out, m.looking()...)
	out = append(out, m.places()...)
	out = append(out, m.program()...)
	out = append(out, m.replaying()...)
	out = append(out, m.asPressed()...)
	out = append(out, m.named()...)
	return out
}

// entry is a command that a key does as well.
func entry(kind, text string, k key.Binding, does string) palette.Entry {
	return palette.Entry{Text: text, Kind: kind, Does: cmp.Or(does, k.Help().Desc), Key: k.Help().Key}
}

// flagCommands change flags.
func (m *Model) flagCommands() []command {
	on := ""
	if f, ok := m.flags.Selected(); ok && m.screen == noScreen {
		on = f.Name + ", " + f.Brief()
	}
	if n := len(m.flags.Marked()); n > 0 {
		on = flagsText(n) + " marked"
	}
	why := ""
	if m.opts.ReadOnly {
		why = m.denied()
	}
	k := &m.keys
	act := func(text string, kind sources.ChangeKind, b key.Binding) command {
		e := entry("action", text, b, "")
		e.Acts, e.Flag, e.On, e.Why = true, true, on, why
		return command{e, m.acts(kind)}
	}
	percent := func(text string) (string, bool) {
		p, at, err := prompt.Percentage(text, m.now.In(m.zone()))
		if err != nil {
			return sources.Sentence(err), false
		}
		hint := views.PercentText(p)
		if !at.IsZero() {
			hint += " " + views.Ahead(at, m.now)
		}
		return hint, true
	}
	ramp, set := act("ramp", sources.Ramp, k.Ramp), act("set", sources.Set, k.SetPercent)
	ramp.Does += ", or to a percentage"
	ramp.Rest, set.Rest = percent, percent
	undo := act("undo", sources.Undo, k.Undo)
	undo.Flag, undo.On = false, ""
	return []command{
		act("kill", sources.Kill, k.Kill), ramp, act("back", sources.Back, k.Back), undo, set,
		act("guarded", sources.Guarded, k.Guarded), act("pause", pauseKind, k.Pause),
	}
}

// otherActs change breakers and alerts, and mark flags.
func (m *Model) otherActs() []command {
	k := &m.keys
	why := ""
	if m.opts.ReadOnly {
		why = m.denied()
	}
	act := func(text string, kind sources.ChangeKind, b key.Binding, can bool, lacks string) command {
		e := entry("action", text, b, "")
		e.Acts, e.Why = true, why
		if why == "" && !can {
			e.Why = lacks
		}
		return command{e, m.acts(kind)}
	}
	switches := m.shown.ForceOpen.Enabled()
	const noSwitch = "no source of this board switches breakers"
	out := []command{
		act("open", sources.ForceOpen, k.ForceOpen, switches, noSwitch),
		act("close", sources.CloseBreaker, k.CloseBreaker, switches, noSwitch),
		act("silence", sources.SilenceAlert, k.Silence, m.shown.Silence.Enabled(), "no source of this board silences alerts"),
	}
	mark := entry("action", "mark", k.Mark, "mark the flag, or take its mark away")
	mark.Why = why
	out = append(out, command{mark, func(palette.ChosenMsg) tea.Cmd { return m.paneOf(paneFlags, k.Mark) }})
	if switches && why == "" {
		for i := range m.snapshot.Breakers {
			b := &m.snapshot.Breakers[i]
			if !m.snapshot.Source(b.Source).Switches {
				continue
			}
			for i, kind := range []sources.ChangeKind{sources.ForceOpen, sources.CloseBreaker} {
				e := palette.Entry{Text: []string{"open ", "close "}[i] + b.Name, Kind: "action", Does: b.State.String(), Acts: true}
				out = append(out, command{e, func(palette.ChosenMsg) tea.Cmd {
					if !m.admits(kind, false, time.Time{}) {
						return nil
					}
					return m.switchTo(kind, b)
				}})
			}
		}
	}
	return out
}

// paneOf gives a key to a pane, for what a view does by itself.
func (m *Model) paneOf(p pane, b key.Binding) tea.Cmd {
	if m.focus != p || m.screen != noScreen {
		m.toPanes()
		m.focus = p
		m.refocused()
	}
	return m.paneKey(views.Press(b))
}

// looking is what looks at more of the same.
func (m *Model) looking() []command {
	k := &m.keys
	plain := func(text string, b key.Binding, run func() tea.Cmd) command {
		return command{entry("look", text, b, ""), func(palette.ChosenMsg) tea.Cmd { return run() }}
	}
	recorded := ""
	if m.opts.Replay != nil {
		recorded = "a recording has no past of sources and stores: next and previous go through what happened"
	}
	history := command{entry("screen", "history", k.History, "past of a flag, and return to it"), func(said palette.ChosenMsg) tea.Cmd {
		if said.Flag == nil {
			return m.openHistory()
		}
		m.helping = false
		m.past.Open(said.Flag.ID, said.Flag.Name)
		m.show(historyScreen)
		return m.askHistory()
	}}
	history.Flag, history.Why = true, recorded
	detail := command{entry("look", "detail", k.Detail, "everything about the selected row, or a flag"), func(said palette.ChosenMsg) tea.Cmd {
		if said.Flag != nil {
			m.reveal(views.FlagSubject(said.Flag.ID))
		}
		on := m.subject()
		if on.Kind == views.NoSubject || m.screen != noScreen {
			m.footer.SetStatus("nothing is selected that has a detail", footer.Warning)
			return nil
		}
		return views.Send(views.DetailMsg{Subject: on})
	}}
	detail.Flag = true
	chart := plain("chart", k.Chart, func() tea.Cmd { return m.browse(views.Press(k.Chart)) })
	span := plain("span", k.Span, func() tea.Cmd { return m.browse(views.Press(k.Span)) })
	if !m.detailed {
		chart.Why = "only a detail has a chart: " + views.Named(k.Detail) + " opens one"
		if span.Why = chart.Why; m.screen == timelineScreen {
			span.Why = ""
		}
	}
	report := plain("report", k.Report, m.report)
	report.Why = recorded
	return append(
		m.ordering(), history, detail, chart, span, report,
		plain("zoom", k.Zoom, func() tea.Cmd { m.zoom(); return nil }),
		plain("copy", k.Copy, m.copyText),
		plain("sort", k.Sort, func() tea.Cmd { return m.paneOf(m.focus, k.Sort) }),
	)
}

// ordering is which flags the table shows, and in which order.
func (m *Model) ordering() []command {
	k := &m.keys
	filter := command{entry("look", "filter", k.Filter, "narrow the pane: "+filterFields[m.focus]), func(said palette.ChosenMsg) tea.Cmd {
		if said.Rest == "" {
			m.openFilter()
			return nil
		}
		m.toPanes()
		m.narrow(m.focus, said.Rest)
		return nil
	}}
	filter.Rest = func(text string) (string, bool) {
		if _, err := views.ParseFilter(text); err != nil {
			return err.Error(), false
		}
		return text, true
	}
	out := []command{filter}
	out = append(out, m.namedFilters()...)
	for _, by := range flags.Sorts() {
		out = append(out, command{palette.Entry{Text: "sort " + by.String(), Kind: "sort", Does: "order the flags " + by.String()}, func(palette.ChosenMsg) tea.Cmd {
			m.flags.SetSort(by)
			return nil
		}})
	}
	return out
}

// only goes to the flags and shows those that a filter lets through.
func (m *Model) only(filter string) {
	m.toPanes()
	m.focus = paneFlags
	m.narrow(paneFlags, filter)
}

// places is every pane and every screen.
func (m *Model) places() []command {
	var out []command
	for p, name := range paneNames {
		c := command{palette.Entry{Text: name, Kind: "pane", Does: "go to " + name}, func(palette.ChosenMsg) tea.Cmd {
			m.toPanes()
			m.focus = pane(p)
			m.refocused()
			return nil
		}}
		if pane(p) == paneAlerts && m.alerts.Wants() < 0 {
			c.Why = "no source of this board has alerts"
		}
		out = append(out, c)
	}
	over := func(text string, b key.Binding, s screen) command {
		c := command{entry("screen", text, b, ""), func(palette.ChosenMsg) tea.Cmd {
			m.helping = false
			m.show(s)
			return nil
		}}
		if m.opts.Replay != nil {
			c.Why = "a recording has no past of sources and stores: next and previous go through what happened"
		}
		return c
	}
	help := command{entry("screen", "help", m.keys.Help, "every key"), func(palette.ChosenMsg) tea.Cmd { m.showHelp(true); return nil }}
	return append(out, over("suspects", m.keys.Suspects, suspectsScreen), over("timeline", m.keys.Timeline, timelineScreen), help)
}

// program is about the board as a whole.
func (m *Model) program() []command {
	k := &m.keys
	quit := command{entry("program", "quit", k.Quit, ""), func(palette.ChosenMsg) tea.Cmd { return m.quit() }}
	quit.Also = []string{"q", "q!", "exit"}
	save := command{entry("program", "keep", k.SaveRecording, "save what was shown of late"), func(palette.ChosenMsg) tea.Cmd { return m.saveRecording() }}
	if m.opts.SaveRecording == nil {
		save.Why = "this board records nothing"
	}
	suspend := command{entry("program", "suspend", k.Suspend, ""), func(palette.ChosenMsg) tea.Cmd { return askToSuspend }}
	if m.opts.Remote != nil {
		suspend.Why = "this board is served, so there is nothing to stop"
	}
	out := []command{quit, save, suspend}
	for _, name := range m.opts.Contexts {
		c := command{palette.Entry{Text: "context " + name, Kind: "context", Does: "open " + name}, func(palette.ChosenMsg) tea.Cmd {
			return m.toContext(name)
		}}
		if name == m.snapshot.Context {
			c.Why = "this is " + name + " already"
		}
		out = append(out, c)
	}
	for _, name := range m.opts.Themes {
		out = append(out, command{palette.Entry{Text: "theme " + name, Kind: "theme", Does: themes.About(name)}, func(palette.ChosenMsg) tea.Cmd {
			m.wear(name)
			return nil
		}})
	}
	return out
}

// replaying moves through a recording.
func (m *Model) replaying() []command {
	r, k := m.opts.Replay, &m.keys.Replaying
	if r == nil {
		return nil
	}
	do := func(text string, b key.Binding, f func()) command {
		return command{entry("replay", text, b, ""), func(palette.ChosenMsg) tea.Cmd { f(); return nil }}
	}
	seek := command{
		palette.Entry{Text: "seek", Kind: "replay", Does: "on by a span such as 90s, or back by -5m", Rest: func(text string) (string, bool) {
			d, err := time.ParseDuration(text)
			if err != nil {
				return "write a span such as 90s or -5m", false
			}
			return fmt.Sprintf("by %s", d), true
		}},
		func(said palette.ChosenMsg) tea.Cmd {
			d, err := time.ParseDuration(said.Rest)
			if err != nil {
				m.footer.SetStatus("say how far: seek 90s, seek -5m", footer.Info)
				return nil
			}
			r.Seek(d)
			return nil
		},
	}
	return []command{
		do("play", k.Play, r.Pause), do("next", k.NextEvent, r.NextEvent), do("previous", k.PrevEvent, r.PrevEvent),
		do("slower", k.Slower, r.Slower), do("faster", k.Faster, r.Faster), seek,
	}
}

// named is the breakers and latencies, to go to.
func (m *Model) named() []command {
	var out []command
	to := func(kind, name, does string, s views.Subject) {
		out = append(out, command{palette.Entry{Text: kind + " " + name, Kind: kind, Does: does}, func(palette.ChosenMsg) tea.Cmd { return m.reveal(s) }})
	}
	for i := range m.snapshot.Breakers {
		b := &m.snapshot.Breakers[i]
		to("breaker", b.Name, b.State.String(), views.BreakerSubject(b))
	}
	for i := range m.snapshot.Latencies {
		l := &m.snapshot.Latencies[i]
		to("latency", l.Name, l.Verdict.String(), views.LatencySubject(l))
	}
	return out
}
