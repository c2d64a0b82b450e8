package flagd_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
)

func TestTheAccessListOfTheFileIsKept(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	const name, nobodyInParticular = "system.posix_acl_access", 0xffffffff
	list := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{ // tag, rights, id: user 1234 may write, the group only read
		{0x01, 6, nobodyInParticular}, {0x02, 6, 1234}, {0x04, 4, nobodyInParticular}, {0x10, 6, nobodyInParticular}, {0x20, 0, nobodyInParticular},
	} {
		list = binary.LittleEndian.AppendUint16(list, uint16(e[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(e[1]))
		list = binary.LittleEndian.AppendUint32(list, e[2])
	}
	if err := unix.Setxattr(path, name, list, 0); err != nil {
		t.Skipf("this file system has no access lists: %v", err)
	}
	r, err := flagd.New("prod", path).Apply(context.Background(), sources.Change{ID: "1", Flag: id("dark-mode"), Kind: sources.Kill})
	require.NoError(t, err)
	require.Empty(t, r.Warning)
	got := make([]byte, 1024)
	n, err := unix.Getxattr(path, name, got)
	require.NoError(t, err, "another operator's access hangs on it")
	require.Equal(t, list, got[:n])
}
