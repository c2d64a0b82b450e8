// Command goff is GO Feature Flag's own evaluation as a judge for tests: a line
// of JSON in, a line of JSON out. It is a module of its own so that the program
// does not inherit what GO Feature Flag requires, cloud clients among it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"os"
	"time"

	ffclient "github.com/thomaspoignant/go-feature-flag"
	"github.com/thomaspoignant/go-feature-flag/modules/core/ffcontext"
	"github.com/thomaspoignant/go-feature-flag/retriever/fileretriever"
)

// question is a flag of a file, at some moments, for so many targeting keys.
type question struct {
	Path   string      `json:"path"`
	Format string      `json:"format"` // "yaml" or "json"
	Flag   string      `json:"flag"`
	Keys   int         `json:"keys"`
	At     []time.Time `json:"at"`
}

// answer says whether the file was loaded, and what was evaluated at each moment.
type answer struct {
	Refused string   `json:"refused"`
	At      []result `json:"at"`
}

// result counts the variants and the reasons. Digest is equal where every key got
// the same value.
type result struct {
	Variants map[string]int `json:"variants"`
	Reasons  map[string]int `json:"reasons"`
	Digest   string         `json:"digest"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, "goff judge:", err)
			os.Exit(2)
		}
		if err := out.Encode(judge(q)); err != nil {
			os.Exit(1)
		}
	}
}

func judge(q question) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{Refused: fmt.Sprint("panic: ", r)}
		}
	}()
	c, err := ffclient.New(ffclient.Config{
		PollingInterval: time.Hour,
		LeveledLogger:   slog.New(slog.NewTextHandler(io.Discard, nil)),
		Context:         context.Background(),
		Retriever:       &fileretriever.Retriever{Path: q.Path},
		FileFormat:      q.Format,
	})
	if err != nil {
		return answer{Refused: err.Error()}
	}
	defer c.Close()
	for _, at := range q.At {
		a.At = append(a.At, evaluate(c, q, at))
	}
	return a
}

func evaluate(c *ffclient.GoFeatureFlag, q question, at time.Time) result {
	r := result{Variants: map[string]int{}, Reasons: map[string]int{}}
	digest := fnv.New64a()
	for i := range q.Keys {
		ctx := ffcontext.NewEvaluationContextBuilder(fmt.Sprintf("user-%d", i)).
			AddCustom("gofeatureflag", map[string]any{"currentDateTime": at}).Build()
		v, err := c.RawVariation(q.Flag, ctx, "default in code")
		reason := v.Reason
		if err != nil {
			reason = "ERROR"
		}
		r.Variants[v.VariationType]++
		r.Reasons[reason]++
		fmt.Fprintln(digest, v.VariationType, v.Value)
	}
	r.Digest = fmt.Sprintf("%016x", digest.Sum64())
	return r
}
