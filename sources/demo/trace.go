package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
)

// traceHeader names the trace that a request belongs to, as W3C's Trace Context has it.
const traceHeader = "Traceparent"

type traceKey struct{}

// newTrace is a context whose requests belong to a trace of their own.
func newTrace(ctx context.Context, rnd *rand.Rand) context.Context {
	return context.WithValue(ctx, traceKey{}, fmt.Sprintf("%016x%016x", rnd.Uint64()|1, rnd.Uint64()))
}

// ofTrace is a request's context with the trace that its caller named; none where that
// is not well formed.
func ofTrace(r *http.Request) context.Context {
	parts := strings.Split(r.Header.Get(traceHeader), "-")
	if len(parts) != 4 || len(parts[1]) != 32 || strings.Trim(parts[1], "0123456789abcdef") != "" {
		return r.Context()
	}
	return context.WithValue(r.Context(), traceKey{}, parts[1])
}

// traceOf is the ID of the trace that a context belongs to; "" for none.
func traceOf(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}
