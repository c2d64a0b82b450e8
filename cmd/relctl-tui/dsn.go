package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"relctl-tui/sources"
)

// DSN says where a source is: a scheme that names the driver, and what the
// driver opens.
type DSN struct {
	Scheme string // "flagd", "prometheus+https"
	Target string // a path, or a URL without the driver's prefix
}

// scheme takes one letter only for what no driver has, so that a Windows path
// is told apart.
var schemeRE = regexp.MustCompile(`^([a-z][a-z0-9.-]*(?:\+[a-z]+)?):(.*)$`)

// parseDSN reads a DSN for one kind of source ("flags", "metrics" or "evaluations"). Its errors
// are clauses without the file, and never hold a credential.
func parseDSN(s string, kind string) (DSN, error) {
	m := schemeRE.FindStringSubmatch(s)
	if m == nil {
		return DSN{}, fmt.Errorf("%s has no scheme: write %s", quote(redactURL(s)), example(kind))
	}
	d := DSN{Scheme: m[1], Target: m[2]}
	drv, ok := drivers[d.Scheme]
	if !ok {
		if meant := near(d.Scheme, schemes("")); meant != "" {
			return DSN{}, fmt.Errorf("unknown scheme %s%s", quote(d.Scheme), meant)
		}
		return DSN{}, fmt.Errorf("unknown scheme %s: known are %s", quote(d.Scheme), strings.Join(schemes(""), ", "))
	}
	if !drv.serves(kind) {
		return DSN{}, fmt.Errorf("%s: does not serve %s: write %s", d.Scheme, kind, example(kind))
	}
	if drv.path {
		if d.Target == "" {
			return DSN{}, fmt.Errorf("%s: names no file: write %s:/path/to/flags", d.Scheme, d.Scheme)
		}
		return d, nil
	}
	_, transport, prefixed := strings.Cut(d.Scheme, "+")
	if !prefixed {
		transport = d.Scheme
	}
	d.Target = transport + ":" + d.Target
	if strings.Contains(d.Target, "@") && drv.check != nil {
		return DSN{}, inAddress(d.Target[strings.LastIndexByte(d.Target, '@')+1:])
	}
	if drv.check != nil {
		return d, drv.check(d.Target)
	}
	u, err := url.Parse(d.Target)
	if err != nil || u.Host == "" {
		return DSN{}, fmt.Errorf("%s is no URL: write %s", quote(redactURL(s)), example(kind))
	}
	if u.User != nil {
		return DSN{}, inAddress(u.Host)
	}
	return d, nil
}

func inAddress(host string) error {
	return fmt.Errorf("the address of %s carries a user or password, which other users and logs could see: "+
		"name them in the config file (username and password_file, or token_file)", quote(host))
}

func example(kind string) string {
	switch kind {
	case "flags":
		return "flagd:/path/to/flags.flagd.json"
	case "evaluations":
		return "ofrep+https://host, or scrape+http://host:port/metrics"
	}
	return "https://prometheus.example or scrape+http://host:port/metrics"
}

// redactURL drops what stands before an @.
func redactURL(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "⋯" + s[i:]
	}
	return s
}

// sourceName is the name of a source that nobody named: the file's, or the host's.
func (d DSN) sourceName() string {
	if strings.HasPrefix(d.Scheme, "actuator") { // the first of several hosts
		_, rest, _ := strings.Cut(d.Target, "://")
		return sources.Clean(rest[:strings.IndexFunc(rest+"/", func(r rune) bool { return r == ',' || r == '/' })], 40)
	}
	if u, err := url.Parse(d.Target); err == nil && u.Host != "" {
		return sources.Clean(u.Host, 40)
	}
	path := d.Target
	if d.Scheme == "haproxy" { // what stands behind the ? is which servers
		path, _, _ = strings.Cut(path, "?")
	}
	return sources.Clean(filepath.Base(path), 40)
}

// uniqueNames gives each source its own name: the second "flags" is "flags-2".
type uniqueNames map[string]bool

func (u uniqueNames) take(name string) string {
	try := name
	for n := 2; u[try]; n++ {
		try = fmt.Sprintf("%s-%d", name, n)
	}
	u[try] = true
	return try
}
