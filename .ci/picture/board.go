package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
	"relctl-tui/themes"
	"relctl-tui/ui"
)

// looking is for how long the board has seen the incident when it is drawn: long enough
// for it to have looked for a suspect.
const looking = 20 * time.Second

// picture is the board at a moment, drawn.
func picture(s *sources.Snapshot, theme string, w, h int) ([]byte, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	now := s.At.Add(-looking)
	clock := func() time.Time { return now }
	th, err := themes.New(themes.Options{Name: theme})
	if err != nil {
		return nil, err
	}
	engine := live.New(live.Options{Now: clock, Sources: pasts(s)})
	engine.Show(s)
	m := ui.New(ctx, ui.Options{
		Engine: engine, Control: control.New(control.Options{Now: clock}),
		Theme: th, Actor: "ana", Now: clock,
	}, w, h)
	m.Update(ui.SnapshotPublishedMsg{Snapshot: engine.Snapshot()})
	now = s.At
	_, cmd := m.Update(ui.ClockTickedMsg{Now: now})
	found, err := await(cmd)
	if err != nil {
		return nil, err
	}
	m.Update(found)
	emu := vt.NewEmulator(w, h)
	if _, err := emu.WriteString(strings.ReplaceAll(m.View().Content, "\n", "\r\n")); err != nil {
		return nil, err
	}
	return draw(emu, w, h, paperOf(theme)), nil
}

// await runs what the board asks for until its look at the incident is done.
func await(cmd tea.Cmd) (ui.IncidentReadMsg, error) {
	done := make(chan ui.IncidentReadMsg, 1)
	var run func(tea.Cmd)
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		switch msg := cmd().(type) {
		case ui.IncidentReadMsg:
			done <- msg
		case tea.BatchMsg:
			for _, c := range msg {
				go run(c)
			}
		}
	}
	go run(cmd)
	select {
	case msg := <-done:
		return msg, nil
	case <-time.After(10 * time.Second):
		return ui.IncidentReadMsg{}, fmt.Errorf("the board did not look for a suspect")
	}
}

// past is a source that remembers what the snapshot's sparklines show.
type past struct{ of *sources.Snapshot }

func pasts(s *sources.Snapshot) []live.Source {
	all := make([]live.Source, len(s.Sources))
	for i := range s.Sources {
		all[i] = live.Source{Name: s.Sources[i].Name, Kind: s.Sources[i].Kind, Driver: past{s}, Writable: true}
	}
	return all
}

// Series implements sources.SeriesReader.
func (p past) Series(_ context.Context, q sources.SeriesQuery) (sources.Series, error) {
	t, ok := p.of.Trends[q.Latency]
	if !ok {
		return sources.Series{}, sources.ErrNotFound
	}
	const step = time.Second
	out := sources.Series{Step: step, Over: step, ReadAt: p.of.At, From: p.of.At.Add(-time.Duration(t.Len-1) * step)}
	out.Since = out.From
	for i := range t.Len {
		v := float64(t.Points[(t.Head-t.Len+i+len(t.Points))%len(t.Points)])
		out.P99 = append(out.P99, sources.Quantile{Seconds: v, OK: v >= 0})
	}
	return out, nil
}
