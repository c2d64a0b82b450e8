package main

import "relctl-tui/sources/goff"

func openGoff(name string, d DSN, _ *FlagsConfig, _ access) (store, error) {
	return store{kind: "goff", src: goff.New(name, d.Target)}, nil
}
