package ui

import (
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/themes"
	"relctl-tui/views/footer"
)

func TestAKeyPaintsThisBoardAloneInTheNextThemeAsIfItHadOpenedWithIt(t *testing.T) {
	t.Parallel()
	named := func(name string) *themes.Theme {
		th, err := themes.New(themes.Options{Name: name})
		require.NoError(t, err)
		return th
	}
	shared := named("dark")
	r := board(t, func(o *Options) {
		o.Theme = shared
		o.Themes, o.Wear = themes.Names(), named
	})
	r.press("T")
	require.Contains(t, r.screen(), "theme light: for light backgrounds")
	require.Equal(t, named("dark"), shared, "whoever else draws with that theme keeps it")

	o := r.m.opts
	o.Theme = named("light")
	fresh := New(t.Context(), o, 100, 30)
	fresh.now = r.m.now
	fresh.setSnapshot(r.m.snapshot)
	fresh.flags.Select(r.m.selected)
	for _, m := range []*Model{r.m, fresh} {
		m.footer.SetStatus("", footer.Info)
		m.frame = ""
	}
	require.Equal(t, fresh.View().Content, r.m.View().Content)

	for range len(themes.Names()) - 1 {
		r.press("T")
	}
	require.Contains(t, r.screen(), "theme dark", "after the last comes the first")
}

func TestABoardWithOneThemeHasNoKeyForOthers(t *testing.T) {
	t.Parallel()
	r := board(t, nil)
	before := r.m.View().Content
	r.press("T")
	require.Equal(t, before, r.m.View().Content)
	require.False(t, r.m.shown.NextTheme.Enabled())
}
