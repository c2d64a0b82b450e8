package ui

import (
	"fmt"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// Replay is a recording that plays. Its methods are goroutine-safe and wait for
// nothing: what they ask for shows in the snapshots to come.
type Replay interface {
	Playback() sources.Playback
	Pause()
	Seek(by time.Duration)
	PrevEvent()
	NextEvent()
	Slower()
	Faster()
}

// How far one key moves through a recording.
const (
	seekStep = 10 * time.Second
	seekLeap = time.Minute
)

// clock is the time that ages are counted to: of a recording its own. When a key counts
// is always a question of the wall's clock.
func (o *Options) clock() time.Time {
	if o.Replay != nil {
		return o.Replay.Playback().Moment
	}
	return o.Now()
}

// moveClock brings the board to the present, of a recording to where it is.
func (m *Model) moveClock() {
	m.now = m.opts.clock()
	m.showPlayback()
}

// showPlayback has the header say where a replay is, and the status line what of it is
// missing.
func (m *Model) showPlayback() {
	if m.opts.Replay == nil {
		m.header.SetRecording(m.opts.Recording)
		return
	}
	p := m.opts.Replay.Playback()
	m.header.SetPlayback(&p)
	lacks := ""
	switch {
	case p.Note != "":
		lacks = p.Note + ": what is shown is older"
	case p.Lost == 1:
		lacks = "a gap: the snapshot before this one was not recorded"
	case p.Lost > 1:
		lacks = fmt.Sprintf("a gap: %d snapshots before this one were not recorded", p.Lost)
	}
	if lacks == m.lacks {
		return
	}
	if now := m.footer.Status(); now == "" || now == m.lacks || now == m.opts.Banner {
		m.footer.SetStatus(lacks, footer.Warning)
	}
	m.lacks = lacks
}

// replayKey handles the keys that move through a recording. They tell it at once: it waits
// for nothing, and of two commands nobody knows which comes first.
func (m *Model) replayKey(msg tea.KeyPressMsg) (handled bool) {
	r, k := m.opts.Replay, &m.keys.Replaying
	if r == nil {
		return false
	}
	switch {
	case key.Matches(msg, m.keys.Suspects, m.keys.Timeline, m.keys.Report, m.keys.History):
		m.footer.SetStatus("this looks into the past of sources and stores, which is not recorded: "+views.Named(k.NextEvent)+" and "+views.Named(k.PrevEvent)+" go through what happened", footer.Info)
	case key.Matches(msg, k.Play):
		r.Pause()
	case key.Matches(msg, k.Back):
		r.Seek(-seekStep)
	case key.Matches(msg, k.On):
		r.Seek(seekStep)
	case key.Matches(msg, k.MinuteBack):
		r.Seek(-seekLeap)
	case key.Matches(msg, k.MinuteOn):
		r.Seek(seekLeap)
	case key.Matches(msg, k.PrevEvent):
		r.PrevEvent()
	case key.Matches(msg, k.NextEvent):
		r.NextEvent()
	case key.Matches(msg, k.Slower):
		r.Slower()
	case key.Matches(msg, k.Faster):
		r.Faster()
	default:
		return false
	}
	return true
}

// saveRecording saves what was shown of late; the board goes on meanwhile.
func (m *Model) saveRecording() tea.Cmd {
	if m.opts.SaveRecording == nil {
		m.footer.SetStatus("this board records nothing, so there is nothing to save", footer.Info)
		return nil
	}
	m.footer.SetStatus("saving what was shown of late", footer.Waiting)
	return keepRecording(m.opts.SaveRecording)
}

// recorded shows what became of a recording.
func (m *Model) recorded(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case NoticeMsg:
		return m.noticed(msg)
	case RecordingSavedMsg:
		m.recordingSaved(msg)
	}
	return nil
}

func (m *Model) recordingSaved(msg RecordingSavedMsg) {
	if msg.Err != nil {
		m.footer.SetStatus(sources.Sentence(msg.Err), footer.Failure)
		return
	}
	m.footer.SetStatus(fmt.Sprintf("%s to %s is saved: relctl-tui replay %s",
		msg.From.Format(time.TimeOnly), msg.To.Format(time.TimeOnly), msg.Path), footer.Done)
}

// noticed shows a warning and waits for the next.
func (m *Model) noticed(msg NoticeMsg) tea.Cmd {
	m.opts.Recording = false
	m.header.SetRecording(false)
	m.notify(notice{level: footer.Warning, text: msg.Text})
	return awaitNotice(m.ctx, m.opts.Notices)
}
