package sshserver_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

func TestACertificateComesInByItsPrincipalsAndActsUnderItsName(t *testing.T) {
	t.Parallel()
	ca, caLine := key(t, "our CA")
	team, teamLine := key(t, "team CA")
	other, _ := key(t, "another CA")
	mine, _ := key(t, "mine")
	now := time.Now()
	d := opened(t, []string{
		`cert-authority,role="operator" ` + caLine,
		`cert-authority,principals="oncall,release" ` + teamLine,
	}, nil)
	valid := ssh.Certificate{
		CertType: ssh.UserCert, KeyId: "ana on her laptop", ValidPrincipals: []string{"ana"},
		ValidAfter: uint64(now.Add(-time.Hour).Unix()), ValidBefore: uint64(now.Add(time.Hour).Unix()),
	}
	for name, c := range map[string]struct {
		by    ssh.Signer
		login string
		with  func(*ssh.Certificate)
		want  string // who, "" for nobody
		why   string
	}{
		"the login name is a principal":     {by: ca, login: "ana", want: "ana|operator|ana"},
		"another login name":                {by: ca, login: "root", why: "not in the set of valid principals"},
		"no principal at all":               {by: ca, login: "ana", with: func(c *ssh.Certificate) { c.ValidPrincipals = nil }, why: "names no principal"},
		"one of the line's principals":      {by: team, login: "root", with: func(c *ssh.Certificate) { c.ValidPrincipals = []string{"x", "oncall"} }, want: "ana on her laptop|viewer|root"},
		"one of them, without a key ID":     {by: team, login: "root", with: func(c *ssh.Certificate) { c.ValidPrincipals, c.KeyId = []string{"oncall"}, "" }, want: "oncall|viewer|root"},
		"none of the line's principals":     {by: team, login: "ana", why: "for none of the principals"},
		"a certificate of somebody else's":  {by: other, login: "ana", why: "no cert-authority in the file signed"},
		"an expired one":                    {by: ca, login: "ana", with: func(c *ssh.Certificate) { c.ValidBefore = uint64(now.Add(-time.Minute).Unix()) }, why: "expired"},
		"one that is not valid yet":         {by: ca, login: "ana", with: func(c *ssh.Certificate) { c.ValidAfter = uint64(now.Add(time.Minute).Unix()) }, why: "not yet valid"},
		"a host's":                          {by: ca, login: "ana", with: func(c *ssh.Certificate) { c.CertType = ssh.HostCert }, why: "no user's certificate"},
		"one that is for one command":       {by: ca, login: "ana", with: func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"force-command": "x"} }, why: "unsupported critical option"},
		"one for another address":           {by: ca, login: "ana", with: func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"source-address": "10.0.0.0/8"} }},
		"one for this address":              {by: ca, login: "ana", with: func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"source-address": "127.0.0.0/8"} }, want: "ana|operator|ana"},
		"a name that would move the cursor": {by: team, login: "x", with: func(c *ssh.Certificate) { c.ValidPrincipals, c.KeyId = []string{"oncall"}, "a\x1b[2Jb" }, want: "a∙[2Jb|viewer|x"},
	} {
		cert := valid
		cert.Key = mine.PublicKey()
		if c.with != nil {
			c.with(&cert)
		}
		require.NoError(t, cert.SignCert(rand.Reader, c.by))
		signer, err := ssh.NewCertSigner(&cert, mine)
		require.NoError(t, err)
		client, err := dial(d, c.login, ssh.PublicKeys(signer))
		if c.want == "" {
			require.Error(t, err, name)
			d.awaitLog("refused", c.why)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want+"|80x24||x", says(t, client, "x"), name)
		_ = client.Close()
	}
	_, err := dial(d, "ana", ssh.PublicKeys(ca))
	require.Error(t, err, "the authority's own key lets nobody in")
	_, err = dial(d, "ana", ssh.PublicKeys(mine))
	require.Error(t, err, "nor does the certified key without its certificate")
}

func TestOptionsOfAKeyHold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ options, why string }{
		"elsewhere":             {`from="10.0.0.0/8,192.168.1.1"`, "from other addresses only"},
		"here":                  {`from="10.0.0.0/8,127.0.0.1",restrict`, ""},
		"no longer":             {`expiry-time="20200101"`, "was let in until 20"},
		"for long":              {`expiry-time="29990101Z",no-port-forwarding`, ""},
		"a forced command":      {`command="status"`, `option \"command\" is not known here`},
		"a host's name":         {`from="*.example"`, "wants addresses"},
		"an unknown role":       {`role="admin"`, "unknown role"},
		"principals of a key":   {`principals="a"`, "goes with cert-authority"},
		"a time that is none":   {`expiry-time="soon"`, "expiry-time= wants"},
		"something of tomorrow": {`frobnicate`, "is not known here"},
	} {
		signer, line := key(t, "ana")
		d := opened(t, []string{c.options + " " + line}, nil)
		client, err := dial(d, "me", ssh.PublicKeys(signer))
		if c.why == "" {
			require.NoError(t, err, name)
			_ = client.Close()
			continue
		}
		require.Error(t, err, name)
		d.awaitLog(c.why)
	}
}
