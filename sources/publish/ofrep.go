package publish

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"relctl-tui/sources"
	"relctl-tui/sources/flagdef"
)

const codeContext = "INVALID_CONTEXT"

// success is OFREP's evaluationSuccess. Without a value the application uses the
// default in its code, as for a flag that is disabled.
type success struct {
	Key      string         `json:"key"`
	Value    any            `json:"value,omitempty"`
	Reason   string         `json:"reason"`
	Variant  string         `json:"variant,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// failure is OFREP's evaluationFailure and flagNotFound.
type failure struct {
	Key      string         `json:"key,omitempty"`
	Code     string         `json:"errorCode"`
	Details  string         `json:"errorDetails,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

func (s *Server) evaluate(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	attrs, target, ok := s.context(w, r, key)
	if !ok {
		return
	}
	e := s.edition(w)
	if e == nil {
		return
	}
	got := e.eval.Evaluate(key, target, attrs)
	s.meters.evaluated(key, &got)
	status := http.StatusOK
	switch got.Code {
	case "":
	case flagdef.CodeNotFound:
		status = http.StatusNotFound
	default:
		status = http.StatusBadRequest
	}
	writeJSON(w, status, answer(key, &got))
}

func (s *Server) evaluateAll(w http.ResponseWriter, r *http.Request) {
	attrs, target, ok := s.context(w, r, "")
	if !ok {
		return
	}
	e := s.edition(w)
	if e == nil {
		return
	}
	flags := make([]any, len(e.eval.Keys()))
	for i, key := range e.eval.Keys() {
		got := e.eval.Evaluate(key, target, attrs)
		flags[i] = answer(key, &got)
	}
	b, err := json.Marshal(struct {
		Flags    []any          `json:"flags"`
		Metadata map[string]any `json:"metadata,omitempty"`
	}{flags, e.eval.Metadata()})
	if err != nil {
		fail(w, http.StatusInternalServerError, "the answer cannot be written")
		return
	}
	// Of the answer, not of the definitions: it differs from context to context.
	etag := etagOf(b)
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "no-cache")
	if matches(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // whoever asked has gone
}

func answer(key string, got *flagdef.Resolution) any {
	if got.Code != "" {
		return failure{Key: key, Code: got.Code, Details: sources.Sentence(got.Err), Metadata: got.Metadata}
	}
	return success{Key: key, Value: got.Value, Reason: got.Reason, Variant: got.Variant, Metadata: got.Metadata}
}

// context is the evaluation context of a request; false when the answer was given
// already. As with flagd a context that is absent is an empty one.
func (s *Server) context(w http.ResponseWriter, r *http.Request, key string) (attrs map[string]any, target string, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", long.Limit))
		return nil, "", false
	case err != nil:
		return nil, "", false // it broke off, nobody listens
	}
	refuse := func(why string) (map[string]any, string, bool) {
		writeJSON(w, http.StatusBadRequest, failure{Key: key, Code: codeContext, Details: why})
		return nil, "", false
	}
	if len(body) == 0 {
		return nil, "", true
	}
	var in struct {
		Context json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return refuse("the body is no JSON object with a context")
	}
	if len(in.Context) > 0 && json.Unmarshal(in.Context, &attrs) != nil {
		return refuse("the context is no object")
	}
	switch v := attrs["targetingKey"].(type) {
	case nil:
	case string:
		target = v
	default:
		return refuse("targetingKey is no string")
	}
	return attrs, target, true
}
