package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"relctl-tui/sources"
)

// timeUp is a call that ended with its time: cause says whether the time was up or
// the caller left, last is what the cluster had said until then, nil for nothing.
type timeUp struct{ last, cause error }

func (t timeUp) Error() string {
	if t.last == nil {
		return t.cause.Error()
	}
	return t.last.Error()
}

func (t timeUp) Unwrap() error { return t.cause }

func is(err, target error) bool { return errors.Is(rpctypes.Error(err), target) }

func isAny(err error, targets ...error) bool {
	for _, t := range targets {
		if is(err, t) {
			return true
		}
	}
	return false
}

// transient says that the same request may be answered a moment later.
func transient(err error) bool {
	var login loginError
	switch {
	case errors.As(err, &login), errors.Is(err, errClosed):
		return false
	case isAny(err, rpctypes.ErrInvalidAuthToken, rpctypes.ErrAuthOldRevision, rpctypes.ErrTooManyRequests):
		return true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled): // of one try
		return true
	}
	switch codeOf(err) {
	case codes.Unavailable:
		return !hopeless(err.Error())
	case codes.DeadlineExceeded, codes.Canceled, codes.Aborted:
		return true
	default:
		return false
	}
}

// hopeless is what no second try mends: what speaks there is not what was expected.
func hopeless(text string) bool {
	return strings.Contains(text, "x509:") || strings.Contains(text, "does not look like a TLS handshake")
}

// unsent says that a request never left: there was no connection to send it over.
func unsent(err error) bool {
	return codeOf(err) == codes.Unavailable && strings.Contains(err.Error(), "connection error: desc =")
}

func codeOf(err error) codes.Code {
	var e rpctypes.EtcdError
	if errors.As(err, &e) {
		return e.Code()
	}
	return status.Code(err)
}

// mostTelling keeps what explains more: that a try took too long says little.
func mostTelling(last, err error) error {
	if last != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		codeOf(err) == codes.DeadlineExceeded || codeOf(err) == codes.Canceled) {
		return last
	}
	return err
}

// fault is an error as one sentence. write says what it means for a change, "" for
// a read.
func (s *Store) fault(err error, write string) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{sources.ErrInvalid, sources.ErrNotFound, sources.ErrConflict, sources.ErrUnsupported} {
		if errors.Is(err, known) {
			return s.wrap(err)
		}
	}
	sentence, sentinel := s.because(err)
	if write != "" {
		sentence += ", " + write
	}
	var up timeUp
	if errors.As(err, &up) && errors.Is(up.cause, context.Canceled) && s.life.Err() == nil {
		return s.wrap(fmt.Errorf("%s: %w: %w", sentence, sentinel, context.Canceled))
	}
	return s.wrap(fmt.Errorf("%s: %w", sentence, sentinel))
}

// because puts what went wrong into words and finds its sentinel.
func (s *Store) because(err error) (string, error) {
	var login loginError
	var up timeUp
	switch {
	case errors.As(err, &login):
		return "the login cannot be read (" + sources.Sentence(login.error) + ")", sources.ErrUnauthorized
	case errors.Is(err, errClosed), s.life.Err() != nil:
		return "the store was closed", sources.ErrUnavailable
	case errors.As(err, &up):
		if up.last == nil || errors.Is(up.last, context.DeadlineExceeded) || errors.Is(up.last, context.Canceled) || codeOf(up.last) == codes.DeadlineExceeded || codeOf(up.last) == codes.Canceled {
			if errors.Is(up.cause, context.Canceled) {
				return "the request was given up", sources.ErrUnavailable
			}
			return "no answer in time; check the address, whether it wants TLS, and its members", sources.ErrUnavailable
		}
		return s.because(up.last)
	case is(err, rpctypes.ErrAuthFailed):
		return "the user or the password is refused; check username and password_file", sources.ErrUnauthorized
	case is(err, rpctypes.ErrUserEmpty):
		return "it wants a user; set username and password_file", sources.ErrUnauthorized
	case isAny(err, rpctypes.ErrInvalidAuthToken, rpctypes.ErrAuthOldRevision):
		return "the login has expired and is not renewed; check that the user still exists", sources.ErrUnauthorized
	case is(err, rpctypes.ErrPermissionDenied):
		return s.denied(), sources.ErrUnauthorized
	case isAny(err, rpctypes.ErrNoLeader, rpctypes.ErrLeaderChanged, rpctypes.ErrTimeoutDueToLeaderFail, rpctypes.ErrNotLeader,
		rpctypes.ErrTimeout, rpctypes.ErrTimeoutDueToConnectionLost, rpctypes.ErrUnhealthy):
		return "its members do not agree on a leader at the moment; more than half of its members must be up", sources.ErrUnavailable
	case is(err, rpctypes.ErrNoSpace):
		return "its database is full; compact and defragment it, then disarm the alarm NOSPACE", sources.ErrUnavailable
	case is(err, rpctypes.ErrRequestTooLarge):
		return "the definition is larger than it takes", sources.ErrInvalid
	}
	return unreachable(err)
}

func (s *Store) denied() string {
	who := "this access"
	if user := s.pass.who(); user != "" {
		who = "user " + sources.Clean(user, 60)
	}
	return who + " has no permission for that on " + sources.Clean(s.at.prefix, 60) + "/; ask for a role with readwrite on it"
}

// unreachable is an error of the connection, or one that nobody foresaw.
func unreachable(err error) (string, error) {
	text := err.Error()
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case has("x509:"):
		_, why, _ := strings.Cut(text, "x509: ")
		return "its certificate is not trusted (" + sources.Clean(strings.TrimRight(why, `"`), 120) + "); check ca_file and server_name", sources.ErrUnavailable
	case has("certificate required"), has("bad certificate"), has("unknown certificate authority"):
		return "it does not accept the client's certificate; check cert_file and key_file", sources.ErrUnauthorized
	case has("does not look like a TLS handshake"), has("handshake failed"):
		return "the TLS handshake fails; if it speaks no TLS, write etcd+http", sources.ErrUnavailable
	case has("server preface") && (has("closed network connection") || has("deadline exceeded") || has("i/o timeout")):
		// The connection was given up by this side: it was taken, and then nothing was said.
		return "it takes connections and says nothing; it may be suspended, or wait for its disk", sources.ErrUnavailable
	case has("server preface"), has("frame too large"):
		return "it closes the connection at once; if it speaks TLS, write etcd+https", sources.ErrUnavailable
	case has("connection refused"):
		return "no endpoint can be reached (connection refused); check the address and that it runs", sources.ErrUnavailable
	case has("no such host"), has("produced zero addresses"):
		return "its host name is not known", sources.ErrUnavailable
	default:
		if st, ok := status.FromError(err); ok {
			text = st.Message()
		}
		return "it cannot be reached (" + sources.Clean(text, 160) + ")", sources.ErrUnavailable
	}
}
