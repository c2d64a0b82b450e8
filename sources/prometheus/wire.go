package prometheus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/prometheus/common/model"
)

// This file reads the results of queries. A past has tens of thousands of points, so
// those are read by hand, out of what encoding/json has found to be valid.

// queryData is the data of an answer to a query.
type queryData struct {
	Type   string          `json:"resultType"`
	Result json.RawMessage `json:"result"`
}

// series is one row of a vector or a matrix.
type series struct {
	Metric     model.Metric                `json:"metric"`
	Value      points                      `json:"value"`  // one
	Values     points                      `json:"values"` // in a matrix
	Histogram  *model.SampleHistogramPair  `json:"histogram"`
	Histograms []model.SampleHistogramPair `json:"histograms"`
}

// value is the result in its type. What is neither a vector nor a matrix stays
// unread: it is enough to say what it was.
func (d *queryData) value() (model.Value, error) {
	var rows []series
	switch d.Type {
	case "scalar":
		return &model.Scalar{}, nil
	case "vector", "matrix":
		if err := json.Unmarshal(d.Result, &rows); err != nil {
			return nil, &apiError{badAnswer, err.Error()}
		}
	default:
		return nil, &apiError{badAnswer, fmt.Sprintf("unexpected value type %q", d.Type)}
	}
	if d.Type == "vector" {
		return vectorOf(rows)
	}
	out := make(model.Matrix, len(rows))
	for i := range rows {
		out[i] = &model.SampleStream{Metric: rows[i].Metric, Values: rows[i].Values, Histograms: rows[i].Histograms}
	}
	return out, nil
}

func vectorOf(rows []series) (model.Value, error) {
	out := make(model.Vector, len(rows))
	for i := range rows {
		r := &rows[i]
		s := &model.Sample{Metric: r.Metric}
		switch {
		case r.Histogram != nil:
			s.Timestamp, s.Histogram = r.Histogram.Timestamp, r.Histogram.Histogram
		case len(r.Value) == 1:
			s.Timestamp, s.Value = r.Value[0].Timestamp, r.Value[0].Value
		default:
			return nil, &apiError{badAnswer, "a series without a value"}
		}
		out[i] = s
	}
	return out, nil
}

// points are pairs of a time and a value, [[1700000000.5, "1"], …], or one alone.
type points []model.SamplePair

var errPoint = errors.New("a sample is not of the form [TIME, \"VALUE\"]")

// UnmarshalJSON reads points. What is given is valid JSON.
func (p *points) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	r := pointReader{rest: b}
	r.next('[')
	if !r.starts('[') && !r.starts(']') { // one alone
		r.rest = b
		*p = points{r.point()}
		return r.end()
	}
	out := make(points, 0, bytes.Count(b, []byte{'"'})/2)
	for first := true; !r.starts(']') && r.err == nil; first = false {
		if !first {
			r.next(',')
		}
		out = append(out, r.point())
	}
	r.next(']')
	*p = out
	return r.end()
}

// pointReader takes points off the beginning of what is left. After an error it takes
// nothing more.
type pointReader struct {
	rest []byte
	err  error
}

func (r *pointReader) end() error {
	if r.err == nil && len(bytes.TrimLeft(r.rest, " \t\r\n")) > 0 {
		return errPoint
	}
	return r.err
}

// starts tells what comes next, after white space.
func (r *pointReader) starts(c byte) bool {
	for len(r.rest) > 0 && (r.rest[0] == ' ' || r.rest[0] == '\n' || r.rest[0] == '\t' || r.rest[0] == '\r') {
		r.rest = r.rest[1:]
	}
	return len(r.rest) > 0 && r.rest[0] == c
}

// next takes one character.
func (r *pointReader) next(c byte) {
	if r.err != nil || !r.starts(c) {
		r.err = errPoint
		return
	}
	r.rest = r.rest[1:]
}

// until takes what stands before one of some characters, which has to come.
func (r *pointReader) until(chars string) []byte {
	i := bytes.IndexAny(r.rest, chars)
	if r.err != nil || i < 0 {
		r.err = errPoint
		return nil
	}
	text := r.rest[:i]
	r.rest = r.rest[i:]
	return text
}

func (r *pointReader) point() (p model.SamplePair) {
	r.next('[')
	r.starts(0)
	when := r.until(", \t\r\n")
	r.next(',')
	r.next('"')
	text := r.until(`"`)
	r.next('"')
	r.next(']')
	if r.err != nil {
		return p
	}
	if p.Timestamp.UnmarshalJSON(when) != nil {
		r.err = errPoint
		return p
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		r.err = errPoint
	}
	p.Value = model.SampleValue(v)
	return p
}
