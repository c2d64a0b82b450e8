package etcd_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
	"relctl-tui/sources/etcd"
)

// rationed is an address that passes bytes on to a server, and no more answers
// than its allowance; what is beyond breaks the connection off.
func rationed(t *testing.T, to string, allowance *atomic.Int64) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
			go func() { answer(near, far, allowance); _ = near.Close(); _ = far.Close() }()
		}
	}()
	return "http://" + l.Addr().String()
}

func answer(near io.Writer, far io.Reader, allowance *atomic.Int64) {
	part := make([]byte, 4096)
	for {
		n, err := far.Read(part)
		if err != nil || allowance.Add(-int64(n)) < 0 {
			return
		}
		if _, err := near.Write(part[:n]); err != nil {
			return
		}
	}
}

func TestAListThatBreaksOffBetweenItsPagesIsAnErrorAndNeverAShorterTable(t *testing.T) {
	t.Parallel()
	const flags = 6000 // three pages
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	for from := 0; from < flags; from += 100 {
		var ops []clientv3.Op
		for i := range 100 {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("test/flags/f-%04d", from+i), split))
		}
		_, err := plain.Txn(t.Context()).Then(ops...).Commit()
		require.NoError(t, err)
	}
	var allowance atomic.Int64
	allowance.Store(2500 * int64(len(split)) * 3 / 2) // the first page and a part of the second
	address := rationed(t, strings.TrimPrefix(c.endpoints()[0], "http://"), &allowance)
	s := c.store(func(o *etcd.Options) { o.Endpoints, o.Timeout = []string{address}, 2*time.Second })

	set, err := s.Flags(t.Context())
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Empty(t, set.Flags)
	require.Negative(t, allowance.Load(), "it broke off within the answers, not before them")

	allowance.Store(1 << 40)
	require.Eventually(t, func() bool {
		set, err = s.Flags(t.Context())
		return err == nil
	}, patience, 20*time.Millisecond)
	require.Len(t, set.Flags, flags)
}

func TestMembersOfADefinitionThatANewerFlagdAddsAreIgnoredAndKept(t *testing.T) {
	t.Parallel()
	c := startCluster(t, oneBinary(t), 1)
	plain := c.plain()
	const tomorrow = `{"state": "ENABLED", "rules" : [{"deep": [1, 2e3]}], "variants": {"on": true, "off": false}, "defaultVariant": "off", ` +
		`"targeting": {"fractional": [["on", 25], ["off", 75]]}, "prerequisites":{"other": null}}`
	put(t, plain, "test", map[string]string{"a": tomorrow})
	s := c.store()
	set, err := s.Flags(t.Context())
	require.NoError(t, err)
	require.Equal(t, "25%", set.Flags[0].Brief())
	stored := func() string {
		got, err := plain.Get(t.Context(), "test/flags/a")
		require.NoError(t, err)
		return string(got.Kvs[0].Value)
	}
	receipt, err := s.Apply(t.Context(), sources.Change{ID: "k", Flag: id("a"), Kind: sources.Kill})
	require.NoError(t, err)
	require.Equal(t, strings.Replace(tomorrow, "ENABLED", "DISABLED", 1), stored())
	_, err = s.Apply(t.Context(), sources.Change{ID: "u", Flag: id("a"), Kind: sources.Undo, Restore: receipt.Restore, Seen: receipt.New.Revision})
	require.NoError(t, err)
	require.Equal(t, tomorrow, stored())
}
