package goff_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// pen writes generated flags as many people would have.
type pen struct {
	t    *rapid.T
	b    strings.Builder
	unit string
	nl   string
	json bool
	open int // braces that are open
}

type member struct {
	key   string
	value any // string (plain text of a scalar), quoted, []member, or [][]member
}

// quoted is a scalar that a person may write in several ways.
type quoted string

// chance is true once in n times.
func (p *pen) chance(n int) bool { return rapid.IntRange(0, n-1).Draw(p.t, "chance") == 0 }

func (p *pen) pick(list ...string) string { return rapid.SampledFrom(list).Draw(p.t, "pick") }

func (p *pen) comment() {
	if !p.json && p.chance(4) {
		p.b.WriteString(p.pick(" # why", "  # \"on\": 25, {not: yaml}", "\t# é: 日本 'x", " #"))
	}
}

func (p *pen) name(s string) {
	switch {
	case p.json || p.chance(2):
		p.b.WriteString(`"` + s + `"`)
	case p.chance(3) || strings.ContainsAny(s, ":#{"):
		p.b.WriteString(`'` + s + `'`)
	default:
		p.b.WriteString(s)
	}
}

// mapping writes members below each other, or in braces.
func (p *pen) mapping(list []member, depth int) {
	if p.json {
		p.braces(list, depth)
		return
	}
	for i, m := range list {
		if i > 0 || depth > 0 {
			if i > 0 || p.b.Len() > 0 {
				p.comment()
				p.b.WriteString(p.nl)
			}
			if p.chance(8) {
				p.b.WriteString(p.pick("", strings.Repeat(p.unit, depth), "  ") + p.pick("", "# a line", "# f:", "    # deeper") + p.nl)
			}
		}
		p.b.WriteString(strings.Repeat(p.unit, depth))
		p.name(m.key)
		p.b.WriteString(":")
		if list, ok := m.value.([]member); ok && p.open == 0 && !p.json {
			if p.chance(10) {
				fmt.Fprintf(&p.b, " &a%d", p.b.Len())
			}
			p.nested(list, depth+1)
			continue
		}
		p.b.WriteString(p.pick(" ", " ", "  "))
		p.value(m.value, depth+1)
	}
}

// nested is a mapping behind a colon: its first line starts on the next.
func (p *pen) nested(list []member, depth int) {
	if depth > 1 && p.chance(3) {
		p.b.WriteString(" ")
		p.braces(list, depth)
		return
	}
	p.mapping(list, depth)
}

func (p *pen) braces(list []member, depth int) {
	p.open++
	gap := p.pick("", " ")
	if p.chance(4) {
		gap = p.nl + strings.Repeat(p.unit, depth+1)
	}
	p.b.WriteString("{" + gap)
	for i, m := range list {
		if i > 0 {
			p.b.WriteString("," + p.pick(" ", "  ") + strings.TrimLeft(gap, " "))
		}
		p.name(m.key)
		p.b.WriteString(":" + p.pick(" ", " ", "  "))
		p.value(m.value, depth+1)
	}
	p.b.WriteString(gap + "}")
	p.open--
}

func (p *pen) value(v any, depth int) {
	switch v := v.(type) {
	case string:
		p.b.WriteString(v)
	case quoted:
		p.name(string(v))
	case []member:
		p.braces(v, depth)
	case [][]member:
		p.open++
		p.b.WriteString("[")
		for i, m := range v {
			if i > 0 {
				p.b.WriteString(", ")
			}
			p.braces(m, depth)
		}
		p.b.WriteString("]")
		p.open--
	}
}

// flag is a generated definition: boolean, with one percentage, in most of the
// forms in which that can be said.
func (p *pen) flag() []member {
	on, off := quoted(p.pick("on", "enabled", "A b", "tru")), quoted(p.pick("off", "disabled", "é"))
	variations := []member{{string(on), "true"}, {string(off), "false"}}
	list := []member{{"variations", variations}, {"defaultRule", p.rule(on, off)}}
	if p.chance(4) {
		list = append(list, member{"disable", p.pick("true", "false")})
	}
	if p.chance(3) {
		list = append(list, member{"metadata", []member{{"description", quoted(p.pick("text", "f: {}", "# no comment"))}, {"owner", quoted("team")}}})
	}
	if p.chance(4) {
		list = append(list, member{"trackEvents", "false"})
	}
	if p.chance(3) {
		var steps [][]member
		for range rapid.IntRange(1, 3).Draw(p.t, "steps") {
			date := fmt.Sprintf("2026-03-%02dT00:00:00Z", rapid.IntRange(1, 28).Draw(p.t, "day"))
			s := []member{{"date", quoted(date)}}
			if p.chance(2) {
				s = append(s, member{"disable", p.pick("true", "false")})
			}
			if p.chance(2) {
				s = append(s, member{"defaultRule", p.rule(on, off)})
			}
			steps = append(steps, s)
		}
		list = append(list, member{"scheduledRollout", steps})
	}
	if p.chance(6) {
		list = append(list, member{"experimentation", []member{{"start", quoted("2026-03-05T00:00:00Z")}, {"end", quoted("2026-03-15T00:00:00+02:00")}}})
	}
	return rapid.Permutation(list).Draw(p.t, "order")
}

func (p *pen) rule(on, off quoted) []member {
	switch rapid.IntRange(0, 3).Draw(p.t, "form") {
	case 0:
		return []member{{"variation", on}}
	case 1:
		return []member{{"variation", off}, {"name", quoted("x")}}
	case 2:
		n := rapid.IntRange(0, 100_000).Draw(p.t, "percent")
		return []member{{"percentage", []member{{string(on), thousandths(n)}, {string(off), thousandths(100_000 - n)}}}}
	default:
		from, to := on, off
		if p.chance(2) {
			from, to = off, on
		}
		return []member{{"progressiveRollout", []member{
			{"initial", []member{{"variation", from}, {"date", quoted("2026-03-01T00:00:00Z")}}},
			{"end", []member{{"variation", to}, {"percentage", p.pick("100", "60")}, {"date", quoted("2026-03-20T12:00:00Z")}}},
		}}}
	}
}

func thousandths(n int) string {
	s := strings.TrimRight(fmt.Sprintf("%d.%03d", n/1000, n%1000), "0")
	return strings.TrimSuffix(s, ".")
}

// content is a generated file with the flags a, f and z.
func content(t *rapid.T) string {
	p := &pen{t: t, unit: rapid.SampledFrom([]string{"  ", "    ", " "}).Draw(t, "unit"), nl: "\n"}
	if p.chance(3) {
		p.nl = "\r\n"
	}
	p.json = p.chance(5)
	all := rapid.Permutation([]member{{"a", p.flag()}, {"f", p.flag()}, {"z", p.flag()}}).Draw(t, "flags")
	if !p.json && p.chance(3) {
		p.b.WriteString("# head" + p.nl)
	}
	p.mapping(all, 0)
	if p.chance(2) {
		p.b.WriteString(p.nl)
	}
	if !p.json && p.chance(4) {
		p.b.WriteString(p.nl + "# tail" + p.nl)
	}
	return p.b.String()
}
