package main

import (
	"relctl-tui/sources/alertmanager"
	"relctl-tui/sources/metrics"
)

func openAlertmanager(name string, d DSN, a access, _ metrics.Config) (reader, error) {
	transport, err := a.transport(d.Target)
	if err != nil {
		return reader{}, err
	}
	src, err := alertmanager.New(name, d.Target, alertmanager.Options{Transport: transport, Timeout: a.timeout.D})
	if err != nil {
		return reader{}, err
	}
	return reader{kind: "alertmanager", src: src, alertsOnly: true}, nil
}
