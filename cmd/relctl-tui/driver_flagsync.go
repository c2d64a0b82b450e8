package main

import "relctl-tui/sources/flagsync"

// openFlagSync is a store that another program serves, such as serve http.
func openFlagSync(name string, d DSN, _ *FlagsConfig, a access) (store, error) {
	transport, err := a.transport(d.Target)
	if err != nil {
		return store{}, err
	}
	src, err := flagsync.New(name, d.Target, flagsync.Options{Transport: transport, Timeout: a.timeout.D})
	if err != nil {
		return store{}, &usageError{msg: trimInvalid(err)}
	}
	return store{kind: "flagd sync", src: src}, nil
}
