package etcd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

var (
	_ sources.Attender          = (*Store)(nil)
	_ sources.AttendanceWatcher = (*Store)(nil)
)

const maxCard = 64 << 10 // bytes of what one process says

// cards is what this store said of its processes: while that is the same, a beat only
// keeps the lease alive, and nobody who watches hears of it. The zero value is none.
type cards struct {
	mu   sync.Mutex
	said map[string]card
}

type card struct {
	text string
	term clientv3.LeaseID
}

// Attend says who looks at the store through a process, under a lease of etcd.
func (s *Store) Attend(ctx context.Context, a sources.Attendance) error {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	s.cards.mu.Lock() // beats of one process come one after another
	defer s.cards.mu.Unlock()
	a.People = a.People[:min(len(a.People), sources.MaxPeople)]
	b, err := json.Marshal(a)
	if err != nil || len(b) > maxCard || a.ID == "" || len(a.ID) > 64 || strings.Contains(a.ID, "/") {
		return s.wrap(fmt.Errorf("who looks at it cannot be kept: %w", sources.ErrInvalid))
	}
	had, text := s.cards.said[a.ID], string(b)
	err = s.call(ctx, func(ctx context.Context, cli *clientv3.Client) error {
		if len(a.People) == 0 {
			if had.term == 0 {
				return nil
			}
			_, err := cli.Revoke(ctx, had.term)
			return err
		}
		if had.term != 0 {
			_, err := cli.KeepAliveOnce(ctx, had.term)
			switch {
			case is(err, rpctypes.ErrLeaseNotFound):
				had = card{}
			case err != nil, had.text == text:
				return err
			}
		}
		if had.term == 0 {
			term, err := cli.Grant(ctx, int64(sources.PresentFor/time.Second))
			if err != nil {
				return err
			}
			had.term = term.ID
		}
		_, err := cli.Put(ctx, s.at.here+a.ID, text, clientv3.WithLease(had.term))
		return err
	})
	if s.cards.said == nil {
		s.cards.said = map[string]card{}
	}
	delete(s.cards.said, a.ID)
	if err != nil {
		return s.fault(err, "so other boards do not see this one; flags are not concerned")
	}
	if len(a.People) > 0 {
		s.cards.said[a.ID] = card{text: text, term: had.term}
	}
	return nil
}

// Attending is who looks at the store: etcd itself ends the others.
func (s *Store) Attending(ctx context.Context) ([]sources.Attendance, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	var got *clientv3.GetResponse
	err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
		got, err = cli.Get(ctx, s.at.here, clientv3.WithPrefix(), clientv3.WithLimit(sources.MaxBoards))
		return err
	})
	if err != nil {
		return nil, s.fault(err, "who looks at it was not read")
	}
	var all []sources.Attendance
	for _, kv := range got.Kvs {
		var a sources.Attendance
		if len(kv.Value) <= maxCard && json.Unmarshal(kv.Value, &a) == nil {
			a.ID, a.People = strings.TrimPrefix(string(kv.Key), s.at.here), a.People[:min(len(a.People), sources.MaxPeople)]
			all = append(all, a)
		}
	}
	return all, nil
}

// Attendances follows who looks at the store.
func (s *Store) Attendances(ctx context.Context) <-chan struct{} {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.life, cancel)
	out := make(chan struct{}, 1)
	s.bg.Go(func() {
		defer close(out)
		defer cancel()
		defer stop()
		stir := func() {
			select {
			case out <- struct{}{}:
			default: // it has not been looked at since the last
			}
		}
		for pause := lastPause; ctx.Err() == nil; pause = min(2*pause, sources.BeatEvery) {
			if s.hearPeople(ctx, stir) {
				pause = lastPause
			}
			t := time.NewTimer(pause)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
			}
		}
	})
	return out
}

// hearPeople stirs when a watch has begun, since what was before it is not known, and
// with each change, until the watch ends. It returns whether anything was heard.
func (s *Store) hearPeople(ctx context.Context, stir func()) (heard bool) {
	cli, err := s.client()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	events := cli.Watch(ctx, s.at.here, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	for r := range events {
		if r.Err() != nil {
			break
		}
		heard = true
		stir()
	}
	return heard
}
