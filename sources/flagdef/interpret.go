package flagdef

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"relctl-tui/sources"
)

// shape is what a definition amounts to for a release.
type shape int

const (
	shapeBroken shape = iota
	shapeCustom
	shapeSwitch // boolean without targeting: 0 % or 100 %
	shapeSplit  // a two-way fractional is the whole targeting
)

// bucket is one side of a switch or a split.
type bucket struct {
	variant span // the name as the file spells it, with quotes
	weight  span // zero for the shorthand without a number
	share   int64
}

// reading is a definition understood.
type reading struct {
	shape   shape
	note    string
	refused bool // evaluators refuse the whole file over it
	killed  bool
	fixed   bool // the percentage can be read, but not set
	on, off bucket
	variant string // name of the on side, decoded
	percent sources.Percent
	serves  []sources.Share // what one percentage cannot say; nil otherwise
}

// reader understands definitions; it is a scratch buffer with methods, so that
// ten thousand flags cost few allocations. Not for concurrent use.
type reader struct {
	doc      *document
	variants []member
	items    []member
	args     []span
	entry    []span
	two      [2]entry // the sides of the split of a definition that is parted
	names    map[string]string
	dense    []byte // of the definition whose revision was told last
}

func newReader(d *document) *reader { return &reader{doc: d, names: make(map[string]string)} }

// refusal ends the note of a flag that the rest of the file suffers from.
const refusal = "; flagd refuses the whole file"

func broken(note string) reading { return reading{note: note} }
func fatal(note string) reading {
	return reading{note: note + refusal, refused: true}
}
func custom(note string) reading { return reading{shape: shapeCustom, note: note} }

// read understands one definition.
func (r *reader) read(def *definition) reading {
	if out, ok := r.doubtful(def); ok {
		return out
	}
	b := r.doc.b
	killed := is(b, def.state, "DISABLED")
	out := r.evaluated(def)
	if !killed && !out.refused && !is(b, def.state, "ENABLED") {
		out = fatal(stateNote(b, def.state))
	}
	out.killed = killed
	return out
}

// doubtful handles definitions of which it is not certain which text counts.
func (r *reader) doubtful(def *definition) (reading, bool) {
	switch {
	case def.same > 0:
		return broken(fmt.Sprintf("this key stands in the file %d times", def.same+1)), true
	case !def.known:
		return fatal("the definition is not an object"), true
	case def.twice != "":
		out := broken(fmt.Sprintf("%q stands there twice", def.twice))
		out.killed = def.twice != "state" && is(r.doc.b, def.state, "DISABLED")
		return out, true
	default:
		return reading{}, false
	}
}

func stateNote(b []byte, at span) string {
	if !at.present() {
		return "there is no state"
	}
	return "state is neither ENABLED nor DISABLED but " + shown(b, at)
}

// shown is a value's text for a note, cleaned and short.
func shown(b []byte, at span) string {
	return sources.Clean(string(b[at.from:min(at.to, at.from+200)]), 40)
}

// evaluated understands variants, defaultVariant and targeting.
func (r *reader) evaluated(def *definition) reading {
	b := r.doc.b
	ok := true
	if !def.parted {
		r.variants, ok = members(b, def.variants, r.variants[:0])
	}
	if !ok || len(r.variants) == 0 {
		return fatal("there are no variants")
	}
	if name := r.repeated(); name != "" {
		return broken(fmt.Sprintf("variant %q stands there twice", name))
	}
	fallback := span{}
	if raw := string(r.doc.bytes(def.fallback)); raw != "" && raw != "null" && raw != `""` {
		if fallback, ok = r.lookup(def.fallback); !ok || raw[0] != '"' {
			return fatal("defaultVariant " + shown(b, def.fallback) + " is none of the variants")
		}
	}
	if r.targeted(def.targeting) {
		return r.targetingOf(def)
	}
	return r.withoutTargeting(def, fallback)
}

func (r *reader) targeted(at span) bool {
	if !at.present() || string(r.doc.bytes(at)) == "null" {
		return false
	}
	b := r.doc.bytes(at)
	return b[0] != '{' || len(bytes.TrimSpace(b[1:len(b)-1])) > 0
}

// repeated is the name of a variant that stands there twice, "" for none.
func (r *reader) repeated() string {
	if len(r.variants) == 2 && !bytes.Equal(r.doc.bytes(r.variants[0].key), r.doc.bytes(r.variants[1].key)) &&
		bytes.IndexByte(r.doc.bytes(r.variants[0].key), '\\') < 0 && bytes.IndexByte(r.doc.bytes(r.variants[1].key), '\\') < 0 {
		return ""
	}
	seen := make(map[string]bool, len(r.variants))
	for _, v := range r.variants {
		name, _ := text(r.doc.b, v.key)
		if seen[name] {
			return sources.Clean(name, 40)
		}
		seen[name] = true
	}
	return ""
}

// lookup finds the variant that a string, true or false names, and returns the
// span of its value.
func (r *reader) lookup(name span) (span, bool) {
	m, ok := r.member(name)
	return m.value, ok
}

func (r *reader) member(name span) (member, bool) {
	b := r.doc.b
	// The same spelling is the usual case and costs no decoding.
	for _, v := range r.variants {
		if bytes.Equal(r.doc.bytes(v.key), r.doc.bytes(name)) {
			return v, true
		}
	}
	want, ok := text(b, name)
	if raw := string(r.doc.bytes(name)); !ok && (raw == "true" || raw == "false") {
		want, ok = raw, true
	}
	if !ok {
		return member{}, false
	}
	for _, v := range r.variants {
		if is(b, v.key, want) {
			return v, true
		}
	}
	return member{}, false
}

func (r *reader) withoutTargeting(def *definition, fallback span) reading {
	b := r.doc.b
	var on, off span
	trues, falses := 0, 0
	for _, v := range r.variants {
		switch string(r.doc.bytes(v.value)) {
		case "true":
			trues, on = trues+1, v.key
		case "false":
			falses, off = falses+1, v.key
		default:
			if !fallback.present() {
				return custom("everybody gets the default in code")
			}
			out := custom("everybody gets " + shown(b, fallback) + ", which is no boolean")
			if m, ok := r.member(def.fallback); ok {
				out.serves = []sources.Share{{Variant: r.name(m.key), Of: sources.Full}}
			}
			return out
		}
	}
	if !fallback.present() {
		return custom("there is no defaultVariant, so everybody gets the default in code")
	}
	out := reading{shape: shapeSwitch, on: bucket{variant: on}, off: bucket{variant: off}}
	if string(r.doc.bytes(fallback)) == "true" {
		out.percent = sources.Full
	}
	if trues != 1 || falses != 1 {
		out.fixed = true
		out.note = fmt.Sprintf("%d variants are true and %d false, so it is not certain which to ramp", trues, falses)
	}
	out.variant = r.name(on)
	return out
}

// name is a decoded variant name; equal names share one string.
func (r *reader) name(at span) string {
	if s, ok := r.names[string(r.doc.bytes(at))]; ok {
		return s
	}
	s, _ := text(r.doc.b, at)
	s = sources.Clean(s, sources.MaxName)
	if len(r.names) < 1024 {
		r.names[string(r.doc.bytes(at))] = s
	}
	return s
}

// targetingOf understands targeting that is not empty.
func (r *reader) targetingOf(def *definition) reading {
	if def.parted {
		return r.sides(def, r.two)
	}
	b := r.doc.b
	if two, ok := usualSplit(b, def.targeting); ok {
		return r.sides(def, two)
	}
	rules, ok := members(b, def.targeting, r.items[:0])
	r.items = rules
	switch {
	case !ok:
		return custom("targeting is no rule: " + shown(b, def.targeting))
	case len(rules) > 1:
		return custom(fmt.Sprintf("targeting has %d rules side by side, which flagd does not evaluate", len(rules)))
	}
	if is(b, rules[0].key, "fractional") {
		return r.split(def, rules[0].value)
	}
	rule, _ := text(b, rules[0].key)
	switch rule {
	case "fractionalEvaluation":
		return custom("fractionalEvaluation, which flagd replaced by fractional and no longer evaluates")
	case "$ref":
		return custom("shared rule " + shown(b, rules[0].value))
	default:
		return custom(fmt.Sprintf("rule %q", sources.Clean(rule, 40)))
	}
}

// sides understands the two sides of a split.
func (r *reader) sides(def *definition, two [2]entry) reading {
	first, odd := r.side(two[0])
	if odd != nil {
		return *odd
	}
	second, odd := r.side(two[1])
	if odd != nil {
		return *odd
	}
	return r.weigh(def, first, second)
}

// split understands the arguments of fractional.
func (r *reader) split(def *definition, at span) reading {
	b := r.doc.b
	var ok bool
	if r.args, ok = elements(b, at, r.args[:0]); !ok || len(r.args) == 0 {
		return broken("fractional has no list of variants")
	}
	args := r.args
	switch b[args[0].from] {
	case '{':
		args = args[1:]
	case '"':
		return custom("fractional with a fixed text to bucket by, so all users fall into one variant")
	}
	for _, arg := range args {
		if b[arg.from] != '[' {
			return broken("fractional holds " + shown(b, arg) + " where [variant, weight] belongs")
		}
	}
	if len(args) != 2 {
		return r.manyWay(args)
	}
	first, odd := r.bucket(args[0])
	if odd != nil {
		return *odd
	}
	second, odd := r.bucket(args[1])
	if odd != nil {
		return *odd
	}
	return r.weigh(def, first, second)
}

// bucket understands one [variant, weight]. The reading is nil when
// all is well.
func (r *reader) bucket(at span) (bucket, *reading) {
	b := r.doc.b
	r.entry, _ = elements(b, at, r.entry[:0])
	switch len(r.entry) {
	case 1:
		return r.side(entry{variant: r.entry[0]})
	case 2:
		return r.side(entry{variant: r.entry[0], weight: r.entry[1]})
	default:
		return bucket{}, new(broken("fractional holds " + shown(b, at) + " where [variant, weight] belongs"))
	}
}

// side understands a variant and its weight, which may be absent.
func (r *reader) side(e entry) (bucket, *reading) {
	b := r.doc.b
	out := bucket{variant: e.variant, share: 1}
	switch b[out.variant.from] {
	case '{', '[':
		return out, new(custom("nested rule inside the split"))
	case 'n':
		return out, new(custom("split that leaves a part to defaultVariant"))
	}
	if _, ok := r.lookup(out.variant); !ok {
		return out, new(broken("the split names " + shown(b, out.variant) + ", which is none of the variants"))
	}
	if out.weight = e.weight; !out.weight.present() {
		return out, nil
	}
	if c := b[out.weight.from]; c == '{' || c == '[' {
		return out, new(custom("computed weight inside the split"))
	}
	var why string
	if out.share, why = weight(r.doc.bytes(out.weight)); why != "" {
		return out, new(broken(fmt.Sprintf("weight %s of %s %s", shown(b, out.weight), shown(b, out.variant), why)))
	}
	return out, nil
}

// weight reads a whole number from 0 to 2^31-1 in any of JSON's spellings.
func weight(raw []byte) (int64, string) {
	if n, ok := count(raw); ok {
		return n, ""
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		return 0, "is no number"
	case f < 0:
		return 0, "is negative"
	case f != math.Trunc(f):
		return 0, "is no whole number"
	case f > math.MaxInt32:
		return 0, "is too large"
	default:
		return int64(f), ""
	}
}

// weigh turns two buckets into one percentage.
func (r *reader) weigh(def *definition, first, second bucket) reading {
	sum := first.share + second.share
	a, _ := r.member(first.variant)
	z, _ := r.member(second.variant)
	switch {
	case a.key == z.key:
		return custom("split with the same variant on both sides")
	case sum == 0:
		return broken("the weights are all 0")
	case sum > math.MaxInt32:
		return broken("the weights are too large together")
	}
	out := reading{shape: shapeSplit, on: first, off: second, variant: r.name(a.key)}
	if r.countsSecond(def, a, z) {
		out.on, out.off, out.variant = second, first, r.name(z.key)
	}
	out.percent, _ = sources.PercentOf(out.on.share, sum)
	if len(r.variants) > 2 {
		out.serves = r.shares([]bucket{first, second}, sum)
	}
	if !usualSum(sum) && (first.weight.present() || second.weight.present()) {
		out.note = fmt.Sprintf("the weights sum to %d, not 100, and count as shares of that", sum)
	}
	return out
}

// countsSecond says which side the percentage counts: the one whose value is
// true, else the one that is not defaultVariant, else the first.
func (r *reader) countsSecond(def *definition, first, second member) bool {
	x, y := string(r.doc.bytes(first.value)), string(r.doc.bytes(second.value))
	if (x == "true") != (y == "true") {
		return y == "true"
	}
	fallback, ok := r.member(def.fallback)
	return ok && fallback.key == first.key
}

// usualSum is 100 or 100 with decimals, which is how fractions of a percent
// are written in whole numbers.
func usualSum(sum int64) bool {
	return sum == 100 || sum == 1000 || sum == 10_000 || sum == 100_000
}

// flag is the domain's view of a reading. Strings are cleaned.
func (r *reader) flag(source string, def *definition, got *reading) (f sources.Flag) {
	r.fill(&f, source, def, got)
	return f
}

// fill is flag where the flag is to be: it is large.
func (r *reader) fill(f *sources.Flag, source string, def *definition, got *reading) {
	*f = sources.Flag{
		ID:       sources.FlagID{Source: source, Key: def.key},
		Name:     sources.Clean(def.key, sources.MaxName),
		Killed:   got.killed,
		Variant:  got.variant,
		Note:     got.note,
		Custom:   got.fixed || got.shape == shapeCustom || got.shape == shapeBroken,
		Revision: r.revision(r.doc.bytes(def.at)),
		Serves:   got.serves,
	}
	set := got.shape == shapeSwitch || got.shape == shapeSplit
	if set {
		f.Stored = sources.Some(got.percent)
	}
	switch {
	case got.killed && !got.refused && def.twice == "" && def.same == 0:
		f.State, f.Rollout = sources.FlagOff, sources.Some(sources.Percent(0))
	case set:
		f.State, f.Rollout = sources.FlagOn, f.Stored
		// The side that counts, not the rounded percentage: 1 in a million is on.
		if got.percent == 0 && got.on.share == 0 {
			f.State = sources.FlagOff
		}
	case got.shape == shapeCustom:
		f.State = sources.FlagCustom
	}
	r.metadata(def, f)
}

// metadata fills what the file says about the flag for people.
func (r *reader) metadata(def *definition, f *sources.Flag) {
	if !def.metadata.present() {
		return
	}
	b := r.doc.b
	if !def.parted {
		r.items, _ = members(b, def.metadata, r.items[:0])
	}
	for _, m := range r.items {
		switch string(bare(b, m.key)) {
		case "description":
			s, _ := text(b, m.value)
			f.Description = sources.Clean(s, 500)
		case "owner":
			f.Owner = r.name(m.value)
		case "relctl.tags":
			s, _ := text(b, m.value)
			f.Tags = sources.ParseTags(s)
		case "relctl.latency":
			f.Metric = r.name(m.value)
		case "relctl.ladder":
			ladder, err := ladderOf(b, m.value)
			if f.Ladder = ladder; err != nil {
				f.Note = sources.JoinClauses(f.Note, "relctl.ladder "+shown(b, m.value)+" is no ladder and is ignored")
			}
		}
	}
}

func ladderOf(b []byte, at span) (sources.Ladder, error) {
	s, ok := text(b, at)
	if !ok {
		return nil, sources.ErrInvalid
	}
	return sources.ParseLadder(s)
}
