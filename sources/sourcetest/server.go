package sourcetest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

// FreeAddress is a HOST:PORT on loopback at which nobody listens at the moment.
func FreeAddress(t testing.TB) string {
	t.Helper()
	addr, err := freeAddress()
	require.NoError(t, err)
	return addr
}

// Ports below those that the system gives to outgoing connections, which would else
// take one between its look and the server's start.
const (
	firstPort = 20_000
	lastPort  = 32_000
)

var handedOut sync.Map

func freeAddress() (addr string, err error) {
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // chance keeps test processes apart, and guards nothing
		if _, taken := handedOut.LoadOrStore(port, true); taken {
			continue
		}
		addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		var l net.Listener
		if l, err = new(net.ListenConfig).Listen(context.Background(), "tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", err
}

// Run starts a server that ends with the test.
func Run(t testing.TB, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), program, args...)
	DiesWithTest(cmd)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// Output is what a server says, to be read while it is still talking. The zero Output
// is ready to use, and goroutine-safe.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String is everything so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Watch follows a store until the test ends, and then waits for the watch's own end.
func Watch(t testing.TB, w sources.FlagWatcher, from sources.Revision) <-chan sources.FlagEvent {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ch, err := w.Watch(ctx, from)
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		for range ch { // drained until it is closed
		}
	})
	return ch
}
