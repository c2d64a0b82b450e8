package control_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/journal"
)

const shop = `{"flags": {
  "checkout": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 25], ["off", 75]]}},
  "search": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"fractional": [["on", 5], ["off", 95]]}},
  "vip": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
    "targeting": {"if": [{"in": ["@example.com", {"var": "email"}]}, "on", "off"]}}
}}
`

var (
	checkout = sources.FlagID{Source: "prod", Key: "checkout"}
	search   = sources.FlagID{Source: "prod", Key: "search"}
	vip      = sources.FlagID{Source: "prod", Key: "vip"}
)

// desk is one operator's controller over a real flagd file.
type desk struct {
	*control.Controller
	t     *testing.T
	path  string
	store *flagfile.Store
	j     *journal.Journal
	mu    sync.Mutex
	acts  []sources.Activity
}

func sit(t *testing.T, change ...func(*control.Options)) *desk {
	t.Helper()
	dir := t.TempDir()
	d := &desk{t: t, path: filepath.Join(dir, "prod.flagd.json")}
	require.NoError(t, os.WriteFile(d.path, []byte(shop), 0o600))
	d.store = flagd.New("prod", d.path).Store
	d.j = journal.Open(filepath.Join(dir, "journal", "prod.jsonl"), journal.Options{})
	opts := control.Options{
		Stores: []control.Store{{Name: "prod", Driver: d.store, Journal: d.j}},
		Observe: func(a sources.Activity) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.acts = append(d.acts, a)
		},
	}
	for _, f := range change {
		f(&opts)
	}
	d.Controller = control.New(opts)
	return d
}

func wrap(f func(*flagfile.Store) any) func(*control.Options) {
	return func(o *control.Options) { o.Stores[0].Driver = f(o.Stores[0].Driver.(*flagfile.Store)) }
}

func (d *desk) flag(id sources.FlagID) sources.Flag {
	d.t.Helper()
	f, err := d.store.Flag(d.t.Context(), id)
	require.NoError(d.t, err)
	return f
}

func (d *desk) set(id sources.FlagID, to int, actor string) (sources.Receipt, error) {
	return d.Do(d.t.Context(), sources.Intent{Kind: sources.Set, Flag: id, Seen: d.flag(id).Revision, To: sources.Pct(to), Actor: actor, Reason: "test"})
}

func (d *desk) undo(actor, change string) (sources.Receipt, error) {
	return d.Do(d.t.Context(), sources.Intent{Kind: sources.Undo, Change: change, Actor: actor})
}

func (d *desk) bytes() string {
	d.t.Helper()
	b, err := os.ReadFile(d.path)
	require.NoError(d.t, err)
	return string(b)
}

func (d *desk) outcomes() (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.acts {
		out = append(out, a.Kind+" "+string(a.Outcome))
	}
	return out
}

func TestAKillIsRecordedWrittenReadBackAndShown(t *testing.T) {
	t.Parallel()
	d := sit(t)
	r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Seen: "of no concern", Actor: "ana", Reason: "errors"})
	require.NoError(t, err)
	require.True(t, d.flag(checkout).Killed)
	require.False(t, r.Accepted.IsZero())
	require.False(t, r.Reread.IsZero())
	require.Empty(t, r.Warning)
	require.Equal(t, "25%", r.Old.Brief())
	require.Equal(t, "killed", r.New.Brief())
	require.Equal(t, []string{"kill pending", "kill confirmed"}, d.outcomes())

	acts, warnings := d.History(0)
	require.Empty(t, warnings)
	require.Len(t, acts, 1)
	require.Equal(t, r.Change, acts[0].ID)
	require.Equal(t, r.New.Revision, acts[0].Revision)
	require.Equal(t, "ana", acts[0].Actor)
	require.Equal(t, "25%", acts[0].Old)
	require.Equal(t, "killed", acts[0].New)
	require.Equal(t, sources.Confirmed, acts[0].Outcome)
}

func TestKillingAKilledFlagSucceedsAndRecordsNothing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	kill := sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"}
	_, err := d.Do(t.Context(), kill)
	require.NoError(t, err)
	before := d.bytes()
	r, err := d.Do(t.Context(), kill)
	require.NoError(t, err)
	require.Contains(t, r.Warning, "was already killed")
	require.Equal(t, before, d.bytes())
	acts, _ := d.History(0)
	require.Len(t, acts, 1)
	require.Len(t, d.outcomes(), 2)
}

func TestAKillOfWhatIsKilledIsNotCalledDoneWhereApplicationsNeverSawIt(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.write(strings.Replace(shop, `"search": {"state": "ENABLED"`, `"search": {"state": "PAUSED"`, 1))
	kill := sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"}
	for _, already := range []string{"", "checkout was already killed, but "} {
		r, err := d.Do(t.Context(), kill)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(r.Warning, already+"applications will not see this change until search is mended in the file"), r.Warning)
	}
}

func TestWhatIsNotAllowedWritesAndRecordsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts   func(*control.Options)
		intent sources.Intent
		want   error
	}{
		"read-only session": {func(o *control.Options) { o.ReadOnly = true }, sources.Intent{Kind: sources.Kill, Flag: checkout}, sources.ErrReadOnly},
		"read-only store":   {func(o *control.Options) { o.Stores[0].ReadOnly = true }, sources.Intent{Kind: sources.Kill, Flag: checkout}, sources.ErrReadOnly},
		"unknown store":     {nil, sources.Intent{Kind: sources.Kill, Flag: sources.FlagID{Source: "x", Key: "checkout"}}, sources.ErrNotFound},
		"unknown flag":      {nil, sources.Intent{Kind: sources.Kill, Flag: sources.FlagID{Source: "prod", Key: "x"}}, sources.ErrNotFound},
		"not a writer":      {func(o *control.Options) { o.Stores[0].Driver = struct{}{} }, sources.Intent{Kind: sources.Kill, Flag: checkout}, sources.ErrUnsupported},
		"above 100":         {nil, sources.Intent{Kind: sources.Set, Flag: checkout, To: sources.Full + 1}, sources.ErrInvalid},
		"below 0":           {nil, sources.Intent{Kind: sources.Set, Flag: checkout, To: -1}, sources.ErrInvalid},
		"a ramp down":       {nil, sources.Intent{Kind: sources.Ramp, Flag: checkout, To: sources.Pct(10)}, sources.ErrInvalid},
		"a step back up":    {nil, sources.Intent{Kind: sources.Back, Flag: checkout, To: sources.Pct(50)}, sources.ErrInvalid},
		"custom targeting":  {nil, sources.Intent{Kind: sources.Set, Flag: vip, To: sources.Pct(50)}, sources.ErrUnsupported},
		"no kind":           {nil, sources.Intent{Kind: "burn", Flag: checkout}, sources.ErrInvalid},
		"an old look":       {nil, sources.Intent{Kind: sources.Set, Flag: checkout, To: sources.Pct(50), Seen: "old"}, sources.ErrConflict},
		"nothing to undo":   {nil, sources.Intent{Kind: sources.Undo, Actor: "ana"}, sources.ErrNotFound},
		"unknown change":    {nil, sources.Intent{Kind: sources.Undo, Change: "nope"}, sources.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := func(*control.Options) {}
			if c.opts != nil {
				opt = c.opts
			}
			d := sit(t, opt)
			_, err := d.Do(t.Context(), c.intent)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, shop, d.bytes())
			require.NoFileExists(t, d.j.Path())
			require.Empty(t, d.outcomes())
		})
	}
}

func TestAKillOfCustomTargetingWorks(t *testing.T) {
	t.Parallel()
	d := sit(t)
	_, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: vip})
	require.NoError(t, err)
	require.True(t, d.flag(vip).Killed)
}

func TestSettingWhatIsSetAlreadyDoesNothing(t *testing.T) {
	t.Parallel()
	d := sit(t)
	r, err := d.set(checkout, 25, "ana")
	require.NoError(t, err)
	require.Contains(t, r.Warning, "already")
	require.NoFileExists(t, d.j.Path())
}

type broken struct {
	*flagfile.Store
	apply func(context.Context, sources.Change) (sources.Receipt, error)
	flag  func(context.Context, sources.FlagID) (sources.Flag, error)
}

func (b broken) Apply(ctx context.Context, c sources.Change) (sources.Receipt, error) {
	if b.apply != nil {
		return b.apply(ctx, c)
	}
	return b.Store.Apply(ctx, c)
}

func (b broken) Flag(ctx context.Context, id sources.FlagID) (sources.Flag, error) {
	if b.flag != nil {
		return b.flag(ctx, id)
	}
	return b.Store.Flag(ctx, id)
}

func TestWithoutAJournalARampIsRefusedAndAKillGoesThrough(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	d := sit(t, func(o *control.Options) {
		o.Stores[0].Journal = journal.Open(filepath.Join(file, "journal"), journal.Options{})
	})
	_, err := d.set(checkout, 50, "ana")
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "nothing was changed")
	require.Equal(t, shop, d.bytes())
	r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout})
	require.NoError(t, err)
	require.True(t, d.flag(checkout).Killed)
	require.Contains(t, r.Warning, "journal")
}

func TestAWriteThatCannotBeReadBackIsUnconfirmed(t *testing.T) {
	t.Parallel()
	gone := fmt.Errorf("cable: %w", sources.ErrUnavailable)
	d := sit(t, wrap(func(s *flagfile.Store) any {
		return broken{Store: s, flag: func(context.Context, sources.FlagID) (sources.Flag, error) { return sources.Flag{}, gone }}
	}))
	r, err := d.set(checkout, 50, "ana")
	require.ErrorIs(t, err, control.ErrUnconfirmed)
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.Equal(t, "50%", r.New.Brief())
	require.True(t, r.Reread.IsZero())
	require.Equal(t, []string{"set pending", "set unconfirmed"}, d.outcomes())
}

func TestALostAnswerIsSettledByReadingTheStore(t *testing.T) {
	t.Parallel()
	lost := fmt.Errorf("no answer: %w", sources.ErrUnavailable)
	t.Run("written", func(t *testing.T) {
		t.Parallel()
		d := sit(t, wrap(func(s *flagfile.Store) any {
			return broken{Store: s, apply: func(ctx context.Context, c sources.Change) (sources.Receipt, error) {
				_, err := s.Apply(ctx, c)
				return sources.Receipt{}, errors.Join(err, lost)
			}}
		}))
		r, err := d.set(checkout, 50, "ana")
		require.NoError(t, err)
		require.Contains(t, r.Warning, "no answer")
		require.Equal(t, []string{"set pending", "set confirmed"}, d.outcomes())
	})
	t.Run("not written", func(t *testing.T) {
		t.Parallel()
		d := sit(t, wrap(func(s *flagfile.Store) any {
			return broken{Store: s, apply: func(ctx context.Context, c sources.Change) (sources.Receipt, error) {
				commit := c.Commit
				c.Commit = func(p sources.Planned) error { return errors.Join(commit(p), lost) }
				return s.Apply(ctx, c)
			}}
		}))
		_, err := d.set(checkout, 50, "ana")
		require.ErrorIs(t, err, sources.ErrUnavailable)
		require.NotErrorIs(t, err, control.ErrUnconfirmed)
		require.Equal(t, []string{"set pending", "set failed"}, d.outcomes())
	})
}

func TestSomebodyElsesChangeRightAfter(t *testing.T) {
	t.Parallel()
	moved := func(to int) func(*control.Options) {
		return wrap(func(s *flagfile.Store) any {
			return broken{Store: s, apply: func(ctx context.Context, c sources.Change) (sources.Receipt, error) {
				r, err := s.Apply(ctx, c)
				if err == nil {
					_, err = s.Apply(ctx, sources.Change{ID: "ben", Kind: sources.Set, Flag: c.Flag, To: sources.Pct(to)})
				}
				return r, err
			}}
		})
	}
	t.Run("is confirmed with a warning", func(t *testing.T) {
		t.Parallel()
		r, err := sit(t, moved(75)).set(checkout, 50, "ana")
		require.NoError(t, err)
		require.Contains(t, r.Warning, "is 75% now")
	})
	t.Run("never makes a kill that is not in force look done", func(t *testing.T) {
		t.Parallel()
		_, err := sit(t, moved(75)).Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout})
		require.ErrorIs(t, err, control.ErrUnconfirmed)
		require.ErrorContains(t, err, "press kill again")
	})
	t.Run("nor a write whose old value is still there", func(t *testing.T) {
		t.Parallel()
		_, err := sit(t, moved(25)).set(checkout, 50, "ana")
		require.ErrorIs(t, err, control.ErrUnconfirmed)
		require.ErrorContains(t, err, "still reads 25%")
	})
}

func TestAKillGoesOnThroughConflicts(t *testing.T) {
	t.Parallel()
	tries := 0
	d := sit(t, wrap(func(s *flagfile.Store) any {
		return broken{Store: s, apply: func(ctx context.Context, c sources.Change) (sources.Receipt, error) {
			if tries++; tries < 4 {
				return sources.Receipt{}, fmt.Errorf("busy: %w", sources.ErrConflict)
			}
			return s.Apply(ctx, c)
		}}
	}))
	_, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout})
	require.NoError(t, err)
	require.Equal(t, 4, tries)
	require.True(t, d.flag(checkout).Killed)
}

func TestAKillThatNeverWinsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tries := 0
	d := sit(t, wrap(func(s *flagfile.Store) any {
		return broken{Store: s, apply: func(context.Context, sources.Change) (sources.Receipt, error) {
			if tries++; tries == 4 {
				cancel()
			}
			return sources.Receipt{}, fmt.Errorf("busy: %w", sources.ErrConflict)
		}}
	}))
	_, err := d.Do(ctx, sources.Intent{Kind: sources.Kill, Flag: checkout})
	require.ErrorIs(t, err, sources.ErrConflict)
}

func TestADriversPanicIsAnError(t *testing.T) {
	t.Parallel()
	d := sit(t, wrap(func(s *flagfile.Store) any {
		return broken{Store: s, apply: func(context.Context, sources.Change) (sources.Receipt, error) { panic("nil map") }}
	}))
	_, err := d.set(checkout, 50, "ana")
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "nil map")
}

func TestManyOperatorsAtOnceLoseNoChange(t *testing.T) {
	t.Parallel()
	d := sit(t)
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			_, err := d.Do(t.Context(), sources.Intent{Kind: sources.Set, Flag: search, To: sources.Pct(20 + i), Actor: fmt.Sprint(i)})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	acts, warnings := d.History(0)
	require.Empty(t, warnings)
	require.Len(t, acts, 12)
	news := map[string]bool{}
	for _, a := range acts {
		require.NotEqual(t, sources.Pending, a.Outcome)
		news[a.New] = true
	}
	require.Len(t, news, 12)
}

func TestIDsSortByTime(t *testing.T) {
	t.Parallel()
	var ids []string
	d := sit(t)
	for i := range 30 {
		r, err := d.set(search, 10+i, "ana")
		require.NoError(t, err)
		require.Len(t, r.Change, 26)
		ids = append(ids, r.Change)
	}
	require.IsIncreasing(t, ids)
}
