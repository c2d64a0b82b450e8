package report

import (
	"encoding/json"
	"io"
	"time"

	"relctl-tui/sources"
)

// The JSON shape. Fields may be added, never renamed; an absent number is null.
type documentJSON struct {
	Context   string        `json:"context"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	Zone      string        `json:"zone"`
	Summary   []string      `json:"summary"`
	Suspects  []suspectJSON `json:"suspects"`
	Timeline  []eventJSON   `json:"timeline"`
	Actions   []actionJSON  `json:"actions"`
	Metrics   []chartJSON   `json:"metrics"`
	Questions []string      `json:"open_questions"`
}

type suspectJSON struct {
	At      string `json:"at"`
	Subject string `json:"subject"`
	What    string `json:"what"`
	Word    string `json:"strength"`
	Why     string `json:"why"`
}

type eventJSON struct {
	At   string `json:"at"`
	What string `json:"what"`
	Text string `json:"text"`
}

type actionJSON struct {
	At         string            `json:"at"`
	ID         string            `json:"id"`
	Who        string            `json:"who"`
	What       string            `json:"what"`
	Why        string            `json:"why"`
	Result     string            `json:"result"`
	Written    sources.Value     `json:"confirmed_after_s"`
	Effective  sources.Value     `json:"effective_after_s"`
	Metric     string            `json:"metric"`
	Unit       string            `json:"unit"`
	Before     sources.Value     `json:"before"`
	After      sources.Value     `json:"after"`
	Recovered  sources.Value     `json:"recovered_after_s"`
	Attributes map[string]string `json:"attributes"` // OpenTelemetry's names
}

type chartJSON struct {
	Name   string          `json:"name"`
	Unit   string          `json:"unit"` // "s" or "ratio"
	Limit  sources.Value   `json:"limit"`
	From   string          `json:"from"`
	Step   float64         `json:"step_s"`
	Points []sources.Value `json:"points"`
	Before sources.Value   `json:"before"`
	Worst  sources.Value   `json:"worst"`
	After  sources.Value   `json:"after"`
	Above  float64         `json:"above_limit_s"`
}

// JSON writes the document for programs, with the attributes of every change under
// OpenTelemetry's names.
func (d *Document) JSON(w io.Writer) error {
	stamp := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	out := documentJSON{
		Context: d.Context, From: stamp(d.From), To: stamp(d.To), Zone: d.Zone.String(),
		Summary: d.Summary, Suspects: []suspectJSON{}, Timeline: []eventJSON{}, Actions: []actionJSON{}, Metrics: []chartJSON{},
		Questions: append([]string{}, d.Questions...),
	}
	for _, s := range d.Suspects {
		out.Suspects = append(out.Suspects, suspectJSON{stamp(s.At), s.Subject, s.What, s.Word, s.Why})
	}
	for _, e := range d.Timeline {
		out.Timeline = append(out.Timeline, eventJSON{stamp(e.At), e.What, e.Text})
	}
	for _, a := range d.Actions {
		out.Actions = append(out.Actions, actionJSON{
			stamp(a.At), a.ID, a.Who, a.What, a.Why, a.Result, seconds(a.Written), seconds(a.Effective),
			a.Metric, a.Unit, a.Before, a.After, seconds(a.Recovered), a.Attributes,
		})
	}
	for i := range d.Charts {
		c := &d.Charts[i]
		j := chartJSON{
			Name: c.Name, Unit: "s", From: stamp(c.From), Step: c.Step.Seconds(), Points: []sources.Value{},
			Before: c.Before, Worst: c.Worst, After: c.After, Above: c.Above.Seconds(),
		}
		if c.Unit != "s" {
			j.Unit = "ratio"
		}
		if c.Limit > 0 {
			j.Limit = sources.Some(c.Limit)
		}
		for _, v := range c.Points {
			j.Points = append(j.Points, sources.Measured(v))
		}
		out.Metrics = append(out.Metrics, j)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func seconds(d time.Duration) sources.Value {
	if d < 0 {
		return sources.Value{}
	}
	return sources.Some(d.Seconds())
}
