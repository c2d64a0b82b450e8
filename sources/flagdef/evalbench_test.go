package flagdef_test

import (
	"testing"

	"relctl-tui/sources/flagdef"
)

// BenchmarkEvaluate is one evaluation: of a split, which is compiled, and of a rule.
func BenchmarkEvaluate(b *testing.B) {
	for name, targeting := range map[string]string{
		"split": `{"fractional":[["on",25],["off",75]]}`,
		"rule":  `{"if":[{"ends_with":[{"var":"email"},"@example.com"]},"on",{"fractional":[["on",25],["off",75]]}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			e, err := flagdef.NewEvaluator(evalDoc(evalFlagJSON("f", targeting)))
			if err != nil {
				b.Fatal(err)
			}
			attrs := map[string]any{"email": "u@example.org"}
			b.ReportAllocs()
			for b.Loop() {
				if e.Evaluate("f", "user-17", attrs).Err != nil {
					b.Fatal("it failed")
				}
			}
		})
	}
}
