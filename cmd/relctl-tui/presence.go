package main

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
)

// attend says in the stores of a context who looks at them here, and shows who else does,
// until ctx ends; wait returns when that has been taken back. With presence: false this
// process neither says anything nor looks.
func (s *setup) attend(ctx context.Context, ctl *control.Controller, engine *live.Engine) (r *control.Roster, wait func()) {
	r = control.NewRoster(s.many)
	if s.absent {
		return r, func() {}
	}
	var done sync.WaitGroup
	done.Go(func() {
		ctl.FollowPresence(ctx, strings.ToLower(rand.Text()), r, engine.ObserveHere)
	})
	return r, func() { awaitEnd(done.Wait) }
}

// enter says that somebody looks at this context, until they leave. Who may change
// nothing is here all the same: at night it counts who knows.
func (r *running) enter(name string) (leave func()) {
	return r.here.Enter(sources.Person{Name: name, Watching: r.readOnly})
}

// whoIsHere is who looks at the stores of a context, by name; ok is false where that
// cannot be told.
func (s *setup) whoIsHere(ctx context.Context) (people []sources.Person, ok bool) {
	if s.absent {
		return nil, false
	}
	if s.shared != nil {
		return s.shared.engine.Snapshot().Here, true
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	all := make([][]sources.Person, len(s.stores))
	told := make([]bool, len(s.stores))
	var asked sync.WaitGroup
	for i := range s.stores {
		if a, can := s.stores[i].src.(sources.Attender); can {
			asked.Go(func() {
				list, err := a.Attending(ctx)
				all[i], told[i] = sources.PresentIn(list), err == nil
			})
		}
	}
	asked.Wait()
	return sources.Present(all...), slices.Contains(told, true)
}

// examinePresence is who looks at a store, and why others cannot see that this one does,
// "" when they can. It tries with a nameless one, who is nobody.
func (s *setup) examinePresence(ctx context.Context, st *store) (here []sources.Person, why string) {
	a, can := st.src.(sources.Attender)
	if !can || s.absent {
		return nil, ""
	}
	id := strings.ToLower(rand.Text())
	if err := a.Attend(ctx, sources.Attendance{ID: id, People: []sources.Person{{}}}); err != nil {
		why = sources.Sentence(err)
	}
	list, _ := a.Attending(ctx)
	_ = a.Attend(ctx, sources.Attendance{ID: id})
	return sources.PresentIn(list), why
}

// whoIs is who is here in few words.
func whoIs(people []personJSON) string {
	words := make([]string, len(people))
	for i, p := range people {
		words[i] = p.Name
		if p.Watching {
			words[i] += " (watching)"
		}
	}
	return strings.Join(words, ", ")
}

type personJSON struct {
	Name     string `json:"name"`
	Watching bool   `json:"watching"`
}

// peopleShape is null where it cannot be told who is here.
func peopleShape(people []sources.Person, ok bool) []personJSON {
	if !ok {
		return nil
	}
	out := make([]personJSON, len(people))
	for i, p := range people {
		out[i] = personJSON{p.Name, p.Watching}
	}
	return out
}
