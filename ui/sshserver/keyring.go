package sshserver

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"relctl-tui/sources"
)

// Role is what a key may do. The zero Role may do nothing.
type Role string

// The roles, as they are written in the file.
const (
	Viewer   Role = "viewer"   // sees everything and changes nothing
	Operator Role = "operator" // changes as well
)

// Identity is who came in, by what they proved and by nothing that they said.
type Identity struct {
	Name        string // of the key: its comment, the certificate's principal or key ID
	Role        Role
	Fingerprint string // of the key, SHA256:…
}

const (
	maxKeyFile = 1 << 20 // bytes
	maxName    = 60      // runes, as the record of changes holds them
	leastRSA   = 2048    // bits
	dsa        = "ssh-dss"
)

// admission is one line of an authorized_keys file.
type admission struct {
	key        ssh.PublicKey
	name       string
	role       Role
	authority  bool     // it signs certificates and lets nobody in by itself
	principals []string // that its certificates may be for; nil for the login name
	from       []netip.Prefix
	until      time.Time // zero for ever
}

// keyring is an authorized_keys file that is read anew when it changes. It is
// goroutine-safe.
type keyring struct {
	path   string
	now    func() time.Time
	warn   func(string) // told once of each line that lets nobody in
	mu     sync.Mutex
	read   fileState
	lines  []admission
	err    error // why nobody is let in
	edited uint64
}

// fileState tells one content of a file from another.
type fileState struct {
	at   time.Time
	size int64
	ino  uint64
	mode os.FileMode
}

// refresh reads the file where it has changed, and says which edition this is and why
// it lets nobody in.
func (k *keyring) refresh() (edition uint64, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	state, err := strict(k.path, sharedRead)
	if err == nil && state == k.read && k.err == nil {
		return k.edited, nil
	}
	var text []byte
	if err == nil {
		text, err = readBounded(k.path, maxKeyFile)
	}
	if err != nil {
		k.err, k.lines, k.read = err, nil, fileState{}
		return k.edited, err
	}
	k.lines, k.err, k.read = parseKeys(text, k.warn), nil, state
	k.edited++
	return k.edited, nil
}

var errUnlisted = errors.New("this key is not in the file")

// expiredError says that a key was let in until a moment that is over.
type expiredError struct{ at time.Time }

func (e expiredError) Error() string {
	return "this key was let in until " + e.at.UTC().Format(time.RFC3339)
}

// admit says who a key is and until when, zero being for ever, or why it is nobody's.
// login is the name that the client asked for; it counts only where a certificate's
// authority vouches for it. A certificate must have been valid when it was proven.
func (k *keyring) admit(key ssh.PublicKey, login string, from netip.Addr, proven time.Time) (id Identity, until time.Time, err error) {
	if _, err := k.refresh(); err != nil {
		return id, until, err
	}
	k.mu.Lock()
	lines := k.lines
	k.mu.Unlock()
	cert, certified := key.(*ssh.Certificate)
	why := errUnlisted
	for i := range lines {
		a := &lines[i]
		if a.authority != certified {
			continue
		}
		var id Identity
		var err error
		switch {
		case certified && bytes.Equal(a.key.Marshal(), cert.SignatureKey.Marshal()):
			id, err = a.certified(cert, login, proven)
		case !certified && bytes.Equal(a.key.Marshal(), key.Marshal()):
			id = Identity{a.name, a.role, ssh.FingerprintSHA256(key)}
		default:
			continue
		}
		if err = cmp.Or(err, a.valid(from, k.now())); err == nil {
			return id, a.until, nil
		}
		why = err
	}
	if certified && len(lines) > 0 && errors.Is(why, errUnlisted) {
		why = errors.New("no cert-authority in the file signed this certificate")
	}
	return Identity{}, time.Time{}, why
}

// valid is what the line itself asks for.
func (a *admission) valid(from netip.Addr, now time.Time) error {
	switch {
	case !a.until.IsZero() && now.After(a.until):
		return expiredError{a.until}
	case len(a.from) > 0 && !slices.ContainsFunc(a.from, func(p netip.Prefix) bool { return p.Contains(from) }):
		return errors.New("this key is let in from other addresses only")
	}
	return nil
}

// certified is who a certificate of this authority is.
func (a *admission) certified(cert *ssh.Certificate, login string, now time.Time) (Identity, error) {
	if cert.CertType != ssh.UserCert {
		return Identity{}, errors.New("this is no user's certificate")
	}
	if len(cert.ValidPrincipals) == 0 { // it would be anybody's
		return Identity{}, errors.New("the certificate names no principal")
	}
	name, principal := login, login
	if a.principals != nil {
		i := slices.IndexFunc(cert.ValidPrincipals, func(p string) bool { return slices.Contains(a.principals, p) })
		if i < 0 {
			return Identity{}, errors.New("the certificate is for none of the principals of its line")
		}
		principal = cert.ValidPrincipals[i]
		name = cmp.Or(strings.TrimSpace(cert.KeyId), principal)
	}
	checker := ssh.CertChecker{
		Clock:           func() time.Time { return now },
		IsUserAuthority: func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), a.key.Marshal()) },
	}
	// source-address is held against the client by the library; anything else critical
	// is refused, since nothing here would obey it.
	checker.SupportedCriticalOptions = []string{"source-address"}
	if err := checker.CheckCert(principal, cert); err != nil {
		return Identity{}, errors.New(sources.Clean(strings.TrimPrefix(err.Error(), "ssh: "), 200))
	}
	name = sources.Clean(name, maxName)
	if name == "" {
		return Identity{}, errors.New("the certificate has no name to act under")
	}
	return Identity{name, a.role, ssh.FingerprintSHA256(cert.Key)}, nil
}

// parseKeys reads an authorized_keys file. A line that is not understood in full lets
// nobody in: what it says may be a restriction.
func parseKeys(text []byte, warn func(string)) []admission {
	var out []admission
	for n, line := range bytes.Split(text, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		a, err := parseKey(line)
		if err != nil {
			warn(fmt.Sprintf("line %d lets nobody in: %s", n+1, sources.Clean(err.Error(), 200)))
			continue
		}
		out = append(out, a)
	}
	return out
}

func parseKey(line []byte) (a admission, err error) {
	key, comment, options, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return a, errors.New("it is no public key")
	}
	if _, isCert := key.(*ssh.Certificate); isCert {
		return a, errors.New("it is a certificate: name the authority that signed it, with cert-authority")
	}
	if err := strong(key); err != nil {
		return a, err
	}
	a = admission{key: key, role: Viewer, name: sources.Clean(strings.TrimSpace(comment), maxName)}
	a.name = cmp.Or(a.name, sources.Clean(ssh.FingerprintSHA256(key), maxName))
	for _, o := range options {
		if err := a.option(o); err != nil {
			return a, err
		}
	}
	if a.principals != nil && !a.authority {
		return a, errors.New("principals= goes with cert-authority")
	}
	return a, nil
}

func strong(key ssh.PublicKey) error {
	switch key.Type() {
	case dsa:
		return errors.New("DSA keys are too weak")
	case ssh.KeyAlgoRSA:
		if c, ok := key.(ssh.CryptoPublicKey); ok {
			if sized, ok := c.CryptoPublicKey().(interface{ Size() int }); ok && 8*sized.Size() < leastRSA {
				return fmt.Errorf("RSA keys of less than %d bits are too weak", leastRSA)
			}
		}
	}
	return nil
}

// option takes one option of a line.
func (a *admission) option(o string) error {
	name, value, has := strings.Cut(o, "=")
	value = strings.Trim(value, `"`)
	switch name = strings.ToLower(name); name {
	case "role":
		a.role = Role(value)
		if a.role != Viewer && a.role != Operator {
			return fmt.Errorf(`unknown role %q: write role="viewer" or role="operator"`, sources.Clean(value, 40))
		}
	case "cert-authority":
		a.authority = true
	case "principals":
		a.principals = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		if len(a.principals) == 0 {
			return errors.New("principals= names nobody")
		}
	case "from":
		return a.addresses(value)
	case "expiry-time":
		return a.expiry(value)
	case "restrict", "no-agent-forwarding", "no-port-forwarding", "no-user-rc", "no-x11-forwarding":
		if has {
			return fmt.Errorf("%s takes no value", name)
		} // else it says what holds for everybody
	default:
		return fmt.Errorf("option %q is not known here", sources.Clean(name, 40))
	}
	return nil
}

func (a *admission) addresses(value string) error {
	for word := range strings.SplitSeq(value, ",") {
		word = strings.TrimSpace(word)
		p, err := netip.ParsePrefix(word)
		if addr, errAddr := netip.ParseAddr(word); errAddr == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("from= wants addresses such as 10.0.0.0/8, not %q", sources.Clean(word, 60))
		}
		a.from = append(a.from, p)
	}
	return nil
}

func (a *admission) expiry(value string) (err error) {
	zone := time.Local
	if word, utc := strings.CutSuffix(value, "Z"); utc {
		value, zone = word, time.UTC
	}
	layout, known := map[int]string{8: "20060102", 12: "200601021504", 14: "20060102150405"}[len(value)]
	if known {
		a.until, err = time.ParseInLocation(layout, value, zone)
	}
	if !known || err != nil {
		return fmt.Errorf("expiry-time= wants YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, not %q", sources.Clean(value, 40))
	}
	return nil
}
