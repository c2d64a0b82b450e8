package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"time"

	"relctl-tui/sources"
)

// socket is where HAProxy takes commands.
type socket struct {
	network, address string
	timeout          time.Duration
}

// maxAnswer bounds what is read of one exchange: about 40,000 servers.
const maxAnswer = 16 << 20

// exchange sends the commands in one line, so that HAProxy runs them one right after
// the other whatever becomes of this process, and gives one answer for each. An
// answer is "" where a command had nothing to say.
func (k *socket) exchange(ctx context.Context, name string, commands []string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, k.givenUp(name, err)
	}
	raw, err := k.ask(ctx, strings.Join(commands, ";")+"\n")
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, k.givenUp(name, ctx.Err())
	case err != nil:
		return nil, k.lost(name, err)
	case len(raw) > maxAnswer:
		return nil, fmt.Errorf("%s: HAProxy at %s answers with more than %d MiB, name the pairs that matter: %w", name, k.show(), maxAnswer>>20, sources.ErrUnavailable)
	case len(raw) == 0:
		return nil, fmt.Errorf("%s: what listens at %s hung up without an answer, check that it is HAProxy's stats socket: %w", name, k.show(), sources.ErrUnavailable)
	}
	answers := split(string(raw), len(commands))
	if len(answers) < len(commands) {
		return nil, fmt.Errorf("%s: HAProxy at %s hung up after %d of %d answers: %w", name, k.show(), len(answers), len(commands), sources.ErrUnavailable)
	}
	return answers, nil
}

func (k *socket) ask(ctx context.Context, line string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, k.network, k.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err = io.WriteString(conn, line); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(conn, maxAnswer+1))
}

// split takes the answers apart: each ends with an empty line. The last may hold
// empty lines of its own.
func split(raw string, n int) (answers []string) {
	for len(answers) < n-1 {
		if rest, ok := strings.CutPrefix(raw, "\n"); ok {
			answers, raw = append(answers, ""), rest
			continue
		}
		one, rest, ok := strings.Cut(raw, "\n\n")
		if !ok {
			return answers
		}
		answers, raw = append(answers, one), rest
	}
	if raw == "" {
		return answers
	}
	return append(answers, strings.TrimRight(raw, "\n"))
}

func (k *socket) show() string { return sources.Clean(k.address, sources.MaxName) }

// givenUp says that the caller did not want to wait any longer.
func (k *socket) givenUp(name string, err error) error {
	return fmt.Errorf("%s: gave up on HAProxy at %s: %w: %w", name, k.show(), sources.ErrUnavailable, err)
}

// lost says why nothing was heard.
func (k *socket) lost(name string, err error) error {
	at := k.show()
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s: HAProxy at %s did not answer within %s: %w", name, at, k.timeout, sources.ErrUnavailable)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no socket %s, check that HAProxy runs and that its global section says 'stats socket %s level admin': %w", name, at, at, sources.ErrUnavailable)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s: nobody listens at %s, check that HAProxy runs: %w", name, at, sources.ErrUnavailable)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: this user may not open %s, join its group or change mode, user or group of the 'stats socket' line: %w", name, at, sources.ErrUnauthorized)
	default:
		why := err
		for e := err; e != nil; e = errors.Unwrap(e) {
			why = e // the innermost has no address in it
		}
		return fmt.Errorf("%s: HAProxy at %s cannot be asked (%s): %w", name, at, sources.Clean(why.Error(), 100), sources.ErrUnavailable)
	}
}

// refusal is HAProxy's answer to a command that changes something, as an error; nil
// for "", which is how it says yes.
func refusal(name, what, answer string) error {
	if answer == "" {
		return nil
	}
	kind := sources.ErrInvalid
	hint := ""
	switch has := func(s string) bool { return strings.Contains(answer, s) }; {
	case has("Permission denied"):
		kind, hint = sources.ErrReadOnly, ", "+notAdmin
	case has("No such server"), has("No such backend"), has("Can't find backend"):
		kind = sources.ErrNotFound
	case has("static LB algorithm"):
		kind, hint = sources.ErrUnsupported, ", its balance takes no weights while it runs: use roundrobin, or hash-type consistent"
	case has("Unknown command"):
		kind, hint = sources.ErrUnsupported, ", check that this is the stats socket of HAProxy 2 or newer and not its master socket"
	}
	line, _, _ := strings.Cut(answer, "\n")
	return fmt.Errorf("%s: HAProxy refused to %s (%s)%s: %w", name, what, strings.TrimRight(sources.Clean(line, 200), ". "), hint, kind)
}

const notAdmin = "this socket may only look: add 'level admin' to its 'stats socket' line, or use one that has it"
