package views

import (
	"fmt"
	"time"

	"relctl-tui/sources"
)

// Breach is one thing that is broken, as it is called out.
type Breach struct {
	About string // unique in its snapshot
	Text  string
	Part  sources.Part // what it was read as
}

// Breaches are the open breakers, the SLOs that are missed and the alerts that fire.
// What somebody forced open is no breach.
func Breaches(s *sources.Snapshot) (all []Breach) {
	for i := range s.Breakers {
		if b := &s.Breakers[i]; b.State == sources.BreakerOpen {
			all = append(all, Breach{"breaker " + b.Source + "/" + b.Name, "breaker " + b.Name + " is open", sources.PartBreakers})
		}
	}
	for i := range s.Latencies {
		l := &s.Latencies[i]
		if l.Verdict == sources.VerdictBreached || l.Verdict == sources.VerdictBurning {
			all = append(all, Breach{"latency " + l.Source + "/" + l.Name, "SLO of " + l.Name + " " + l.Verdict.String(), sources.PartLatencies})
		}
	}
	for i := range s.Alerts {
		if a := &s.Alerts[i]; a.State == sources.AlertFiring {
			all = append(all, Breach{"alert " + a.ID, "alert " + a.Name + " fires", sources.PartAlerts})
		}
	}
	return all
}

// Worst is how things stand in few words: what is broken, or how old the numbers are
// that would tell, or "ok".
func Worst(s *sources.Snapshot, now time.Time) string {
	breakers, latencies, alerts := BreakerFeed(s, now), LatencyFeed(s, now), AlertFeed(s, now)
	count := map[sources.Part]int{}
	for _, b := range Breaches(s) {
		count[b.Part]++
	}
	for _, of := range []struct {
		part       sources.Part
		feed       *Feed
		one, words string
	}{
		{sources.PartBreakers, &breakers, "breaker open", "breakers open"},
		{sources.PartAlerts, &alerts, "alert firing", "alerts firing"},
		{sources.PartLatencies, &latencies, "SLO missed", "SLOs missed"},
	} {
		if n := count[of.part]; n > 0 && !of.feed.AllOld {
			if n == 1 {
				return "1 " + of.one
			}
			return fmt.Sprintf("%d %s", n, of.words)
		}
	}
	for i := range s.Sources {
		if st := &s.Sources[i]; st.Shown() && st.Health != sources.Fresh {
			return st.Health.String()
		}
	}
	return "ok"
}
