// Package report writes down what happened in a span of time: what went wrong, what was
// changed by whom and why, how long it took until that helped, and what is not known.
// It is pure: what was read goes in, a document comes out, and the document is written
// as Markdown, as one HTML page that loads nothing, or as JSON.
package report
