package views

import "relctl-tui/themes"

// Column is one column of a pane.
type Column struct {
	Title string
	Min   int  // cells that it takes
	Max   int  // cells that it may grow to; 0 for Min
	Right bool // right-aligned: numbers
	From  int  // drawn in panes of at least so many cells; 0 for always
	Tight bool // one cell of air to its left instead of two
}

// Table is columns laid out for one pane width. It is immutable once laid out.
type Table struct {
	Columns []Column
	Widths  []int // 0 where the column is not drawn
	Starts  []int
}

// Indent is where the first column of every pane starts, so that panes line up
// and a cursor has room before it.
const Indent = 2

// Lay gives every column that has its place in a pane of width cells a start and
// a width, with a cell of air at the right edge. Room that is left goes to the
// growing columns, in order.
func Lay(columns []Column, width int) Table {
	const left = Indent
	right := 1
	if width < 40 {
		right = 0
	}
	t := Table{Columns: columns, Widths: make([]int, len(columns)), Starts: make([]int, len(columns))}
	used := left
	for i, c := range columns {
		if c.From > width {
			continue
		}
		t.Widths[i] = c.Min
		used += c.Min + t.air(i)
	}
	for i, c := range columns {
		if t.Widths[i] > 0 && c.Max > c.Min {
			more := max(0, min(width-right-used, c.Max-c.Min))
			t.Widths[i] += more
			used += more
		}
	}
	x := left
	for i := range columns {
		if t.Widths[i] > 0 {
			x += t.air(i)
			t.Starts[i] = x
			x += t.Widths[i]
		}
	}
	return t
}

// air is the space before a column: none before the first that is drawn.
func (t *Table) air(i int) int {
	first := true
	for _, w := range t.Widths[:i] {
		first = first && w == 0
	}
	switch {
	case first:
		return 0
	case t.Columns[i].Tight:
		return 1
	default:
		return 2
	}
}

// Has tells whether a column is drawn.
func (t *Table) Has(i int) bool { return t.Widths[i] > 0 }

// Cell writes a column's text.
func (t *Table) Cell(p *Pen, i int, ink themes.Ink, s string) {
	if t.Widths[i] == 0 {
		return
	}
	p.To(t.Starts[i])
	if t.Columns[i].Right {
		p.CellRight(ink, s, t.Widths[i])
		return
	}
	p.Cell(ink, s, t.Widths[i])
}

// Look writes a state into a column.
func (t *Table) Look(p *Pen, i int, l Look) {
	if t.Widths[i] > 0 {
		p.To(t.Starts[i])
		p.Look(l, t.Widths[i])
	}
}

// Labels are the titles of the drawn columns, for a pane's title line.
func (t *Table) Labels() []Label {
	var out []Label
	for i, c := range t.Columns {
		if t.Widths[i] == 0 || c.Title == "" {
			continue
		}
		at := t.Starts[i]
		if c.Right {
			at += max(0, t.Widths[i]-Width(c.Title))
		}
		out = append(out, Label{At: at, Text: c.Title})
	}
	return out
}
