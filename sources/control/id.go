package control

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"sync"
	"time"
)

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// newIDs makes IDs of 26 characters that sort by time: 48 bits of milliseconds
// and 80 random bits, counted up within one millisecond.
func newIDs(now func() time.Time) func() string {
	var mu sync.Mutex
	var last [16]byte
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		var id [16]byte
		binary.BigEndian.PutUint64(id[:8], uint64(max(0, now().UnixMilli()))<<16)
		if string(id[:6]) <= string(last[:6]) { // same millisecond, or a clock set back
			id = last
			for i := len(id) - 1; i >= 0; i-- {
				if id[i]++; id[i] != 0 {
					break
				}
			}
		} else {
			_, _ = rand.Read(id[6:]) // never fails
		}
		last = id
		return crockford.EncodeToString(id[:])
	}
}
