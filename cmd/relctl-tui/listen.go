package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"relctl-tui/sources"
)

// listen listens on the address of an option. One that is none is an error of usage.
func listen(ctx context.Context, option, addr string) (net.Listener, error) {
	if err := checkAddress(ctx, option, addr); err != nil {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %s: %w", option, quote(addr), cleanMsg(plainNetError(err)), sources.ErrUnavailable)
	}
	return ln, nil
}

func checkAddress(ctx context.Context, option, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(ctx, "tcp", port)
	}
	if err != nil {
		return &usageError{msg: fmt.Sprintf("%s: %s is no address: write HOST:PORT, such as 127.0.0.1:9400", option, quote(sources.Clean(addr, 80)))}
	}
	return nil
}

// plainNetError is why an address cannot be listened on, without the address.
func plainNetError(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	return err.Error()
}
