package views

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"relctl-tui/sources"
)

// Filter is what was typed to narrow the rows of a pane: words, all of which have to hold. A word is
// letters of a name in their order; "!" in front of it turns it round, and then it is
// held as it stands. "#ui" is a tag that begins so, "state:on", "store:etcd" and "by:ana"
// are beginnings of other words, "rollout>10" and "changed<1h" are limits. What looks
// like none of these is a word. The zero Filter lets all through.
type Filter struct {
	terms []term
}

// term is one word of a filter.
type term struct {
	not   bool
	field string // "" for the name
	text  string // in lower case
	less  bool
	limit float64 // percent, or seconds
	half  bool    // it is not typed to its end, so it lets all through
}

// FilterFields are the fields of flags that a word can name, as they are typed.
const FilterFields = "state:on store: by: rollout>10 changed<1h"

// ParseFilter reads a filter. What is wrong with it is an error for the person who types
// it; the filter is good all the same, without that word.
func ParseFilter(text string) (Filter, error) {
	var f Filter
	var wrong error
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		var t term
		rest, not := strings.CutPrefix(word, "!")
		if t.not = not; rest == "" {
			continue
		}
		err := t.read(rest)
		wrong = cmp.Or(wrong, err)
		f.terms = append(f.terms, t)
	}
	return f, wrong
}

func (t *term) read(word string) error {
	if tag, ok := strings.CutPrefix(word, "#"); ok {
		t.field, t.text = "tag", tag
		return nil
	}
	at := strings.IndexAny(word, ":<>")
	if at < 0 {
		t.text = word
		return nil
	}
	field, value := word[:at], word[at+1:]
	switch sign := word[at]; {
	case sign == ':' && (field == "state" || field == "store" || field == "by" || field == "tag"):
		t.field, t.text, t.half = field, value, value == ""
		return nil
	case sign != ':' && (field == "rollout" || field == "changed"):
		t.field, t.less = field, sign == '<'
	default:
		t.text = word
		return nil
	}
	t.half = true
	if value == "" {
		return nil
	}
	if t.field == "rollout" {
		p, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
		if err != nil || p != p {
			return fmt.Errorf("%s: write a number from 0 to 100", word[:at+1])
		}
		t.limit, t.half = p, false
		return nil
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		return fmt.Errorf("%s: write a span, such as 30m or 2h", word[:at+1])
	}
	t.limit, t.half = d.Seconds(), false
	return nil
}

// NamedFilter says what is wrong with a filter that is to be called by a name, or with the
// name; nil for nothing.
func NamedFilter(name, text string) error {
	switch {
	case name == "" || strings.TrimSpace(name) != name || sources.Clean(name, 40) != name:
		return fmt.Errorf("%q is no name for a filter: up to 40 plain characters", sources.Clean(name, 50))
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("the filter %q is empty", name)
	case sources.Clean(text, 300) != text:
		return fmt.Errorf("the filter %q is not up to 300 plain characters", name)
	}
	if _, err := ParseFilter(text); err != nil {
		return fmt.Errorf("the filter %q: %w", name, err)
	}
	return nil
}

// flagStates are what the state of a flag can be called.
var flagStates = []string{"broken", "custom", "killed", "off", "on", "ramping"}

// Hopeless says which state a filter of flags asks for that no flag can ever have; nil for
// none. Who types it sees that nothing is let through, but a config would keep it.
func (f *Filter) Hopeless() error {
	for i := range f.terms {
		t := &f.terms[i]
		if t.field != "state" || slices.ContainsFunc(flagStates, func(s string) bool { return strings.HasPrefix(s, t.text) }) {
			continue
		}
		if near := sources.Nearest(t.text, flagStates); len(near) > 0 {
			return fmt.Errorf("no flag is ever %q: did you mean state:%s?", t.text, near[0])
		}
		return fmt.Errorf("no flag is ever %q: the states are %s", t.text, strings.Join(flagStates, ", "))
	}
	return nil
}

// Narrows tells whether all that the filter lets through is let through by another one:
// then what that one has left will do to look through.
func (f *Filter) Narrows(other *Filter) bool {
	if len(other.terms) == 0 || len(f.terms) < len(other.terms) {
		return false
	}
	for i, o := range other.terms {
		t := f.terms[i]
		longer := o.field == "" && t.field == "" && !o.not && !t.not && strings.HasPrefix(t.text, o.text)
		if t != o && !longer {
			return false
		}
	}
	return true
}

// Row is what a filter can ask of a row. What a row has none of is let through by no word
// that asks for it.
type Row struct {
	Name    string
	Words   [3]string // what its state is called
	Source  string
	By      string // who did it
	Tags    []string
	Rollout sources.Opt[sources.Percent]
	Changed time.Time // zero when unknown
}

// Flag tells whether a flag is let through, at a time, and how unlike its name is what
// was typed: up to Whole for one that holds all the words as they stand.
func (f *Filter) Flag(fl *sources.Flag, now time.Time) (unlike int, ok bool) {
	r := Row{Name: fl.Name}
	if f.asks() { // most ask for names alone, and there may be many flags
		r.Words[0], r.Source, r.By, r.Tags = fl.State.String(), fl.ID.Source, fl.ChangedBy, fl.Tags
		r.Rollout, r.Changed = fl.Rollout, fl.ChangedAt
		if fl.Killed {
			r.Words[1] = "killed"
		}
		if Ramping(fl) {
			r.Words[2] = "ramping"
		}
	}
	return f.Row(&r, now)
}

// asks tells whether any of the words is about more than the name.
func (f *Filter) asks() bool {
	for i := range f.terms {
		if f.terms[i].field != "" {
			return true
		}
	}
	return false
}

// Row tells the same of a row.
func (f *Filter) Row(r *Row, now time.Time) (unlike int, ok bool) {
	for i := range f.terms {
		t := &f.terms[i]
		if t.half {
			continue
		}
		if t.field == "" && !t.not {
			n, held := Likeness(r.Name, t.text)
			if !held {
				return 0, false
			}
			if unlike = max(unlike, Whole); n > Whole {
				unlike += n - Whole
			}
			continue
		}
		if t.holds(r, now) == t.not {
			return 0, false
		}
	}
	return unlike, true
}

func (t *term) holds(r *Row, now time.Time) bool {
	begins := func(s string) bool { return s != "" && strings.HasPrefix(strings.ToLower(s), t.text) }
	switch t.field {
	case "state":
		return slices.ContainsFunc(r.Words[:], begins)
	case "store":
		return begins(r.Source)
	case "by":
		return begins(r.By)
	case "tag":
		return slices.ContainsFunc(r.Tags, begins) || strings.Contains(strings.ToLower(r.Name), "#"+t.text) // a name may hold the sign as well
	case "rollout":
		return r.Rollout.OK && t.within(r.Rollout.V.Float())
	case "changed":
		return !r.Changed.IsZero() && t.within(now.Sub(r.Changed).Seconds())
	default:
		return strings.Contains(strings.ToLower(r.Name), t.text)
	}
}

func (t *term) within(v float64) bool {
	if t.less {
		return v < t.limit
	}
	return v > t.limit
}
