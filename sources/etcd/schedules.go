package etcd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources"
)

var _ sources.Scheduler = (*Store)(nil)

const maxSchedule = 16 << 10 // bytes of one schedule that are read

// Schedules are all that are kept. What makes no sense is left out: somebody else's key.
func (s *Store) Schedules(ctx context.Context) ([]sources.Schedule, error) {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	var got *clientv3.GetResponse
	err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) (err error) {
		got, err = cli.Get(ctx, s.at.schedules, clientv3.WithPrefix(), clientv3.WithLimit(2*sources.MaxSchedules))
		return err
	})
	if err != nil {
		return nil, s.fault(err, "the schedules were not read")
	}
	var all []sources.Schedule
	for _, kv := range got.Kvs {
		if sch, ok := s.scheduleOf(kv); ok {
			all = append(all, sch)
		}
	}
	return all, nil
}

func (s *Store) scheduleOf(kv *mvccpb.KeyValue) (sch sources.Schedule, ok bool) {
	if len(kv.Value) > maxSchedule || json.Unmarshal(kv.Value, &sch) != nil || s.at.schedules+sch.ID != string(kv.Key) {
		return sch, false
	}
	sch.Flag.Source = s.name
	return sch, true
}

// KeepSchedule puts a schedule in the place of the version before it: the key's own
// version in etcd may be another, so its content is compared by its revision.
func (s *Store) KeepSchedule(ctx context.Context, sch sources.Schedule) error {
	b, err := json.Marshal(sch)
	if err != nil || len(b) > maxSchedule {
		return s.wrap(fmt.Errorf("the schedule is too big to be kept: %w", sources.ErrInvalid))
	}
	return s.swapSchedule(ctx, sch, sch.Version-1, clientv3.OpPut(s.at.schedules+sch.ID, string(b)))
}

// DropSchedule removes exactly this version.
func (s *Store) DropSchedule(ctx context.Context, sch sources.Schedule) error {
	return s.swapSchedule(ctx, sch, sch.Version, clientv3.OpDelete(s.at.schedules+sch.ID))
}

// swapSchedule does then where the version before is there; a missing one is version 0.
func (s *Store) swapSchedule(ctx context.Context, sch sources.Schedule, before int, then clientv3.Op) error {
	ctx, cancel := s.timed(ctx)
	defer cancel()
	key, swapped := s.at.schedules+sch.ID, false
	err := s.call(ctx, func(ctx context.Context, cli *clientv3.Client) error {
		got, err := cli.Get(ctx, key)
		if err != nil {
			return err
		}
		is, compare := 0, clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
		if len(got.Kvs) > 0 {
			has, _ := s.scheduleOf(got.Kvs[0])
			is, compare = has.Version, clientv3.Compare(clientv3.ModRevision(key), "=", got.Kvs[0].ModRevision)
		}
		if is != before {
			// What was asked for may have been done by a try whose answer was lost.
			swapped = then.IsPut() && len(got.Kvs) > 0 && bytes.Equal(got.Kvs[0].Value, then.ValueBytes())
			return nil
		}
		done, err := cli.Txn(ctx).If(compare).Then(then).Commit()
		swapped = err == nil && done.Succeeded
		return err
	})
	switch {
	case err != nil:
		return s.fault(err, "the schedule may not have been kept")
	case !swapped && !then.IsDelete():
		return s.wrap(fmt.Errorf("schedule %s was changed meanwhile, nothing was written: %w", sources.Clean(sch.ID, 64), sources.ErrConflict))
	default:
		return nil
	}
}
