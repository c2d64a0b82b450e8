// Package etcd is the driver for flags that live in an etcd cluster, one key for
// each flag, so that any number of boards and evaluators follow one store.
//
// The layout is meant to be read and written by etcdctl as well. Below a prefix:
//
//	PREFIX/flags/KEY          one flag's definition, as it stands in a flagd file:
//	                          {"state": "ENABLED", "variants": {"on": true, "off": false}, …}
//	PREFIX/document           the other members of the flagd file, as one JSON object:
//	                          {"$schema": …, "$evaluators": {…}, "metadata": {…}}; may be absent
//	PREFIX/journal/CHANGEID   what one change did, as a JSON object
//	PREFIX/lease/KEY          the token of whoever ramps the flag under guard; ends by itself
//	PREFIX/ramp/KEY           how far that ramp is, as a JSON object; ends with it
//	PREFIX/here/ID            who looks at the store through one process; ends by itself
//
// KEY is everything behind "flags/", slashes included, so a/b and a are two flags
// and need no escaping. A value that is no definition is shown as a broken flag. Of
// the journal the newest 1,000 entries are kept, and nothing depends on them but
// history and undo. Whoever reads needs a role with READ on the prefix PREFIX/,
// whoever changes flags one with READWRITE.
//
// A change is one transaction: it compares the flag's ModRevision and writes the
// flag and its journal entry together, so that neither is there without the other.
// Only the bytes of the edited values differ, and an undo puts the old bytes back.
// An import is atomic for each batch of up to 60 flags, not as a whole.
package etcd
