// Package viewtest holds the believable data, the sizes and the checks that the
// tests of every pane share: a fleet at 14:32 with one open breaker and three
// ramps, in each of the states that a pane must be able to show.
package viewtest
