package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/common/model"
)

// client speaks the part of the query API that is used. client_golang has a package
// for it, whose JSON decoder keeps the linker from leaving out what nobody calls, and
// makes the program 1 MB larger.
type client struct{ api.Client }

// The kinds of an apiError, in the API's own words and, below those, in ours.
const (
	badData  = "bad_data"
	timedOut = "timeout"
	canceled = "canceled"
	failed   = "execution"

	badAnswer   = "bad_response"
	clientError = "client_error"
	serverError = "server_error"
)

// apiError is a failure that the server tells of, or that its answer is.
type apiError struct{ kind, msg string }

// Error is the kind and the server's words, which are not cleaned.
func (e *apiError) Error() string { return e.kind + ": " + e.msg }

// stretch is the time that a query is asked over.
type stretch struct {
	start, end time.Time
	step       time.Duration
}

// said is what a server says beside its answer.
type said struct{ warnings, infos []string }

func (c client) query(ctx context.Context, query string, within time.Duration) (model.Value, said, error) {
	return c.value(ctx, "/api/v1/query", url.Values{"query": {query}, "timeout": {within.String()}})
}

func (c client) queryRange(ctx context.Context, query string, over stretch, within time.Duration) (model.Value, said, error) {
	return c.value(ctx, "/api/v1/query_range", url.Values{
		"query": {query}, "timeout": {within.String()}, "start": {unix(over.start)}, "end": {unix(over.end)},
		"step": {strconv.FormatFloat(over.step.Seconds(), 'f', -1, 64)},
	})
}

func (c client) value(ctx context.Context, path string, args url.Values) (model.Value, said, error) {
	var data queryData
	beside, err := c.ask(ctx, path, args, &data)
	if err != nil {
		return nil, beside, err
	}
	v, err := data.value()
	return v, beside, err
}

type exemplarSeries struct {
	Labels    model.LabelSet `json:"seriesLabels"`
	Exemplars []exemplar     `json:"exemplars"`
}

type exemplar struct {
	Labels    model.LabelSet    `json:"labels"`
	Value     model.SampleValue `json:"value"`
	Timestamp model.Time        `json:"timestamp"`
}

func (c client) exemplars(ctx context.Context, query string, start, end time.Time) (out []exemplarSeries, err error) {
	_, err = c.ask(ctx, "/api/v1/query_exemplars", url.Values{"query": {query}, "start": {unix(start)}, "end": {unix(end)}}, &out)
	return out, err
}

// rawAlert is an alert as the API has it.
type rawAlert struct {
	ActiveAt    time.Time      `json:"activeAt"`
	Annotations model.LabelSet `json:"annotations"`
	Labels      model.LabelSet `json:"labels"`
	State       string         `json:"state"`
	Value       string         `json:"value"`
}

func (c client) alerts(ctx context.Context) ([]rawAlert, error) {
	var out struct {
		Alerts []rawAlert `json:"alerts"`
	}
	err := c.get(ctx, alertsPath, &out)
	return out.Alerts, err
}

// config is the server's own, as YAML.
func (c client) config(ctx context.Context) (string, error) {
	var out struct {
		YAML string `json:"yaml"`
	}
	err := c.get(ctx, "/api/v1/status/config", &out)
	return out.YAML, err
}

func (c client) get(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(path, nil).String(), nil)
	if err != nil {
		return err
	}
	_, _, err = c.answer(ctx, req, into)
	return err
}

// ask posts a question, since a query can be longer than a URL may be, and puts it
// into the URL where a server or a gateway does not take it so.
func (c client) ask(ctx context.Context, path string, args url.Values, into any) (said, error) {
	u, form := c.URL(path, nil), args.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form))
	if err != nil {
		return said{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// It only reads: nil says so to net/http, which may then repeat it on a connection
	// that proved dead, and is not sent.
	req.Header["Idempotency-Key"] = nil
	status, beside, err := c.answer(ctx, req, into)
	switch status {
	case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
	default:
		return beside, err
	}
	u.RawQuery = form
	if req, err = http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil); err != nil {
		return beside, err
	}
	_, beside, err = c.answer(ctx, req, into)
	return beside, err
}

// envelope is what every answer of the API is in.
type envelope struct {
	Status    string   `json:"status"`
	Data      any      `json:"data"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	Infos     []string `json:"infos"`
}

// answer decodes what a server answers into a value. status is 0 without an answer.
func (c client) answer(ctx context.Context, req *http.Request, into any) (status int, beside said, err error) {
	resp, body, err := c.Do(ctx, req) //nolint:bodyclose // Do has read it and closed it
	if err != nil {
		return 0, said{}, err
	}
	status = resp.StatusCode
	e := envelope{Data: into}
	if status/100 != 2 {
		return status, said{}, e.refusal(status, body)
	}
	if err := json.Unmarshal(body, &e); err != nil {
		again := envelope{Data: new(json.RawMessage)} // for what it warns of
		_ = json.Unmarshal(body, &again)
		return status, said{again.Warnings, again.Infos}, &apiError{badAnswer, err.Error()}
	}
	beside = said{e.Warnings, e.Infos}
	if e.Status == "error" {
		return status, beside, &apiError{e.ErrorType, e.Error}
	}
	return status, beside, nil
}

// refusal is what an answer means that is no success. Prometheus explains those with
// 400 and 422; any other may be somebody else's on the way.
func (e envelope) refusal(status int, body []byte) error {
	plainly := &apiError{badAnswer, fmt.Sprintf("bad response code %d", status)}
	switch status / 100 {
	case 4:
		plainly = &apiError{clientError, fmt.Sprintf("client error: %d", status)}
	case 5:
		plainly = &apiError{serverError, fmt.Sprintf("server error: %d", status)}
	}
	if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		return plainly
	}
	e.Data = new(json.RawMessage)
	switch err := json.Unmarshal(body, &e); {
	case err != nil:
		return plainly
	case e.Status == "success":
		return &apiError{badAnswer, "inconsistent body for response code"}
	}
	if e.ErrorType != "" {
		plainly.kind = e.ErrorType
	}
	if e.Error != "" {
		plainly.msg = e.Error
	}
	return plainly
}

func unix(t time.Time) string {
	return strconv.FormatFloat(float64(t.Unix())+float64(t.Nanosecond())/1e9, 'f', -1, 64)
}
