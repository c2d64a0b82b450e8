package main

import (
	"time"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/metrics"
	"relctl-tui/sources/prometheus"
	"relctl-tui/sources/scrape"
)

// driver is how one kind of source is opened. Opening reads nothing.
type driver struct {
	kind          string                    // what it serves: "flags", "metrics" or "evaluations"
	path          bool                      // its DSN names a file, else a URL
	open          bool                      // whoever reaches it may use it: it knows no credentials
	alertsOnly    bool                      // of what "metrics" means it serves alerts alone
	breakersOnly  bool                      // of what "metrics" means it serves breakers alone
	check         func(target string) error // of a URL that is not one of net/url; nil for the usual check
	openFlags     func(name string, d DSN, f *FlagsConfig, a access) (store, error)
	openMetrics   func(name string, d DSN, a access, mc metrics.Config) (reader, error)
	openEvaluator func(name string, d DSN, a access) (sources.Verifier, error)
}

// serves says whether the driver can be used for that. Whoever measures can prove a
// change too: by what applications count.
func (d *driver) serves(kind string) bool {
	switch kind {
	case "metrics":
		return d.openMetrics != nil
	case "evaluations":
		return d.kind == kind || d.kind == "metrics" && !d.alertsOnly && !d.breakersOnly
	default:
		return d.kind == kind
	}
}

// drivers is every source that there is: one line per scheme of a DSN.
var drivers = map[string]driver{
	"flagd":              {kind: "flags", path: true, openFlags: openFlagd},
	"flagd+http":         {kind: "flags", openFlags: openFlagSync},
	"flagd+https":        {kind: "flags", openFlags: openFlagSync},
	"goff":               {kind: "flags", path: true, openFlags: openGoff},
	"etcd":               {kind: "flags", check: checkEtcd, openFlags: openEtcd},
	"etcd+http":          {kind: "flags", check: checkEtcd, openFlags: openEtcd},
	"etcd+https":         {kind: "flags", check: checkEtcd, openFlags: openEtcd},
	"unleash+http":       {kind: "flags", openFlags: openUnleash},
	"unleash+https":      {kind: "flags", openFlags: openUnleash},
	"haproxy":            {kind: "flags", path: true, openFlags: openHAProxy, openMetrics: openServers},
	"haproxy+tcp":        {kind: "flags", open: true, openFlags: openHAProxy, openMetrics: openServers},
	"launchdarkly+http":  {kind: "flags", openFlags: openLaunchDarkly},
	"launchdarkly+https": {kind: "flags", openFlags: openLaunchDarkly},
	"ofrep+http":         {kind: "evaluations", openEvaluator: openOFREP},
	"ofrep+https":        {kind: "evaluations", openEvaluator: openOFREP},
	"http":               {kind: "metrics", openMetrics: openPrometheus},
	"https":              {kind: "metrics", openMetrics: openPrometheus},
	"prometheus+http":    {kind: "metrics", openMetrics: openPrometheus},
	"prometheus+https":   {kind: "metrics", openMetrics: openPrometheus},
	"scrape+http":        {kind: "metrics", openMetrics: openScrape},
	"scrape+https":       {kind: "metrics", openMetrics: openScrape},
	"actuator+http":      {kind: "metrics", breakersOnly: true, check: checkActuator, openMetrics: openActuator},
	"actuator+https":     {kind: "metrics", breakersOnly: true, check: checkActuator, openMetrics: openActuator},
	"alertmanager+http":  {kind: "metrics", alertsOnly: true, openMetrics: openAlertmanager},
	"alertmanager+https": {kind: "metrics", alertsOnly: true, openMetrics: openAlertmanager},
}

func openFlagd(name string, d DSN, _ *FlagsConfig, _ access) (store, error) {
	return store{kind: "flagd", src: flagd.New(name, d.Target)}, nil
}

func openPrometheus(name string, d DSN, a access, mc metrics.Config) (reader, error) {
	src, err := prometheus.New(name, d.Target, prometheus.Options{
		Metrics: mc, Timeout: a.timeout.D,
		Auth: prometheus.Auth{
			BearerToken: a.token, BearerTokenFile: a.tokenFile,
			BasicUser: a.username, BasicPassword: a.password, BasicPasswordFile: a.passwordFile,
			Headers: a.headers,
		},
		TLS: prometheus.TLS{
			CAFile: a.caFile, CertFile: a.certFile, KeyFile: a.keyFile,
			ServerName: a.server, InsecureSkipVerify: a.insecure,
		},
	})
	if err != nil {
		return reader{}, err
	}
	return reader{kind: "prometheus", src: src}, nil
}

// scrapeWarmUp is how far two scrapes must lie apart before rates mean anything.
const scrapeWarmUp = time.Second

func openScrape(name string, d DSN, a access, mc metrics.Config) (reader, error) {
	transport, err := a.transport(d.Target)
	if err != nil {
		return reader{}, err
	}
	src, err := scrape.New(name, []string{d.Target}, scrape.Options{
		Metrics: mc, Timeout: a.timeout.D, Transport: transport,
	})
	if err != nil {
		return reader{}, err
	}
	return reader{kind: "scrape", src: src, warmUp: scrapeWarmUp, page: true}, nil
}

// schemes lists the schemes of a kind, sorted; "" for all.
func schemes(kind string) []string {
	var out []string
	for _, s := range keysOf(drivers) {
		if kind == "" || drivers[s].kind == kind {
			out = append(out, s+":")
		}
	}
	return out
}
