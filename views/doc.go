// Package views holds what the board's panes share: the key map, the messages
// they send, and the drawing of text, numbers, bars and sparklines.
//
// Each pane is a package of its own below this one, with a Model in the manner
// of bubbles: state in, a string out. A view reads snapshots and nothing else,
// reads no clock, starts no goroutine, and never acts: a key becomes an intent,
// and whoever owns the view decides what becomes of it. Every View is exactly as
// many lines as its height and as many cells as its width, whatever the data.
package views
