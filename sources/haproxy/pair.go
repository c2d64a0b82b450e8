package haproxy

import (
	"fmt"
	"slices"
	"strings"

	"relctl-tui/sources"
)

// pair is two servers as they stand, and what of their backend matters.
type pair struct {
	of             Pair
	canary, stable server
	balance        string
	others         int // servers of the backend besides the two
}

// pair finds the two; ErrNotFound says which is missing.
func (p *picture) pair(name string, of Pair) (*pair, error) {
	servers, ok := p.servers[of.Backend]
	if !ok {
		return nil, fmt.Errorf("%s: HAProxy has no backend %s: %w", name, of.Backend, sources.ErrNotFound)
	}
	now := &pair{of: of, balance: p.balance[of.Backend], others: len(servers) - 2}
	for want, to := range map[string]*server{of.Canary: &now.canary, of.Stable: &now.stable} {
		i := slices.IndexFunc(servers, func(s server) bool { return s.name == want })
		if i < 0 {
			return nil, fmt.Errorf("%s: backend %s of HAProxy has no server %s: %w", name, of.Backend, want, sources.ErrNotFound)
		}
		*to = servers[i]
	}
	return now, nil
}

// The administrative states that can be set.
const (
	ready = "ready"
	drain = "drain"
	maint = "maint"
)

// setting is what this driver writes, and all that an undo brings back.
type setting struct {
	canary, stable int // weights
	admin          string
}

func (n *pair) setting() setting {
	s := setting{canary: n.canary.uweight, stable: n.stable.uweight, admin: ready}
	switch {
	case n.canary.admin&forcedMaint != 0:
		s.admin = maint
	case n.canary.admin&forcedDrain != 0:
		s.admin = drain
	}
	return s
}

// with is the pair as it will be, for the plan of a change.
func (n *pair) with(s setting) *pair {
	to := *n
	to.canary.uweight, to.stable.uweight = s.canary, s.stable
	if s.admin != n.setting().admin {
		to.canary.admin &^= forced
		switch s.admin {
		case ready:
			if to.canary.op == stopped && !to.canary.out() && n.killed() {
				to.canary.op = running // its checks begin with the benefit of the doubt
			}
		case maint:
			to.canary.admin |= forcedMaint
		case drain:
			to.canary.admin |= forcedDrain
		}
	}
	return &to
}

func (n *pair) killed() bool { return n.canary.admin&(forced|inherited) != 0 }

// out says that an administrator took the server out, here or where it tracks.
func (s *server) out() bool { return s.admin&(forced|inherited) != 0 }

// down says that its checks took it out.
func (s *server) down() bool { return s.op == stopped && !s.out() }

// flag is the pair as the board has it. Its revision is of what can be set alone: a
// server that goes down is no change of the flag.
func (n *pair) flag(source string) sources.Flag {
	f := sources.Flag{
		ID:      sources.FlagID{Source: source, Key: n.of.key()},
		Name:    sources.Clean(n.of.key(), sources.MaxName),
		Variant: sources.Clean(n.of.Canary, sources.MaxName),
		Killed:  n.killed(),
	}
	const states = forced | inherited
	f.Revision = sources.Revision(fmt.Sprintf("%s=%d.%x %s=%d.%x",
		n.of.Canary, n.canary.uweight, n.canary.admin&states, n.of.Stable, n.stable.uweight, n.stable.admin&states))
	f.Description = sources.Clean("canary "+n.of.Canary+" beside "+n.of.Stable, sources.MaxName)
	if n.balance != "" && n.balance != "unknown" {
		f.Description += ", balance " + n.balance
	}
	notes := n.notes()
	if why := n.custom(); why != "" {
		f.Custom, notes = true, slices.Insert(notes, 0, why)
	}
	f.Note = sources.Clean(strings.Join(notes, "; "), 400)
	share, whole := n.canary.uweight, n.canary.uweight+n.stable.uweight
	stored, _ := sources.PercentOf(int64(share), int64(whole))
	if !f.Custom {
		f.Stored = sources.Some(stored)
	}
	switch {
	case f.Killed:
		f.State, f.Rollout = sources.FlagOff, sources.Some(sources.Percent(0))
	case f.Custom:
		f.State = sources.FlagCustom
	case stored == 0:
		f.State, f.Rollout = sources.FlagOff, f.Stored
	default:
		f.State, f.Rollout = sources.FlagOn, f.Stored
	}
	return f
}

// static says that the backend is known to take no other weights at run time than 0
// and the configured one.
func (n *pair) static() bool { return n.balance == "static-rr" }

// hashes says that a hash of something in the request decides. Whether its weights
// can be changed depends on hash-type, which HAProxy does not tell.
func (n *pair) hashes() bool {
	b, _, _ := strings.Cut(n.balance, " ")
	return slices.Contains([]string{"source", "uri", "url_param", "hdr", "rdp-cookie", "hash"}, b)
}

// custom is why the percentage cannot be set, "" where it can.
func (n *pair) custom() string {
	switch {
	case n.static():
		return "balance static-rr takes no weights while it runs"
	case n.balance == "first":
		return "balance first does not look at weights"
	case n.canary.admin&inherited != 0:
		return n.of.Canary + " follows the server that it tracks, which is out"
	case n.stable.out():
		return n.of.Stable + " is taken out, so weights decide nothing"
	case n.canary.backup && !n.stable.backup:
		return n.of.Canary + " is a backup server, it gets nothing while another is up"
	case n.stable.backup && !n.canary.backup:
		return n.of.Stable + " is a backup server, it gets nothing while another is up"
	}
	return ""
}

// notes is what the percentage alone does not say.
func (n *pair) notes() (notes []string) {
	say := func(when bool, format string, args ...any) {
		if when {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	c, s := &n.canary, &n.stable
	say(c.down() && c.admin&noAddress != 0, "%s has no address, nobody gets it", c.name)
	say(c.down() && c.admin&noAddress == 0, "%s is DOWN, nobody gets it", c.name)
	say(s.down(), "%s is DOWN", s.name)
	say(c.admin&forcedDrain != 0, "drained: clients that stick to %s still get it", c.name)
	say(c.op == starting && !c.out(), "%s starts slowly", c.name)
	say(c.op == stopping && !c.out(), "%s takes no new clients", c.name)
	say(c.uweight+s.uweight == 0, "both weights are 0, they serve nobody")
	say(c.agent || s.agent, "an agent may change the weights")
	say(n.others > 0, "%d more in %s", n.others, n.of.Backend)
	say(n.balance == "leastconn", "leastconn shares connections, not requests")
	say(n.hashes(), "shares are of what is hashed")
	if back := n.configured(); back != "" {
		notes = append(notes, "a reload brings back "+back)
	}
	return notes
}

// configured is what the configuration has, "" where that is in force.
func (n *pair) configured() string {
	if n.canary.admin&configMaint != 0 {
		if n.canary.admin&forced == 0 {
			return "maintenance"
		}
		return ""
	}
	if n.canary.uweight == n.canary.iweight && n.stable.uweight == n.stable.iweight && n.canary.admin&forced == 0 {
		return ""
	}
	p, _ := sources.PercentOf(int64(n.canary.iweight), int64(n.canary.iweight+n.stable.iweight))
	return p.String() + "%"
}

// serves says that somebody answers besides the canary.
func (n *pair) serves() bool {
	return n.others > 0 || n.stable.uweight > 0 && !n.stable.out() && n.stable.op != stopped
}
