package ui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"relctl-tui/sources"
	"relctl-tui/sources/incident"
	"relctl-tui/views"
	"relctl-tui/views/footer"
)

// screen is what stands over the panes of the board.
type screen int

const (
	noScreen screen = iota
	suspectsScreen
	timelineScreen
	historyScreen
	resultsScreen
)

// inquiry is the looks at an incident: while a screen shows them, and by themselves a few
// times after something broke. A look costs the sources queries, so there is never more
// than one at once, and what nobody waits for any more is cancelled.
type inquiry struct {
	seq    int
	busy   bool
	near   bool // the look under way, or the last one, was at what breaks alone
	span   time.Duration
	at     time.Time // when the last look began
	cancel context.CancelFunc

	broke time.Time            // when the last thing broke; zero while nothing is broken
	names map[string]time.Time // what is broken, or was until lately, and when it was last seen so
	whole time.Time            // since when everything is whole again; zero while it is not
	made  int                  // how many looks were made of that by themselves
	found *sources.Incident
	since time.Time // when the look began that found it
	proof proof

	breached *sources.Incident // the last look that found a breach, rather one with suspects; nil for none
}

// dueAt is when, after something broke, the board looks by itself for a suspect: a
// breach is a fact only once some points are above the limit, and the cause of a slow
// one shows late.
var dueAt = [...]time.Duration{
	2 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute,
}

// The pauses between two looks that a screen shows.
const (
	brokenPause = 15 * time.Second
	wholePause  = time.Minute
)

// inquire looks at the incident, when that is due. It is called after every message.
func (m *Model) inquire() tea.Cmd {
	q := &m.inquiry
	if m.quitting || m.asleep || m.opts.Replay != nil { // a recording has no past to ask for
		q.stop()
		return nil
	}
	now := m.opts.Now()
	m.watchBreach(now)
	span, near := incident.DefaultSpan, false
	if m.screen == timelineScreen {
		span = m.timeline.Wants()
	}
	switch {
	case m.screen == suspectsScreen, m.screen == timelineScreen:
		pause := wholePause
		if !q.broke.IsZero() {
			pause = brokenPause
		}
		same := !q.near && q.span == span && !q.at.IsZero()
		if same && (q.busy || now.Sub(q.at) < pause) {
			return nil
		}
	case !q.broke.IsZero() && !q.busy && q.made < len(dueAt) && now.Sub(q.broke) >= dueAt[q.made]:
		near = true
		for q.made < len(dueAt) && now.Sub(q.broke) >= dueAt[q.made] {
			q.made++
		}
	default:
		return nil
	}
	after := time.Duration(0)
	if q.busy {
		after = rest // whoever pans over the time asks for none of it
	}
	q.stop()
	ctx, cancel := context.WithCancel(m.ctx)
	q.seq++
	q.busy, q.near, q.span, q.at, q.cancel = true, near, span, now, cancel
	m.suspects.SetReading(true)
	m.timeline.SetReading(true)
	m.frame = ""
	return readIncident(ctx, m.control, m.engine, q.seq, incident.Question{Snapshot: m.snapshot, Now: now, Span: span, Near: near}, after)
}

// stop cancels the look under way.
func (q *inquiry) stop() {
	if q.cancel != nil {
		q.cancel()
	}
	q.busy, q.cancel = false, nil
}

// watchBreach notes when something broke that was whole. What comes back within the time
// is the same breach, and what breaks for days hides no other.
func (m *Model) watchBreach(now time.Time) {
	q := &m.inquiry
	if q.names == nil {
		q.names = map[string]time.Time{}
	}
	broken := incident.Broken(m.snapshot)
	for _, name := range broken {
		if _, known := q.names[name]; !known {
			q.broke, q.made = now, 0
		}
		q.names[name] = now
	}
	maps.DeleteFunc(q.names, func(_ string, seen time.Time) bool { return now.Sub(seen) > forgetAfter })
	switch {
	case len(broken) > 0:
		if q.whole = (time.Time{}); q.broke.IsZero() {
			q.broke, q.made = now, len(dueAt) // it was looked at when it broke
			if m.changedSince(q.at) {
				q.made = 0
			}
		}
		m.footer.SetOffer(m.offer())
	case q.broke.IsZero():
	case q.whole.IsZero():
		q.whole = now
	case now.Sub(q.whole) > calmAfter:
		q.broke, q.whole = time.Time{}, time.Time{}
		m.footer.SetOffer("")
	}
}

// changedSince says that there was a change since a moment: of what broke again after one
// the last look does not know the cause.
func (m *Model) changedSince(at time.Time) bool {
	return slices.ContainsFunc(m.snapshot.Activity, func(a sources.Activity) bool {
		return a.At.After(at) && !a.Outcome.Void() && (a.Flag.Key != "" || a.Kind == sources.KindDeploy)
	})
}

// The times of an offer.
const (
	calmAfter   = 20 * time.Second // how long everything must be whole for it to go
	forgetAfter = 5 * time.Minute  // how long something must be whole to break anew
	offerFor    = 30 * time.Minute // for longer nobody wants to read the same line
)

// incidentRead shows what a look has found.
func (m *Model) incidentRead(msg IncidentReadMsg) {
	q := &m.inquiry
	if msg.Seq != q.seq || !q.busy {
		return
	}
	q.cancel()
	q.busy, q.cancel = false, nil
	q.found, q.since = &msg.Incident, q.at
	if len(q.found.Breaches) > 0 && (len(q.found.Suspects) > 0 || q.breached == nil || len(q.breached.Suspects) == 0) {
		q.breached = q.found
	}
	m.suspects.SetIncident(q.found, m.opts.Now())
	if !q.near {
		m.timeline.SetIncident(q.found, m.opts.Now())
	}
	m.footer.SetOffer(m.offer())
}

// offer is the line that points at the screen of suspects; it never acts.
func (m *Model) offer() string {
	q := &m.inquiry
	if q.broke.IsZero() || q.found == nil || q.since.Before(q.broke) || m.screen != noScreen || m.now.Sub(q.broke) > offerFor {
		return ""
	}
	label := " (" + views.Named(m.keys.Suspects) + ")"
	for i := range q.found.Suspects {
		s := &q.found.Suspects[i]
		if s.Undone || m.undone(s) {
			continue
		}
		return fmt.Sprintf("suspect: %s %s, %s before %s broke%s", s.Subject, s.What, sources.Span(s.Lag), s.Service, label)
	}
	if q.made < 3 || q.busy || q.proof.pending() || !q.whole.IsZero() {
		return ""
	}
	return "no suspect for what broke" + label
}

// undone says that a suspect is a flag that is off by now.
func (m *Model) undone(s *sources.Suspect) bool {
	f := m.snapshot.Flag(s.Flag)
	return s.Lane == sources.LaneFlags && (f == nil || f.Killed || f.State == sources.FlagOff)
}

// show puts a screen over the panes, or takes it away.
func (m *Model) show(s screen) {
	m.screen = s
	m.footer.SetOffer(m.offer())
	switch s {
	case suspectsScreen:
		m.footer.SetHelp(m.suspects.ShortHelp())
	case timelineScreen:
		m.footer.SetHelp(m.timeline.ShortHelp())
	case historyScreen:
		m.footer.SetHelp(m.past.ShortHelp())
	case resultsScreen:
		m.footer.SetHelp(m.results.ShortHelp())
	default:
		m.footer.SetHelp(m.shortHelp())
	}
	m.relayout()
}

// screenKey gives a key to the screen that stands over the panes; false where it is one
// of the board's own.
func (m *Model) screenKey(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	if m.screen == noScreen || key.Matches(msg, m.keys.Help, m.keys.NextContext) {
		return nil, false
	}
	var cmd tea.Cmd
	switch {
	case key.Matches(msg, m.keys.Escape) && m.screen == timelineScreen && m.timeline.Filter() != "":
		m.timeline.SetFilter("")
	case key.Matches(msg, m.keys.Escape, m.keys.Quit):
		m.show(noScreen)
	case key.Matches(msg, m.keys.Report):
		return m.report(), true
	case m.screen == historyScreen && key.Matches(msg, m.keys.History):
		m.show(noScreen)
	case key.Matches(msg, m.keys.Suspects):
		m.toggle(suspectsScreen)
	case key.Matches(msg, m.keys.Timeline):
		m.toggle(timelineScreen)
	case key.Matches(msg, m.keys.Filter) && m.screen == timelineScreen:
		m.openFilter()
	case m.screen == timelineScreen:
		m.timeline, cmd = m.timeline.Update(msg)
	case m.screen == historyScreen:
		m.past, cmd = m.past.Update(msg)
	case m.screen == resultsScreen:
		m.results, cmd = m.results.Update(msg)
	default:
		m.suspects, cmd = m.suspects.Update(msg)
	}
	return cmd, true
}

func (m *Model) toggle(s screen) {
	if m.screen == s {
		s = noScreen
	}
	m.show(s)
}

// screenAction is a key that acts while a screen stands over the panes: it kills the
// flag of the suspect under the cursor, through the gate and the one path of every
// change, and does nothing else.
func (m *Model) screenAction(kind sources.ChangeKind) tea.Cmd {
	refuse := func(reason string) tea.Cmd {
		m.footer.SetStatus(reason, footer.Warning)
		return nil
	}
	if m.screen == historyScreen {
		return m.historyAction(kind)
	}
	if m.screen != suspectsScreen || kind != sources.Kill {
		return refuse(m.outOfSight("row"))
	}
	s := m.suspects.Selected()
	switch {
	case s == nil:
		return refuse("there is no suspect to kill")
	case s.Lane == sources.LaneDeploys:
		return refuse(s.Subject + " was deployed, which is not undone from here: roll it back where it was rolled out")
	case s.Lane == sources.LaneBreakers:
		return refuse(s.Subject + " is a breaker that somebody switched: esc, then " + views.Named(m.keys.CloseBreaker) + " on its row closes it again")
	}
	f := m.snapshot.Flag(s.Flag)
	switch {
	case f == nil:
		return refuse(s.Subject + " is not in its store any more")
	case m.snapshot.Source(f.ID.Source).ReadOnly != "":
		return refuse(f.ID.Source + " cannot be changed from here: " + m.snapshot.Source(f.ID.Source).ReadOnly)
	}
	return views.Act(m.snapshot, f, kind, m.opts.ReadOnly)
}

// proof is what follows a kill of a suspect: whether what it broke comes back.
type proof struct {
	name    string
	suspect sources.Suspect
	limit   float64 // of the metric, in its unit
	killed  time.Time
	since   time.Time // since when it is back; zero while it is not
	told    bool
	back    string // what was told of that it is back; "" where it was not
}

// pending says that a recovery is waited for.
func (p *proof) pending() bool { return !p.killed.IsZero() && !p.told }

// The times of a proof.
const (
	backFor   = 3 * time.Second // how long a metric must be back to count
	proofTill = 5 * time.Minute // how long it is waited for
)

// killedSuspect begins to wait for the recovery, when a confirmed kill was one of a
// suspect's flag.
func (m *Model) killedSuspect(msg ActionFinishedMsg) {
	q := &m.inquiry
	if msg.Err != nil || msg.Intent.Kind != sources.Kill || q.found == nil || msg.Receipt.Old.Revision == msg.Receipt.New.Revision {
		return
	}
	i := slices.IndexFunc(q.found.Suspects, func(s sources.Suspect) bool {
		return s.Lane == sources.LaneFlags && s.Flag == msg.Intent.Flag
	})
	if i < 0 {
		return
	}
	p := proof{name: msg.Receipt.New.Name, suspect: q.found.Suspects[i], killed: msg.Start}
	for k := range q.found.Metrics {
		if met := &q.found.Metrics[k]; met.Name == p.suspect.Metric {
			p.limit = met.Limit
		}
	}
	for k := range q.found.Breaches {
		if b := &q.found.Breaches[k]; b.Metric == p.suspect.Metric && p.limit == 0 {
			p.limit = max(b.Before*1.5, b.Before+(b.After-b.Before)/10)
		}
	}
	q.proof = p
	m.suspects.SetProof(views.Note{Ink: m.opts.Theme.Pending, Text: p.name + " is killed; waiting for " + p.suspect.Metric + " to come back"})
}

// prove looks whether what a killed suspect broke is back. It is called with each
// snapshot and each tick.
func (m *Model) prove() {
	p := &m.inquiry.proof
	if !p.pending() && p.back == "" {
		return
	}
	now := m.opts.Now()
	value, back := m.recovered(p)
	if p.back != "" {
		if !back { // what broke again has not recovered, whatever was so before
			if m.footer.Status() == p.back {
				m.clearStatus()
			}
			*p = proof{}
			m.suspects.SetProof(views.Note{})
		}
		return
	}
	switch {
	case back && p.since.IsZero():
		p.since = now
	case !back:
		p.since = time.Time{}
	}
	th := m.opts.Theme
	switch {
	case back && now.Sub(p.since) >= backFor:
		p.told = true
		text := fmt.Sprintf("recovered: %s %s back at %s, %s after %s was killed",
			p.suspect.Metric, are(p.suspect.Metric), value, sources.Span(max(p.since.Sub(p.killed), time.Second)), p.name)
		m.suspects.SetProof(views.Note{Ink: th.Good, Text: th.Glyphs.Good + " " + text})
		m.footer.SetStatus(text, footer.Done, p.name)
		p.back = m.footer.Status()
	case now.Sub(p.killed) > proofTill:
		p.told = true
		text := fmt.Sprintf("%s %s at %s, %s after %s was killed: that was not it, or not alone", p.suspect.Metric, are(p.suspect.Metric), value, sources.Span(proofTill), p.name)
		m.suspects.SetProof(views.Note{Ink: th.Warn, Text: text})
		m.notify(notice{level: footer.Warning, text: text, names: []string{p.name}})
	}
}

// are is the verb of a metric: its errors are several.
func are(metric string) string {
	if strings.HasSuffix(metric, " errors") {
		return "are"
	}
	return "is"
}

// recovered is what the metric of a proof is now, and whether it is back: a service whose
// breaker lets nothing through has few errors, and is not back, nor is one that answers
// what it answers within its SLO and fails the rest.
func (m *Model) recovered(p *proof) (value string, back bool) {
	breaker, ofBreaker := strings.CutSuffix(p.suspect.Metric, " breaker")
	for i := range m.snapshot.Breakers {
		if b := &m.snapshot.Breakers[i]; (b.Name == p.suspect.Service || ofBreaker && b.Name == breaker) && b.Broken() {
			return b.State.String(), false
		}
	}
	l := m.snapshot.Latency(p.suspect.Service)
	switch {
	case l == nil && ofBreaker:
		return sources.BreakerClosed.String(), true
	case l == nil:
		return "not measured any more", false
	}
	value = views.Seconds(l.P99)
	back = l.P99.OK && (l.SLO <= 0 || !l.P99.Over && l.P99.Seconds <= l.SLO.Seconds())
	switch p.suspect.Metric {
	case l.Name + " breaker":
		if value = sources.BreakerClosed.String(); !back {
			value += " with a p99 of " + views.Seconds(l.P99)
		}
	case l.Name + " errors":
		value = views.Ratio(l.ErrorRatio)
		back = back && l.ErrorRatio.OK && l.ErrorRatio.V <= p.limit
	case l.Name + " p99":
		back = back && l.P99.Seconds <= p.limit
	}
	return value, back
}
