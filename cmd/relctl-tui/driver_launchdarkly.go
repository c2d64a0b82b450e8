package main

import (
	"fmt"
	"net/http"
	"net/url"

	"relctl-tui/sources/launchdarkly"
)

// openLaunchDarkly makes the store of launchdarkly+https://HOST?project=P&environment=E.
func openLaunchDarkly(name string, d DSN, _ *FlagsConfig, a access) (store, error) {
	u, err := url.Parse(d.Target)
	if err != nil {
		return store{}, &usageError{msg: quote(redactURL(d.Target)) + " is no URL"}
	}
	for k, v := range u.Query() {
		if (k != "project" && k != "environment") || len(v) != 1 {
			return store{}, &usageError{msg: fmt.Sprintf("%s stands in the address of LaunchDarkly: write launchdarkly+https://HOST?project=KEY&environment=KEY", quote(k))}
		}
	}
	if a.username != "" {
		return store{}, &usageError{msg: "LaunchDarkly takes no username: set token or token_file to an API access token"}
	}
	o := launchdarkly.Options{
		Project: u.Query().Get("project"), Environment: u.Query().Get("environment"), Timeout: a.timeout.D,
		Header: http.Header{},
	}
	if a.token != "" || a.tokenFile != "" {
		o.Token = a.secret
	}
	for k, v := range a.headers {
		o.Header.Set(k, v)
	}
	// The transport is for TLS alone: it would put a scheme in front of the token.
	if o.Transport, err = (access{
		caFile: a.caFile, certFile: a.certFile, keyFile: a.keyFile, server: a.server, insecure: a.insecure,
	}).transport(d.Target); err != nil {
		return store{}, err
	}
	u.RawQuery, u.ForceQuery = "", false
	src, err := launchdarkly.New(name, u.String(), o)
	if err != nil {
		return store{}, &usageError{msg: trimInvalid(err)}
	}
	return store{kind: "launchdarkly", src: src}, nil
}

// secret is the token; a file is read anew each time, so that a rotated one needs no
// restart.
func (a access) secret() (string, error) {
	if a.tokenFile != "" {
		return readSecret(a.tokenFile)
	}
	return a.token, nil
}
