package flagdef

// entry is one [variant, weight] of a split.
type entry struct{ variant, weight span }

// usual reads a definition in the spelling that nearly every one has, in one pass and
// with its parts, which then lie in the reader: state, defaultVariant, variants that are
// words, metadata likewise, and a split between two or no targeting at all. False for
// any other, and for what is no JSON, which take the way that knows them all. A store of
// ten thousand flags is a table so much sooner.
func (r *reader) usual() (def definition, ok bool) {
	value := r.doc.b
	r.variants, r.items = r.variants[:0], r.items[:0]
	p := pass{b: value}
	p.want('{')
	def.at.from = p.at - 1
	for more := true; more && !p.lost; more = p.more('}') {
		slot := def.slot(value, p.name(), nil)
		if slot == nil || slot.present() {
			return def, false
		}
		slot.from = blank(value, p.at)
		switch slot {
		case &def.variants:
			r.variants = p.words(r.variants)
		case &def.metadata:
			r.items = p.words(r.items)
		case &def.targeting:
			r.two = p.split()
		default:
			p.str()
		}
		slot.to = p.at
	}
	def.known, def.parted, def.at.to = true, true, p.at
	return def, !p.lost && blank(value, p.at) == len(value)
}

// usualSplit reads the two entries of a split in the spelling that nearly every one has,
// {"fractional": [["on", 25], ["off", 75]]}; false for any other.
func usualSplit(b []byte, at span) (two [2]entry, ok bool) {
	p := pass{b: b[:at.to], at: at.from}
	two = p.split()
	return two, !p.lost
}

// pass goes over text that is JSON, and is lost once it is not what was expected.
type pass struct {
	b    []byte
	at   int
	lost bool
}

// want steps over a character and the white space before it.
func (p *pass) want(c byte) {
	if p.at = blank(p.b, p.at); p.at >= len(p.b) || p.b[p.at] != c {
		p.lost = true
		return
	}
	p.at++
}

// more steps over the comma before another member, or over what closes them.
func (p *pass) more(closing byte) bool {
	if p.at = blank(p.b, p.at); p.at < len(p.b) && p.b[p.at] == closing {
		p.at++
		return false
	}
	p.want(',')
	return !p.lost
}

// name steps over a member's name and its colon.
func (p *pass) name() span {
	name := p.str()
	p.want(':')
	return name
}

// words appends the members of an object that is not empty and holds words alone:
// strings, true and false.
func (p *pass) words(into []member) []member {
	p.want('{')
	for more := true; more && !p.lost; more = p.more('}') {
		into = append(into, member{p.name(), p.word()})
	}
	return into
}

func (p *pass) word() span {
	p.at = blank(p.b, p.at)
	for _, w := range []string{"true", "false"} {
		if end := p.at + len(w); end <= len(p.b) && string(p.b[p.at:end]) == w {
			p.at = end
			return span{end - len(w), end}
		}
	}
	return p.str()
}

// split steps over {"fractional": [["on", 25], ["off", 75]]}.
func (p *pass) split() (two [2]entry) {
	p.want('{')
	if name := p.name(); p.lost || string(p.b[name.from:name.to]) != `"fractional"` {
		p.lost = true
		return two
	}
	p.want('[')
	for i := range two {
		if i > 0 {
			p.want(',')
		}
		p.want('[')
		two[i].variant = p.str()
		p.want(',')
		two[i].weight = p.whole()
		p.want(']')
	}
	p.want(']')
	p.want('}')
	return two
}

// str steps over a string without escapes.
func (p *pass) str() span {
	if p.want('"'); p.lost {
		return span{}
	}
	from := p.at - 1
	if p.at = plain(p.b, p.at); p.at >= len(p.b) || p.b[p.at] != '"' {
		p.lost = true
		return span{}
	}
	p.at++
	return span{from, p.at}
}

// whole steps over a number of a few digits. Whatever else makes it a number is not
// what comes next, so the pass is lost then.
func (p *pass) whole() span {
	if p.at = blank(p.b, p.at); p.lost {
		return span{}
	}
	from := p.at
	for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	if n := p.at - from; n == 0 || n > fewDigits || n > 1 && p.b[from] == '0' {
		p.lost = true
	}
	return span{from, p.at}
}

// fewDigits is how many digits surely fit into a weight.
const fewDigits = 9

// count reads a number of a few digits and nothing else.
func count(raw []byte) (n int64, ok bool) {
	if len(raw) == 0 || len(raw) > fewDigits {
		return 0, false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
