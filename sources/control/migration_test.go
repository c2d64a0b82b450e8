package control_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagdef"
	"relctl-tui/sources/journal"
	"relctl-tui/sources/sourcetest"
)

var orders = sources.FlagID{Source: "prod", Key: "orders"}

const ordersAtOff = `{"flags": {"orders": {"state": "ENABLED", "variants": {"off": "off", "dualwrite": "dualwrite", "shadow": "shadow", "live": "live", "rampdown": "rampdown", "complete": "complete"}, "defaultVariant": "off"}}}`

// table is a flag store in memory: real definitions, real edits, and the faults that
// a test asks for.
type table struct {
	mu sync.Mutex
	b  []byte
	// fault is "refuse", "abort": not written, though the change was committed, "lose":
	// written, but the answer is lost, "blind": written, but not to be read any more,
	// "mute": what became of it cannot be recorded; "" for none.
	fault string
	dark  bool         // it cannot be read
	doc   *flagdef.Doc // of read, which are the bytes that were looked at last
	read  []byte
	mute  func() // keeps what comes after a write from being recorded
}

func (s *table) Flag(_ context.Context, id sources.FlagID) (sources.Flag, error) {
	s.mu.Lock()
	dark := s.dark && s.fault == "blind"
	s.mu.Unlock()
	if dark {
		return sources.Flag{}, fmt.Errorf("the store is down: %w", sources.ErrUnavailable)
	}
	return s.look(id)
}

func (s *table) look(id sources.FlagID) (sources.Flag, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doc == nil || !bytes.Equal(s.read, s.b) {
		doc, err := flagdef.Parse(s.b)
		if err != nil {
			return sources.Flag{}, err
		}
		s.doc, s.read = doc, s.b
	}
	return s.doc.Flag("prod", id.Key)
}

func (s *table) Apply(_ context.Context, c sources.Change) (sources.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == "refuse" {
		return sources.Receipt{}, fmt.Errorf("the store is down: %w", sources.ErrUnavailable)
	}
	d, err := flagdef.NewDraft("prod", s.b, c)
	if err != nil {
		return sources.Receipt{}, err
	}
	if err := c.Commit(d.Planned); err != nil {
		return sources.Receipt{}, err
	}
	if s.fault == "abort" {
		return sources.Receipt{}, fmt.Errorf("the store went down: %w", sources.ErrUnavailable)
	}
	s.b, s.dark = d.Bytes, s.fault == "blind"
	if s.mute != nil {
		s.mute()
	}
	if s.fault == "lose" {
		return sources.Receipt{}, fmt.Errorf("the connection broke: %w", sources.ErrUnavailable)
	}
	return sources.Receipt{Change: c.ID, Kind: c.Kind, Old: d.Planned.Old, New: d.Planned.New, Restore: d.Planned.Restore, Accepted: time.Unix(1, 0)}, nil
}

func (s *table) bytes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.b)
}

// gauge is comparisons as a test wants them; "" is none at all.
type gauge struct {
	mu   sync.Mutex
	says string // "pass", "breach", "short" or "error"
	now  func() time.Time
	asks int
}

func (g *gauge) Ratios(_ context.Context, name string, span time.Duration) ([]sources.RatioSample, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asks++
	if name != "orders" {
		return nil, sources.ErrNotFound
	}
	if g.says == "error" {
		return nil, fmt.Errorf("prom refuses connections: %w", sources.ErrUnavailable)
	}
	if g.says == "" {
		return nil, nil
	}
	var out []sources.RatioSample
	back := map[string]time.Duration{"pass": span, "breach": span, "short": span / 4}[g.says]
	for at := g.now().Add(-back); !at.After(g.now()); at = at.Add(time.Second) {
		out = append(out, sources.RatioSample{At: at, Ratio: sources.Some(0.0), Rate: sources.Some(50.0)})
	}
	if g.says == "breach" {
		out[len(out)-1].Ratio = sources.Some(0.02)
	}
	return out, nil
}

// crossing is a migration under one controller, with a clock that tests move.
type crossing struct {
	*control.Controller
	store *table
	gauge *gauge
	mu    sync.Mutex
	at    time.Time
}

func (c *crossing) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Millisecond)
	return c.at
}

func (c *crossing) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// cross is a migration whose journal lies in a folder, in memory for "".
func cross(t require.TestingT, dir, document string, change ...func(*crossing, *control.Options)) *crossing {
	m, err := sources.NewMigration(sources.Migration{Mismatch: "orders", Limit: 0.001, Window: 20 * time.Second, AtLeast: 100}, "", "")
	require.NoError(t, err)
	c := &crossing{store: &table{b: []byte(document)}, at: time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)}
	c.gauge = &gauge{now: c.now, says: "pass"}
	kept := journal.Options{Now: c.now}
	if dir == "" {
		kept.Disk = newMemory()
	}
	opts := control.Options{
		Now:        c.now,
		Stores:     []control.Store{{Name: "prod", Driver: c.store, Journal: journal.Open(filepath.Join(dir, "j.jsonl"), kept)}},
		Migrations: map[string]*sources.Migration{"orders": m}, Ratios: []sources.RatioReader{c.gauge},
	}
	for _, f := range change {
		f(c, &opts)
	}
	c.Controller = control.New(opts)
	return c
}

func (c *crossing) stage(t require.TestingT) string {
	f, err := c.store.Flag(context.Background(), orders)
	require.NoError(t, err)
	return f.Serving()
}

// step does what a key would: "+", "-" or "K", with the name typed out where given.
func (c *crossing) step(t require.TestingT, kind sources.ChangeKind, confirm string) (sources.Receipt, error) {
	st, err := c.Standing(context.Background(), orders)
	require.NoError(t, err)
	in, err := st.Flag.Intend(kind)
	if err != nil {
		return sources.Receipt{}, err
	}
	in.Actor, in.Confirm = "ann", confirm
	return c.Do(context.Background(), in)
}

func (c *crossing) walk(t require.TestingT, to string) {
	for c.stage(t) != to {
		c.pass(time.Minute) // longer than the window
		_, err := c.step(t, sources.Ramp, "orders")
		require.NoError(t, err)
	}
}

func TestAStepForwardWaitsForTheWholeWindowAndSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := cross(t, t.TempDir(), ordersAtOff)
	c.gauge.says = "error"
	c.walk(t, "shadow") // nothing is compared before, so nothing is asked for
	before := c.store.bytes()
	for says, want := range map[string]string{
		"error": "mismatch unknown (limit 0.1% for 20s): prom refuses connections", "": "nothing was measured yet",
		"short": "1s to go", "breach": "mismatch 2% is over the limit (limit 0.1% for 20s)",
	} {
		c.pass(time.Minute)
		c.gauge.says = says
		_, err := c.step(t, sources.Ramp, "orders")
		require.ErrorIs(t, err, sources.ErrRefused, says)
		if says == "short" {
			require.ErrorContains(t, err, "to go")
		} else {
			require.ErrorContains(t, err, want)
		}
		require.Equal(t, before, c.store.bytes(), says)
	}
	c.gauge.says = "pass"
	r, err := c.step(t, sources.Ramp, "")
	require.NoError(t, err)
	require.Equal(t, "shadow", r.Old.Brief())
	require.Equal(t, "live", r.New.Brief())
	_, err = c.step(t, sources.Ramp, "orders")
	require.ErrorIs(t, err, sources.ErrRefused, "what was measured at the stage before proves nothing")
}

func TestThePointOfNoReturnNeedsTheNameBothWays(t *testing.T) {
	t.Parallel()
	c := cross(t, t.TempDir(), ordersAtOff)
	c.walk(t, "live")
	c.pass(time.Minute)
	_, err := c.step(t, sources.Ramp, "")
	require.ErrorIs(t, err, sources.ErrConfirm)
	require.ErrorContains(t, err, "point of no return")
	_, err = c.step(t, sources.Ramp, "order")
	require.ErrorIs(t, err, sources.ErrRefused)
	_, err = c.step(t, sources.Ramp, "orders")
	require.NoError(t, err)

	_, err = c.step(t, sources.Kill, "orders")
	require.ErrorIs(t, err, sources.ErrRefused, "no name makes a kill read what is not written any more")
	require.ErrorContains(t, err, "repair the new side")
	_, err = c.step(t, sources.Back, "")
	require.ErrorIs(t, err, sources.ErrConfirm)
	require.ErrorContains(t, err, "new side alone")
	_, err = c.step(t, sources.Back, "orders")
	require.NoError(t, err)

	_, err = c.step(t, sources.Kill, "")
	require.ErrorIs(t, err, sources.ErrConfirm, "the old side has a gap now, and the record knows")
	require.NoError(t, c.Sign(t.Context(), orders, sources.SignRefillOld, "ann", "copied back"))
	_, err = c.step(t, sources.Kill, "")
	require.NoError(t, err)
	require.Equal(t, "off", c.stage(t))
}

func TestAKillOfAMigrationGoesToTheFirstStageWithoutAQueryAndItsUndoSkipsNothing(t *testing.T) {
	t.Parallel()
	c := cross(t, t.TempDir(), ordersAtOff)
	c.walk(t, "live")
	in, err := (&sources.Flag{ID: orders, Name: "orders", Migration: &sources.Migration{Stages: sources.DefaultStages()}}).Intend(sources.Kill)
	require.NoError(t, err)
	asked := c.gauge.asks
	r, err := c.Do(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, asked, c.gauge.asks)
	require.Equal(t, sources.Kill, r.Kind)
	require.Equal(t, "off", r.New.Brief())
	require.False(t, r.New.Killed)
	again, err := c.Do(t.Context(), in)
	require.NoError(t, err)
	require.Contains(t, again.Warning, "off already")
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Undo, Change: r.Change, Actor: "ann"})
	require.ErrorIs(t, err, sources.ErrRefused)
	require.ErrorContains(t, err, "skip what lies between")
}

func TestCohortsMoveTogetherAndComeApartAgainByUndo(t *testing.T) {
	t.Parallel()
	c := cross(t, t.TempDir(), `{"flags": {"orders": `+sourcetest.Staged+`}}`)
	before := c.store.bytes()
	r, err := c.step(t, sources.Back, "")
	require.NoError(t, err)
	require.Equal(t, "shadow 90% live 10%", r.Old.Brief())
	require.Equal(t, "shadow", r.New.Brief())
	c.gauge.says = "breach"
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ann"})
	require.ErrorIs(t, err, sources.ErrRefused, "a tenth would read the new side again")
	c.gauge.says = "pass"
	c.pass(time.Minute)
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ann"})
	require.NoError(t, err)
	require.Equal(t, before, c.store.bytes())
}

func TestAnUndoThatTakesAMigrationForwardIsHeldAgainstItsGuardsAndOneThatTakesItBackIsNot(t *testing.T) {
	t.Parallel()
	m := &meter{value: steady(0.01, 500)}
	c := cross(t, "", ordersAtOff, func(c *crossing, o *control.Options) {
		o.Guards = control.Guards{
			Rules:   []sources.Guard{{Name: "errors", Query: "errors", Count: "requests", Limit: 0.02, MinCount: 100}},
			Readers: []sources.GuardReader{m},
			Snapshot: func(ctx context.Context) (*sources.Snapshot, error) {
				f, err := c.store.Flag(ctx, orders)
				return &sources.Snapshot{Flags: []sources.Flag{f}}, err
			},
		}
	})
	c.walk(t, "shadow")
	_, err := c.step(t, sources.Back, "")
	require.NoError(t, err)
	m.value = steady(0.5, 500)
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ann"})
	require.ErrorIs(t, err, control.ErrGuarded)
	require.Equal(t, "orders stays at dualwrite: errors 0.5, more than the 0.02 (n 500)", sources.Sentence(err))
	require.Equal(t, "dualwrite", c.stage(t))
	acts, _ := c.History(1)
	require.Equal(t, []string{"undo", "refused", "dualwrite", "shadow"}, []string{acts[0].Kind, string(acts[0].Outcome), acts[0].Old, acts[0].New})
	m.value = steady(0.01, 500)
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ann"})
	require.NoError(t, err, "the refusal is not what is undone")
	require.Equal(t, "shadow", c.stage(t))
	m.value, m.asks = steady(0.5, 500), 0
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ann"})
	require.NoError(t, err)
	require.Equal(t, "dualwrite", c.stage(t))
	require.Zero(t, m.asks, "back is never guarded")
}

func TestASignatureIsRecordedWithWhoAndWhenAndUndoDoesNotSeeIt(t *testing.T) {
	t.Parallel()
	c := cross(t, t.TempDir(), ordersAtOff)
	require.ErrorIs(t, c.Sign(t.Context(), orders, sources.SignDeleteOld, "ann", ""), sources.ErrRefused)
	c.walk(t, "complete")
	require.NoError(t, c.Sign(t.Context(), orders, sources.SignDeleteOld, "bob", "dropped the table"))
	st, err := c.Standing(t.Context(), orders)
	require.NoError(t, err)
	signed := st.SignedOff(sources.SignDeleteOld)
	require.NotNil(t, signed)
	require.Equal(t, "bob", signed.By)
	require.Equal(t, "dropped the table", signed.Reason)
	require.False(t, signed.At.IsZero())
	require.Empty(t, c.InDoubt())
	r, err := c.Do(t.Context(), sources.Intent{Kind: sources.Undo, Actor: "ann"})
	require.NoError(t, err)
	require.Equal(t, "rampdown", r.New.Brief(), "the move before the signature is undone")
}

func TestWhatIsNoMigrationIsNotMovedAndWhatIsOneHasNoPercentage(t *testing.T) {
	t.Parallel()
	c := cross(t, t.TempDir(), ordersAtOff)
	_, err := c.Do(t.Context(), sources.Intent{Kind: sources.Set, Flag: orders, To: sources.Pct(10)})
	require.ErrorIs(t, err, sources.ErrUnsupported)
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Move, Flag: orders, Stage: "purple"})
	require.ErrorIs(t, err, sources.ErrInvalid)
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Move, Flag: sources.FlagID{Source: "prod", Key: "other"}, Stage: "live"})
	require.ErrorIs(t, err, sources.ErrUnsupported)
	_, err = c.Do(t.Context(), sources.Intent{Kind: sources.Move, Flag: orders, Stage: "live"})
	require.ErrorIs(t, err, sources.ErrRefused, "three stages at once")
}

// TestNoSequenceOfKeysAndFaultsBreaksAMigration plays keys, faults, time and what the
// comparisons say, and holds the store against the rules after each.
func TestNoSequenceOfKeysAndFaultsBreaksAMigration(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := cross(t, "", ordersAtOff)
		stages, undoable := sources.DefaultStages(), []string{} // the bytes before each change that is not undone
		index := func() int { return slices.Index(stages, c.stage(t)) }
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			c.gauge.says = rapid.SampledFrom([]string{"pass", "pass", "pass", "short", "breach", "error", ""}).Draw(t, "comparisons")
			c.store.fault = rapid.SampledFrom([]string{"", "", "", "", "refuse", "lose"}).Draw(t, "fault")
			if rapid.Bool().Draw(t, "time passes") {
				c.pass(time.Minute)
			}
			confirm := rapid.SampledFrom([]string{"", "orders", "odrers"}).Draw(t, "typed")
			before, from := c.store.bytes(), index()
			st, err := c.Standing(context.Background(), orders)
			require.NoError(t, err)
			kind := rapid.SampledFrom([]sources.ChangeKind{sources.Ramp, sources.Ramp, sources.Ramp, sources.Back, sources.Kill, sources.Undo}).Draw(t, "key")
			var r sources.Receipt
			if kind == sources.Undo {
				r, err = c.Do(context.Background(), sources.Intent{Kind: sources.Undo, Actor: "ann", Confirm: confirm})
			} else {
				r, err = c.step(t, kind, confirm)
			}
			to := index()
			require.GreaterOrEqual(t, to, 0)
			require.LessOrEqual(t, to, from+1, "no stage is skipped forward")
			if to > from && from >= 2 && from < 4 {
				require.Equal(t, sources.ProofPass, st.Proof.Verdict, "never forward but on a proof")
			}
			if (from < 4) != (to < 4) {
				require.Equal(t, "orders", confirm, "the point of no return is never passed without the name")
				require.NotEqual(t, sources.Kill, kind)
			}
			if err != nil && !strings.Contains(err.Error(), "may have been") {
				require.Equal(t, before, c.store.bytes(), "a refusal writes nothing: %v", err)
				continue
			}
			switch {
			case kind == sources.Kill:
				require.Zero(t, to, "a kill is at the first stage")
			case kind == sources.Undo:
				require.Equal(t, undoable[len(undoable)-1], c.store.bytes(), "an undo restores exactly")
				undoable = undoable[:len(undoable)-1]
			}
			if kind != sources.Undo && r.Old.Revision != r.New.Revision {
				undoable = append(undoable, before)
			}
		}
	})
}
