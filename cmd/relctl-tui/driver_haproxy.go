package main

import (
	"fmt"
	"net/url"
	"strings"

	"relctl-tui/sources/haproxy"
	"relctl-tui/sources/metrics"
)

// openHAProxy makes the store of haproxy:SOCKET or haproxy+tcp://HOST:PORT; what stands
// behind ? names one pair of servers, else they are found.
func openHAProxy(name string, d DSN, _ *FlagsConfig, a access) (store, error) {
	address, query, _ := strings.Cut(d.Target, "?")
	o := haproxy.Options{Timeout: a.timeout.D}
	if query != "" {
		pair, err := haproxyPair(query)
		if err != nil {
			return store{}, err
		}
		o.Pairs = []haproxy.Pair{pair}
	}
	src, err := haproxy.New(name, strings.TrimSuffix(strings.TrimPrefix(address, "tcp://"), "/"), o)
	if err != nil {
		return store{}, &usageError{msg: trimInvalid(err)}
	}
	return store{kind: "haproxy", src: src}, nil
}

// haproxyPair is backend=B&stable=S&canary=C.
func haproxyPair(query string) (haproxy.Pair, error) {
	bad := &usageError{msg: fmt.Sprintf("%s names no pair of servers: write ?backend=B&stable=S&canary=C", quote(query))}
	q, err := url.ParseQuery(query)
	if err != nil || len(q) != 3 {
		return haproxy.Pair{}, bad
	}
	p := haproxy.Pair{Backend: q.Get("backend"), Stable: q.Get("stable"), Canary: q.Get("canary")}
	if p.Backend == "" || p.Stable == "" || p.Canary == "" {
		return haproxy.Pair{}, bad
	}
	return p, nil
}

// openServers makes the servers of the same addresses breakers; ?backend=B names whose.
func openServers(name string, d DSN, a access, _ metrics.Config) (reader, error) {
	address, query, _ := strings.Cut(d.Target, "?")
	o := haproxy.ServersOptions{Timeout: a.timeout.D}
	if query != "" {
		q, err := url.ParseQuery(query)
		if o.Backend = q.Get("backend"); err != nil || len(q) != 1 || o.Backend == "" {
			return reader{}, fmt.Errorf("%s names no backend: write ?backend=B, or nothing for all", quote(query))
		}
	}
	src, err := haproxy.NewServers(name, strings.TrimSuffix(strings.TrimPrefix(address, "tcp://"), "/"), o)
	if err != nil {
		return reader{}, err
	}
	return reader{kind: "haproxy", src: src, switches: true}, nil
}
