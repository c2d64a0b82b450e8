package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"relctl-tui/sources"
	"relctl-tui/ui/sshserver"
)

const sshListen = "127.0.0.1:2222"

const serveSSHLong = `Serve the board and its verbs over SSH, for as long as it runs. Who comes in needs nothing
but an SSH client and a key in the file of --authorized-keys, in OpenSSH's format:

role="operator" ssh-ed25519 AAAA… ana@example
ssh-ed25519 AAAA… bo@example
cert-authority,principals="oncall",role="operator" ssh-ed25519 AAAA… our CA

A key without a role is a viewer's: it sees everything and changes nothing. Who acted, in
the journal and in the stores, is the key's comment; of a certificate it is the login name
where that is one of its principals, and with principals= its key ID. The options from= and
expiry-time= count as well; a line with any other lets nobody in. The file is read anew when
it changes; sessions of a key that was taken out end.

ssh -t HOST            the board, on the default context
ssh -t HOST staging    the board, on another one
ssh -T HOST            lines of text in place of the board, and verbs typed into them
ssh HOST status        a verb; kill, ramp and the others that change need an operator's key

There is no shell, no forwarding and no file transfer. All sessions share one engine, so a
hundred boards ask the sources as often as one does. Refusals are logged.`

// serveSSH is what was typed.
type serveSSH struct {
	o      *options
	listen string
	server sshserver.Options
	hub    *hub
	turns  turns
}

func newServeSSHCmd(o *options) *cobra.Command {
	h := &serveSSH{o: o, turns: newTurns()}
	cmd := &cobra.Command{
		Use:   "ssh",
		Short: "The board and its verbs for whoever has a key",
		Long:  serveSSHLong,
		Example: `relctl-tui serve ssh --authorized-keys keys
relctl-tui serve ssh --listen :2222 --config prod.yaml --authorized-keys keys --host-key host_key`,
		Args: argCount(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error { return h.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&h.listen, "listen", sshListen, "address to listen on")
	f.StringVar(&h.server.AuthorizedKeys, "authorized-keys", "", "file of the keys that are let in, and as what (default authorized_keys beside the config)")
	f.StringVar(&h.server.HostKey, "host-key", "", "file of the server's own key, made where it is not there (default in the state directory)")
	f.DurationVar(&h.server.Idle, "idle", 4*time.Hour, "end a board after so long without a key press; -1s for never")
	f.DurationVar(&h.server.LoginGrace, "login-grace", 20*time.Second, "how long a login may take")
	f.IntVar(&h.server.MaxAuthTries, "max-auth-tries", 6, "keys that one connection may offer")
	f.IntVar(&h.server.MaxSessions, "max-sessions", 200, "sessions at once")
	f.IntVar(&h.server.MaxEach, "max-per-address", 0, "connections at once from one address (default as many as sessions)")
	addBoardFlags(f, o)
	return cmd
}

func (h *serveSSH) run(cmd *cobra.Command) error {
	if err := h.defaults(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	// What runs outlives the sessions: they are told first, and finish what they began.
	life, endLife := context.WithCancel(context.WithoutCancel(ctx))
	defer endLife()
	if err := h.o.watchSelf(life); err != nil {
		return err
	}
	h.hub = newHub(life, h.o)
	defer h.hub.end()
	if _, err := h.hub.get(ctx, ""); err != nil {
		return err
	}
	h.server.Log = h.o.seen.logger(cmd.ErrOrStderr())
	h.server.Handle = h.session
	h.server.Now, h.server.Crashed = h.o.now, newCrashes(h.o.now).keep
	srv, err := sshserver.New(h.server)
	if err != nil {
		return &usageError{msg: cleanMsg(err.Error())}
	}
	ln, err := listen(ctx, "--listen", h.listen)
	if err != nil {
		return err
	}
	if srv.Keys() == 0 {
		say(cmd.ErrOrStderr(), "the file of keys lets nobody in yet: add a line such as role=\"operator\" ssh-ed25519 AAAA… you")
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "serving ssh %s host key %s keys %d\n", ln.Addr(), srv.HostKey(), srv.Keys()); err != nil {
		return errors.Join(err, ln.Close())
	}
	return srv.Serve(ctx, ln)
}

// defaults fills in the files that nobody named.
func (h *serveSSH) defaults() error {
	s := &h.server
	if s.LoginGrace <= 0 || s.MaxAuthTries <= 0 || s.MaxSessions <= 0 || s.MaxEach < 0 {
		return &usageError{msg: "--login-grace, --max-auth-tries, --max-sessions and --max-per-address want more than 0"}
	}
	if s.Idle == 0 {
		return &usageError{msg: "--idle wants a time such as 1h, or -1s for never"}
	}
	if s.AuthorizedKeys == "" {
		path, _ := configPath(h.o.config)
		if path == "" {
			return homeless("name the file of the keys with --authorized-keys")
		}
		s.AuthorizedKeys = filepath.Join(filepath.Dir(path), "authorized_keys")
	}
	if s.HostKey == "" {
		s.HostKey = filepath.Join(stateDir(), "ssh_host_ed25519_key")
	}
	return nil
}

// session serves what one client asked for: the board, on a context, or a verb.
func (h *serveSSH) session(ctx context.Context, s *sshserver.Session) int {
	var err error
	switch name, board := h.wantsBoard(s); {
	case board && s.Terminal && s.Term != "dumb" && s.Term != "":
		err = h.board(ctx, s, name)
	case board && s.Terminal: // which leaves the echo of what is typed to us, and can do nothing for it
		say(s.Err, "TERM="+sources.Clean(s.Term, 40)+" is no terminal to draw on, so this is the status instead of the board: ssh -T follows in lines of text")
		err = h.verb(ctx, s, servedVerb{words: []string{"status"}, context: name, out: s.Out, err: s.Err})
	case board:
		err = h.lines(ctx, s, name)
	default:
		err = h.verb(ctx, s, servedVerb{words: s.Command, out: s.Out, err: s.Err})
	}
	if err != nil {
		say(s.Err, errorSentences(err)...)
	}
	return exitCode(err)
}

// wantsBoard tells whether no verb is asked for but the board, and on which context.
func (h *serveSSH) wantsBoard(s *sshserver.Session) (name string, board bool) {
	if len(s.Command) == 0 {
		return "", true
	}
	if len(s.Command) > 1 || servedVerbs[s.Command[0]] != "" {
		return "", false
	}
	for _, c := range h.hub.contexts() {
		if c == s.Command[0] {
			return c, true
		}
	}
	return "", false
}

// helpOf is what somebody who asked for something else can ask for.
func (h *serveSSH) helpOf() string {
	text := "served are the board and " + strings.Join(keysOf(servedVerbs), ", ")
	if names := h.hub.contexts(); len(names) > 1 {
		text += "; contexts are " + sources.Clean(strings.Join(names, ", "), 200)
	}
	return text
}
