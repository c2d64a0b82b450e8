// Package themes holds everything that decides how the board looks: palettes of
// semantic tokens, glyph sets, and the inks built from them. A palette is data,
// New is the one builder, and nothing outside this package names a colour.
//
// State is always glyph, word and colour together, so that a board without
// colour, or without anything but ASCII, says the same.
package themes
