package flagdef_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/sourcetest"
)

// rules makes up JsonLogic of the kind that people write: conditions of the types
// that their operators are for, over attributes that may be missing. Not made up is
// what flagd in Go and flagd's provider in JavaScript disagree about, because their
// JsonLogic libraries do: arithmetic with, and parts of, what is missing, and
// parts of a text that begin after its end.
type rules struct{ *rand.Rand }

func (g rules) one(of ...func(depth int) any) func(depth int) any { return of[g.IntN(len(of))] }

func (g rules) pick(depth int, leaf func() any, of ...func(depth int) any) any {
	if depth <= 0 || g.IntN(4) == 0 {
		return leaf()
	}
	return of[g.IntN(len(of))](depth - 1)
}

func op(name string, args ...any) any { return map[string]any{name: args} }

func among[T any](g rules, of ...T) T { return of[g.IntN(len(of))] }

func (g rules) text(depth int) any {
	return g.pick(depth, func() any {
		return among[any](g, "", "on", "a", "user-1@example.com", "ä€", "example", map[string]any{"var": []any{"email", "none"}}, map[string]any{"var": []any{"plan", "free"}},
			map[string]any{"var": []any{"targetingKey", "x"}}, map[string]any{"var": "$flagd.flagKey"}, map[string]any{"var": []any{"tenant.id", "t0"}})
	}, func(d int) any { return op("cat", g.text(d), g.text(d)) },
		func(d int) any { return op("if", g.truth(d), g.text(d), g.text(d)) },
		func(d int) any { return op("substr", g.text(d), among[any](g, 0, 1), among[any](g, 1, 3)) })
}

func (g rules) number(depth int) any {
	return g.pick(depth, func() any {
		return among[any](g, 0, 1, -3, 18, 2.5, map[string]any{"var": []any{"age", 40}}, map[string]any{"var": []any{"visits", 7}}, map[string]any{"var": []any{"list.1", 2}})
	}, func(d int) any { return op(among(g, "+", "*", "-"), g.number(d), g.number(d)) },
		func(d int) any { return op(among(g, "min", "max"), g.number(d), g.number(d), g.number(d)) },
		func(d int) any { return op("%", g.number(d), among[any](g, 2, 3, 7)) },
		func(d int) any { return op("if", g.truth(d), g.number(d), g.number(d)) })
}

func (g rules) truth(depth int) any {
	sum := op("reduce", map[string]any{"var": "list"}, op("+", map[string]any{"var": "current"}, map[string]any{"var": "accumulator"}), 0)
	each := func() any { return op(among(g, "<", ">="), map[string]any{"var": ""}, among[any](g, 2, 10)) }
	return g.pick(depth, func() any { return among[any](g, true, false, map[string]any{"var": "beta"}) },
		func(d int) any { return op(among(g, "==", "===", "!=", "!=="), g.text(d), g.text(d)) },
		func(d int) any { return op(among(g, "==", "===", "!=", "!=="), g.number(d), g.number(d)) },
		func(d int) any { return op(among(g, "<", "<=", ">", ">="), g.number(d), g.number(d)) },
		func(d int) any { return op(among(g, "<", "<="), 0, g.number(d), 50) },
		func(d int) any { return op(among(g, "and", "or"), g.truth(d), g.truth(d)) },
		func(d int) any { return op(among(g, "!", "!!"), g.truth(d)) },
		func(d int) any { return op("in", g.text(d), []any{"a", "on", "pro", g.text(d)}) },
		func(int) any {
			return op("in", among(g, "ex", "@", "zz"), map[string]any{"var": []any{"email", "none"}})
		},
		func(d int) any {
			return op(among(g, "starts_with", "ends_with"), g.text(d), among(g, "u", "user", ".com", ""))
		},
		func(int) any {
			return op("sem_ver", among[any](g, map[string]any{"var": "version"}, "1.2.3", "v2.0", "3"), among(g, "=", "!=", "<", "<=", ">", ">=", "^", "~"),
				among(g, "1.2.3", "1.2.4-beta.1", "2.0.0", "1.10.0+b5", "2", "no"))
		},
		func(int) any { return op(among(g, "<", "==", ">="), sum, among[any](g, 0, 3, 6)) },
		func(int) any { return op(among(g, "all", "some", "none"), map[string]any{"var": "list"}, each()) },
		func(int) any { return op("!", op("missing", among(g, "age", "beta", "nobody"))) },
		func(int) any {
			return op(among(g, "<", ">"), map[string]any{"var": "$flagd.timestamp"}, 1_700_000_000)
		},
		func(int) any { return map[string]any{"$ref": among(g, "staff", "grown up", "nested")} })
}

func (g rules) weight(depth int) any {
	return g.pick(depth, func() any { return among[any](g, 0, 1, 10, 50, 99, -5) }, func(d int) any { return op("if", g.truth(d), 10, 90) },
		func(int) any { return op("-", 100, among[any](g, 10, 40)) })
}

func (g rules) split(depth int) any {
	var args []any
	if g.IntN(2) == 0 {
		args = append(args, among(g, op("cat", map[string]any{"var": "$flagd.flagKey"}, map[string]any{"var": []any{"targetingKey", "x"}}), op("cat", "salt", map[string]any{"var": []any{"tenant.id", "t0"}})))
	}
	for range 1 + g.IntN(3) {
		bucket := []any{g.variant(depth - 1)}
		if g.IntN(3) > 0 {
			bucket = append(bucket, g.weight(depth-1))
		}
		args = append(args, bucket)
	}
	return map[string]any{"fractional": args}
}

func (g rules) variant(depth int) any {
	return g.pick(depth, func() any { return among[any](g, "on", "off", "a", "b", "true", true, nil, 7, "gone") },
		func(d int) any { return op("if", g.truth(d), g.variant(d), g.variant(d)) })
}

func (g rules) targeting() any {
	leaf := func(d int) any { return g.variant(d) }
	return g.one(
		func(d int) any { return op("if", g.truth(d), leaf(d), leaf(d)) },
		func(d int) any { return op("if", g.truth(d), leaf(d), g.truth(d), leaf(d)) },
		func(d int) any { return op("if", g.truth(d), g.split(d), leaf(d)) },
		func(d int) any { return g.split(d) },
		func(int) any { return map[string]any{"$ref": "rule"} },
	)(4)
}

// sharedRules refer to those after them only: flagd puts them in by text, in this
// order and once, and what refers back depends on luck.
const sharedRules = `{"rule":{"if":[{"$ref":"staff"},"on",{"fractional":[["a",1],["b",3]]}]},
	"nested":{"and":[{"$ref":"grown up"},{"==":[{"var":"plan"},"pro"]}]},
	"staff":{"ends_with":[{"var":"email"},"@example.com"]},"grown up":{">=":[{"var":["age",0]},18]}}`

// contexts are evaluation contexts with all that rules may ask for, or without.
func (g rules) contexts(n int) []map[string]any {
	all := []map[string]any{{"list": []any{}}, {"targetingKey": "user-1", "list": []any{4.0}}}
	for len(all) < n {
		c := map[string]any{"targetingKey": fmt.Sprintf("user-%d", g.IntN(1000))}
		for key, values := range map[string][]any{
			"email": {"user-1@example.com", "a", "ä€@other.org"}, "plan": {"pro", "free", ""}, "age": {0.0, 17.0, 18.0, 2.5}, "visits": {7.0, 100.0},
			"beta": {true, false}, "version": {"1.2.3", "v1.2.4", "2.0.0-rc.1", "1", "none"}, "list": {[]any{}, []any{1.0, 5.0}, []any{3.0}},
			"tenant": {map[string]any{"id": "t1"}, map[string]any{"id": "t2"}},
		} {
			if g.IntN(4) > 0 || key == "list" {
				c[key] = among(g, values...)
			}
		}
		all = append(all, c)
	}
	return all
}

func TestGeneratedRulesEvaluateAsFlagdEvaluatesThem(t *testing.T) {
	t.Parallel()
	node, dir := sourcetest.Judge(t)
	g := rules{rand.New(rand.NewPCG(1, 7))}
	var flags, names, texts []string
	for i := range 600 {
		raw, err := json.Marshal(g.targeting())
		require.NoError(t, err)
		name := fmt.Sprintf("flag-%d", i)
		names, texts = append(names, name), append(texts, string(raw))
		fallback := among(g, `"off"`, `"on"`, `null`)
		flags = append(flags, fmt.Sprintf(`%q:{"state":"ENABLED","variants":{"on":true,"off":false,"a":"x","b":{"o":[1]},"true":1,"7":2.5},"defaultVariant":%s,"targeting":%s}`, name, fallback, raw))
	}
	doc := []byte(`{"$evaluators":` + sharedRules + `,"flags":{` + strings.Join(flags, ",") + `}}`)
	contexts := g.contexts(40)
	want := judgedBy(t, node, dir, doc, names, contexts)
	e, err := flagdef.NewEvaluator(doc)
	require.NoError(t, err)
	reasons, compared := map[string]int{}, 0
	var differ []string
	for i, name := range names {
		for j, ctx := range contexts {
			key, _ := ctx["targetingKey"].(string)
			r := e.Evaluate(name, key, ctx)
			value, err := json.Marshal(r.Value)
			require.NoError(t, err)
			if got := r.Variant + "/" + r.Reason + "/" + string(value); got != want[name][j] {
				raw, _ := json.Marshal(ctx)
				differ = append(differ, fmt.Sprintf("%s\n  in %s is %s (%v), flagd says %s", texts[i], raw, got, r.Err, want[name][j]))
			}
			reasons[r.Reason]++
			compared++
		}
	}
	slices.SortFunc(differ, func(a, b string) int { return len(a) - len(b) })
	for _, d := range differ[:min(len(differ), 12)] {
		t.Error(d)
	}
	t.Logf("%d differ", len(differ))
	t.Logf("%d evaluations compared: %v", compared, reasons)
	for _, r := range []string{flagdef.ReasonTargetingMatch, flagdef.ReasonDefault, flagdef.ReasonError} {
		require.Greater(t, reasons[r], 100, "the rules must lead everywhere, or they prove little")
	}
}

// judgedBy is what flagd's own evaluation says.
func judgedBy(t *testing.T, node, dir string, doc []byte, names []string, contexts []map[string]any) map[string][]string {
	t.Helper()
	in, err := json.Marshal(map[string]any{"doc": string(doc), "flags": names, "contexts": contexts})
	require.NoError(t, err)
	// Not compiled: the library's compiled comparisons share a variable, and give an
	// error where the right side of one holds another.
	script := strings.Replace(evalJudge, "new FlagdCore(undefined, quiet)", "new FlagdCore(undefined, quiet, {disableDynamicCodeGeneration: true})", 1)
	script = strings.Replace(script, `return (r.variant ?? "") + "/" + r.reason;`,
		`return (r.variant ?? "") + "/" + r.reason + "/" + JSON.stringify(r.value ?? null);`, 1)
	cmd := exec.CommandContext(t.Context(), node, "-e", script)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(string(in))
	raw, err := cmd.Output()
	require.NoError(t, err)
	var want map[string][]string
	require.NoError(t, json.Unmarshal(raw, &want))
	return want
}
