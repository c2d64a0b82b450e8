package flagdef

import "relctl-tui/sources"

// revision is that of a definition. In a file that people lay out, white space between
// its parts is left aside: whoever lays it out anew has changed none of its flags, is not
// named as who did, and stands in the way of no undo.
func (r *reader) revision(definition []byte) sources.Revision {
	if r.doc.alone {
		return sources.RevisionOf(definition)
	}
	r.dense = dense(r.dense[:0], definition)
	return sources.RevisionOf(r.dense)
}

// dense appends JSON text to b without the white space between its parts.
func dense(b, text []byte) []byte {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 < len(text):
			b = append(b, c)
			i++
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		b = append(b, text[i])
	}
	return b
}
