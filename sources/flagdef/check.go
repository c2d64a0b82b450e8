package flagdef

import (
	"bytes"
	"fmt"

	"relctl-tui/sources"
)

func (e *editor) edits(c sources.Change, old *sources.Flag) ([]edit, error) {
	switch c.Kind {
	case sources.Kill:
		return e.kill()
	case sources.Ramp, sources.Back, sources.Set:
		if err := old.CanRamp(); err != nil {
			return nil, err
		}
		return e.ramp(c.To)
	case sources.Move:
		return e.move(c.Variant)
	case sources.Undo:
		return e.restore(c.Restore)
	default:
		return nil, fmt.Errorf("%q is no change that can be made: %w", sources.Clean(string(c.Kind), 40), sources.ErrUnsupported)
	}
}

// check reads the new bytes back before they are written: what would not read
// as intended is refused.
func check(source string, b []byte, was *definition, old *document, c sources.Change) (sources.Flag, reading, error) {
	doc, def, err := reread(b, was, old)
	if err != nil {
		return sources.Flag{}, reading{}, err
	}
	r := newReader(doc)
	got := r.read(def)
	f := r.flag(source, def, &got)
	ok := true
	switch c.Kind {
	case sources.Kill:
		ok = f.Killed
	case sources.Ramp, sources.Back, sources.Set:
		ok = !f.Killed && f.Rollout == sources.Some(c.To)
	case sources.Move:
		ok = !f.Killed && serves(&f, c.Variant)
	case sources.Undo:
		ok = bytes.Equal(doc.bytes(def.at), c.Restore)
	}
	if !ok {
		return sources.Flag{}, got, fmt.Errorf("%s would not read as intended after the edit, nothing was written: %w", f.Name, sources.ErrInvalid)
	}
	return f, got, nil
}

// serves says that everybody gets the variant.
func serves(f *sources.Flag, variant string) bool {
	return len(f.Serves) == 1 && f.Serves[0].Variant == variant
}

// reread reads the one definition that was edited in the new bytes. Where all
// bytes around it are the old ones and it is one whole value as before, the rest
// of the file reads as it did, and need not be scanned a second time.
func reread(b []byte, was *definition, old *document) (*document, *definition, error) {
	from, end := was.at.from, len(b)-(len(old.b)-was.at.to)
	if end < from || !bytes.Equal(b[:from], old.b[:from]) || !bytes.Equal(b[end:], old.b[was.at.to:]) {
		return nil, nil, fmt.Errorf("the edit would touch another flag, nothing was written: %w", sources.ErrInvalid)
	}
	doc := &document{b: b, alone: old.alone}
	s := scanner{b: b[:end], at: from, depth: was.depth}
	var named *span
	if was.named {
		named = new(span)
	}
	def, err := doc.definition(&s, named)
	if err == nil && s.at != end {
		err = s.unexpected("the end of the definition")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the edit would leave the file unreadable (%w), nothing was written", doc.explain(err))
	}
	def.key = was.key
	if named != nil && !is(b, *named, was.key) {
		return nil, nil, fmt.Errorf("the edit would rename the flag, nothing was written: %w", sources.ErrInvalid)
	}
	return doc, &def, nil
}
