package detail_test

import (
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
	"relctl-tui/views/detail"
	"relctl-tui/views/viewtest"
)

// migrating is the detail of a migration with the given parts of its users at stages.
func migrating(t *testing.T, ascii bool, w int, st *sources.Standing, shares ...sources.Share) string {
	t.Helper()
	m, err := sources.NewMigration(sources.Migration{Mismatch: "orders", Limit: 0.001, Window: 5 * time.Minute, AtLeast: 100, Old: "database", New: "orders new"}, "", "")
	require.NoError(t, err)
	snap := *viewtest.Snapshot(viewtest.OK)
	f := sources.Flag{ID: id("orders"), Name: "orders", State: sources.FlagCustom, Custom: true, Note: "6 texts", Migration: m, Serves: shares}
	snap.Flags = append(snap.Flags[:len(snap.Flags):len(snap.Flags)], f)
	d := detail.New(viewtest.Theme(t, "ansi", ascii), views.DefaultKeyMap())
	d.SetSize(w, 30)
	d.SetSnapshot(&snap, viewtest.Now())
	d.SetSubject(views.FlagSubject(f.ID))
	if st != nil {
		st.Flag = f
		d.SetStanding(st)
	}
	viewtest.RequireFrame(t, d.View(), w, 30)
	return ansi.Strip(d.View())
}

func everybody(stage string) sources.Share { return sources.Share{Variant: stage, Of: sources.Full} }

func TestAMigrationIsATrackWithTheProofAndBothSides(t *testing.T) {
	t.Parallel()
	st := &sources.Standing{Proof: sources.Proof{
		Verdict: sources.ProofInsufficient, Ratio: sources.Some(0.0), At: viewtest.Now().Add(-3 * time.Second),
		Limit: 0.001, Window: 5 * time.Minute, Held: 2 * time.Minute, Count: sources.Some(240.0), AtLeast: 100,
	}}
	screen := migrating(t, false, 120, st, everybody("shadow"))
	require.Contains(t, screen, "off ╌ dualwrite ╌ [shadow] ╌ live ⦀ rampdown ╌ complete")
	require.Contains(t, screen, "◔ insufficient: mismatch 0% is under the limit (limit 0.1% for 5m0s), but for 2m0s only over 240 comparisons")
	require.Contains(t, screen, "3m0s to go; measured 3s ago")
	require.Contains(t, screen, "old side  p50")
	require.Contains(t, screen, "new side  unknown: orders new is not measured")
	require.Contains(t, screen, "◌ delete-old open")
	require.Contains(t, screen, "+ to live   - to dualwrite   K to off")
	require.NotContains(t, screen, "6 texts", "the note is of a flag that is no migration")
	require.Contains(t, migrating(t, true, 120, st, everybody("shadow")), "live | rampdown")
}

func TestCohortsAreBarsWithTheirNumbers(t *testing.T) {
	t.Parallel()
	screen := migrating(t, false, 80, nil, sources.Share{Variant: "shadow", Of: sources.Pct(90)}, sources.Share{Variant: "live", Of: sources.Pct(10)})
	require.Contains(t, screen, "[shadow] ╌ [live]")
	require.Regexp(t, `cohorts +shadow +⣿+⡇?⣀+ 90%`, screen)
	require.Regexp(t, `\n +live +⣿+⡇?⣀+ 10%`, screen)
	require.Contains(t, screen, "unknown: not read yet", "no number is painted before it is read")
	require.Contains(t, screen, "+ to live   - to shadow")
}

func TestBeyondThePointOfNoReturnTheDetailSaysWhatIsLostAndThatAKillIsRefused(t *testing.T) {
	t.Parallel()
	st := &sources.Standing{
		Past:   sources.Past{Gap: true, Since: viewtest.Now().Add(-time.Hour)},
		Signed: []sources.Signed{{Item: sources.SignDeleteOld, By: "bob", Reason: "dropped", At: viewtest.Now().Add(-time.Minute)}},
	}
	screen := migrating(t, false, 120, st, everybody("complete"))
	require.Contains(t, screen, "rampdown ╌ [complete]")
	require.Contains(t, screen, "which was passed 1h ago")
	require.Contains(t, screen, "K refused: off would read an old side that is not written")
	require.Contains(t, screen, "✓ delete-old signed by bob")
	require.Contains(t, screen, "dropped")
	require.Contains(t, screen, "◌ refill-old open")
}

func TestAStageThatCannotBeToldIsUnknownInWords(t *testing.T) {
	t.Parallel()
	screen := migrating(t, false, 120, &sources.Standing{Proof: sources.Proof{Limit: 0.001, Window: time.Minute, Why: "prom refuses connections"}})
	require.Contains(t, screen, "stage unknown")
	require.Contains(t, screen, "the stage of orders cannot be told (6 texts)")
	require.Contains(t, screen, "? unknown: (limit 0.1% for 1m0s): prom refuses connections")
	for _, stage := range sources.DefaultStages() {
		require.NotContains(t, screen, "["+stage+"]", "nobody knows")
	}
}
