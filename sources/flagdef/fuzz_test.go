package flagdef

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"relctl-tui/sources"
)

// The fuzz targets lie inside the package and touch no disk: with files and
// goroutines in the way, a fuzzer gets through a few inputs a second.

const (
	fuzzFlag  = `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"}`
	fuzzSplit = `{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 25], ["off", 75]]}}`
)

func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"", "{", "[]", `{"flags":{}}`, "\ufeff{\"flags\":{\"f\":" + fuzzSplit + "}}", `{"flags":[{"key":"f","state":"ENABLED"}]}`,
		`{"flags":{"f":` + fuzzFlag + `,"g":` + fuzzSplit + `}}`,
		`{"flags":{"\u0066":{"st\u0061te":"DISABLED","variants":{"on":true,"off":false},"defaultVariant":"on"}}}`,
		`{"flags":{"f":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"fractional":[{"var":"x"},["on"],["off",3]]},"metadata":{"owner":"ana","relctl.ladder":"1,2"}}}}`,
		`{"flags":{"f":{}}}`, `{"flags":{"f":{"a":1}}}`, "{\r\n\t\"flags\" : {\r\n\t\t\"f\" : { \"x\" : [ ] }\r\n\t}\r\n}", `{"flags":{"f":1,"f":2}}`,
	} {
		f.Add([]byte(s))
	}
}

// sameSplits: what is read of a split in one pass is what the way for every spelling
// reads of it.
func sameSplits(t *testing.T, doc *Doc) {
	t.Helper()
	b := doc.doc.b
	for _, def := range doc.doc.defs {
		if !def.targeting.present() {
			continue
		}
		two, ok := usualSplit(b, def.targeting)
		if !ok {
			continue
		}
		rules, _ := members(b, def.targeting, nil)
		if len(rules) != 1 || !is(b, rules[0].key, "fractional") {
			t.Fatalf("read a split out of %q", b[def.targeting.from:def.targeting.to])
		}
		args, _ := elements(b, rules[0].value, nil)
		if len(args) != 2 {
			t.Fatalf("read two sides out of %q", b[def.targeting.from:def.targeting.to])
		}
		for i, arg := range args {
			of, _ := elements(b, arg, nil)
			if len(of) != 2 || of[0] != two[i].variant || of[1] != two[i].weight {
				t.Fatalf("read %v out of %q", two[i], b[arg.from:arg.to])
			}
		}
	}
}

// FuzzParse: whatever is in the file, reading it does not panic, agrees with
// encoding/json on what JSON is, and gives clean, sorted flags.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := Parse(b)
		if err != nil {
			return
		}
		if !json.Valid(bytes.TrimPrefix(b, []byte("\ufeff"))) {
			t.Fatalf("read what is not JSON: %q", b)
		}
		sameSplits(t, doc)
		flags := doc.Flags("prod")
		for i, x := range flags {
			if i > 0 && flags[i-1].ID.Key >= x.ID.Key {
				t.Fatal("not sorted", x.ID)
			}
			for _, s := range []string{x.Name, x.Owner, x.Description, x.Variant, x.Note, x.Metric} {
				if sources.Clean(s, len(s)) != s {
					t.Fatalf("not clean: %q", s)
				}
			}
			if x.State == sources.FlagBroken && x.Note == "" {
				t.Fatal("broken without a reason")
			}
		}
	})
}

// FuzzEdit: a change touches the bytes of its own flag alone, and an undo
// restores the file byte for byte.
func FuzzEdit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := Parse(b)
		if err != nil {
			return
		}
		flags := doc.Flags("prod")
		for _, x := range flags[:min(len(flags), 4)] {
			for _, c := range []sources.Change{
				{Kind: sources.Kill}, {Kind: sources.Set, To: sources.Pct(37)}, {Kind: sources.Set, To: 1}, {Kind: sources.Set, To: sources.Full}, {Kind: sources.Set},
			} {
				c.Flag = x.ID
				roundTrip(t, b, c)
			}
		}
	})
}

func roundTrip(t *testing.T, before []byte, c sources.Change) {
	t.Helper()
	there, err := NewDraft("prod", before, c)
	if err != nil {
		return
	}
	after, raw := there.Bytes, there.Planned.Restore
	// All that differs lies within the definition's own bytes.
	at := bytes.Index(before, raw)
	for ; at >= 0; at = following(before, raw, at) {
		tail := before[at+len(raw):]
		if bytes.HasPrefix(after, before[:at]) && bytes.HasSuffix(after, tail) && len(after) >= at+len(tail) {
			break
		}
	}
	if at < 0 {
		t.Fatalf("bytes outside the flag changed: %q -> %q", before, after)
	}
	back, err := NewDraft("prod", after, sources.Change{Flag: c.Flag, Kind: sources.Undo, Seen: there.Planned.New.Revision, Restore: raw})
	if err != nil {
		t.Fatalf("no way back from %q to %q: %v", after, before, err)
	}
	if !bytes.Equal(back.Bytes, before) {
		t.Fatalf("undo left %q of %q", back.Bytes, before)
	}
}

func following(b, sub []byte, at int) int {
	if i := bytes.Index(b[at+1:], sub); i >= 0 {
		return at + 1 + i
	}
	return -1
}

// FuzzHop: the quick step over a value ends where the careful walk ends, and never
// takes for a value what the walk refuses.
func FuzzHop(f *testing.F) {
	seeds(f)
	for _, s := range []string{`"a\"b" `, `[1,2,{"a":[]}]x`, `{"a":1,}`, `[1 2]`, `-0.5e3`, `01`, `{"a" :true , "b":[null,"x"]}`, "[\"a\x01\"]", `[}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		to, ok := hop(b, 0, 0)
		if !ok {
			return
		}
		s := scanner{b: b}
		s.space()
		at, err := s.walk()
		if err != nil || at.to != to {
			t.Fatalf("hop ends at %d, the walk at %d (%v): %q", to, at.to, err, b)
		}
	})
}

// FuzzReader: a definition alone in a value reads as it does in a document, whichever
// of the ways of reading it takes; what is refused is no JSON value. Its revision is that
// of its bytes there, and that of what is left of them without layout in a document.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		fuzzFlag, fuzzSplit, " " + fuzzSplit + "\n", fuzzSplit + ",", "{}", "1", "", `{"state":"DISABLED","variants":{"a":"x","b":"y"},"defaultVariant":"a"}`,
		`{"state":"ENABLED","state":"DISABLED","variants":{"on":true,"off":false}}`, `{"variants":{"on":true,"on":false},"state":"ENABLED"}`,
		`{"targeting":{"fractional":[["on",01],["off",9]]},"variants":{"on":true,"off":false},"state":"ENABLED","defaultVariant":"on"}`,
		`{"targeting":{"fractional":[["on",1],["of",9]]},"variants":{"on":true,"off":false},"state":"ENABLED","defaultVariant":"on"}`,
		`{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","metadata":{"owner":"ana","relctl.ladder":"1,2","relctl.tags":"a b","description":true}}`,
		`{"state":"ENABLED","variants":{"on":true,"off":fals},"defaultVariant":"off"}`, `{"state":"ENABLED","variants":{"on":true,},"defaultVariant":"off"}`,
		`{"state":"ENABLED","variants":{"on":true} "defaultVariant":"off"}`, `{"st\u0061te":"ENABLED","variants":{"o\u006e":true,"on":false}}`, `{"state":"EN`, `{"":1}`,
	} {
		f.Add([]byte(s))
	}
	r := NewReader("prod")
	f.Fuzz(func(t *testing.T, value []byte) {
		var got sources.Flag
		if !r.Flag(&got, "f", value) {
			if json.Valid(value) {
				t.Fatalf("refused %q", value)
			}
			return
		}
		if !json.Valid(value) {
			t.Fatalf("read what is not JSON: %q", value)
		}
		doc, err := Parse([]byte(`{"flags":{"f":` + string(value) + `}}`))
		if err != nil {
			t.Fatalf("read %q, of which a document is refused: %v", value, err)
		}
		want, err := doc.Flag("prod", "f")
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil || want.Revision != sources.RevisionOf(compact.Bytes()) {
			t.Fatalf("%q is %s, not that of %q (%v)", value, want.Revision, &compact, err)
		}
		if got.Revision != sources.RevisionOf(bytes.Trim(value, " \t\r\n")) {
			t.Fatalf("%q alone is %s, not that of its bytes", value, got.Revision)
		}
		want.Revision = got.Revision
		if err != nil || !reflect.DeepEqual(want, got) {
			t.Fatalf("%q reads as %+v, in a document as %+v (%v)", value, got, want, err)
		}
	})
}
