package sshserver_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"relctl-tui/ui/sshserver"
)

// leftOut is how many refusals the log says it does not hold.
func (d *door) leftOut() (sum int) {
	for line := range strings.Lines(d.logged()) {
		if _, rest, found := strings.Cut(line, `msg="refused more" lines=`); found {
			var n int
			_, _ = fmt.Sscan(rest, &n)
			sum += n
		}
	}
	return sum
}

func TestWhoeverKnocksAllTheTimeFillsNoDiskAndIsCounted(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	eve, _ := key(t, "eve")
	var mu sync.Mutex
	now := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	d := opened(t, []string{line}, func(o *sshserver.Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	const knocks = 40 // a line for the key and one for the login each
	knock := func() {
		for range knocks {
			_, err := dial(d, "root", ssh.PublicKeys(eve))
			require.Error(t, err)
		}
	}
	knock()
	d.awaitLog("refused", "what=key")
	require.Equal(t, 20, d.lines("msg=refused"), "%s", d.logged())
	require.Zero(t, d.leftOut(), "the minute is not over")

	c := d.enter(ana)
	_, _, err := c.OpenChannel("direct-tcpip", nil)
	require.Error(t, err)
	d.awaitLog("refused", "channel direct-tcpip", "who=ana") // whom a stranger does not hide

	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	d.awaitLog("refused more", "since=2026-03-14T03:00:00Z", "from=127.0.0.1/32")
	_, err = dial(d, "root", ssh.PublicKeys(eve))
	require.Error(t, err)
	require.Eventually(t, func() bool { return d.lines("msg=refused") > 21 }, patience, 5*time.Millisecond, "the next minute has lines of its own")

	knock()
	require.Eventually(t, func() bool {
		mu.Lock()
		now = now.Add(time.Minute)
		mu.Unlock()
		return d.lines("msg=refused")+d.leftOut() == 4*knocks+2+1
	}, patience, 20*time.Millisecond, "what is not written is counted: %s", d.logged())
	require.Less(t, d.lines("msg=refused"), 2*knocks)
}
