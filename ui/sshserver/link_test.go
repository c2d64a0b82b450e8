package sshserver

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAKeyThatIsProvenAsItsConnectionIsClosedTakesNoPlace(t *testing.T) {
	t.Parallel()
	s := &Server{links: map[*link]struct{}{}, bounds: &bounds{
		starting: 2, startingEach: 2, guests: 2, guestsEach: 2, sessions: 2, from: map[netip.Prefix]*present{},
	}}
	here, there := net.Pipe()
	defer there.Close()
	l := &link{Conn: here, s: s, addr: netip.MustParseAddr("127.0.0.1"), gone: make(chan struct{})}
	require.NoError(t, s.bounds.start(l.addr))
	require.NoError(t, l.Close()) // the login took too long, or the server is being stopped
	require.ErrorIs(t, l.welcome(), net.ErrClosed)
	require.Equal(t, present{}, s.bounds.all)
	require.Empty(t, s.bounds.from)
}
