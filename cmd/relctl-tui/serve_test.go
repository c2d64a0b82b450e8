package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// publishing starts serve http and reads the line that tells where it is.
func publishing(t testing.TB, env []string, args ...string) (flagsURL, ofrepURL string, stop func() int) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "http", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Env = env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	sc := bufio.NewScanner(out)
	if !sc.Scan() {
		_ = cmd.Wait()
		require.Fail(t, "it ended without a line", stderr.String())
	}
	words := strings.Fields(sc.Text())
	require.Len(t, words, 6, sc.Text())
	require.Equal(t, []string{"serving", "flags", "ofrep"}, []string{words[0], words[2], words[4]})
	return words[3], words[5], func() int {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
}

// fetched is a page, "" where there is none.
func fetched(client *http.Client, url, token string) (int, string) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, ""
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestAServedFileFollowsTheVerbsAndEndsCleanly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	url, ofrep, stop := publishing(t, b.env, "--flags", "flagd:"+b.path)
	require.True(t, strings.HasPrefix(url, "http://127.0.0.1:"), url)
	_, page := fetched(http.DefaultClient, url, "")
	require.Equal(t, b.file(), page)
	require.Zero(t, b.run("kill", "checkout-v2").code)
	require.Eventually(t, func() bool {
		_, page := fetched(http.DefaultClient, url, "")
		return page == b.file()
	}, patience, 5*time.Millisecond)
	code, page := fetched(http.DefaultClient, ofrep+"/healthz", "")
	require.Equal(t, 200, code, page)
	require.Zero(t, stop())
}

func TestADrillIsProvenByTheServedEvaluations(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, ofrep, stop := publishing(t, b.env, "--flags", "flagd:"+b.path)
	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`contexts:
  prod:
    flags: [{dsn: %q, verify: [{dsn: %q}]}]
    rules: {checkout-v2: {drill: true}}
`, "flagd:"+b.path, "ofrep+"+ofrep)), 0o600))
	was := b.file()
	r := runIn(t, b.env, "--config", config, "drill", "checkout-v2")
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "→ killed: accepted")
	require.Contains(t, r.stdout, "was in time")
	require.Equal(t, was, b.file())
	require.Zero(t, stop())
	config2 := strings.Replace(config, "c.yaml", "d.yaml", 1)
	raw, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config2, []byte(strings.Replace(string(raw), "    rules:", "    effective_within: 1s\n    rules:", 1)), 0o600))
	r = runIn(t, b.env, "--config", config2, "drill", "checkout-v2")
	require.Equal(t, exitUnconfirmed, r.code, "nobody serves any more: %s%s", r.stdout, r.stderr)
	require.Contains(t, r.stderr, "could not be told after 1s")
	require.NotContains(t, r.stderr, "NOT effective", "who could not be asked said nothing")
	require.Equal(t, was, b.file(), "brought back all the same")
}

func TestServeSaysWhichStoreItCannotPublishAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, c := range []struct {
		says string
		code int
		args []string
	}{
		{"serve http", exitUsage, []string{"serve"}},
		{"several stores", exitUsage, []string{"serve", "http", "--flags", "flagd:" + b.path, "--flags", "flagd:/no/other.json"}},
		{"no store is called", exitUsage, []string{"serve", "http", "--flags", "flagd:" + b.path, "--store", "nope"}},
		{"no such file", exitFailed, []string{"serve", "http", "--listen", "127.0.0.1:0", "--flags", "flagd:/no/flags.json"}},
		{"in use", exitFailed, []string{"serve", "http", "--listen", taken.Addr().String(), "--flags", "flagd:" + b.path}},
		{"go together", exitUsage, []string{"serve", "http", "--tls-cert", "x", "--flags", "flagd:" + b.path}},
		{"--tls-cert: no such file", exitUsage, []string{"serve", "http", "--tls-cert", "/no/c", "--tls-key", "/no/k", "--flags", "flagd:" + b.path}},
		{"no such file", exitUsage, []string{"serve", "http", "--token-file", "/no/token", "--flags", "flagd:" + b.path}},
	} {
		r := runIn(t, b.env, c.args...)
		require.Equal(t, c.code, r.code, "%v: %s", c.args, r.stderr)
		require.Contains(t, r.stderr, c.says)
		require.Len(t, lines(r.stderr), 1, r.stderr)
		require.Empty(t, r.stdout)
	}
}

// pair writes a self-signed certificate of that serial number.
func pair(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "serve"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
}

func TestATokenAndACertificateAreRotatedWhileItServes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := t.TempDir()
	cert, key, token := filepath.Join(dir, "cert"), filepath.Join(dir, "key"), filepath.Join(dir, "token")
	pair(t, cert, key, 1)
	require.NoError(t, os.WriteFile(token, []byte("first\n"), 0o600))
	url, _, stop := publishing(t, b.env, "--flags", "flagd:"+b.path, "--tls-cert", cert, "--tls-key", key, "--token-file", token)
	require.True(t, strings.HasPrefix(url, "https://"), url)
	var serial *big.Int
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			c, err := x509.ParseCertificate(raw[0])
			if err == nil {
				serial = c.SerialNumber
			}
			return err
		},
	}}}
	code, _ := fetched(client, url, "first")
	require.Equal(t, 200, code)
	require.EqualValues(t, 1, serial.Int64())
	code, _ = fetched(client, url, "")
	require.Equal(t, 401, code)
	pair(t, cert, key, 2)
	require.NoError(t, os.WriteFile(token, []byte("second\n"), 0o600))
	require.Eventually(t, func() bool {
		code, _ := fetched(client, url, "second")
		return code == 200 && serial.Int64() == 2
	}, patience, 20*time.Millisecond)
	code, _ = fetched(client, url, "first")
	require.Equal(t, 401, code)
	require.Zero(t, stop())
}

func TestABoardFollowsAServedStoreAndChangesNothingThroughIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	url, _, _ := publishing(t, b.env, "--flags", "flagd:"+b.path)
	r := runIn(t, b.env, "--flags", "flagd+"+url, "flags", "-o", "json")
	require.Zero(t, r.code, r.stderr)
	var served, own flagsDoc
	strictly(t, r.stdout, &served)
	strictly(t, b.run("flags", "-o", "json").stdout, &own)
	require.Len(t, served.Flags, len(own.Flags))
	for i := range own.Flags {
		served.Flags[i].Source = own.Flags[i].Source
		require.Equal(t, own.Flags[i], served.Flags[i])
	}
	before := b.file()
	r = runIn(t, b.env, "--flags", "flagd+"+url, "kill", "checkout-v2")
	require.Equal(t, exitRefused, r.code, r.stderr)
	require.Contains(t, r.stderr, "change them at the store behind it")
	require.Equal(t, before, b.file())
}
