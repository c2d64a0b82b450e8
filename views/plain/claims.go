package plain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"relctl-tui/sources"
	"relctl-tui/views"
)

// where is the context that this is about.
func where(s *sources.Snapshot) string {
	if s.Context == "" {
		return counted(len(s.Sources), "source")
	}
	return "context " + s.Context + ", " + counted(len(s.Sources), "source")
}

func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// before is what was so, where that is known.
func before(was string) string {
	if was == "" {
		return ""
	}
	return ", was " + was
}

// sourceClaims is how far each source can be trusted.
func sourceClaims(s *sources.Snapshot) (all []claim) {
	for i := range s.Sources {
		st := &s.Sources[i]
		if st.Role == sources.StandsBy || (st.LastOK.IsZero() && st.Err == "") {
			continue
		}
		state := st.Health.String()
		if st.Role == sources.Speaks {
			state += ", speaks"
		}
		all = append(all, claim{
			about: "source " + st.Name, state: state, rank: aState,
			news: st.Health != sources.Fresh, said: sourceSaid(st),
		})
	}
	return all
}

func sourceSaid(st *sources.SourceStatus) func(string) string {
	return func(was string) string {
		text := "source " + st.Name
		switch {
		case st.LastOK.IsZero() && st.Err == "":
			return text + " is not read yet"
		case st.Health == sources.Fresh && was != "" && !strings.HasPrefix(was, sources.Fresh.String()):
			text += " is fresh again"
		default:
			text += " is " + st.Health.String()
		}
		if st.Role == sources.Speaks {
			text += " and speaks for its group"
		}
		if st.Health == sources.Fresh {
			return text
		}
		if st.LastOK.IsZero() {
			text += ", never read"
		} else {
			text += ", last read " + st.LastOK.Local().Format("15:04:05")
		}
		if st.Err != "" {
			text += ": " + views.Unprefixed(st.Name, st.Err)
		}
		return text
	}
}

// changeClaims is what was done, the oldest first.
func changeClaims(s *sources.Snapshot, now time.Time) (all []claim) {
	for i := len(s.Activity) - 1; i >= 0; i-- {
		a := &s.Activity[i]
		if a.Kind == sources.KindBreaker || a.Kind == sources.KindAlert || a.Kind == sources.KindSource {
			continue // told by how they stand
		}
		c := claim{about: changeKey(a), state: string(a.Outcome) + a.New, news: now.Sub(a.At) < forgotten, once: true, rank: aChange}
		if a.ID == "" {
			c.rank = aSight
		}
		if a.Outcome == sources.Pending || a.ID == "" && a.Kind == string(sources.Edited) {
			c.from = a.At.Add(settles)
		}
		if !a.Effective.IsZero() {
			c.state += " in force"
		}
		c.said = func(was string) string {
			if !a.Effective.IsZero() && was == string(a.Outcome)+a.New {
				return a.Name + " " + a.New + " is in force where flags are evaluated"
			}
			return changeSaid(a)
		}
		all = append(all, c)
	}
	return all
}

func changeKey(a *sources.Activity) string {
	if a.ID != "" {
		return "change " + a.ID
	}
	return strings.Join([]string{"sight", a.Kind, a.Flag.Source, a.Flag.Key, a.Name, a.At.String()}, "\x00")
}

func changeSaid(a *sources.Activity) string {
	var b strings.Builder
	subject := "flag "
	if kind := sources.ChangeKind(a.Kind); kind.OfBreaker() {
		subject = "breaker "
	} else if kind == sources.SilenceAlert {
		subject = "alert "
	}
	if a.Kind == sources.KindDeploy {
		subject = "deploy of "
	}
	b.WriteString(subject + a.Name + ": ")
	if a.Old != "" {
		b.WriteString(a.Old + " to ")
	}
	b.WriteString(a.New)
	if a.Actor != "" {
		b.WriteString(" by " + a.Actor)
	} else if a.Kind == string(sources.Edited) {
		b.WriteString(" by somebody")
	}
	switch a.Outcome {
	case sources.Seen:
	case sources.Unconfirmed:
		b.WriteString(", WRITTEN, NOT CONFIRMED")
	case sources.Failed:
		b.WriteString(", FAILED, nothing changed")
	case sources.Refused:
		b.WriteString(", REFUSED by its guards, nothing changed")
	case sources.Awaiting:
		b.WriteString(", awaits approval, nothing changed yet")
	default:
		b.WriteString(", " + string(a.Outcome))
	}
	if a.Reason != "" {
		b.WriteString(", because: " + a.Reason)
	}
	if a.Err != "" {
		b.WriteString(": " + a.Err)
	}
	return b.String()
}

// flagLines is how many flags there are, and those that are under way, killed, custom
// or broken, the last change first.
func flagLines(s *sources.Snapshot, now time.Time) []string {
	var under []*sources.Flag
	for i := range s.Flags {
		f := &s.Flags[i]
		if plain := f.Rollout.OK && (f.Rollout.V == 0 || f.Rollout.V == sources.Full) && !f.Killed; !plain {
			under = append(under, f)
		}
	}
	slices.SortStableFunc(under, func(a, b *sources.Flag) int { return b.ChangedAt.Compare(a.ChangedAt) })
	lines := make([]string, len(under))
	for i, f := range under {
		lines[i] = "flag " + f.Name + ": " + cmp.Or(views.StageText(f), f.Brief())
		if f.ChangedBy != "" {
			lines[i] += " by " + f.ChangedBy
		}
		if !f.ChangedAt.IsZero() {
			lines[i] += ", " + views.AgeOf(f.ChangedAt, now, false) + " ago"
		}
		if f.Note != "" {
			lines[i] += ", " + f.Note
		}
	}
	return append([]string{fmt.Sprintf("%s, %d under way, killed, custom or broken", counted(len(s.Flags), "flag"), len(under))}, bounded(lines)...)
}

// unique makes a name that two sources have two names.
type unique map[string]bool

func (u unique) of(kind, source, name string) string {
	about := kind + name
	if u[about] {
		about += " of " + source
	}
	u[about] = true
	return about
}

func breakerClaims(s *sources.Snapshot) (all []claim) {
	names := unique{}
	for i := range s.Breakers {
		k := &s.Breakers[i]
		all = append(all, claim{
			about: names.of("breaker ", k.Source, k.Name), state: k.State.String(), rank: aState,
			news: k.State != sources.BreakerClosed && k.State != sources.BreakerUnknown,
			said: func(was string) string {
				text := "breaker " + k.Name + " is " + k.State.String() + before(was)
				if k.Instances > 1 && k.OpenInstances > 0 {
					text += fmt.Sprintf(", %d of %d instances", k.OpenInstances, k.Instances)
				}
				if k.ErrorRatio.OK && k.State != sources.BreakerClosed {
					text += ", errors " + views.Ratio(k.ErrorRatio)
				}
				return text
			},
		})
	}
	return all
}

func latencyClaims(s *sources.Snapshot) (all []claim) {
	names := unique{}
	for i := range s.Latencies {
		l := &s.Latencies[i]
		all = append(all, claim{
			about: names.of("latency ", l.Source, l.Name), state: standing(l), calm: calm, rank: aState, news: bad(standing(l)),
			said: func(was string) string { return latencySaid(l, was) },
		})
	}
	return all
}

// calm is a latency within its limit, or without one.
const calm = "ok"

func bad(standing string) bool {
	return standing == sources.VerdictBreached.String() || standing == sources.VerdictBurning.String()
}

func standing(l *sources.Latency) string {
	if l.Verdict == sources.VerdictNone || l.Verdict == sources.VerdictOK {
		return calm
	}
	return l.Verdict.String()
}

// latencySaid is how a latency stands, or "" where that is neither bad nor was.
func latencySaid(l *sources.Latency, was string) string {
	is := standing(l)
	text := "SLO " + is
	switch {
	case bad(is):
	case was == calm || was == is:
		return ""
	case is == calm:
		text = "SLO recovered"
	default:
		return "SLO not known any more, was " + was + ": " + l.Name + ", " + is
	}
	text += ": " + l.Name
	if l.P99.OK {
		text += " p99 " + views.Seconds(l.P99)
	}
	if l.SLO > 0 {
		text += ", limit " + l.SLO.String()
	}
	if l.ErrorRatio.OK {
		text += ", errors " + views.Ratio(l.ErrorRatio)
	}
	return text
}

func alertClaims(s *sources.Snapshot) (all []claim) {
	for i := range s.Alerts {
		a := &s.Alerts[i]
		name := a.Name
		if about := views.AlertAbout(a); about != "" {
			name += " on " + about
		}
		c := claim{
			about: "alert " + a.ID, state: a.State.String(), rank: aState, news: a.State == sources.AlertFiring,
			said: func(string) string {
				text := "alert " + a.State.String() + ": " + name
				if a.Severity != "" {
					text += ", " + a.Severity
				}
				what := a.Summary
				if a.State == sources.AlertSilenced {
					what = cmp.Or(a.Why, what)
				}
				if what != "" {
					text += ": " + what
				}
				return text
			},
		}
		if a.State == sources.AlertFiring {
			c.gone = "alert ended: " + name
		}
		all = append(all, c)
	}
	return all
}

func rampClaims(s *sources.Snapshot) (all []claim) {
	for i := range s.Ramps {
		r := &s.Ramps[i]
		name := "guarded ramp of " + r.Name
		c := claim{
			about: "ramp " + r.Flag.Source + "/" + r.Flag.Key, rank: aState, news: true,
			state: string(r.Phase) + " at " + views.PercentText(r.At) + ", guards: " + r.Verdict.String(),
		}
		c.said = func(string) string {
			text := name + " by " + r.Owner + ": " + c.state
			if r.Why != "" {
				text += ": " + r.Why
			}
			return text
		}
		if !r.Phase.Ended() {
			c.gone = name + " is over"
		}
		all = append(all, c)
	}
	return all
}

func freezeClaims(s *sources.Snapshot, now time.Time) []claim {
	z, frozen := s.Calendar.Of(nil, now)
	if !frozen {
		return nil
	}
	return []claim{{
		about: "freeze", state: z.Until.String(), rank: aState, news: true, gone: "the freeze is over",
		said: func(string) string { return z.Brief(now) + ": no flag is raised" },
	}}
}

// healthy says what there is of that was not told one by one because all of it is well.
func healthy(s *sources.Snapshot) (lines []string) {
	shut, unknown := 0, 0
	for i := range s.Breakers {
		switch s.Breakers[i].State {
		case sources.BreakerClosed:
			shut++
		case sources.BreakerUnknown:
			unknown++
		default:
		}
	}
	if n := len(s.Breakers); n > 0 {
		line := fmt.Sprintf("%s, %d closed", counted(n, "breaker"), shut)
		if unknown > 0 {
			line += fmt.Sprintf(", %d unknown", unknown)
		}
		lines = append(lines, line)
	}
	within := map[string]int{}
	for i := range s.Latencies {
		within[s.Latencies[i].Verdict.String()]++
	}
	if n := len(s.Latencies); n > 0 {
		line := fmt.Sprintf("%d latencies", n)
		if n == 1 {
			line = "1 latency"
		}
		for _, v := range []sources.Verdict{sources.VerdictOK, sources.VerdictUnknown, sources.VerdictNoTraffic} {
			if within[v.String()] > 0 {
				line += fmt.Sprintf(", %d %s", within[v.String()], v)
			}
		}
		lines = append(lines, line)
	}
	return lines
}
