// Package record keeps what a board was shown, and shows it again. It records the
// inputs of the board, its snapshots, and never the screen: a replay of the same
// inputs draws the same screen, at any size.
//
// A recording is a row of gzip members, each a segment of at most a minute that can
// be read without the ones before it, so that a file may be cut off anywhere, or be
// put together from others, and still says all that is whole. A segment is lines of
// JSON: a Header, one line with a whole snapshot ("k"), then lines with what changed
// since the line before ("d"), and a line for each gap ("gap"). zcat shows it.
//
// A change is said cell by cell. An object has the fields of a struct, of which those
// that did not change are not there; rows of a list are named by their place in the
// list before, "o" says where the rows of the new list come from, as pairs of a first
// row and how many follow it (-1 for new ones), and "c" what changed in them. A map
// has "c" and, for keys that are gone, "d". A trend that only went on has "+", the
// points that were added. Times are nanoseconds since 1970, null for none.
//
// No secret is in a snapshot, and the one token that is (of the lease of a guarded
// ramp) is left out.
package record
