package views

import (
	"strconv"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/themes"
)

// Look is how a state is shown: always by a sign of one cell and an ASCII word,
// and by colour where there is any.
type Look struct {
	Glyph, Word string
	Ink         themes.Ink
}

// FlagLook tells a flag that is being ramped from one that is fully on, and one
// that was killed from one that is at 0 %.
func FlagLook(th *themes.Theme, f *sources.Flag) Look {
	g := &th.Glyphs
	switch {
	case f.State == sources.FlagBroken && f.Killed:
		return Look{g.FlagBroken, "killed", th.Bad} // and still nothing that evaluators accept
	case f.State == sources.FlagBroken:
		return Look{g.FlagBroken, "broken", th.Bad}
	case f.Killed:
		return Look{g.FlagKilled, "killed", th.Warn}
	case f.Stage() != "":
		return stageLook(th, f)
	case f.State == sources.FlagCustom:
		return Look{g.FlagCustom, "custom", th.Text}
	case Ramping(f):
		return Look{g.FlagRamping, "ramping", th.Accent}
	case f.State == sources.FlagOn:
		return Look{g.FlagOn, "on", th.Good}
	default:
		return Look{g.FlagOff, "off", th.Quiet}
	}
}

// stageLook is a migration's highest stage.
func stageLook(th *themes.Theme, f *sources.Flag) Look {
	at, _ := f.Migration.Position(f)
	word := f.Migration.Stages[at.High]
	if strings.ContainsFunc(word, func(r rune) bool { return r >= 0x80 }) {
		word = "stage" // the column is cut by bytes; the whole name stands beside it
	}
	switch {
	case at == sources.Position{}:
		return Look{th.Glyphs.FlagOff, word, th.Quiet}
	case at.Low == len(f.Migration.Stages)-1:
		return Look{th.Glyphs.FlagOn, word, th.Good}
	default:
		return Look{th.Glyphs.FlagRamping, word, th.Accent}
	}
}

// StageText is where a migration stands in few words: "shadow 3/6", or each cohort's
// stage with its part; "" for what is no migration, is killed, or cannot be told.
func StageText(f *sources.Flag) string {
	text := f.Stage()
	if f.Killed {
		return ""
	}
	if text == "" || len(f.Serves) > 1 {
		return text
	}
	at, _ := f.Migration.Position(f)
	return text + " " + strconv.Itoa(at.High+1) + "/" + strconv.Itoa(len(f.Migration.Stages))
}

// Ramping tells whether a flag is between off and fully on, or a migration between its
// first and its last stage.
func Ramping(f *sources.Flag) bool {
	if f.Stage() != "" && !f.Killed {
		at, _ := f.Migration.Position(f)
		return at.High > 0 && at.Low < len(f.Migration.Stages)-1
	}
	return f.State == sources.FlagOn && f.Rollout.OK && f.Rollout.V > 0 && f.Rollout.V < sources.Full
}

// BreakerLook makes what is open the loudest and what is closed the quietest; a
// breaker that does not protect is a warning, not health.
func BreakerLook(th *themes.Theme, s sources.BreakerState) Look {
	g := &th.Glyphs
	switch s {
	case sources.BreakerOpen:
		return Look{g.Open, s.String(), th.Bad}
	case sources.BreakerForcedOpen:
		return Look{g.Forced, s.String(), th.Bad}
	case sources.BreakerHalfOpen:
		return Look{g.HalfOpen, s.String(), th.Warn}
	case sources.BreakerForcedClosed, sources.BreakerDisabled:
		return Look{g.Unprotected, s.String(), th.Warn}
	case sources.BreakerClosed:
		return Look{g.Closed, s.String(), th.Good}
	default:
		return Look{g.Unknown, sources.BreakerUnknown.String(), th.Warn}
	}
}

// AlertLook is how an alert's state is shown. What is silenced is quiet, but there.
func AlertLook(th *themes.Theme, s sources.AlertState) Look {
	g := &th.Glyphs
	switch s {
	case sources.AlertPending:
		return Look{Glyph: g.Stale, Word: s.String(), Ink: th.Warn}
	case sources.AlertSilenced:
		return Look{Glyph: g.Idle, Word: s.String(), Ink: th.Quiet}
	default:
		return Look{Glyph: g.Bad, Word: s.String(), Ink: th.Bad}
	}
}

// VerdictLook is how a latency stands against its SLO.
func VerdictLook(th *themes.Theme, v sources.Verdict) Look {
	g := &th.Glyphs
	switch v {
	case sources.VerdictBreached:
		return Look{g.Bad, "breached", th.Bad}
	case sources.VerdictBurning:
		return Look{g.Bad, "burning", th.Bad}
	case sources.VerdictOK:
		return Look{g.Good, "ok", th.Good}
	case sources.VerdictNone:
		return Look{g.Neutral, "no SLO", th.Quiet}
	case sources.VerdictNoTraffic:
		return Look{g.Idle, "no traffic", th.Quiet}
	default:
		return Look{g.Unknown, "unknown", th.Warn}
	}
}

// lookWidth is how wide a column of looks is, sign and word.
const lookWidth = 15

// LatencyLook is a latency's verdict with the number that it rests on: of one with an
// objective, how fast its error budget burns, or how much of it is left.
func LatencyLook(th *themes.Theme, l *sources.Latency) Look {
	look := VerdictLook(th, l.Verdict)
	b, number := &l.Budget, ""
	switch {
	case l.Verdict == sources.VerdictBurning:
		number = Times(b.Burning().Rate)
	case b.Left.OK && (l.Verdict == sources.VerdictOK || l.Verdict == sources.VerdictBreached):
		number = Left(b.Left)
	}
	// Half of a number is another number: one that does not fit is left to the detail.
	if word := look.Word + " " + number; number != "" && len(word) <= lookWidth-len("x ") {
		look.Word = word
	}
	return look
}

// HealthLook is how far a source can be trusted.
func HealthLook(th *themes.Theme, h sources.Health) Look {
	g := &th.Glyphs
	switch h {
	case sources.Fresh:
		return Look{g.Good, h.String(), th.Good}
	case sources.Stale:
		return Look{g.Stale, h.String(), th.Warn}
	default:
		return Look{g.Unknown, sources.Unknown.String(), th.Bad}
	}
}

// OutcomeLook is how far a change has come.
func OutcomeLook(th *themes.Theme, o sources.Outcome) Look {
	g := &th.Glyphs
	switch o {
	case sources.Confirmed:
		return Look{g.Good, string(o), th.Good}
	case sources.Failed, sources.Refused:
		return Look{g.Bad, string(o), th.Bad}
	case sources.Unconfirmed:
		return Look{g.Unknown, string(o), th.Warn}
	case sources.Pending, sources.Awaiting:
		return Look{g.Stale, string(o), th.Pending}
	case sources.Scheduled:
		return Look{g.Idle, string(o), th.Quiet}
	default:
		return Look{g.Neutral, "seen", th.Quiet}
	}
}

// GuardLook is what a guard says.
func GuardLook(th *themes.Theme, v sources.GuardVerdict) Look {
	g := &th.Glyphs
	switch v {
	case sources.GuardPass:
		return Look{g.Good, v.String(), th.Good}
	case sources.GuardBreach:
		return Look{g.Bad, v.String(), th.Bad}
	case sources.GuardInsufficient:
		return Look{g.Idle, v.String(), th.Quiet}
	default:
		return Look{g.Unknown, v.String(), th.Warn}
	}
}

// RampLook is where a guarded ramp is.
func RampLook(th *themes.Theme, r *sources.RampStatus) Look {
	g := &th.Glyphs
	word := string(r.Phase)
	switch r.Phase {
	case sources.RampHolding, sources.RampStepping:
		look := GuardLook(th, r.Verdict)
		return Look{g.FlagRamping, word, look.Ink}
	case sources.RampArrived:
		return Look{g.Good, word, th.Good}
	case sources.RampAsking, sources.RampPaused:
		return Look{g.Stale, word, th.Warn}
	default:
		return Look{g.Bad, word, th.Bad}
	}
}
