package sshserver

import (
	"errors"
	"net/netip"
	"sync"
)

// bounds counts who is here. A connection is starting until its key was accepted, and
// a guest from then on. It is goroutine-safe.
type bounds struct {
	starting, startingEach int // at most, in all and from one address
	guests, guestsEach     int // connections, in all and from one address
	sessions               int // boards and verbs, in all
	kept                   int // of the sessions, for those who may change things

	mu   sync.Mutex
	from map[netip.Prefix]*present
	all  present
	open int // sessions
}

type present struct{ starting, guests int }

// neighbourhood is what counts as one address: whoever has an IPv6 address has 2^64.
func neighbourhood(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Prefix for the zero Addr
	return p
}

// start takes a place for a new connection, or says why there is none.
func (b *bounds) start(a netip.Addr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.from[neighbourhood(a)]
	switch {
	case b.all.starting >= b.starting:
		return errors.New("too many connections are being set up, try again in a moment")
	case p != nil && p.starting >= b.startingEach:
		return errors.New("too many connections from your address are being set up, try again in a moment")
	}
	if p == nil {
		p = &present{}
		b.from[neighbourhood(a)] = p
	}
	p.starting++
	b.all.starting++
	return nil
}

// welcome makes a starting connection a guest, or says why there is no room for it. A
// refused one is still starting.
func (b *bounds) welcome(a netip.Addr) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.from[neighbourhood(a)]
	switch {
	case b.all.guests >= b.guests:
		return errors.New("the server is full")
	case p.guests >= b.guestsEach:
		return errors.New("too many connections from your address")
	}
	p.starting--
	b.all.starting--
	p.guests++
	b.all.guests++
	return nil
}

// leave gives a connection's place back.
func (b *bounds) leave(a netip.Addr, guest bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.from[neighbourhood(a)]
	if guest {
		p.guests--
		b.all.guests--
	} else {
		p.starting--
		b.all.starting--
	}
	if *p == (present{}) {
		delete(b.from, neighbourhood(a))
	}
}

// begin takes a place for a session. However many look, somebody who may act gets in.
func (b *bounds) begin(acts bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	most := b.sessions
	if !acts {
		most -= b.kept
	}
	if b.open >= most {
		return errors.New("as many sessions are open as this server allows")
	}
	b.open++
	return nil
}

func (b *bounds) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
}
