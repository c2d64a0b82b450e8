package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
)

const etcdPort = "2379"

// etcdAddress takes an address with several members apart, which net/url refuses:
// etcd://H1:2379,H2:2379/PREFIX. The prefix stands as it is, nothing is decoded.
func etcdAddress(target string) (secure, plain bool, hosts []string, prefix string, err error) {
	scheme, rest, ok := strings.Cut(target, "://")
	list, prefix, _ := strings.Cut(rest, "/")
	if !ok || list == "" || strings.ContainsAny(rest, "?#") {
		return false, false, nil, "", errors.New("is no address of etcd: write etcd://HOST:2379/PREFIX, or several hosts with commas between them")
	}
	for host := range strings.SplitSeq(list, ",") {
		u, err := url.Parse("http://" + host)
		if err != nil || u.Hostname() == "" || u.Path != "" {
			return false, false, nil, "", fmt.Errorf("names the host %s: write HOST:2379", quote(host))
		}
		if u.Port() == "" {
			host = strings.TrimSuffix(host, ":") + ":" + etcdPort
		}
		hosts = append(hosts, host)
	}
	return scheme == "https", scheme == "http", hosts, prefix, nil
}

func checkEtcd(target string) error {
	_, _, _, _, err := etcdAddress(target) //nolint:dogsled // only whether it is one
	if err != nil {
		return fmt.Errorf("%s %w", quote(redactURL(target)), err)
	}
	return nil
}

// openEtcd makes the store of a DSN. TLS is spoken for etcd+https, and for etcd
// where the config says anything about certificates.
func openEtcd(name string, d DSN, _ *FlagsConfig, a access) (store, error) {
	secure, plain, hosts, prefix, err := etcdAddress(d.Target)
	if err != nil {
		return store{}, &usageError{msg: err.Error()}
	}
	o := etcd.Options{Prefix: prefix, Timeout: a.timeout.D}
	certificates := a.caFile != "" || a.certFile != "" || a.server != "" || a.insecure
	switch {
	case certificates && plain:
		return store{}, &usageError{msg: "its certificates are configured, but etcd+http speaks no TLS: write etcd+https"}
	case a.token != "" || a.tokenFile != "":
		return store{}, &usageError{msg: "etcd takes no token: set username and password_file"}
	case a.username != "" && a.password == "" && a.passwordFile == "":
		return store{}, &usageError{msg: "there is a username but no password: set password_file"}
	}
	scheme := "http://"
	if secure || certificates {
		scheme = "https://"
		if o.TLS, err = a.tls(); err != nil {
			return store{}, err
		}
	}
	for _, h := range hosts {
		o.Endpoints = append(o.Endpoints, scheme+h)
	}
	if a.username != "" {
		o.Login = a.login
	}
	src, err := etcd.New(name, o)
	if err != nil {
		return store{}, &usageError{msg: trimInvalid(err)}
	}
	return store{kind: "etcd", src: src}, nil
}

// login is the user and password; a file is read anew each time, so that a rotated
// password needs no restart.
func (a access) login() (user, password string, err error) {
	if a.passwordFile == "" {
		return a.username, a.password, nil
	}
	password, err = readSecret(a.passwordFile)
	return a.username, password, err
}

var _ sources.Importer = (*etcd.Store)(nil)
