package main

import (
	"fmt"
	"regexp"
	"slices"
)

// envRef is $$, ${NAME} or ${NAME:-default}. Anything else with a dollar stays
// as it is, because paths and matchers may hold one.
var envRef = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{[^}]*\}?`)

// expandEnv replaces ${NAME} by the variable and $$ by a dollar. A variable that
// is not set and has no default is an error that names it; one that is empty
// takes its default, as in a shell.
func expandEnv(s string, lookup func(string) (string, bool)) (string, error) {
	var failed error
	out := envRef.ReplaceAllStringFunc(s, func(ref string) string {
		if ref == "$$" {
			return "$"
		}
		m := envRef.FindStringSubmatch(ref)
		name, hasDefault, fallback := m[1], m[2] != "", m[3]
		if name == "" {
			failed = fmt.Errorf("%s is no reference to a variable: write ${NAME} or ${NAME:-default}, or $$ for a dollar", quote(ref))
			return ""
		}
		v, ok := lookup(name)
		switch {
		case hasDefault && v == "":
			return fallback
		case !ok && failed == nil:
			failed = fmt.Errorf("environment variable %s is not set", name)
		}
		return v
	})
	return out, failed
}

// expand replaces the variables in every value that may name one: DSNs, names of
// files, user names and secrets. It changes c, so call it once per context, and
// only for the context that is opened: the others' variables need not be set.
// What only measures or proves, or is only told, keeps nobody from killing a flag, and neither
// does another store: where such a one lacks a variable it is that one that does not work, as it
// says in lacks. Only where no store is left is that an error.
func (c *ContextConfig) expand(file string, lookup func(string) (string, bool)) error {
	var first error
	into := func(failed *error) func(*string, pos, string) {
		return func(s *string, at pos, key string) {
			v, err := expandEnv(*s, lookup)
			if err != nil && *failed == nil {
				*failed = &ConfigError{File: file, Line: at.line, Col: at.col, Msg: fmt.Sprintf("%q: %s", key, err)}
			}
			*s = v
		}
	}
	one := into(&first)
	for i := range c.Flags {
		f := &c.Flags[i]
		one(&f.DSN.S, f.DSN.at, "dsn")
		one(&f.Journal.S, f.Journal.at, "journal")
		own := into(&f.lacks)
		own(&f.ClientToken.s, f.ClientToken.at, "client_token")
		own(&f.ClientTokenFile.S, f.ClientTokenFile.at, "client_token_file")
		own(&f.FrontendToken.s, f.FrontendToken.at, "frontend_token")
		own(&f.FrontendTokenFile.S, f.FrontendTokenFile.at, "frontend_token_file")
		f.AccessConfig.expand(own)
		for j := range f.Verify {
			v := &f.Verify[j]
			own := into(&v.lacks)
			own(&v.DSN.S, v.DSN.at, "dsn")
			v.AccessConfig.expand(own)
		}
	}
	for i := range c.Metrics {
		m := &c.Metrics[i]
		one(&m.DSN.S, m.DSN.at, "dsn")
		m.AccessConfig.expand(into(&m.lacks))
	}
	for i := range c.Outlets {
		c.Outlets[i].expand(into(&c.Outlets[i].lacks))
	}
	if first == nil && !slices.ContainsFunc(c.Flags, func(f FlagsConfig) bool { return f.lacks == nil }) && len(c.Flags) > 0 {
		first = c.Flags[0].lacks
	}
	return first
}

// unused tells whether a variable is missing, so that nothing of it is used.
func (a *AccessConfig) unused() bool { return a.lacks != nil }

// lacking is what sources and outlets of the context lack, a sentence for each.
func (c *ContextConfig) lacking() (said []string) {
	add := func(err error) {
		if err != nil {
			said = append(said, err.Error())
		}
	}
	for i := range c.Flags {
		add(c.Flags[i].lacks)
		for j := range c.Flags[i].Verify {
			add(c.Flags[i].Verify[j].lacks)
		}
	}
	for i := range c.Metrics {
		add(c.Metrics[i].lacks)
	}
	for i := range c.Outlets {
		add(c.Outlets[i].lacks)
	}
	return said
}

func (a *AccessConfig) expand(one func(s *string, at pos, key string)) {
	for _, t := range []struct {
		t   *Text
		key string
	}{
		{&a.TokenFile, "token_file"},
		{&a.Username, "username"},
		{&a.PasswordFile, "password_file"},
		{&a.CAFile, "ca_file"},
		{&a.CertFile, "cert_file"},
		{&a.KeyFile, "key_file"},
		{&a.ServerName, "server_name"},
	} {
		one(&t.t.S, t.t.at, t.key)
	}
	one(&a.Token.s, a.Token.at, "token")
	one(&a.Password.s, a.Password.at, "password")
	for _, k := range keysOf(a.Headers) {
		h := a.Headers[k]
		one(&h.s, h.at, k)
		a.Headers[k] = h
	}
}
