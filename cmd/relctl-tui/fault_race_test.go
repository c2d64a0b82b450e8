//go:build race

package main

// abreast is how many cells run at a time: the race detector makes each of them
// some ten times the work, and a board that gets no time shows nothing in time.
const abreast = 10
