package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/control"
	"relctl-tui/sources/live"
	"relctl-tui/sources/record"
	"relctl-tui/themes"
)

// storm is a store and a measured system in which something changes at every read, by
// chance, and which fails now and then.
type storm struct{ r *rand.Rand }

// shared is a source of chance for several loops at once.
type shared struct {
	mu  sync.Mutex
	pcg *rand.PCG
}

func (s *shared) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pcg.Uint64()
}

func (s storm) fails() error {
	if s.r.IntN(12) == 0 {
		return errors.New("it is not reachable at the moment")
	}
	return nil
}

func (s storm) Flags(context.Context) (sources.FlagSet, error) {
	set := sources.FlagSet{Source: "prod", ReadAt: time.Now()}
	for i := range 12 {
		f := sources.Flag{
			ID: sources.FlagID{Source: "prod", Key: fmt.Sprintf("flag-%02d", i)}, Name: fmt.Sprintf("flag-%02d", i),
			State: sources.FlagOn, Variant: "on", Metric: "payment API", Description: "a flag among others",
			Rollout: sources.Some(sources.Pct(s.r.IntN(101))), ChangedAt: time.Now().Add(-time.Duration(s.r.IntN(9000)) * time.Second), ChangedBy: "ana",
		}
		if f.Killed = s.r.IntN(9) == 0; f.Killed {
			f.State, f.Rollout = sources.FlagOff, sources.Some(sources.Percent(0))
		}
		f.Revision = sources.RevisionOf([]byte(f.Brief()))
		set.Flags = append(set.Flags, f)
	}
	set.Revision = sources.RevisionOf(fmt.Append(nil, s.r.Int()))
	return set, s.fails()
}

func (s storm) Breakers(context.Context) (sources.BreakerSet, error) {
	set := sources.BreakerSet{ReadAt: time.Now()}
	for _, name := range []string{"payment API", "inventory", "mail", "search"} {
		set.Breakers = append(set.Breakers, sources.Breaker{
			Source: "metrics", Name: name, State: sources.BreakerState(1 + s.r.IntN(3)), Instances: 3, OpenInstances: s.r.IntN(4),
			ErrorRatio: sources.Some(s.r.Float64()), Rate: sources.Some(s.r.ExpFloat64() * 50),
		})
	}
	return set, s.fails()
}

func (s storm) Latencies(context.Context) (sources.LatencySet, error) {
	set := sources.LatencySet{ReadAt: time.Now()}
	q := func() sources.Quantile {
		return sources.Quantile{Seconds: s.r.ExpFloat64(), OK: s.r.IntN(9) > 0, Over: s.r.IntN(9) == 0}
	}
	for _, name := range []string{"payment API", "inventory", "checkout"} {
		l := sources.Latency{Source: "metrics", Name: name, P50: q(), P95: q(), P99: q(), Rate: sources.Some(s.r.Float64() * 100), SLO: time.Second}
		l.Verdict = sources.Judge(l.P99, l.Rate, l.SLO)
		set.Latencies = append(set.Latencies, l)
	}
	return set, s.fails()
}

func (s storm) Exposures(context.Context) (sources.ExposureSet, error) {
	set := sources.ExposureSet{ReadAt: time.Now(), ByKey: map[string]map[string]float64{}}
	for i := range 12 {
		set.ByKey[fmt.Sprintf("flag-%02d", i)] = map[string]float64{"on": s.r.Float64()}
	}
	return set, s.fails()
}

func (s storm) Alerts(context.Context) (sources.AlertSet, error) {
	set := sources.AlertSet{ReadAt: time.Now()}
	for i := range s.r.IntN(3) {
		set.Alerts = append(set.Alerts, sources.Alert{
			Source: "metrics", ID: fmt.Sprint(i), Name: "Burning", Severity: "page", Summary: "it burns",
			Since: time.Now().Add(-time.Minute), Labels: map[string]string{"job": "payment"},
		})
	}
	return set, s.fails()
}

// shot is one frame of a board: what it shows, the time that it shows and what it drew.
type shot struct {
	of    *sources.Snapshot
	at    time.Time
	frame string
}

func bare(t *testing.T, o Options, w, h int) *Model {
	t.Helper()
	th, err := themes.New(themes.Options{Name: "mono"})
	require.NoError(t, err)
	o.Theme, o.Actor, o.Control = th, "bob", control.New(control.Options{ReadOnly: true})
	if o.Now == nil {
		o.Now = time.Now
	}
	return New(t.Context(), o, w, h)
}

// stormy runs a live board, a read-only one as every replay is, for n snapshots in a
// storm, recorded, and returns its frames at every snapshot and between them.
func stormy(t *testing.T, w, h, n int, keys ...tea.KeyPressMsg) ([]shot, *record.Recording) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := storm{rand.New(&shared{pcg: rand.NewPCG(7, 7)})}
	engine := live.New(live.Options{Context: "prod", Accent: "red", StaleAfter: 3 * time.Second, Sources: []live.Source{
		{Name: "prod", Kind: "flagd", Driver: struct{ sources.FlagLister }{s}, Every: 2 * time.Second},
		{Name: "metrics", Kind: "prometheus", Every: time.Second, Driver: struct {
			sources.BreakerLister
			sources.LatencyReader
			sources.ExposureReader
			sources.AlertLister
		}{s, s, s, s}},
	}})
	var file bytes.Buffer
	tape := record.NewWriter(func() io.Writer { return &file })
	require.NoError(t, tape.Add(engine.Snapshot(), 0))
	done := make(chan struct{})
	go func() { _ = engine.Run(ctx); close(done) }()
	first := engine.Snapshot()
	for len(first.Flags) == 0 { // a key on an empty board would mean another thing
		next, err := engine.Next(ctx, first.Seq)
		require.NoError(t, err)
		require.NoError(t, tape.Add(next, 0))
		first = next
	}
	m := bare(t, Options{Engine: engine, ReadOnly: true}, w, h)
	for _, k := range keys {
		press(m, k)
	}
	shots := []shot{{first, m.now, m.View().Content}}
	for i := range n {
		snap, err := engine.Next(ctx, m.snapshot.Seq)
		require.NoError(t, err)
		require.NoError(t, tape.Add(snap, 0))
		m.Update(SnapshotPublishedMsg{snap})
		shots = append(shots, shot{snap, m.now, m.View().Content})
		if due := time.Now().Add(20 * time.Millisecond); i < n-1 && engine.Snapshot() == snap {
			<-time.After(time.Until(due))
			m.Update(ClockTickedMsg{})
			if engine.Snapshot() == snap {
				shots = append(shots, shot{snap, m.now, m.View().Content})
			}
		}
	}
	cancel()
	<-done
	require.NoError(t, tape.Close())
	rec, err := record.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	return shots, rec
}

// press gives a model a key and what comes of it at once.
func press(m *Model, k tea.KeyPressMsg) {
	_, cmd := m.Update(k)
	if cmd == nil {
		return
	}
	if msg := cmd(); msg != nil {
		m.Update(msg)
	}
}

func TestAReplayDrawsTheVeryBytesThatTheLiveBoardDrew(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		for name, keys := range map[string][]tea.KeyPressMsg{"board": nil, "detail": {{Code: tea.KeyEnter}}} {
			t.Run(fmt.Sprintf("%dx%d %s", size[0], size[1], name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					shots, rec := stormy(t, size[0], size[1], 50, keys...)
					require.Greater(t, len(slices.CompactFunc(slices.Clone(shots), func(a, b shot) bool { return a.frame == b.frame })), 40, "the storm is one")
					replayed(t, rec, shots, size[0], size[1], keys)
				})
			})
		}
	}
}

// playing is a paused player of a recording, and the engine that it feeds.
func playing(t *testing.T, rec *record.Recording) (*record.Player, *live.Engine, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	engine := live.New(live.Options{Replay: true})
	player := record.NewPlayer(rec, record.PlayerOptions{Show: engine.Show})
	done := make(chan struct{})
	go func() { player.Run(ctx); close(done) }()
	player.Pause()
	synctest.Wait()
	return player, engine, func() { cancel(); <-done }
}

func sameFrame(t *testing.T, at time.Time, was, is []string) {
	t.Helper()
	require.Len(t, is, len(was))
	for i := range was {
		require.Equal(t, was[i], is[i], "line %d at %s", i, at.Format("15:04:05.000"))
	}
}

// replayed seeks every moment of which there is a frame, one after another, because
// where a list is scrolled to hangs on what was there before, and then some of them in
// any order with boards that know of no before.
func replayed(t *testing.T, rec *record.Recording, shots []shot, w, h int, keys []tea.KeyPressMsg) {
	t.Helper()
	player, engine, end := playing(t, rec)
	defer end()
	clock := func() time.Time { return player.Playback().Moment }
	player.Seek(shots[0].at.Sub(clock()))
	synctest.Wait()
	unmarked := bare(t, Options{Engine: engine, ReadOnly: true, Now: clock}, w, h)
	marked := bare(t, Options{Engine: engine, Replay: player, ReadOnly: true}, w, h)
	for _, k := range keys {
		press(unmarked, k)
		press(marked, k)
	}
	for _, s := range shots {
		player.Seek(s.at.Sub(clock()))
		synctest.Wait()
		msg := SnapshotPublishedMsg{engine.Snapshot()}
		unmarked.Update(msg)
		marked.Update(msg)
		was, is := strings.Split(s.frame, "\n"), strings.Split(marked.View().Content, "\n")
		sameFrame(t, s.at, was, strings.Split(unmarked.View().Content, "\n"))
		require.Contains(t, ansi.Strip(is[0]), "REPLAY")
		require.Contains(t, ansi.Strip(is[0]), s.at.Format("15:04:05"))
		require.Contains(t, ansi.Strip(is[len(is)-1]), "space pause")
		sameFrame(t, s.at, was[1:len(was)-1], is[1:len(is)-1])
	}
	dice := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		s := shots[dice.IntN(len(shots))]
		player.Seek(s.at.Sub(clock()))
		synctest.Wait()
		then := live.New(live.Options{Replay: true})
		then.Show(s.of)
		was := bare(t, Options{Engine: then, ReadOnly: true, Now: func() time.Time { return s.at }}, w, h).View().Content
		sameFrame(t, s.at, strings.Split(was, "\n"), strings.Split(bare(t, Options{Engine: engine, ReadOnly: true, Now: clock}, w, h).View().Content, "\n"))
	}
}

func TestOnARecordingNoKeyChangesAnythingAndTheKeysOfTimeMoveIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, rec := stormy(t, 80, 24, 80)
		player, engine, end := playing(t, rec)
		defer end()
		m := bare(t, Options{Engine: engine, Replay: player, ReadOnly: true}, 80, 24)
		key := func(k tea.KeyPressMsg) sources.Playback {
			<-time.After(100 * time.Millisecond)
			press(m, k)
			synctest.Wait()
			return player.Playback()
		}
		for _, k := range "+-KuR=poc" {
			key(tea.KeyPressMsg{Code: k, Text: string(k)})
			require.Contains(t, m.footer.Status(), "nothing can be changed from here", "the key %c", k)
		}
		require.False(t, key(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}).Paused)
		require.True(t, key(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}).Paused)
		before := player.Playback().Moment
		require.Equal(t, 10*time.Second, key(tea.KeyPressMsg{Code: tea.KeyRight}).Moment.Sub(before))
		require.Equal(t, before, key(tea.KeyPressMsg{Code: tea.KeyLeft}).Moment)
		require.Equal(t, rec.From, key(tea.KeyPressMsg{Code: tea.KeyLeft, Mod: tea.ModShift}).Moment)
		require.InDelta(t, 2, key(tea.KeyPressMsg{Code: '>', Text: ">"}).Speed, 0)
		key(tea.KeyPressMsg{Code: '<', Text: "<"})
		require.InDelta(t, 0.5, key(tea.KeyPressMsg{Code: '<', Text: "<"}).Speed, 0)
		at := key(tea.KeyPressMsg{Code: 'n', Text: "n"}).Moment
		require.True(t, at.After(rec.From), "something has happened")
		later := key(tea.KeyPressMsg{Code: 'n', Text: "n"}).Moment
		require.True(t, later.After(at))
		require.True(t, key(tea.KeyPressMsg{Code: 'N', Text: "N"}).Moment.Before(later))
		m.Update(tea.KeyPressMsg{Code: tea.KeyLeft, Mod: tea.ModShift}) // both at once, whatever commands do
		m.Update(tea.KeyPressMsg{Code: tea.KeyRight})
		synctest.Wait()
		require.Equal(t, rec.From.Add(10*time.Second), player.Playback().Moment, "in the order of the keys")
		for range 4 {
			key(tea.KeyPressMsg{Code: tea.KeyRight, Mod: tea.ModShift})
		}
		m.Update(SnapshotPublishedMsg{engine.Snapshot()})
		require.True(t, player.Playback().Ended)
		require.Contains(t, ansi.Strip(m.View().Content), "REPLAY end")
		again := key(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "})
		require.False(t, again.Paused, "at the end it begins again")
		require.Equal(t, rec.From, again.Moment)
	})
}
