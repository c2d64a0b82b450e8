package etcd

import (
	"bytes"
	"context"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

const (
	rightsFor  = time.Minute // a look at one's own roles serves that long
	rightsWait = time.Second
)

// rights is what is known of what this access may do. A user may read itself and
// its own roles; where it may not, nothing is known and nothing is claimed.
type rights struct {
	mu sync.Mutex
	at time.Time
	no string
}

// why is why this access cannot change flags, "" when it can or when that is not
// known.
func (r *rights) why(ctx context.Context, s *Store) string {
	if s.opts.Login == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := s.opts.Now(); r.at.IsZero() || now.Sub(r.at).Abs() > rightsFor {
		ctx, cancel := context.WithTimeout(ctx, rightsWait)
		defer cancel()
		if no, ok := s.denies(ctx); ok {
			r.no, r.at = no, now
		}
	}
	return r.no
}

// denies looks at the user's own roles; false when they cannot be read.
func (s *Store) denies(ctx context.Context) (string, bool) {
	cli, err := s.client()
	if err != nil {
		return "", false
	}
	user := s.pass.who()
	if user == "" {
		return "", true
	}
	got, err := cli.UserGet(ctx, user)
	if err != nil {
		return "", false
	}
	for _, role := range got.Roles {
		if role == "root" {
			return "", true
		}
		perms, err := cli.RoleGet(ctx, role)
		if err != nil {
			return "", false
		}
		if s.writable(perms) {
			return "", true
		}
	}
	return "no role of user " + sources.Clean(user, 60) + " may write below " + sources.Clean(s.at.prefix, 60) + "/", true
}

// writable says that a role may write at least some of the flags.
func (s *Store) writable(role *clientv3.AuthRoleGetResponse) bool {
	from, to := []byte(s.at.flags), []byte(s.at.end)
	for _, p := range role.Perm {
		if p.PermType == authpb.READ {
			continue
		}
		end := p.RangeEnd
		if len(end) == 0 {
			end = append(bytes.Clone(p.Key), 0)
		}
		open := len(end) == 1 && end[0] == 0 // all keys from Key on
		if bytes.Compare(p.Key, to) < 0 && (open || bytes.Compare(end, from) > 0) {
			return true
		}
	}
	return false
}
