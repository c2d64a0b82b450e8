package sources

import "time"

// MaxSilence is the longest that an alert can be silenced for from here: what is to be
// quiet for longer is a rule to be mended.
const MaxSilence = 7 * 24 * time.Hour

// AlertNow is an alert as its system has it at this moment.
type AlertNow struct {
	Alert
	Exact    map[string]string // every label, neither cut nor cleaned: never for a screen
	Silences []string          // IDs of the silences that keep it quiet, sorted; opaque
}

// Silence is what an alert is to be silenced with.
type Silence struct {
	Exact  map[string]string // of the alert; all of them have to be equal
	Until  time.Time
	By     string // cleaned
	Reason string // cleaned, not empty
}
