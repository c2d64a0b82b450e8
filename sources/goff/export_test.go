package goff

import "relctl-tui/sources/flagfile"

// NewFormat is what New makes a store of, without the file.
func NewFormat() interface {
	flagfile.Format
	flagfile.Mover
} {
	return &format{}
}

// Weights is weights, for a test that tries every percentage there is.
var Weights = weights
