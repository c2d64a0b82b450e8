package etcd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
	"relctl-tui/sources/sourcetest"
)

// withUsers turns authentication on: writer may read and write below test/, reader
// may only read, nobody may neither.
func withUsers(t *testing.T, c *cluster) {
	t.Helper()
	cli, ctx := c.plain(), t.Context()
	must := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	for user, perm := range map[string]clientv3.PermissionType{
		"writer": clientv3.PermissionType(clientv3.PermReadWrite), "reader": clientv3.PermissionType(clientv3.PermRead),
	} {
		must(cli.RoleAdd(ctx, "flags-"+user))
		must(cli.RoleGrantPermission(ctx, "flags-"+user, "test/", clientv3.GetPrefixRangeEnd("test/"), perm))
		must(cli.UserAdd(ctx, user, user+"-pw"))
		must(cli.UserGrantRole(ctx, user, "flags-"+user))
	}
	must(cli.UserAdd(ctx, "nobody", "nobody-pw"))
	must(cli.UserAdd(ctx, "root", "root-pw"))
	must(cli.UserGrantRole(ctx, "root", "root"))
	must(cli.AuthEnable(ctx))
}

// root is the administrator, just logged in: a client of etcd itself does not get
// out of an expired token of etcd 3.4.
func root(t *testing.T, c *cluster) *clientv3.Client {
	t.Helper()
	cli, err := clientv3.New(clientv3.Config{Endpoints: c.endpoints(), Username: "root", Password: "root-pw", Logger: zap.NewNop()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = cli.Close() })
	return cli
}

func as(user, password string) func(*etcd.Options) {
	return func(o *etcd.Options) {
		o.Login = func() (string, string, error) { return user, password, nil }
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, binary string) {
		c := startCluster(t, binary, 1)
		put(t, c.plain(), "test", map[string]string{"a": split})
		withUsers(t, c)
		kill := sources.Change{ID: "1", Flag: id("a"), Kind: sources.Kill}

		for name, opts := range map[string]func(*etcd.Options){
			"a wrong password": as("writer", "wrong"),
			"a wrong user":     as("nobody-at-all", "x"),
			"no user":          func(*etcd.Options) {},
			"no role":          as("nobody", "nobody-pw"),
			"a login that cannot be read": func(o *etcd.Options) {
				o.Login = func() (string, string, error) { return "", "", errors.New("secret file p: no such file") }
			},
		} {
			began := time.Now()
			s := c.store(opts)
			_, err := s.Flags(t.Context())
			require.ErrorIs(t, err, sources.ErrUnauthorized, name)
			require.NotContains(t, err.Error(), "-pw", "%s: no secret in a sentence", name)
			_, err = s.Apply(t.Context(), kill)
			require.ErrorIs(t, err, sources.ErrUnauthorized, name)
			t.Logf("%s (%s): %s", name, time.Since(began).Round(time.Millisecond), sources.Sentence(err))
		}

		reader := c.store(as("reader", "reader-pw"))
		set, err := reader.Flags(t.Context())
		require.NoError(t, err)
		require.Equal(t, "no role of user reader may write below test/", set.ReadOnly)
		_, err = reader.Apply(t.Context(), kill)
		require.ErrorIs(t, err, sources.ErrUnauthorized)
		require.ErrorContains(t, err, "nothing was written")

		writer := c.store(as("writer", "writer-pw"))
		set, err = writer.Flags(t.Context())
		require.NoError(t, err)
		require.Empty(t, set.ReadOnly)
		require.Equal(t, sources.Some(sources.Pct(25)), set.Flags[0].Rollout, "nothing was written")
		_, err = writer.Apply(t.Context(), kill)
		require.NoError(t, err)
	})
}

func TestALoginThatExpiresOrIsChangedIsRenewed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, binary string) {
		c := startCluster(t, binary, 1, "--auth-token-ttl", "1")
		put(t, c.plain(), "test", map[string]string{"a": split})
		withUsers(t, c)
		var password atomic.Value
		password.Store("writer-pw")
		s := c.store(func(o *etcd.Options) {
			o.Silence = 600 * time.Millisecond
			o.Login = func() (string, string, error) { return "writer", password.Load().(string), nil }
		})
		ch := sourcetest.Watch(t, s, "")
		until(t, ch, "the first set", has("a", "25%"))
		expire := func() { // a token lives a second without use
			select {
			case <-time.After(2500 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
		expire()
		_, err := s.Apply(t.Context(), sources.Change{ID: "1", Flag: id("a"), Kind: sources.Set, To: sources.Pct(30)})
		require.NoError(t, err, "an expired token is renewed")
		until(t, ch, "the change", has("a", "30%"))

		_, err = root(t, c).UserChangePassword(t.Context(), "writer", "other-pw")
		require.NoError(t, err)
		password.Store("other-pw")
		expire()
		_, err = s.Apply(t.Context(), sources.Change{ID: "2", Flag: id("a"), Kind: sources.Set, To: sources.Pct(35)})
		require.NoError(t, err, "a changed password is read anew")
		until(t, ch, "the change after it", has("a", "35%"))
	})
}

// authority signs a certificate for the loopback, and its PEM files.
func authority(t *testing.T) (dir string, pool *x509.CertPool) {
	t.Helper()
	dir = t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "etcd"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	require.NoError(t, err)
	raw, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}), 0o600))
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(cert))
	return dir, pool
}

func TestTLS(t *testing.T) {
	t.Parallel()
	binary := oneBinary(t)
	dir, pool := authority(t)
	client, peer := sourcetest.FreeAddress(t), sourcetest.FreeAddress(t)
	m := &member{
		t: t, binary: binary, name: "m", client: client, peer: peer, scheme: "https", initialCluster: "m=http://" + peer,
		args: []string{"--data-dir", t.TempDir(), "--cert-file", filepath.Join(dir, "cert.pem"), "--key-file", filepath.Join(dir, "key.pem")},
	}
	m.start()
	t.Cleanup(m.kill)
	c := &cluster{t: t, members: []*member{m}}
	trusting := func(o *etcd.Options) { o.TLS = &tls.Config{RootCAs: pool} }
	require.Eventually(t, func() bool {
		set, err := c.store(trusting).Flags(t.Context())
		return err == nil && len(set.Flags) == 0
	}, patience, 50*time.Millisecond)

	_, err := c.store(func(o *etcd.Options) { o.TLS = &tls.Config{RootCAs: x509.NewCertPool()} }).Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "its certificate is not trusted")
	_, err = c.store(func(o *etcd.Options) {
		o.Endpoints, o.Timeout = []string{"http://" + client}, 2500*time.Millisecond
	}).Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "TLS")
	plain := startCluster(t, binary, 1)
	_, err = plain.store(func(o *etcd.Options) {
		o.Endpoints, o.TLS = []string{"https://" + plain.members[0].client}, &tls.Config{RootCAs: pool}
		o.Timeout = 2500 * time.Millisecond
	}).Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "TLS")
}

func TestWhatCannotBeReachedIsSaidInTime(t *testing.T) {
	t.Parallel()
	one, two := startCluster(t, oneBinary(t), 1), startCluster(t, oneBinary(t), 1)
	short := func(o *etcd.Options) { o.Timeout = time.Second }
	for says, opts := range map[string]func(*etcd.Options){
		"connection refused": func(o *etcd.Options) {
			o.Endpoints = []string{sourcetest.FreeAddress(t), "http://" + sourcetest.FreeAddress(t)}
		},
		"belong to two clusters":     func(o *etcd.Options) { o.Endpoints = append(one.endpoints(), two.endpoints()...) },
		"its host name is not known": func(o *etcd.Options) { o.Endpoints = []string{"no-such-host.invalid:2379"} },
	} {
		s := one.store(short, opts)
		require.Eventually(t, func() bool { // two clusters take turns
			_, err := s.Flags(t.Context())
			return err != nil && strings.Contains(err.Error(), says)
		}, patience, time.Millisecond, says)
	}
	one.members[0].pause()
	defer one.members[0].resume()
	hung := one.store(func(o *etcd.Options) { o.Timeout = 2500 * time.Millisecond })
	var said []error
	for limit := time.Now().Add(patience); ; { // once a connection was given up
		_, err := hung.Flags(t.Context())
		said = append(said, err)
		if err != nil && strings.Contains(err.Error(), "it takes connections and says nothing") {
			require.NotContains(t, err.Error(), "TLS", "whoever hangs is not told to change the address")
			break
		}
		require.True(t, time.Now().Before(limit), "it was never said, but %q", said)
	}
	s := one.store(short)
	_, err := s.Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = one.store(func(o *etcd.Options) { o.Timeout = time.Hour }).Flags(ctx)
	require.ErrorIs(t, err, context.Canceled, "a caller that leaves does not wait")
	_, err = s.Apply(t.Context(), sources.Change{ID: "1", Flag: id("a"), Kind: sources.Kill})
	require.ErrorIs(t, err, sources.ErrUnavailable)
}

func TestALostQuorumIsNoLeader(t *testing.T) {
	t.Parallel()
	binary := oneBinary(t)
	c := startCluster(t, binary, 3)
	put(t, c.plain(), "test", map[string]string{"a": split})
	s := c.store(func(o *etcd.Options) { o.Timeout = 2500 * time.Millisecond })
	_, err := s.Flags(t.Context())
	require.NoError(t, err)
	c.members[0].kill()
	c.members[1].kill()
	_, err = s.Apply(t.Context(), sources.Change{ID: "1", Flag: id("a"), Kind: sources.Kill})
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.NotErrorIs(t, err, sources.ErrConflict)
	t.Log(err)
	c.members[0].start()
	require.Eventually(t, func() bool {
		_, err = s.Flags(t.Context())
		return err == nil
	}, patience, 50*time.Millisecond)
}
