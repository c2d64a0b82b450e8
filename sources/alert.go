package sources

import (
	"cmp"
	"strings"
	"time"
)

// AlertState is how far an alert has come.
type AlertState int

// The alert states. The zero value is AlertFiring, so that an alert of which the
// state is not known is never taken for a quiet one.
const (
	AlertFiring   AlertState = iota
	AlertPending             // its condition holds, but not for long enough yet
	AlertSilenced            // firing, and somebody asked not to be told, or another alert explains it
)

// String is the state's word.
func (s AlertState) String() string {
	switch s {
	case AlertPending:
		return "pending"
	case AlertSilenced:
		return "silenced"
	default:
		return "firing"
	}
}

// Alert is one alert of one source. Strings and labels are cleaned.
type Alert struct {
	Source   string
	Also     string // another source that has it too; "" for none
	ID       string // equal for the same alert at every reading and in every source
	Name     string // its rule's name
	State    AlertState
	Severity string // as the rule says it: "critical", "warning", ...; "" for none
	Summary  string // what it means, for people; "" for none

	Description string // the same at length, where that says more than Summary; "" for none
	Runbook     string // where it says what to do: text, never followed; "" for none
	Value       string // what its rule found, as the source writes it; "" where it does not say

	Service string // the service that it is about; "" when no label says so
	Flag    string // key of the flag that a label names; "" for none
	Labels  map[string]string
	Cut     int       // labels that are not among Labels, for there are too many
	Since   time.Time // when its condition began to hold; zero when unknown
	Until   time.Time // when its silence ends; zero for none
	Why     string    // who silenced it and why, or what inhibits it; "" for neither
}

// AlertSet is what one source says of its alerts at one moment.
type AlertSet struct {
	Alerts   []Alert
	Warnings []string
	ReadAt   time.Time
}

// rank orders severities as people use them; what nobody knows is in the middle.
func (a *Alert) rank() int {
	switch strings.ToLower(a.Severity) {
	case "page", "critical", "crit", "fatal", "emergency":
		return 3
	case "error", "high", "major":
		return 2
	case "info", "none", "low", "informational", "debug":
		return 0
	default:
		return 1
	}
}

// CompareAlerts orders worst first: firing before pending before silenced, then by
// severity, then the newest first, for what broke last is looked for first.
func CompareAlerts(a, b Alert) int {
	return cmp.Or(
		cmp.Compare(a.State, b.State),
		cmp.Compare(b.rank(), a.rank()),
		b.Since.Compare(a.Since),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.ID, b.ID),
	)
}
