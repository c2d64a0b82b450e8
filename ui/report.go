package ui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views/footer"
)

// ReportWrittenMsg says where a report of what happened was written, or why it was not.
type ReportWrittenMsg struct {
	Where string
	Err   error
}

// writeReport writes down what happened, with what was found of it meanwhile. It changes nothing but its own new files.
func writeReport(ctx context.Context, found *sources.Incident, write func(context.Context, *sources.Incident) (string, error)) tea.Cmd {
	return func() tea.Msg {
		where, err := write(ctx, found)
		return ReportWrittenMsg{where, err}
	}
}

// report begins to write one, unless one is being written.
func (m *Model) report() tea.Cmd {
	switch {
	case m.reporting:
		m.footer.SetStatus("a report is being written already", footer.Info)
	case m.opts.Report == nil:
		m.footer.SetStatus("this board is served, so it has no files of yours: relctl-tui report writes what happened", footer.Warning)
	default:
		m.reporting = true
		m.footer.SetStatus("writing down what happened", footer.Info)
		return writeReport(m.ctx, m.inquiry.breached, m.opts.Report)
	}
	return nil
}

func (m *Model) reportWritten(msg ReportWrittenMsg) {
	m.reporting = false
	if msg.Err != nil {
		m.footer.SetStatus(sources.Sentence(msg.Err), footer.Failure)
		return
	}
	m.footer.SetStatus(msg.Where, footer.Done)
}
