// Package ui is the board: it routes messages to the views, lays them out,
// gates the keys that act, and turns intents into commands. It is the only place
// that talks to the live engine and to control, and only in commands.go: Update
// does no I/O, a command never touches the model, a view never acts.
package ui
