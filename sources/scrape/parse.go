package scrape

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"relctl-tui/sources"
	"relctl-tui/sources/metrics"
)

// The bounds of one series; one that is beyond is left out with a warning.
const (
	maxLine   = 64 << 10
	maxLabels = 64
	maxValue  = 1024
)

// sample is one line of an exposition.
type sample struct {
	name   string
	labels metrics.Labels
	le     float64 // of a bucket; NaN for anything else
	value  float64
}

// page is what was kept of one exposition.
type page struct {
	samples  []sample
	lines    int // lines that were metrics, wanted or not
	warnings []string
	partial  bool // some wanted series were left out
}

var errTooLarge = errors.New("too large")

// parsePage reads a text exposition of at most maxBody bytes and keeps the
// series whose names are wanted, at most maxSeries of them. The rest is looked
// at just enough to tell metrics from garbage, so that a page of a hundred
// thousand series costs one pass and little memory.
func parsePage(r io.Reader, wanted map[string]bool, maxBody int64, maxSeries int) (page, error) {
	lr := &io.LimitedReader{R: r, N: maxBody + 1}
	kept, p, err := filter(lr, wanted, maxSeries)
	if lr.N <= 0 {
		return page{}, errTooLarge
	}
	if err != nil {
		return page{}, err
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(kept)
	if err != nil {
		return page{}, fmt.Errorf("sent metrics that do not parse (%s): %w", sources.Clean(err.Error(), 120), sources.ErrInvalid)
	}
	tooLong := 0
	for name, f := range families {
		for _, m := range f.GetMetric() {
			if s, ok := toSample(name, m); ok {
				p.samples = append(p.samples, s)
			} else {
				tooLong++
			}
		}
	}
	if tooLong > 0 {
		p.partial = true
		p.warnings = append(p.warnings, fmt.Sprintf("has %d series with too many or too long labels, they are left out", tooLong))
	}
	return p, nil
}

// filter copies the sample lines with wanted names, the first maxSeries of them,
// so that those are the same each time. Comments go too: without them every
// series is a plain number with its labels, which is all we need.
func filter(r io.Reader, wanted map[string]bool, maxSeries int) (*bytes.Buffer, page, error) {
	var p page
	kept := &bytes.Buffer{}
	br := bufio.NewReaderSize(r, maxLine)
	long, series := 0, 0
	for n := 1; ; n++ {
		line, more, err := br.ReadLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, p, err
		}
		for cut := more; cut && err == nil; {
			_, cut, err = br.ReadLine()
		}
		if more {
			long++
			p.partial = true
			continue
		}
		line = bytes.TrimLeft(line, " \t")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name := metricName(line)
		if name == nil {
			return nil, p, notMetrics(n, line)
		}
		p.lines++
		if !wanted[string(name)] && !bytes.HasSuffix(name, []byte(metrics.BuildInfo)) {
			continue
		}
		if series++; series <= maxSeries {
			kept.Write(line)
			kept.WriteByte('\n')
		}
	}
	if series > maxSeries {
		p.partial = true
		p.warnings = append(p.warnings, fmt.Sprintf("has %d series more than %d, numbers are incomplete", series-maxSeries, maxSeries))
	}
	if long > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("has %d lines longer than %d bytes, they are left out", long, maxLine))
	}
	return kept, p, nil
}

func notMetrics(n int, line []byte) error {
	if line[0] == '<' {
		return fmt.Errorf("answered HTML, not metrics: %w", sources.ErrInvalid)
	}
	return fmt.Errorf("answered something else than metrics (line %d: %q): %w",
		n, sources.Clean(string(line[:min(len(line), 120)]), 40), sources.ErrInvalid)
}

// metricName is the name that a sample line begins with, nil when it is none. A
// quoted name in braces (which no preset has) gives an empty name.
func metricName(line []byte) []byte {
	if line[0] == '{' {
		return line[:0]
	}
	for i, c := range line {
		switch {
		case c == '_' || c == ':' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (i > 0 && c >= '0' && c <= '9'):
		case i > 0 && (c == '{' || c == ' ' || c == '\t'):
			if rest := bytes.TrimSpace(line[i:]); len(rest) == 0 || (c != '{' && rest[0] != '{' && !numeric(rest)) {
				return nil
			}
			return line[:i]
		default:
			return nil
		}
	}
	return nil
}

// numeric reports whether the first word is a number, so that prose is not
// taken for metrics.
func numeric(rest []byte) bool {
	word, _, _ := bytes.Cut(rest, []byte(" "))
	word, _, _ = bytes.Cut(word, []byte("\t"))
	_, err := strconv.ParseFloat(string(word), 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

func toSample(name string, m *dto.Metric) (sample, bool) {
	s := sample{name: name, le: math.NaN()}
	switch {
	case m.GetUntyped() != nil:
		s.value = m.GetUntyped().GetValue()
	case m.GetGauge() != nil:
		s.value = m.GetGauge().GetValue()
	case m.GetCounter() != nil:
		s.value = m.GetCounter().GetValue()
	default:
		return s, false
	}
	if len(m.GetLabel()) > maxLabels {
		return s, false
	}
	s.labels = make(metrics.Labels, len(m.GetLabel())+2)
	for _, l := range m.GetLabel() {
		if len(l.GetValue()) > maxValue || len(l.GetName()) > maxValue {
			return s, false
		}
		s.labels[l.GetName()] = l.GetValue()
	}
	if !strings.HasSuffix(name, "_bucket") {
		return s, true
	}
	le, err := strconv.ParseFloat(s.labels["le"], 64)
	if err != nil {
		return s, false
	}
	s.le = le
	delete(s.labels, "le")
	return s, true
}
