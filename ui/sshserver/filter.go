package sshserver

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/anmitsu/go-shlex"
	gossh "golang.org/x/crypto/ssh"
)

const (
	maxCommand = 4 << 10 // bytes
	maxWords   = 64
	maxEnviron = 32  // variables that a client may set
	maxValue   = 100 // bytes of one

	mostColumns, mostRows = 600, 200 // a client may claim any size, and each cell costs memory
)

// filter is a session channel on which nothing arrives but what is served here. What
// is refused is logged; new sizes and variables are kept here and go no further.
type filter struct {
	gossh.NewChannel
	refused func(what string)
	resized chan struct{}
	closed  chan struct{} // closed with the channel, which may be sooner than its connection

	mu   sync.Mutex
	w, h int
	env  []string
}

func newFilter(ch gossh.NewChannel, refused func(string)) *filter {
	return &filter{NewChannel: ch, refused: refused, resized: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Accept is the channel's, with the requests that pass.
func (f *filter) Accept() (gossh.Channel, <-chan *gossh.Request, error) {
	ch, requests, err := f.NewChannel.Accept()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // nobody reads it
	}
	passed := make(chan *gossh.Request)
	go func() {
		defer close(f.closed)
		defer close(passed)
		for r := range requests {
			if f.takes(r) {
				passed <- r
			}
		}
	}()
	return ch, passed, nil
}

// takes answers a request, or says that it passes.
func (f *filter) takes(r *gossh.Request) (passes bool) {
	switch r.Type {
	case "shell", "exec", "pty-req":
		return true
	case "window-change":
		var size struct{ W, H, X, Y uint32 }
		ok := gossh.Unmarshal(r.Payload, &size) == nil
		if ok {
			f.resize(size.W, size.H)
		}
		_ = r.Reply(ok, nil)
	case "env":
		_ = r.Reply(f.sets(r.Payload), nil)
	case "signal", "eow@openssh.com", "keepalive@openssh.com":
		_ = r.Reply(false, nil)
	default:
		f.refused("request " + word(r.Type) + subsystem(r))
		_ = r.Reply(false, nil)
	}
	return false
}

func subsystem(r *gossh.Request) string {
	if n := len(r.Payload); r.Type == "subsystem" && n > 4 && int(binary.BigEndian.Uint32(r.Payload)) == n-4 {
		return " " + word(string(r.Payload[4:]))
	}
	return ""
}

// told are the variables that say what a terminal can show. No other is taken: who
// acts is the key's business.
var told = []string{"COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "LC_CTYPE"}

// sets takes a variable, or not.
func (f *filter) sets(payload []byte) bool {
	var v struct{ Name, Value string }
	if gossh.Unmarshal(payload, &v) != nil {
		return false
	}
	if !slices.Contains(told, v.Name) {
		if !strings.HasPrefix(v.Name, "LC_") { // which many clients send by habit
			f.refused("variable " + word(v.Name))
		}
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.env) >= maxEnviron || len(v.Value) > maxValue || strings.ContainsFunc(v.Value, func(r rune) bool { return r < ' ' || r > '~' }) {
		return false
	}
	f.env = append(f.env, v.Name+"="+v.Value)
	return true
}

func (f *filter) environ() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.env)
}

func (f *filter) resize(w, h uint32) {
	f.mu.Lock()
	f.w, f.h = int(min(max(w, 1), mostColumns)), int(min(max(h, 1), mostRows))
	f.mu.Unlock()
	select {
	case f.resized <- struct{}{}:
	default: // whoever is told of the last one reads this one
	}
}

// start is the size that the terminal began with, unless it has changed already.
func (f *filter) start(w, h int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.w == 0 {
		f.w, f.h = min(max(w, 0), mostColumns), min(max(h, 0), mostRows)
	}
}

func (f *filter) size() (w, h int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.w == 0 || f.h == 0 {
		return 80, 24
	}
	return f.w, f.h
}

// words splits a command as a shell would, without being one: nothing is expanded.
func words(command string) ([]string, error) {
	if len(command) > maxCommand {
		return nil, errors.New("the command is too long")
	}
	out, err := shlex.Split(command, true)
	switch {
	case err != nil:
		return nil, errors.New("the command's quotes do not match")
	case len(out) > maxWords:
		return nil, errors.New("the command has too many words")
	case strings.ContainsFunc(command, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return nil, errors.New("the command holds control characters")
	}
	return out, nil
}
