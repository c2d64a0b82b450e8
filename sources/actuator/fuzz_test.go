package actuator_test

import (
	"testing"

	"relctl-tui/sources"
	"relctl-tui/sources/actuator"
)

func FuzzWhatAnInstanceLists(f *testing.F) {
	for _, seed := range []string{
		`{"payments":{"failureRate":"-1.0%","failureRateThreshold":"50.0%","bufferedCalls":3,"failedCalls":0,"state":"CLOSED"}}`,
		`{"a":{"state":null,"failureRate":"NaN%","bufferedCalls":-1,"notPermittedCalls":9223372036854775807}}`,
		`{"\u001b[2J":{"state":"\u001b]0;x\u0007","failureRate":"1e999%"}}`, `["a","b"]`, `{}`, `null`, ``, `[]`, `{"a":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := actuator.Read(raw)
		if err != nil && len(list) > 0 {
			t.Fatal("breakers beside an error")
		}
		for _, in := range list {
			for _, ratio := range []sources.Value{in.ErrorRatio, in.SlowRatio} {
				if ratio.OK && !(ratio.V >= 0 && ratio.V <= 1) {
					t.Fatalf("ratio %v", ratio.V)
				}
			}
			for _, n := range []sources.Value{in.Buffered, in.Failed, in.Slow, in.Rejected} {
				if n.OK && n.V < 0 {
					t.Fatalf("count %v", n.V)
				}
			}
			if in.Note != sources.Clean(in.Note, sources.MaxName) {
				t.Fatalf("note %q", in.Note)
			}
			if in.State == sources.BreakerClosed && in.Setting != "CLOSED" {
				t.Fatalf("%q reads as healthy", in.Setting)
			}
		}
	})
}
