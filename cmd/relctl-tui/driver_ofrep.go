package main

import (
	"relctl-tui/sources"
	"relctl-tui/sources/ofrep"
)

func openOFREP(name string, d DSN, a access) (sources.Verifier, error) {
	transport, err := a.transport(d.Target)
	if err != nil {
		return nil, err
	}
	return ofrep.New(name, d.Target, ofrep.Options{Transport: transport, Timeout: a.timeout.D})
}
