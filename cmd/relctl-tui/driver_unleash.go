package main

import (
	"fmt"
	"net/url"

	"relctl-tui/sources/unleash"
)

const unleashAddress = "unleash+https://HOST?project=P&environment=E"

// openUnleash makes the store of unleash+https://HOST?project=P&environment=E.
func openUnleash(name string, d DSN, f *FlagsConfig, a access) (store, error) {
	u, err := url.Parse(d.Target)
	if err != nil {
		return store{}, &usageError{msg: quote(redactURL(d.Target)) + " is no URL: write " + unleashAddress}
	}
	for k, v := range u.Query() {
		if (k != "project" && k != "environment") || len(v) != 1 {
			return store{}, &usageError{msg: fmt.Sprintf("%s stands in the address of Unleash: write %s", quote(k), unleashAddress)}
		}
	}
	if a.username != "" {
		return store{}, &usageError{msg: "Unleash takes no username: set token or token_file to a personal access token"}
	}
	o := unleash.Options{
		Project: u.Query().Get("project"), Environment: u.Query().Get("environment"), Timeout: a.timeout.D,
		Token:         tokenOf(a.token, a.tokenFile),
		ClientToken:   tokenOf(f.ClientToken.Reveal(), f.ClientTokenFile.S),
		FrontendToken: tokenOf(f.FrontendToken.Reveal(), f.FrontendTokenFile.S),
	}
	// The transport is for headers and TLS: it would put a scheme in front of the token.
	a.token, a.tokenFile, a.password, a.passwordFile = "", "", "", ""
	if o.Transport, err = a.transport(d.Target); err != nil {
		return store{}, err
	}
	u.RawQuery, u.ForceQuery = "", false
	src, err := unleash.New(name, u.String(), o)
	if err != nil {
		return store{}, &usageError{msg: trimInvalid(err)}
	}
	return store{kind: "unleash", src: src}, nil
}

// tokenOf gives a token; a file is read anew each time, so that a rotated one needs
// no restart. Nil where neither is named.
func tokenOf(token, file string) func() (string, error) {
	switch {
	case file != "":
		return func() (string, error) { return readSecret(file) }
	case token != "":
		return func() (string, error) { return token, nil }
	}
	return nil
}
