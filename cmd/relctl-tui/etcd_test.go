package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"relctl-tui/sources/sourcetest"
)

const etcdHint = "apt-get install etcd-server"

// startEtcd is one real server, and a plain client of it.
func startEtcd(t testing.TB) (host string, cli *clientv3.Client) {
	t.Helper()
	host, cli, _ = startMortalEtcd(t)
	return host, cli
}

// startMortalEtcd is the same, and how to end it without a word.
func startMortalEtcd(t testing.TB) (host string, cli *clientv3.Client, kill func()) {
	t.Helper()
	path := os.Getenv("RELCTL_ETCD")
	if path == "" {
		path = sourcetest.RealTool(t, "etcd", etcdHint)
	}
	path, _, _ = strings.Cut(path, string(filepath.ListSeparator))
	client, peer := sourcetest.FreeAddress(t), sourcetest.FreeAddress(t)
	cmd := exec.Command(path, "--name", "m", "--data-dir", t.TempDir(),
		"--listen-client-urls", "http://"+client, "--advertise-client-urls", "http://"+client,
		"--listen-peer-urls", "http://"+peer, "--initial-advertise-peer-urls", "http://"+peer,
		"--initial-cluster", "m=http://"+peer, "--logger", "zap", "--log-level", "error")
	sourcetest.DiesWithTest(cmd)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	cli, err := clientv3.New(clientv3.Config{Endpoints: []string{client}, Logger: zap.NewNop()})
	require.NoError(t, err)
	t.Cleanup(func() { _ = cli.Close() })
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := cli.Get(ctx, "ready")
		return err == nil
	}, patience, 20*time.Millisecond)
	return client, cli, func() { _ = cmd.Process.Kill() }
}

// etcdBench runs the verbs on one prefix of a real server.
type etcdBench struct {
	*bench
	dsn string
	cli *clientv3.Client
}

func newEtcdBench(t testing.TB) *etcdBench {
	t.Helper()
	host, cli := startEtcd(t)
	return &etcdBench{newBench(t), "etcd://" + host + "/team/prod", cli}
}

func (b *etcdBench) run(args ...string) result {
	b.t.Helper()
	return runIn(b.t, b.env, append([]string{"--flags", b.dsn}, args...)...)
}

func (b *etcdBench) value(key string) string {
	b.t.Helper()
	got, err := b.cli.Get(b.t.Context(), "team/prod/flags/"+key)
	require.NoError(b.t, err)
	if len(got.Kvs) == 0 {
		return ""
	}
	return string(got.Kvs[0].Value)
}

func TestFlagsInEtcdAreImportedChangedUndoneAndExported(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)

	dry := b.run("flags", "import", b.path, "--dry-run")
	require.Zero(t, dry.code, dry.stderr)
	require.Contains(t, dry.stdout, "dry run, nothing was written: 4 added, 0 changed, 0 removed, 0 unchanged")
	require.Empty(t, b.value("steady"))

	imported := b.run("flags", "import", b.path, "--reason", "moving house")
	require.Zero(t, imported.code, imported.stderr)
	require.Contains(t, imported.stdout, "added    checkout-v2  absent → 25%")
	require.Contains(t, imported.stdout, "4 added, 0 changed, 0 removed, 0 unchanged")

	listed := b.run("flags", "-o", "json")
	require.Zero(t, listed.code, listed.stderr)
	var flags flagsDoc
	strictly(t, listed.stdout, &flags)
	require.Len(t, flags.Flags, 4)
	require.Equal(t, "checkout-v2", flags.Flags[0].Key)
	require.InDelta(t, 25, *flags.Flags[0].Rollout, 0)

	before := b.value("checkout-v2")
	require.Zero(t, b.run("ramp", "checkout-v2", "50", "--reason", "canary is clean").code)
	require.Equal(t, strings.Replace(before, `["on", 25], ["off", 75]`, `["on", 50], ["off", 50]`, 1), b.value("checkout-v2"))
	killed := b.run("kill", "checkout-v2")
	require.Zero(t, killed.code, killed.stderr)
	require.Contains(t, killed.stdout, "checkout-v2 50% → killed confirmed")
	require.Contains(t, b.value("checkout-v2"), "DISABLED")
	require.Zero(t, b.run("undo").code)
	require.Zero(t, b.run("undo").code)
	require.Equal(t, before, b.value("checkout-v2"), "byte for byte")

	exported := b.run("flags", "export")
	require.Zero(t, exported.code, exported.stderr)
	require.Equal(t, definitions(t, twoFlags), definitions(t, exported.stdout))
	again := b.run("flags", "import", b.path, "-o", "json")
	require.Zero(t, again.code, again.stderr)
	require.Contains(t, again.stdout, `"unchanged": 4`)
}

// definitions is each flag's own bytes by key.
func definitions(t testing.TB, doc string) map[string]string {
	t.Helper()
	var all struct{ Flags map[string]json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(doc), &all))
	out := map[string]string{}
	for key, raw := range all.Flags {
		out[key] = string(raw)
	}
	return out
}

func TestTheRecordOfAStoreInEtcdIsSharedByEverybody(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	require.Zero(t, b.run("flags", "import", b.path).code)
	require.Zero(t, b.run("kill", "steady", "--reason", "errors").code)

	other := *b
	other.bench = newBench(t) // another machine: no journal of its own
	other.env = append(cleanEnv(t), "RELCTL_ACTOR=ben")
	log := other.run("log", "-o", "json")
	require.Zero(t, log.code, log.stderr)
	var doc struct{ Changes []changeDoc }
	require.NoError(t, json.Unmarshal([]byte(log.stdout), &doc))
	require.Len(t, doc.Changes, 5)
	require.Equal(t, "kill", doc.Changes[0].Kind)
	require.Equal(t, "ana", doc.Changes[0].Actor)
	require.Equal(t, "errors", doc.Changes[0].Reason)
	require.Equal(t, "import", doc.Changes[1].Kind)

	undone := other.run("undo", doc.Changes[0].ID)
	require.Zero(t, undone.code, undone.stderr)
	require.NotContains(t, b.value("steady"), "DISABLED")
	own := b.run("log", "-o", "json")
	doc.Changes = nil
	require.NoError(t, json.Unmarshal([]byte(own.stdout), &doc))
	require.Len(t, doc.Changes, 6, "what is in the journal and in the store is one change")
}

func TestAnImportKeepsOrPrunesWhatIsOnlyInTheStore(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	require.Zero(t, b.run("flags", "import", b.path).code)
	one := filepath.Join(t.TempDir(), "one.json")
	require.NoError(t, os.WriteFile(one, []byte(`{"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": {"steady": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"}}}`), 0o600))

	kept := b.run("flags", "import", one)
	require.Zero(t, kept.code, kept.stderr)
	require.Contains(t, kept.stdout, "changed  steady  100% → 0%")
	require.Contains(t, kept.stdout, "3 only in")
	require.Zero(t, b.run("undo").code, "what an import changed is undone like any change")
	require.Equal(t, definitions(t, twoFlags)["steady"], b.value("steady"))

	pruned := b.run("flags", "import", one, "--prune")
	require.Zero(t, pruned.code, pruned.stderr)
	require.Contains(t, pruned.stdout, "removed  checkout-v2  25% → absent")
	file := filepath.Join(t.TempDir(), "out.json")
	require.Zero(t, b.run("flags", "export", "-o", file).code)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(raw), `"$schema": "https://flagd.dev/schema/v0/flags.json"`)
	require.Len(t, definitions(t, string(raw)), 1)
}

func TestExitCodesOfAStoreInEtcd(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	require.Zero(t, b.run("flags", "import", b.path).code)
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"flags": {"a": {`), 0o600))
	for name, c := range map[string]struct {
		code int
		says string
		args []string
	}{
		"a file that is no document": {1, "not JSON", []string{"flags", "import", bad}},
		"a file that is not there":   {2, "no such file", []string{"flags", "import", bad + "x"}},
		"no file":                    {2, "one file", []string{"flags", "import"}},
		"read-only":                  {3, "read-only", []string{"--read-only", "flags", "import", b.path}},
		"another store":              {2, "no store is called", []string{"flags", "import", b.path, "--store", "x"}},
		"no such flag":               {1, "no flag", []string{"kill", "nope"}},
		"custom targeting":           {3, "custom", []string{"ramp", "pricing", "10"}},
		"a folder that is not there": {1, "cannot write", []string{"flags", "export", "-o", filepath.Join(bad, "x")}},
	} {
		r := b.run(c.args...)
		require.Equal(t, c.code, r.code, "%s: %s", name, r.stderr)
		require.Contains(t, r.stderr, c.says, name)
	}
	r := b.bench.run("flags", "import", b.path) // a file takes none
	require.Equal(t, 3, r.code, r.stderr)
	_, err := b.cli.Put(t.Context(), "team/prod/flags/odd", "no JSON")
	require.NoError(t, err)
	r = b.run("flags", "export")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.stderr, `nothing was exported, because these values are no definitions and would be missing: "odd"`)
	require.Empty(t, r.stdout)
}

func TestAddressesOfEtcd(t *testing.T) {
	t.Parallel()
	for dsn, says := range map[string]string{
		"etcd://a:1,b/x@y":      "carries a user or password",
		"etcd://u:p@a/x":        "carries a user or password",
		"etcd:/a":               "is no address of etcd",
		"etcd://":               "is no address of etcd",
		"etcd://a,,b/x":         "names the host",
		"etcd://a:b:c/x":        "names the host",
		"etcd+http://a/x?b":     "is no address of etcd",
		"etcd://a:2379/p\u0001": "no prefix",
	} {
		_, err := parseDSN(dsn, "flags")
		if err == nil {
			d, _ := parseDSN(dsn, "flags")
			_, err = openEtcd("x", d, nil, access{})
		}
		require.ErrorContains(t, err, says, dsn)
	}
	for dsn, want := range map[string][]string{
		"etcd://a":                     {"a:2379"},
		"etcd://a:1,b:2,[::1]:3/x/y":   {"a:1", "b:2", "[::1]:3"},
		"etcd+https://etcd.example//p": {"etcd.example:2379"},
	} {
		d, err := parseDSN(dsn, "flags")
		require.NoError(t, err)
		_, _, hosts, _, err := etcdAddress(d.Target)
		require.NoError(t, err)
		require.Equal(t, want, hosts)
	}
}

func TestAnotherMachineTakesBackTheWholeOfAGroupInEtcdAndReturnsAFlagOutOfItsRecord(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	require.Zero(t, b.run("flags", "import", b.path).code)
	before := map[string]string{"checkout-v2": b.value("checkout-v2"), "steady": b.value("steady")}
	require.Zero(t, b.run("ramp", "checkout-v2", "steady", "40", "--reason", "canary").code)
	forty := b.value("checkout-v2")

	other := *b
	other.bench = newBench(t) // another machine: no journal of its own
	other.env = append(cleanEnv(t), "RELCTL_ACTOR=ben")
	r := other.run("log", "checkout-v2", "-o", "json")
	require.Zero(t, r.code, r.stderr)
	var doc struct{ Changes []pastDoc }
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &doc))
	require.Equal(t, []string{"ana", "canary", "25%", "40%"}, []string{doc.Changes[0].Actor, doc.Changes[0].Reason, doc.Changes[0].Old, doc.Changes[0].New})
	group := doc.Changes[0].Group
	require.NotEmpty(t, group)

	r = other.run("undo", group)
	require.Zero(t, r.code, r.stdout+r.stderr)
	for key, want := range before {
		require.Equal(t, want, b.value(key), "each to its own former value")
	}
	r = other.run("restore", "checkout-v2", "--to", doc.Changes[0].ID)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, forty, b.value("checkout-v2"))

	own := b.run("log", "checkout-v2", "-o", "json") // what the journal and the store both know is one line
	doc.Changes = nil
	require.NoError(t, json.Unmarshal([]byte(own.stdout), &doc))
	var kinds []string
	for _, c := range doc.Changes {
		kinds = append(kinds, c.Kind)
	}
	require.Equal(t, []string{"restore", "undo", "set", "import", "edited"}, kinds)
	require.Equal(t, "ben", doc.Changes[2].UndoneBy)
}
