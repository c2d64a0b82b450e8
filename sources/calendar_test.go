package sources_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func utc(text string) time.Time {
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return at
}

func window(t *testing.T, from, to, where string) sources.Freeze {
	t.Helper()
	z, err := sources.NewFreeze(from, to, zone(t, where))
	require.NoError(t, err)
	z.Reason = "peak"
	return z
}

func TestAFreezeHoldsFromItsStartUntilItsEndByTheClocksOfItsZone(t *testing.T) {
	t.Parallel()
	weekend := [3]string{"Fri 18:00", "Mon 06:00", "Europe/Berlin"}
	night := [3]string{"22:00", "06:00", "America/New_York"}
	holidays := [3]string{"2026-12-18 18:00", "2027-01-04 06:00", "Europe/Berlin"}
	for _, c := range []struct {
		of     [3]string
		at     string
		frozen bool
		until  string // in UTC
	}{
		{weekend, "2026-12-04 16:59", false, ""},
		{weekend, "2026-12-04 17:00", true, "2026-12-07 05:00"},
		{weekend, "2026-12-07 04:59", true, "2026-12-07 05:00"},
		{weekend, "2026-12-07 05:00", false, ""},
		{weekend, "2026-07-03 16:00", true, "2026-07-06 04:00"},                                    // summer time
		{weekend, "2026-10-23 16:00", true, "2026-10-26 05:00"},                                    // begins in summer time, ends in winter time
		{weekend, "2026-03-28 12:00", true, "2026-03-30 04:00"},                                    // and the other way round
		{[3]string{"Mon 09:00", "Mon 08:00", "UTC"}, "2026-12-06 12:00", true, "2026-12-07 08:00"}, // all week but an hour
		{night, "2026-12-04 02:59", false, ""},
		{night, "2026-12-04 03:00", true, "2026-12-04 11:00"},
		{night, "2026-12-04 11:00", false, ""},
		{holidays, "2026-12-18 16:59", false, ""},
		{holidays, "2026-12-31 23:00", true, "2027-01-04 05:00"},
		{holidays, "2027-12-31 23:00", false, ""},
		// What the clocks skip or show twice makes a window longer, never shorter.
		{[3]string{"2026-03-29 02:30", "2026-03-29 12:00", "Europe/Berlin"}, "2026-03-29 00:30", true, "2026-03-29 10:00"},
		{[3]string{"2026-10-24 12:00", "2026-10-25 02:30", "Europe/Berlin"}, "2026-10-25 01:29", true, "2026-10-25 01:30"},
		{[3]string{"2026-10-25 02:30", "2026-10-25 12:00", "Europe/Berlin"}, "2026-10-25 00:30", true, "2026-10-25 11:00"},
	} {
		z, frozen := sources.Calendar{window(t, c.of[0], c.of[1], c.of[2])}.Of(nil, utc(c.at))
		require.Equal(t, c.frozen, frozen, "%v at %s", c.of, c.at)
		if frozen {
			require.Equal(t, c.until, z.Until.UTC().Format("2006-01-02 15:04"), "%v at %s", c.of, c.at)
		}
	}
}

func TestWindowsThatOverlapOrFollowEachOtherEndTogether(t *testing.T) {
	t.Parallel()
	weekend, monday := window(t, "Fri 18:00", "Mon 06:00", "UTC"), window(t, "Mon 06:00", "Mon 12:00", "UTC")
	weekend.Override = true
	z, frozen := sources.Calendar{weekend, monday}.Of(nil, utc("2026-12-05 10:00"))
	require.True(t, frozen)
	require.Equal(t, "freeze until Mon 12:00: peak", z.Brief(utc("2026-12-05 10:00")))
	require.True(t, z.Override, "what opens later forbids nothing now")
	both := window(t, "2026-12-01 00:00", "2026-12-24 00:00", "UTC")
	both.Reason = "audit"
	z, _ = sources.Calendar{weekend, both}.Of(nil, utc("2026-12-05 10:00"))
	require.False(t, z.Override, "one that is open forbids it")
	require.Equal(t, "freeze until 24 Dec 00:00: audit", z.Brief(utc("2026-12-05 10:00")))
	require.Equal(t, utc("2026-12-01 00:00"), z.From.UTC())
}

func TestAFreezeOfSomeFlagsHoldsNoOthers(t *testing.T) {
	t.Parallel()
	z := window(t, "Fri 18:00", "Mon 06:00", "UTC")
	z.Flags, z.Tags = []string{"checkout"}, []string{"payments"}
	c, now := sources.Calendar{z}, utc("2026-12-05 10:00")
	for _, held := range []*sources.Flag{{ID: sources.FlagID{Key: "checkout"}}, {Tags: []string{"eu", "payments"}}} {
		_, frozen := c.Of(held, now)
		require.True(t, frozen)
	}
	_, frozen := c.Of(&sources.Flag{ID: sources.FlagID{Key: "search"}}, now)
	require.False(t, frozen)
	_, frozen = c.Of(nil, now)
	require.False(t, frozen)
	_, frozen = c.Partly(now)
	require.True(t, frozen)
}

func TestAMomentThatTheClocksSkipOrShowTwiceIsRefusedWithWhatToWrite(t *testing.T) {
	t.Parallel()
	berlin, now := zone(t, "Europe/Berlin"), utc("2026-03-27 12:00")
	_, err := sources.ParseMoment("2026-03-29 02:30", berlin, now)
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.Equal(t, "2026-03-29 02:30 does not exist in Europe/Berlin, the clocks are set forward over it: write 01:30 or 03:30", sources.Sentence(err))
	_, err = sources.ParseMoment("2026-10-25 02:30", berlin, now)
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.Equal(t, "2026-10-25 02:30 comes twice in Europe/Berlin, the clocks are set back over it: write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00", sources.Sentence(err))
	for text, want := range map[string]string{
		"2026-12-04 10:00":          "2026-12-04 09:00",
		"2026-12-04T10:00":          "2026-12-04 09:00",
		"2026-07-04 10:00":          "2026-07-04 08:00",
		"2026-10-25T02:30:00+01:00": "2026-10-25 01:30",
		"13:01":                     "2026-03-27 12:01", // it is Friday, 13:00 in Berlin
		"13:00":                     "2026-03-28 12:00",
		"Fri 13:30":                 "2026-03-27 12:30",
		"friday 10:00":              "2026-04-03 08:00",
		"Mon 10:00":                 "2026-03-30 08:00",
	} {
		got, err := sources.ParseMoment(text, berlin, now)
		require.NoError(t, err, text)
		require.Equal(t, want, got.UTC().Format("2006-01-02 15:04"), text)
	}
	for _, text := range []string{"", "soon", "Fri", "10", "24:00", "2026-12-04", "2026-13-04 10:00", "Fri 9:5", "10:00 pm", "-1:00"} {
		_, err := sources.ParseMoment(text, berlin, now)
		require.ErrorIs(t, err, sources.ErrInvalid, text)
	}
}

func TestRaisingIsWhateverGivesSomebodyTheNewBehaviour(t *testing.T) {
	t.Parallel()
	at := func(p int) *sources.Flag {
		return &sources.Flag{State: sources.FlagOn, Rollout: sources.Some(sources.Pct(p))}
	}
	killed := &sources.Flag{State: sources.FlagOff, Killed: true, Rollout: sources.Some(sources.Percent(0))}
	custom := &sources.Flag{State: sources.FlagCustom}
	require.True(t, sources.Raises(at(10), at(11)))
	require.False(t, sources.Raises(at(10), at(10)))
	require.False(t, sources.Raises(at(10), at(5)))
	require.False(t, sources.Raises(at(10), killed))
	require.True(t, sources.Raises(killed, at(10)))
	require.False(t, sources.Raises(killed, at(0)))
	require.True(t, sources.Raises(killed, custom), "what cannot be told raises")
	require.False(t, sources.Raises(custom, killed))
}
