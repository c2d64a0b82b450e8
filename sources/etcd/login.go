package etcd

import (
	"context"
	"errors"
	"sync"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/credentials"
)

// pass is the token that a login gave, and carries it with each request. The
// client's own way is not used: against etcd 3.4 it never gets out of an expired
// token, because it sends that with the very request that asks for a new one; and
// it knows one password for all its life.
type pass struct {
	signing sync.Mutex // one login at a time; bcrypt is dear to the cluster

	mu    sync.Mutex
	user  string
	token string
	valid bool // a login was made and is not known to be void; without users, token is empty
}

// authenticate is the one request that must go without a token.
const authenticate = "/etcdserverpb.Auth/Authenticate"

// GetRequestMetadata is the token for a request.
func (p *pass) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	info, _ := credentials.RequestInfoFromContext(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token == "" || info.Method == authenticate {
		return nil, nil
	}
	return map[string]string{rpctypes.TokenFieldNameGRPC: p.token}, nil
}

// RequireTransportSecurity is false: whether to use TLS is said by the endpoints.
func (p *pass) RequireTransportSecurity() bool { return false }

func (p *pass) now() (token string, valid bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token, p.valid
}

// drop makes a token void, unless there is a newer one.
func (p *pass) drop(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token == token {
		p.valid = false
	}
}

func (p *pass) set(user, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.user, p.token, p.valid = user, token, true
}

// who is the user that the requests are made as, "" for none.
func (p *pass) who() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.user
}

// loginError is that the login could not be read, say because of its file.
type loginError struct{ error }

func (l loginError) Unwrap() error { return l.error }

// signIn is the token to use, after a login where there is none that is valid.
func (s *Store) signIn(ctx context.Context, cli *clientv3.Client) (string, error) {
	token, valid := s.pass.now()
	if valid || s.opts.Login == nil {
		return token, nil
	}
	s.pass.signing.Lock()
	defer s.pass.signing.Unlock()
	if token, valid = s.pass.now(); valid {
		return token, nil
	}
	if err := ctx.Err(); err != nil { // it waited for others
		return "", err
	}
	user, password, err := s.opts.Login()
	if err != nil {
		return "", loginError{err}
	}
	if user == "" {
		s.pass.set("", "")
		return "", nil
	}
	got, err := cli.Authenticate(ctx, user, password)
	switch {
	case errors.Is(err, rpctypes.ErrAuthNotEnabled):
		s.pass.set(user, "")
		return "", nil
	case err != nil:
		s.pass.set(user, "")
		s.pass.drop("")
		return "", err
	}
	s.pass.set(user, got.Token)
	return got.Token, nil
}
