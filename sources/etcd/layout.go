package etcd

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"relctl-tui/sources"
)

// DefaultPrefix is where flags are when nobody names a prefix.
const DefaultPrefix = "relctl"

const (
	maxPrefix = 512
	maxKey    = 1024
)

// layout is where a store's things are in the key space. Flags and document lie in
// one range, which the journal is not part of: one read and one watch serve both.
type layout struct {
	prefix    string
	flags     string // what a flag's key begins with
	document  string
	journal   string // what an entry's key begins with
	owners    string // what the key of who ramps a flag begins with
	ramps     string // what the key of how far that ramp is begins with
	schedules string // what the key of a schedule begins with
	here      string // what the key of who looks through a process begins with
	end       string // the first key behind the flags
}

func layoutOf(prefix string) (layout, error) {
	prefix = strings.TrimRight(prefix, "/")
	switch {
	case prefix == "":
		prefix = DefaultPrefix
	case len(prefix) > maxPrefix || !utf8.ValidString(prefix) || strings.ContainsFunc(prefix, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return layout{}, fmt.Errorf("%q is no prefix for keys of etcd: %w", sources.Clean(prefix, 60), sources.ErrInvalid)
	}
	return layout{
		prefix: prefix, flags: prefix + "/flags/", document: prefix + "/document",
		journal: prefix + "/journal/", owners: prefix + "/lease/", ramps: prefix + "/ramp/", schedules: prefix + "/schedule/", here: prefix + "/here/", end: prefix + "/flags0", // '0' follows '/'
	}, nil
}

func (l *layout) flag(key string) string { return l.flags + key }

// keyOf is the flag that a key of etcd belongs to; false for another key.
func (l *layout) keyOf(at []byte) (string, bool) {
	key, ok := strings.CutPrefix(string(at), l.flags)
	return key, ok && key != ""
}
