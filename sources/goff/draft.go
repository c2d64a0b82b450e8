package goff

import (
	"bytes"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"relctl-tui/sources"
	"relctl-tui/sources/flagfile"
)

// part is the text that an edit works on: the lines of one flag, or the whole file
// where an anchor or an alias connects the flag with the rest of it.
type part struct {
	*tree
	pad int // bytes of text before those of the file
	at  int // where the others stand in the file
}

// cut is a definition's lines as a text of their own; false where they cannot be
// understood without the rest of the file.
func cut(b []byte, at span, flow bool, newline string) (*part, bool) {
	text, pad := bytes.Clone(b[at.from:at.to]), 0
	if flow {
		text, pad = append(append([]byte("{"), text...), '}'), 1
	}
	t, err := parseTree(text)
	if err != nil || t.root == nil || len(t.root.Content) != 2 || len(t.entries) != 1 || len(t.warnings) > 0 {
		return nil, false
	}
	linked := false
	walk(t.root, func(n *yaml.Node) bool {
		linked = linked || n.Anchor != "" || n.Kind == yaml.AliasNode
		return !linked
	})
	if e := &t.entries[0]; linked || !e.certain || e.at != (span{pad, len(text) - pad}) {
		return nil, false
	}
	t.newline = newline
	return &part{tree: t, pad: pad, at: at.from}, true
}

// partOf is what an edit of a flag works on.
func partOf(d *document, e *entry) (*part, error) {
	if !e.linked && e.certain {
		if p, ok := cut(d.b, e.at, d.flow, d.newline); ok {
			return p, nil
		}
	}
	t, err := parseTree(d.b)
	if err != nil {
		return nil, err
	}
	return &part{tree: t}, nil
}

// nodes are a flag's key and definition.
func (p *part) nodes(key string) (k, v *yaml.Node, ok bool) {
	k, v = pair(p.root, key)
	return k, v, v != nil
}

// draft compares, works out the edits and reads them back.
func draft(source string, d *document, c sources.Change, now time.Time) (flagfile.Draft, error) {
	if c.Flag.Source != source {
		return flagfile.Draft{}, fmt.Errorf("there is no flag %s in it: %w", sources.Clean(c.Flag.Key, sources.MaxName), sources.ErrNotFound)
	}
	e, err := d.known(c.Flag.Key)
	if err != nil {
		return flagfile.Draft{}, err
	}
	old := e.flag(source, now)
	if c.Seen != "" && c.Seen != old.Revision {
		return flagfile.Draft{}, sources.Changed(&old)
	}
	b, warnings, err := changed(d, e, &old, c, now)
	if err != nil {
		return flagfile.Draft{}, fmt.Errorf("%s was not changed: %w", old.Name, err)
	}
	out := flagfile.Draft{
		Planned: sources.Planned{Old: old, Restore: bytes.Clone(d.bytes(e.at))},
		Bytes:   b, Same: bytes.Equal(b, d.b),
	}
	after, err := reread(d, e, b)
	if err != nil {
		return flagfile.Draft{}, fmt.Errorf("%s was not changed: %w", old.Name, err)
	}
	out.Planned.New = after.flag(source, now)
	if !intended(&out.Planned.New, after, b, c) {
		return flagfile.Draft{}, fmt.Errorf("%s would not read as intended after the edit, nothing was written: %w", old.Name, sources.ErrInvalid)
	}
	if c.Kind == sources.Kill || c.Kind == sources.Undo {
		warnings = append(warnings, revives(&out.Planned.New, warnings))
	} else {
		warnings = append(warnings, goesOn(&out.Planned.New))
	}
	out.Warning = func() string { return sources.JoinClauses(append(warnings, refused(d, e, after, now))...) }
	return out, nil
}

// changed is the file after the change.
func changed(d *document, e *entry, old *sources.Flag, c sources.Change, now time.Time) ([]byte, []string, error) {
	switch {
	case e.same > 0:
		return nil, nil, fmt.Errorf("its key stands in the file %d times, so it is not certain which to change; remove one by hand: %w", e.same+1, sources.ErrInvalid)
	case e.shared != "":
		return nil, nil, fmt.Errorf("its definition is shared: %s; change it by hand: %w", e.shared, sources.ErrUnsupported)
	case !e.certain:
		return nil, nil, uncertain("definition")
	case c.Kind == sources.Undo:
		if len(c.Restore) == 0 {
			return nil, nil, fmt.Errorf("what was kept to restore it is no definition: %w", sources.ErrInvalid)
		}
		return sources.Splice(d.b, []edit{{e.at, string(c.Restore)}}, (*edit).place), nil, nil
	}
	p, err := partOf(d, e)
	if err != nil {
		return nil, nil, err
	}
	k, v, ok := p.nodes(e.key)
	if !ok {
		return nil, nil, uncertain("definition")
	}
	ed := editor{
		splicer: splicer{text: p.text, links: p.links, newline: p.newline},
		key:     k, flag: v, e: e, got: e.read(now), now: now,
	}
	switch c.Kind {
	case sources.Kill:
		err = ed.kill()
	case sources.Ramp, sources.Back, sources.Set:
		if err = old.CanRamp(); err == nil {
			err = ed.ramp(c.To)
		}
	case sources.Move:
		err = sources.CannotMove("a GO Feature Flag file")
	default:
		err = fmt.Errorf("%q is no change that can be made: %w", sources.Clean(string(c.Kind), 40), sources.ErrUnsupported)
	}
	if err != nil {
		return nil, nil, err
	}
	for i := range ed.edits {
		ed.edits[i].at.from += p.at - p.pad
		ed.edits[i].at.to += p.at - p.pad
	}
	return sources.Splice(d.b, ed.edits, (*edit).place), ed.warnings, nil
}

// reread is the edited flag in the new bytes, after a look at whether any other
// flag reads otherwise than before.
func reread(d *document, was *entry, b []byte) (*entry, error) {
	end := len(b) - (len(d.b) - was.at.to)
	if end < was.at.from || !bytes.Equal(b[:was.at.from], d.b[:was.at.from]) || !bytes.Equal(b[end:], d.b[was.at.to:]) {
		return nil, fmt.Errorf("the edit would touch another flag, nothing was written: %w", sources.ErrInvalid)
	}
	if !was.linked {
		// A whole definition on lines of its own, or inside the braces, takes the
		// place of another: what stands around it cannot tell them apart.
		if p, ok := cut(b, span{was.at.from, end}, d.flow, d.newline); ok && p.entries[0].key == was.key && p.entries[0].wrong == "" {
			e := p.entries[0]
			e.at = span{was.at.from, end}
			return &e, nil
		}
	}
	now, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("the edit would leave the file unreadable, nothing was written: %w", err)
	}
	e := now.find(was.key)
	if e == nil || e.same > 0 || e.at != (span{was.at.from, end}) || len(now.entries) != len(d.entries) {
		return nil, fmt.Errorf("the edit would change which flags there are, nothing was written: %w", sources.ErrInvalid)
	}
	for i := range d.entries {
		if x, y := &d.entries[i], &now.entries[i]; x.key != y.key || x.key != was.key && (x.revision != y.revision || x.wrong != y.wrong) {
			return nil, fmt.Errorf("the edit would change %s too, nothing was written: %w", short(x.key), sources.ErrInvalid)
		}
	}
	return e, nil
}

// intended says whether the flag is what was asked for.
func intended(f *sources.Flag, e *entry, b []byte, c sources.Change) bool {
	switch c.Kind {
	case sources.Kill:
		return f.Killed
	case sources.Undo:
		return bytes.Equal(b[e.at.from:e.at.to], c.Restore)
	default:
		return !f.Killed && f.Rollout == sources.Some(c.To)
	}
}

// revives says that a killed flag will not stay so, unless something was said of
// its schedule already.
func revives(f *sources.Flag, said []string) string {
	if !f.Killed || len(said) > 0 {
		return ""
	}
	for _, u := range f.Upcoming {
		if u.What != staysKilled {
			return "its schedule ends that " + clock(u.At) + ": " + u.What
		}
	}
	return ""
}

// goesOn says what a schedule will make of a flag that was just set.
func goesOn(f *sources.Flag) string {
	if len(f.Upcoming) == 0 {
		return ""
	}
	u := f.Upcoming[0]
	return "its schedule goes on " + clock(u.At) + ": " + u.What
}

// refused says that applications will not see a change, because GO Feature Flag
// takes no file of which one flag cannot be decoded.
func refused(d *document, edited, after *entry, now time.Time) string {
	for i := range d.entries {
		e := &d.entries[i]
		if e == edited {
			e = after
		}
		if e.wrong == "" && e.same == 0 {
			continue
		}
		if r := e.read(now); r.refused {
			return fmt.Sprintf("applications will not see this change until %s is mended in the file: %s", short(e.key), r.note)
		}
	}
	return ""
}
