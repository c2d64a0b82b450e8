package control_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/flagfile"
)

func TestAConflictNamesWhatWasSeenAndWhatIsThereNow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seenAs string
		edit   func(*desk)
		want   string
	}{
		"another value": {"25%", func(d *desk) {
			_, err := d.set(checkout, 30, "ben")
			require.NoError(d.t, err)
		}, "checkout is 30% now, and was 25% when you looked, so it was not set to 50%; look again and repeat"},
		"killed": {"25%", func(d *desk) {
			_, err := d.Do(d.t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ben"})
			require.NoError(d.t, err)
		}, "checkout is killed now, and was 25% when you looked, so it was not set to 50%; look again and repeat"},
		"another definition of the same value": {"25%", func(d *desk) {
			d.write(strings.Replace(shop, `["on", 25], ["off", 75]`, `["on", 1], ["off", 3]`, 1))
		}, "checkout is 25% now, as you saw it, but was edited since, so it was not set to 50%; look again and repeat"},
		"nobody said what was seen": {"", func(d *desk) {
			_, err := d.set(checkout, 30, "ben")
			require.NoError(d.t, err)
		}, "checkout is 30% now, changed since you looked, so it was not set to 50%; look again and repeat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sit(t)
			seen := d.flag(checkout)
			c.edit(d)
			before := d.bytes()
			records, _ := d.History(0)
			_, err := d.Do(t.Context(), sources.Intent{
				Kind: sources.Ramp, Flag: checkout, Seen: seen.Revision, SeenAs: c.seenAs, To: sources.Pct(50), Actor: "ana",
			})
			require.ErrorIs(t, err, sources.ErrConflict)
			require.Equal(t, c.want, sources.Sentence(err))
			require.Equal(t, before, d.bytes())
			after, _ := d.History(0)
			require.Equal(t, records, after)
		})
	}
}

// write puts a text in the file's place, as an editor does who knows no lock.
func (d *desk) write(text string) {
	next := d.path + ".new"
	if err := errors.Join(os.WriteFile(next, []byte(text), 0o600), os.Rename(next, d.path)); err != nil {
		d.t.Error(err)
	}
}

// edited is the shop with another split of checkout.
func edited(i int) string {
	return strings.Replace(shop, `["on", 25], ["off", 75]`, fmt.Sprintf(`["on", %d], ["off", %d]`, 30+i, 70-i), 1)
}

// meddled is a desk at whose file somebody edits checkout between the compare and
// the write of each of the first tries; after is told of each try that has ended.
func meddled(t *testing.T, tries int, after func(made int)) *desk {
	t.Helper()
	var d *desk
	made := 0
	d = sit(t, wrap(func(s *flagfile.Store) any {
		return broken{Store: s, apply: func(ctx context.Context, c sources.Change) (sources.Receipt, error) {
			commit := c.Commit
			c.Commit = func(p sources.Planned) error {
				err := commit(p)
				if made++; made <= tries {
					d.write(edited(made))
				}
				return err
			}
			defer func() { after(made) }()
			return s.Apply(ctx, c)
		}}
	}))
	return d
}

func TestAKillOutlastsAnEditorWhoRewritesTheFlagUnderEachTry(t *testing.T) {
	t.Parallel()
	tries := 0
	d := meddled(t, 4, func(made int) { tries = made })
	r, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	require.Equal(t, 5, tries)
	require.Equal(t, strings.Replace(edited(4), "ENABLED", "DISABLED", 1), d.bytes(), "killed, and the last edit is kept")
	require.Equal(t, "34%", r.Old.Brief())
	acts, warnings := d.History(0)
	require.Empty(t, warnings)
	require.Len(t, acts, 1, "five tries are one change")
	require.Equal(t, "34%", acts[0].Old)
	require.Equal(t, sources.Confirmed, acts[0].Outcome)
	_, err = d.undo("ana", "")
	require.NoError(t, err)
	require.Equal(t, edited(4), d.bytes(), "undo goes back to what the kill found")
}

func TestAKillThatNeverHoldsSaysWhyNotAndIsOnRecordAsFailed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := meddled(t, 50, func(made int) {
		if made == 3 {
			cancel() // the time is up
		}
	})
	_, err := d.Do(ctx, sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.ErrorIs(t, err, sources.ErrConflict)
	require.NotErrorIs(t, err, control.ErrUnconfirmed, "nothing was written, and that is known")
	require.Equal(t, "checkout keeps being changed by somebody else and is 33% now, so it was not killed; press kill again", sources.Sentence(err))
	require.Equal(t, edited(3), d.bytes(), "theirs, byte for byte")
	acts, _ := d.History(0)
	require.Len(t, acts, 1)
	require.Equal(t, sources.Failed, acts[0].Outcome)
	require.Equal(t, sources.Sentence(err), acts[0].Err)
	require.Empty(t, d.InDoubt())
}

func TestAgainstAnEditorWhoNeverStopsAKillNeverClaimsMoreThanHolds(t *testing.T) {
	t.Parallel()
	d := sit(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i = (i + 1) % 60 {
			select {
			case <-stop:
				return
			default:
				d.write(edited(i))
			}
		}
	})
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		r, err := d.Do(ctx, sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
		cancel()
		if err == nil {
			require.True(t, r.New.Killed)
			require.False(t, r.Reread.IsZero(), "it was seen in force")
			continue
		}
		known := errors.Is(err, sources.ErrConflict) || errors.Is(err, control.ErrUnconfirmed) || errors.Is(err, sources.ErrUnavailable)
		require.True(t, known, err)
	}
	close(stop)
	wg.Wait()
	_, err := d.Do(t.Context(), sources.Intent{Kind: sources.Kill, Flag: checkout, Actor: "ana"})
	require.NoError(t, err)
	require.True(t, d.flag(checkout).Killed)
	acts, warnings := d.History(0)
	require.Empty(t, warnings)
	for _, a := range acts {
		require.NotEqual(t, sources.Pending, a.Outcome, "each came to an end")
	}
}
