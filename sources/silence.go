package sources

import "time"

// MaxSilence is the longest that an alert can be silenced for from here: what is to be
// quiet for longer is a rule to be mended.
const MaxSilence = 7 * 24 * time.Hour

// Key names an alert in the record of changes: its rule, for people, and enough of its
// ID to tell it from the others of that rule.
func (a *Alert) Key() string {
	const enough = 12
	return a.Name + "#" + a.ID[:min(len(a.ID), enough)]
}

// AlertNow is an alert as its system has it at this moment.
type AlertNow struct {
	Alert
	Exact    map[string]string // what a silence of this alert alone has to ask for: neither cut nor cleaned, never for a screen
	Silences []HeldSilence     // that keep it quiet now
}

// HeldSilence is a silence that is in force. Strings but the ID are cleaned.
type HeldSilence struct {
	ID     string // opaque
	By     string
	Reason string
	Until  time.Time
}

// Silence is what an alert is to be silenced with.
type Silence struct {
	Exact  map[string]string // of AlertNow; all of them have to be equal
	Until  time.Time
	By     string // cleaned
	Reason string // cleaned, not empty
}
