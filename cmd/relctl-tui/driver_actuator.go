package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"relctl-tui/sources/actuator"
	"relctl-tui/sources/metrics"
)

// actuatorURLs takes an address with several instances apart, which net/url refuses:
// http://H1:8080,H2:8080/actuator. Without a path it is /actuator.
func actuatorURLs(target string) ([]string, error) {
	scheme, rest, ok := strings.Cut(target, "://")
	list, path, _ := strings.Cut(rest, "/")
	if !ok || list == "" || strings.ContainsAny(rest, "?#") {
		return nil, errors.New("is no address of an Actuator: write actuator+http://HOST:8080/actuator, or several hosts with commas between them")
	}
	if path = strings.Trim(path, "/"); path == "" {
		path = "actuator"
	}
	var out []string
	for host := range strings.SplitSeq(list, ",") {
		u, err := url.Parse(scheme + "://" + host)
		if err != nil || u.Hostname() == "" || u.Path != "" {
			return nil, fmt.Errorf("names the host %s: write HOST:8080", quote(host))
		}
		out = append(out, scheme+"://"+host+"/"+path)
	}
	return out, nil
}

func checkActuator(target string) error {
	if _, err := actuatorURLs(target); err != nil {
		return fmt.Errorf("%s %w", quote(redactURL(target)), err)
	}
	return nil
}

// openActuator makes the breakers of one application, over its instances.
func openActuator(name string, d DSN, a access, _ metrics.Config) (reader, error) {
	urls, err := actuatorURLs(d.Target)
	if err != nil {
		return reader{}, err
	}
	var list []actuator.Instance
	for _, u := range urls {
		transport, err := a.transport(u)
		if err != nil {
			return reader{}, err
		}
		list = append(list, actuator.Instance{URL: u, Transport: transport})
	}
	src, err := actuator.New(name, list, actuator.Options{Timeout: a.timeout.D})
	if err != nil {
		return reader{}, err
	}
	return reader{kind: "actuator", src: src, switches: true}, nil
}
