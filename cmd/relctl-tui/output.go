package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/charmbracelet/x/ansi"
)

const maxCell = 60

// column is a table's column; numbers stand to the right.
type column struct {
	title string
	right bool
}

// writeTable prints plain aligned text: no colour, no cursor codes, so that it
// reads the same in a pipe. A column that no row fills is left out.
func writeTable(w io.Writer, cols []column, rows [][]string) error {
	widths := make([]int, len(cols))
	for _, row := range rows {
		for i := range row {
			row[i] = ansi.Truncate(row[i], maxCell, "⋯")
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
	}
	head := make([]string, len(cols))
	for i, c := range cols {
		head[i] = c.title
		if widths[i] > 0 {
			widths[i] = max(widths[i], ansi.StringWidth(c.title))
		}
	}
	b := bufio.NewWriter(w)
	for _, row := range append([][]string{head}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			pad := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell))
			if line.Len() > 0 {
				line.WriteString("  ")
			}
			if cols[i].right {
				line.WriteString(pad + cell)
			} else {
				line.WriteString(cell + pad)
			}
		}
		_, _ = b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.Flush()
}

// writeJSON prints v on one line per document, with every character that a
// terminal could act on or that could disguise text as an escape: a flag's key is
// printed exactly, and yet harmlessly.
func writeJSON(w io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escapeControls(buf.Bytes()))
	return err
}

func escapeControls(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, r := range string(b) {
		switch {
		case r == '\n':
			out = append(out, '\n')
		case !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
			out = append(out, string(r)...)
		case r > 0xFFFF:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// round6 drops the noise of a ratio turned into a percentage.
func round6(f float64) float64 { return math.Round(f*1e6) / 1e6 }

func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339Nano)
	return &s
}
