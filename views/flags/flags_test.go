package flags_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/themes"
	"relctl-tui/views"
	"relctl-tui/views/flags"
	"relctl-tui/views/viewtest"
)

func id(key string) sources.FlagID { return sources.FlagID{Source: viewtest.Store, Key: key} }

func build(th *themes.Theme) viewtest.Pane {
	m := flags.New(th, views.DefaultKeyMap())
	m.SetPending(map[sources.FlagID]string{id("payments-retry"): "50% ➔ 100%"})
	return &m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	viewtest.Goldens(t, 18, build)
}

func TestEveryLineKeepsItsWidth(t *testing.T) {
	t.Parallel()
	viewtest.Sizes(t, build)
}

func open(t testing.TB, s *sources.Snapshot) flags.Model {
	t.Helper()
	m := flags.New(viewtest.Theme(t, "ansi", false), views.DefaultKeyMap())
	m.SetSize(120, 10)
	m.SetFocused(true)
	m.SetSnapshot(s, viewtest.Now())
	return m
}

func press(m flags.Model, keys ...string) (flags.Model, tea.Cmd) {
	var cmd tea.Cmd
	for _, k := range keys {
		msg := tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
		switch k {
		case "enter":
			msg = tea.KeyPressMsg{Code: tea.KeyEnter}
		case "esc":
			msg = tea.KeyPressMsg{Code: tea.KeyEscape}
		case "pgdown":
			msg = tea.KeyPressMsg{Code: tea.KeyPgDown}
		}
		m, cmd = m.Update(msg)
	}
	return m, cmd
}

func selected(t *testing.T, m flags.Model) string {
	t.Helper()
	f, ok := m.Selected()
	require.True(t, ok, "a flag must be selected")
	return f.ID.Key
}

// changed is a snapshot with the flags edited, as after a change in the store.
func changed(s *sources.Snapshot, edit func([]sources.Flag) []sources.Flag) *sources.Snapshot {
	next := *s
	next.Seq++
	next.FlagsSeq++
	next.Flags = edit(slices.Clone(s.Flags))
	return &next
}

func remove(key string) func([]sources.Flag) []sources.Flag {
	return func(fs []sources.Flag) []sources.Flag {
		return slices.DeleteFunc(fs, func(f sources.Flag) bool { return f.ID.Key == key })
	}
}

func rows(m flags.Model) []string {
	var out []string
	for _, line := range strings.Split(ansi.Strip(m.View()), "\n")[1:] {
		if fields := strings.Fields(strings.TrimLeft(line, "▸ ")); len(fields) > 2 {
			out = append(out, fields[2])
		}
	}
	return out
}

func TestBrokenAndRampingFlagsComeFirstAndTheLatestChangeBeforeOlderOnes(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Snapshot(viewtest.OK))
	require.Equal(t, []string{
		"promo-banner", "checkout-v2", "payments-retry", "search-rerank", "legacy-export", "loyalty-points",
	}, rows(m)[:6])
}

func TestSortGoesThroughItsOrdersAndKeepsTheSelection(t *testing.T) {
	t.Parallel()
	m, _ := press(open(t, viewtest.Snapshot(viewtest.OK)), "j", "j")
	require.Equal(t, "payments-retry", selected(t, m))
	m, _ = press(m, "s")
	require.Equal(t, flags.ByRecent, m.Sort())
	require.Equal(t, "payments-retry", selected(t, m))
	m, _ = press(m, "s")
	require.Equal(t, flags.ByKey, m.Sort())
	m, _ = press(m, "g")
	require.Equal(t, "beta-program", rows(m)[0])
	m, _ = press(m, "s")
	require.Equal(t, flags.ByState, m.Sort())
}

func TestMeasuredNumbersNeverReorderRows(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m := open(t, s)
	before := rows(m)
	next := *s
	next.Seq++
	next.Exposures = &sources.ExposureSet{ByKey: map[string]map[string]float64{"image-webp": {"on": 0.5}}}
	next.Latencies = nil
	m.SetSnapshot(&next, viewtest.Now())
	require.Equal(t, before, rows(m))
}

func TestTheSelectionFollowsItsFlagWhenRowsMove(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m, _ := press(open(t, s), "j", "j")
	require.Equal(t, "payments-retry", selected(t, m))
	m.SetSnapshot(changed(s, func(fs []sources.Flag) []sources.Flag {
		for i := range fs {
			if fs[i].ID.Key == "search-rerank" {
				fs[i].ChangedAt = viewtest.Now()
			}
		}
		return fs
	}), viewtest.Now())
	require.Equal(t, "search-rerank", rows(m)[1], "the row that moved is above now")
	require.Equal(t, "payments-retry", selected(t, m))
	require.Zero(t, m.SelectionMovedAt(), "the flag under the cursor is still the same")
}

func TestTheSelectionMovesToTheNeighbourWhenItsFlagGoesAway(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m, _ := press(open(t, s), "j")
	later := viewtest.Now().Add(time.Second)
	m.SetSnapshot(changed(s, remove("checkout-v2")), later)
	require.Equal(t, "payments-retry", selected(t, m))
	require.Equal(t, later, m.SelectionMovedAt())
}

func TestTheSelectionMovesUpWhenTheLastFlagGoesAway(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m, _ := press(open(t, s), "G")
	require.Equal(t, "image-webp", selected(t, m))
	m.SetSnapshot(changed(s, remove("image-webp")), viewtest.Now())
	require.Equal(t, "gift-cards", selected(t, m))
}

func TestNoFlagIsSelectedOnceAllAreGone(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m := open(t, s)
	m.SetSnapshot(changed(s, func([]sources.Flag) []sources.Flag { return nil }), viewtest.Now())
	_, ok := m.Selected()
	require.False(t, ok)
	_, cmd := press(m, "K")
	require.Equal(t, views.RefusedMsg{Reason: "no flag is selected"}, cmd())
}

func TestAKeyDoesNotCountAsASelectionThatMovedByItself(t *testing.T) {
	t.Parallel()
	m, _ := press(open(t, viewtest.Snapshot(viewtest.OK)), "j", "k", "G", "g", "pgdown")
	require.Zero(t, m.SelectionMovedAt())
}

func TestActionKeysCarryTheFlagTheRevisionAndTheNextStep(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]sources.Intent{
		"+": {Kind: sources.Ramp, Flag: id("checkout-v2"), Seen: "rev-checkout-v2", SeenAs: "25%", To: sources.Pct(50)},
		"-": {Kind: sources.Back, Flag: id("checkout-v2"), Seen: "rev-checkout-v2", SeenAs: "25%", To: sources.Pct(10)},
		"K": {Kind: sources.Kill, Flag: id("checkout-v2"), Seen: "rev-checkout-v2", SeenAs: "25%"},
	} {
		m, _ := press(open(t, viewtest.Snapshot(viewtest.OK)), "j")
		_, cmd := press(m, key)
		require.Equal(t, views.IntentMsg{Intent: want}, cmd(), key)
	}
}

func TestARefusedKeySaysWhy(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{
		"new-nav":      "top of its ladder",
		"beta-program": "custom targeting (three-way split)",
		"promo-banner": `broken (no variant "On")`,
	} {
		m := open(t, viewtest.Snapshot(viewtest.OK))
		require.True(t, m.Select(id(flag)))
		_, cmd := press(m, "+")
		require.Contains(t, cmd().(views.RefusedMsg).Reason, want)
	}
}

func TestAReadOnlyBoardRefusesEveryChange(t *testing.T) {
	t.Parallel()
	m, _ := press(open(t, viewtest.Snapshot(viewtest.OK)), "j")
	m.SetReadOnly(true)
	for _, key := range []string{"+", "-", "K"} {
		_, cmd := press(m, key)
		require.Equal(t, views.RefusedMsg{Reason: "this board is read-only"}, cmd())
	}
	require.False(t, m.ShortHelp()[0].Enabled(), "and its help does not offer one")
}

func TestEnterAsksForTheDetailOfTheSelectedFlag(t *testing.T) {
	t.Parallel()
	m, _ := press(open(t, viewtest.Snapshot(viewtest.OK)), "j")
	_, cmd := press(m, "enter")
	require.Equal(t, views.DetailMsg{Subject: views.FlagSubject(id("checkout-v2"))}, cmd())
}

func TestAFilterKeepsWholeMatchesBeforeScatteredOnes(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Snapshot(viewtest.OK))
	m.SetFilter("re")
	shown := rows(m)
	require.Subset(t, shown, []string{"payments-retry", "search-rerank", "recommendations"})
	require.NotContains(t, shown, "new-nav")
	scattered := slices.Index(shown, "promo-banner")
	for _, whole := range []string{"payments-retry", "search-rerank", "recommendations"} {
		if scattered >= 0 {
			require.Less(t, slices.Index(shown, whole), scattered)
		}
	}
}

func TestAFilterThatGrowsGivesTheSameRowsAsOneTypedAtOnce(t *testing.T) {
	t.Parallel()
	s := viewtest.Many(2000)
	grown, atOnce := open(t, s), open(t, s)
	for _, text := range []string{"s", "se", "se1", "se17", "se175"} {
		grown.SetFilter(text)
	}
	atOnce.SetFilter("se175")
	a, _ := grown.Len()
	b, _ := atOnce.Len()
	require.Equal(t, b, a)
	require.Positive(t, a)
	require.Less(t, a, 2000)
	grown, _ = press(grown, "g")
	atOnce, _ = press(atOnce, "g")
	require.Equal(t, rows(atOnce), rows(grown))
}

func TestAnInverseFilterHidesWhatHoldsTheText(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Snapshot(viewtest.OK))
	m.SetFilter("!re")
	shown := rows(m)
	require.NotContains(t, shown, "payments-retry")
	require.Contains(t, shown, "checkout-v2")
	n, all := m.Len()
	require.Equal(t, 15, all)
	require.Equal(t, 12, n)
}

func TestAFilterWithoutMatchesSaysSoAndEscapeShowsAll(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Snapshot(viewtest.OK))
	m.SetFilter("zzz")
	require.Contains(t, ansi.Strip(m.View()), "no flag matches /zzz (esc shows all 15)")
	_, cmd := press(m, "K")
	require.IsType(t, views.RefusedMsg{}, cmd(), "what is not on the screen cannot be killed")
	m, _ = press(m, "esc")
	require.Empty(t, m.Filter())
	n, _ := m.Len()
	require.Equal(t, 15, n)
}

func TestAFilterStaysWhenTheStoreChanges(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m := open(t, s)
	m.SetFilter("check")
	m.SetSnapshot(changed(s, remove("new-nav")), viewtest.Now())
	require.Equal(t, []string{"checkout-v2"}, rows(m))
}

func TestAPendingChangeStandsBesideTheValueInForce(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Snapshot(viewtest.OK))
	m.SetPending(map[sources.FlagID]string{id("checkout-v2"): "25➔50%"})
	for _, line := range strings.Split(ansi.Strip(m.View()), "\n") {
		if strings.Contains(line, "checkout-v2") {
			require.Contains(t, line, " 25% ")
			require.Contains(t, line, "25➔50% pending")
			return
		}
	}
	t.Fatal("the flag must be on the screen")
}

func TestAPendingChangeIsInWordsAtEveryWidth(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Snapshot(viewtest.OK))
	m.SetPending(map[sources.FlagID]string{id("checkout-v2"): "checkout-v2 25% ➔ 50%"})
	for width, want := range map[int]string{120: "25% ➔ 50% pending", 80: "25➔50% pending", 60: "25% ➔ 50% ⋯", 40: "◔ pending"} {
		m.SetSize(width, 10)
		require.Contains(t, ansi.Strip(m.View()), want, "%d columns", width)
	}
}

func TestAStoreShowsBehindANameThatHasToBeCut(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Flags = slices.Clone(s.Flags[:1])
	s.Flags[0].Name = "a-name-that-is-much-too-long-for-eighty-columns"
	s.Flags = append(s.Flags, s.Flags[0])
	s.Flags[1].ID.Source = "staging"
	s.Sources = append(slices.Clone(s.Sources), sources.SourceStatus{Name: "staging", Kind: "flagd", Health: sources.Fresh, Flags: true})
	m := open(t, &s)
	m.SetSize(80, 10)
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "(staging)")
	require.Contains(t, screen, "(prod.")
}

func TestTwoStoresWithTheSameKeyAreToldApart(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	s.Sources = append(s.Sources, sources.SourceStatus{Name: "etcd", Health: sources.Fresh, LastOK: viewtest.Now(), Flags: true})
	twin := s.Flags[2]
	twin.ID.Source = "etcd"
	s.Flags = append(s.Flags, twin)
	m := open(t, s)
	m.SetSize(120, 30)
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, twin.Name+" ("+viewtest.Store+")")
	require.Contains(t, screen, twin.Name+" (etcd)")
}

func TestFlagsOfAStaleStoreSayStaleInEveryRow(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Snapshot(viewtest.Stale))
	lines := strings.Split(ansi.Strip(m.View()), "\n")
	require.Contains(t, lines[0], "stale 32s")
	for _, line := range lines[1:] {
		require.Contains(t, line, "stale")
	}
	require.Contains(t, lines[1], "stale 32s", "the selected row counts seconds")
}

func TestAnIdleMinuteChangesNothingButTheSelectedRow(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	m := open(t, s)
	before := strings.Split(m.View(), "\n")
	m.SetSnapshot(s, viewtest.Now().Add(9*time.Second))
	after := strings.Split(m.View(), "\n")
	require.Equal(t, before, after, "the selected flag changed two days ago")

	m, _ = press(m, "j")
	before = strings.Split(m.View(), "\n")
	m.SetSnapshot(s, viewtest.Now().Add(10*time.Second))
	after = strings.Split(m.View(), "\n")
	for i := range before {
		if i == 2 {
			require.NotEqual(t, before[i], after[i], "47s becomes 57s")
			continue
		}
		require.Equal(t, before[i], after[i])
	}
}

func TestTheCursorStaysInSightWhateverTheSizeAndTheKeys(t *testing.T) {
	t.Parallel()
	m := open(t, viewtest.Many(500))
	for _, size := range [][2]int{{120, 40}, {80, 5}, {60, 2}, {20, 3}, {200, 90}} {
		for _, k := range []string{"pgdown", "G", "k", "k", "g", "j", "pgdown", "pgdown"} {
			m, _ = press(m, k)
			m.SetSize(size[0], size[1])
			require.Contains(t, ansi.Strip(m.View()), "▸", "%v after %s", size, k)
		}
	}
}

func TestAStaleExposureIsMarkedWhileItsFlagIsFresh(t *testing.T) {
	t.Parallel()
	s := viewtest.Snapshot(viewtest.OK)
	s.Exposures.Stale = true
	m := open(t, s)
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "24.7%?")
	require.NotContains(t, screen, "24.7% ")
}

func TestKillSwitchesStandFirstInEveryOrderAndAreMarked(t *testing.T) {
	t.Parallel()
	s := *viewtest.Snapshot(viewtest.OK)
	s.Flags = slices.Clone(s.Flags)
	last := len(s.Flags) - 1
	s.Flags[last].Pinned = true
	m := open(t, &s)
	for _, order := range []flags.Sort{flags.ByState, flags.ByRecent, flags.ByKey} {
		m.SetSort(order)
		require.Equal(t, "⚑", rows(m)[0], order)
		first := strings.Split(ansi.Strip(m.View()), "\n")[1]
		require.Contains(t, first, s.Flags[last].Name, order)
	}
}

func TestTwoFlagsWhoseNamesBeginAlikeAreToldApart(t *testing.T) {
	t.Parallel()
	const eu, us = "payments-checkout-express-new-flow-eu-west-1", "payments-checkout-express-new-flow-us-east-1"
	s := changed(viewtest.Snapshot(viewtest.OK), func(fs []sources.Flag) []sources.Flag {
		fs = fs[:2]
		fs[0].Name, fs[1].Name = eu, us
		return fs
	})
	m := open(t, s)
	m.SetSize(80, 10)
	screen := ansi.Strip(m.View())
	require.Contains(t, screen, "-eu-west-1 ")
	require.Contains(t, screen, "-us-east-1 ")
	m.SetSize(140, 10)
	screen = ansi.Strip(m.View())
	require.Contains(t, screen, " "+eu+" ", "where there is room they are whole")
	require.Contains(t, screen, " "+us+" ")
	before := strings.Index(strings.Split(screen, "\n")[0], "rollout")
	m.SetSnapshot(changed(s, func(fs []sources.Flag) []sources.Flag { fs[0].Note = "x"; return fs }), viewtest.Now())
	require.Equal(t, before, strings.Index(strings.Split(ansi.Strip(m.View()), "\n")[0], "rollout"), "no column moves with what a flag does")
}

func TestWhyAStoreCannotBeReadIsToldWholeWhereNoRowNeedsTheLine(t *testing.T) {
	t.Parallel()
	const why = "/srv/releases/prod/flags.json: not JSON: line 2, column 1: the file ends where a string is expected"
	s := *changed(viewtest.Snapshot(viewtest.OK), func(fs []sources.Flag) []sources.Flag { return fs[:3] })
	s.Sources = slices.Clone(s.Sources)
	for i := range s.Sources {
		if s.Sources[i].Flags {
			s.Sources[i].Health, s.Sources[i].Err = sources.Stale, why
		}
	}
	m := open(t, &s)
	view := func(h int) string {
		m.SetSize(80, h)
		viewtest.RequireFrame(t, m.View(), 80, h)
		return strings.Join(strings.Fields(ansi.Strip(m.View())), " ")
	}
	require.Contains(t, view(1+3+3), why+". The last good data is shown.")
	require.Contains(t, view(1+3+3), s.Flags[2].Name, "and each row is there")
	require.NotContains(t, view(1+3+1), "is expected", "here it would be in the place of a row")
	require.Contains(t, view(1+3+1), s.Flags[2].Name)
	require.Contains(t, view(1+3+1), "not JSON")
	require.Equal(t, 3, m.TroubleLines(80))
	m.SetFilter(s.Flags[0].Name)
	require.NotContains(t, view(1+3+1), "is expected", "nor does it come and go as one types")
}

func TestNamesThatDifferInTheirLastLettersAloneAreNeverTwoEqualRows(t *testing.T) {
	t.Parallel()
	for _, begins := range []string{"payments-checkout-express-", "PaymentsCheckoutExpress", "payments-checkout-new", strings.Repeat("x", 60)} {
		s := changed(viewtest.Snapshot(viewtest.OK), func(fs []sources.Flag) []sources.Flag {
			fs = fs[:2]
			fs[0].Name, fs[1].Name = begins+"1", begins+"2"
			return fs
		})
		for _, width := range []int{60, 80, 120} {
			m := open(t, s)
			m.SetSize(width, 10)
			screen := ansi.Strip(m.View())
			require.Regexp(t, `[a-zA-Z-]1 `, screen, "%s at %d", begins, width)
			require.Regexp(t, `[a-zA-Z-]2 `, screen, "%s at %d", begins, width)
		}
	}
}
