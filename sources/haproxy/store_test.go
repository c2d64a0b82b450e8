package haproxy_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/haproxy"
)

func keys(set sources.FlagSet) (out []string) {
	for _, f := range set.Flags {
		out = append(out, f.ID.Key)
	}
	return out
}

func TestPairsAreFoundByTheirNameAndOthersAreNoFlags(t *testing.T) {
	p := start(t, backends)
	set, err := store(t, p.socket).Flags(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"api/canary", "legacy/canary", "web/new-Canary"}, keys(set))
	require.Empty(t, set.Warnings)
	require.Empty(t, set.ReadOnly)
	require.Equal(t, "canary canary beside stable, balance roundrobin", set.Flags[0].Description)
	require.Equal(t, "canary", set.Flags[0].Variant)
	require.Equal(t, "balance static-rr takes no weights while it runs", set.Flags[1].Note)
	require.Equal(t, "leastconn shares connections, not requests", set.Flags[2].Note)
}

func TestAConfiguredPairKeepsItsSumBesideOtherServersAndAMissingOneIsNamed(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket, haproxy.Pair{Backend: "three", Stable: "s3", Canary: "s2"},
		haproxy.Pair{Backend: "three", Stable: "s1", Canary: "s9"}, haproxy.Pair{Backend: "nope", Stable: "a", Canary: "b"})
	set1, err := s.Flags(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"three/s2"}, keys(set1))
	require.Equal(t, []string{"lb: HAProxy has no backend nope", "lb: backend three of HAProxy has no server s9"}, set1.Warnings)
	require.Equal(t, sources.Some(sources.Pct(50)), set1.Flags[0].Rollout)
	require.Equal(t, "1 more in three", set1.Flags[0].Note)

	set(t, s, "three/s2", sources.Pct(25))
	require.Contains(t, p.tell(t, "get weight three/s2"), "10 (initial 20)")
	require.Contains(t, p.tell(t, "get weight three/s3"), "30 (initial 20)")
	for _, key := range []string{"three/s9", "nope/b"} {
		_, err = s.Flag(t.Context(), id(key))
		require.ErrorIs(t, err, sources.ErrNotFound)
		require.Contains(t, err.Error(), "HAProxy")
	}
	_, err = s.Flag(t.Context(), id("api/canary"))
	require.ErrorIs(t, err, sources.ErrNotFound, "what is not configured is no flag")
}

func TestWithASocketThatMayOnlyLookNothingCanBeChanged(t *testing.T) {
	p := start(t, backends)
	for _, level := range []string{"operator", "user"} {
		s := store(t, p.socket+"-"+level)
		set, err := s.Flags(t.Context())
		require.NoError(t, err)
		require.Equal(t, sources.Some(sources.Pct(25)), set.Flags[0].Rollout)
		require.Equal(t, "level "+level+" of this socket may only look: add 'level admin' to its 'stats socket' line, or use one that has it", set.ReadOnly)
		_, err = s.Apply(t.Context(), sources.Change{ID: "1", Flag: id("api/canary"), Kind: sources.Kill, Commit: func(sources.Planned) error {
			t.Error("what cannot be done must not be recorded")
			return nil
		}})
		require.ErrorIs(t, err, sources.ErrReadOnly)
		require.Contains(t, err.Error(), "add 'level admin'")
	}
	require.False(t, read(t, store(t, p.socket), "api/canary").Killed)
}

func TestAHashThatTakesNoWeightsRefusesARampAndNothingStaysHalfDone(t *testing.T) {
	p := start(t, `
backend api
  balance source
  server stable %[1]s weight 75
  server canary %[2]s weight 25
backend consistent
  balance uri
  hash-type consistent
  server stable %[1]s weight 75
  server canary %[2]s weight 25
`)
	s := store(t, p.socket)
	before := read(t, s, "api/canary")
	for _, to := range []sources.Percent{sources.Pct(50), sources.Pct(30)} {
		_, err := s.Apply(t.Context(), sources.Change{ID: "1", Flag: before.ID, Kind: sources.Ramp, To: to})
		require.ErrorIs(t, err, sources.ErrUnsupported)
		require.Contains(t, err.Error(), "hash-type consistent")
		require.Equal(t, before, read(t, s, "api/canary"))
	}
	for _, to := range []sources.Percent{0, sources.Full, sources.Pct(25)} { // HAProxy takes 0 and the configured weight
		require.Equal(t, sources.Some(to), set(t, s, "api/canary", to).New.Rollout)
	}
	set(t, s, "api/canary", sources.Full)
	k := apply(t, s, "api/canary", sources.Change{Kind: sources.Kill})
	require.True(t, k.New.Killed)
	require.Contains(t, k.Warning, "stable had weight 0 and got 75")
	require.Equal(t, k.Old, apply(t, s, "api/canary", sources.Change{Kind: sources.Undo, Restore: k.Restore}).New)

	require.Equal(t, sources.Some(sources.Pct(40)), set(t, s, "consistent/canary", sources.Pct(40)).New.Rollout)
}

func TestWhatWeightsCannotSayIsRefusedWithTheNearestThatTheyCan(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	before := read(t, s, "api/canary")
	_, err := s.Apply(t.Context(), sources.Change{ID: "1", Flag: before.ID, Kind: sources.Set, To: 100})
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.Contains(t, err.Error(), "0.1% cannot be set: HAProxy's weights are whole numbers up to 256, the nearest is 0%")
	_, err = s.Apply(t.Context(), sources.Change{ID: "1", Flag: before.ID, Kind: sources.Set, To: 12_345})
	require.ErrorIs(t, err, sources.ErrInvalid)
	require.Contains(t, err.Error(), "the nearest is 12.346%")
	require.Equal(t, before, read(t, s, "api/canary"))
	for _, to := range []sources.Percent{500, 33_333, 12_500, 12_346, 99_500} {
		require.Equal(t, sources.Some(to), set(t, s, "api/canary", to).New.Rollout)
	}
}

func TestEveryWholePercentIsExactAndEachNearestIsReallySettable(t *testing.T) {
	for p := range sources.Full + 1 {
		c, s, err := haproxy.Express(25, 75, p)
		if err != nil {
			require.NotZero(t, p%500, "halves of a percent can all be said")
			_, nearest, _ := strings.Cut(err.Error(), "the nearest is ")
			nearest, _, _ = strings.Cut(nearest, "%")
			near, perr := sources.ParsePercent(nearest)
			require.NoError(t, perr)
			_, _, err = haproxy.Express(25, 75, near)
			require.NoError(t, err)
			continue
		}
		require.LessOrEqual(t, max(c, s), 256)
		require.GreaterOrEqual(t, min(c, s), 0)
		got, exact := sources.PercentOf(int64(c), int64(c+s))
		require.Equal(t, p, got)
		if p%1000 == 0 {
			require.True(t, exact)
			require.Equal(t, 100, c+s)
		}
	}
}

// share is the canary's part; -1 when nobody serves.
func share(s haproxy.Standing) float64 {
	switch {
	case s.Admin != "ready" && s.Stable > 0:
		return 0
	case s.Admin != "ready" || s.Canary+s.Stable == 0:
		return -1
	}
	return float64(s.Canary) / float64(s.Canary+s.Stable)
}

func TestOnNoWayFromOneSettingToAnotherIsTheCanaryAboveBothOrNobodyServing(t *testing.T) {
	weights := []int{0, 1, 9, 25, 50, 75, 100, 256}
	var all []haproxy.Standing
	for _, c := range weights {
		for _, s := range weights {
			for _, admin := range []string{"ready", "drain", "maint"} {
				all = append(all, haproxy.Standing{Canary: c, Stable: s, Admin: admin})
			}
		}
	}
	ways := 0
	for _, from := range all {
		for _, to := range all {
			way := haproxy.Walk(from, to)
			if from == to {
				require.Empty(t, way)
				continue
			}
			require.Equal(t, to, way[len(way)-1])
			require.LessOrEqual(t, len(way), 3)
			if share(from) < 0 || share(to) < 0 {
				continue // nobody served before, or nobody is to
			}
			for _, at := range way {
				if now := share(at); now < 0 || now > max(share(from), share(to))+1e-12 {
					require.Fail(t, "harm", "%v → %v over %v", from, to, way)
				}
			}
			ways++
		}
	}
	require.Greater(t, ways, 20_000)
}

func TestWhatSomebodyElseDidBetweenCompareAndWriteIsSaid(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	r := apply(t, s, "api/canary", sources.Change{Kind: sources.Ramp, To: sources.Pct(50), Commit: func(sources.Planned) error {
		p.tell(t, "set weight api/canary 100;set weight api/stable 0")
		return nil
	}})
	require.Equal(t, "somebody else made it 100% at the same moment, which is overwritten", r.Warning)
	require.Equal(t, sources.Some(sources.Pct(50)), r.New.Rollout)
	require.Equal(t, r.New, read(t, s, "api/canary"))

	r = apply(t, s, "api/canary", sources.Change{Kind: sources.Ramp, To: sources.Pct(60), Commit: func(sources.Planned) error {
		p.tell(t, "disable server api/canary")
		return nil
	}})
	require.Equal(t, "somebody else made it killed at the same moment, which is overwritten; somebody else changed it at the same moment and it is killed now", r.Warning)
	require.True(t, r.New.Killed, "what this change did not touch stays as the other left it")
}

func TestACanaryThatIsDownIsNotedAndNeverCalledKilled(t *testing.T) {
	p := start(t, `
backend api
  server stable %[1]s weight 75
  server canary %[2]s weight 25 check inter 50 fall 1 rise 1
backend both
  server stable %[1]s weight 0
  server canary %[2]s weight 0
backend spare
  server stable %[1]s weight 75
  server canary %[2]s weight 25 backup
`)
	s := store(t, p.socket)
	require.Equal(t, "both weights are 0, they serve nobody", read(t, s, "both/canary").Note)
	require.Equal(t, sources.Some(sources.Pct(10)), set(t, s, "both/canary", sources.Pct(10)).New.Rollout)
	spare := read(t, s, "spare/canary")
	require.Equal(t, sources.FlagCustom, spare.State)
	require.Contains(t, spare.Note, "canary is a backup server")

	events, err := s.Watch(t.Context(), "")
	require.NoError(t, err)
	require.NotNil(t, (<-events).Set)
	p.apps["canary"].CloseClientConnections()
	require.NoError(t, p.apps["canary"].Listener.Close())
	for down := false; !down; {
		e := <-events
		require.NoError(t, e.Err)
		f := e.Set.Flags[0]
		require.False(t, f.Killed)
		require.Equal(t, sources.Some(sources.Pct(25)), f.Rollout, "what is wanted is one thing, what is served another")
		down = f.Note == "canary is DOWN, nobody gets it"
	}
	r := set(t, s, "api/canary", sources.Pct(50))
	require.Equal(t, "canary is DOWN, nobody gets it yet", r.Warning)
}

func TestAKillThatLeavesNobodyGoesThroughAndSaysSo(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	p.tell(t, "disable server api/stable")
	f := read(t, s, "api/canary")
	require.Equal(t, sources.FlagCustom, f.State)
	require.Contains(t, f.Note, "stable is taken out, so weights decide nothing")
	r := apply(t, s, "api/canary", sources.Change{Kind: sources.Kill})
	require.True(t, r.New.Killed)
	require.Contains(t, r.Warning, "nobody serves api now: stable takes no requests either")
	require.Equal(t, f, apply(t, s, "api/canary", sources.Change{Kind: sources.Undo, Restore: r.Restore}).New)
}

func TestAnUndoOfOtherServersOrOfGarbageIsRefused(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	before := read(t, s, "api/canary")
	other := set(t, s, "web/new-Canary", sources.Pct(10)).Restore
	for _, restore := range [][]byte{nil, []byte("x"), other} {
		_, err := s.Apply(t.Context(), sources.Change{ID: "u", Flag: before.ID, Kind: sources.Undo, Restore: restore})
		require.ErrorIs(t, err, sources.ErrInvalid)
	}
	for _, bad := range []map[string]any{{"weights": []int{300, 1}, "admin": "ready"}, {"weights": []int{1, 1}, "admin": "ready;set weight api/stable 0"}} {
		bad["backend"], bad["canary"], bad["stable"] = "api", "canary", "stable"
		restore, err := json.Marshal(bad)
		require.NoError(t, err)
		_, err = s.Apply(t.Context(), sources.Change{ID: "u", Flag: before.ID, Kind: sources.Undo, Restore: restore})
		require.ErrorIs(t, err, sources.ErrInvalid)
	}
	require.Equal(t, before, read(t, s, "api/canary"))
}

func TestADrainedCanaryComesBackDrainedByAnUndo(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	p.tell(t, "set server api/canary state drain")
	r := set(t, s, "api/canary", sources.Pct(50))
	require.True(t, r.Old.Killed)
	require.False(t, r.New.Killed)
	require.Equal(t, r.Old, apply(t, s, "api/canary", sources.Change{Kind: sources.Undo, Restore: r.Restore}).New)
	require.Contains(t, p.tell(t, "show servers state api"), "canary 127.0.0.1 2 8 25 25")
}

func TestAMisspeltAddressOrPairIsRefusedBeforeAnythingIsOpened(t *testing.T) {
	for _, address := range []string{"", "admin.sock", "host:", "/" + strings.Repeat("x", 200)} {
		_, err := haproxy.New("lb", address, haproxy.Options{})
		require.ErrorIs(t, err, sources.ErrInvalid, address)
	}
	for _, pair := range []haproxy.Pair{{}, {Backend: "a", Stable: "b", Canary: "b"}, {Backend: "a;b", Stable: "b", Canary: "c"}, {Backend: "a", Stable: "b\n", Canary: "c"}} {
		_, err := haproxy.New("lb", "/s", haproxy.Options{Pairs: []haproxy.Pair{pair}})
		require.ErrorIs(t, err, sources.ErrInvalid, "%q", pair)
	}
	twice := haproxy.Pair{Backend: "a", Stable: "b", Canary: "c"}
	_, err := haproxy.New("lb", "/s", haproxy.Options{Pairs: []haproxy.Pair{twice, twice}})
	require.ErrorIs(t, err, sources.ErrInvalid)
}

// answering is something that listens and is not HAProxy as it should be.
func answering(t *testing.T, with string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hap")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if with == "" {
				t.Cleanup(func() { c.Close() })
				continue
			}
			_, _ = c.Read(make([]byte, 1000))
			_, _ = io.WriteString(c, strings.TrimPrefix(with, "hang up"))
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestWhatGoesWrongIsSaidInWords(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone.Close()
	const header = "1\n# be_name srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\n"
	for address, says := range map[string]string{
		filepath.Join(dir, "none"): "there is no socket " + dir,
		filepath.Join(dir, "file"): "nobody listens at",
		gone.Addr().String():       "nobody listens at",
		answering(t, ""):           "did not answer within 200ms",
		answering(t, "hang up"):    "hung up without an answer",
		answering(t, "1\n"):        "hung up after",
		answering(t, "HTTP/1.1 400 Bad request\n\n\nadmin\n\n"):  `it begins with "HTTP/1.1 400 Bad request"`,
		answering(t, "2\n# be_name\n\n\nadmin\n\n"):              `it begins with "2"`,
		answering(t, "1\n# be_name srv_name\n\n\nadmin\n\n"):     "it has no column srv_op_state",
		answering(t, header+"api canary 2 0 x 1\n\n\nadmin\n\n"): `row "api canary 2 0 x 1"`,
		answering(t, header+"api canary 2\n\n\nadmin\n\n"):       `row "api canary 2"`,
		answering(t, header+"a\x1b[2J c 2 0 1 1\n\n\nadmin\n\n"): `row "a∙[2J c 2 0 1 1"`,
		answering(t, strings.Repeat("x", 17<<20)):                "more than 16 MiB",
	} {
		timeout := patience
		if strings.Contains(says, "200ms") {
			timeout = 200 * time.Millisecond
		}
		s, err := haproxy.New("lb", address, haproxy.Options{Timeout: timeout})
		require.NoError(t, err)
		_, err = s.Flags(t.Context())
		require.ErrorIs(t, err, sources.ErrUnavailable)
		require.Contains(t, err.Error(), "lb: ")
		require.Contains(t, err.Error(), says)
		require.NotContains(t, err.Error(), "\x1b")
	}
}

func TestAWatchSaysWhenItCannotLookAndGoesOnByItself(t *testing.T) {
	p := start(t, backends)
	s := store(t, p.socket)
	ctx, cancel := context.WithCancel(t.Context())
	events, err := s.Watch(ctx, "")
	require.NoError(t, err)
	first := <-events
	require.NotNil(t, first.Set)
	require.NoError(t, os.Rename(p.socket, p.socket+"-away"))
	require.ErrorIs(t, (<-events).Err, sources.ErrUnavailable)
	require.NoError(t, os.Rename(p.socket+"-away", p.socket))
	for e := range events {
		if e.Err == nil {
			require.Equal(t, first.Set.Revision, e.Set.Revision, "unchanged, yet it is told that all is well again")
			break
		}
	}
	cancel()
	for range events {
	}
}

func TestAWatchLooksAtOnceAfterAWriteOfItsOwnStore(t *testing.T) {
	p := start(t, backends)
	s, err := haproxy.New("lb", p.socket, haproxy.Options{Every: 10 * time.Minute})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	events, err := s.Watch(ctx, "")
	require.NoError(t, err)
	first := (<-events).Set
	i := slices.IndexFunc(first.Flags, func(f sources.Flag) bool { return f.CanRamp() == nil })
	_, err = s.Apply(t.Context(), sources.Change{ID: "1", Flag: first.Flags[i].ID, Kind: sources.Kill, Actor: "ana"})
	require.NoError(t, err)
	require.True(t, (<-events).Set.Flags[i].Killed)
	cancel()
	for range events {
	}
}

func TestAWriteThatIsCutOffIsNeverCalledUnwritten(t *testing.T) {
	p := start(t, backends)
	// A socket that hands the line on and keeps the answer to whatever writes.
	l, err := net.Listen("unix", filepath.Join(p.dir, "middle"))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 4096)
			n, _ := c.Read(b)
			answer, err := bare(p.socket, strings.TrimSpace(string(b[:n])))
			if err == nil && !strings.Contains(string(b[:n]), ";set ") {
				_, _ = io.WriteString(c, answer)
			}
			c.Close()
		}
	}()
	s := store(t, l.Addr().String())
	_, err = s.Apply(t.Context(), sources.Change{ID: "1", Flag: id("api/canary"), Kind: sources.Kill})
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.True(t, read(t, s, "api/canary").Killed, "it was written all the same")
	for _, certain := range []error{sources.ErrConflict, sources.ErrInvalid, sources.ErrReadOnly, sources.ErrNotFound, sources.ErrUnsupported} {
		require.False(t, errors.Is(err, certain))
	}
}

func TestTwoStoresOfOneProcessDoNotComeBetweenEachOther(t *testing.T) {
	p := start(t, backends)
	a, b := store(t, p.socket), store(t, p.socket)
	f := read(t, a, "api/canary")
	inside, out := make(chan struct{}), make(chan error, 1)
	go func() {
		<-inside
		_, err := b.Apply(t.Context(), sources.Change{ID: "2", Flag: f.ID, Kind: sources.Set, To: sources.Pct(90), Seen: f.Revision})
		out <- err
	}()
	r := apply(t, a, "api/canary", sources.Change{Kind: sources.Set, To: sources.Pct(50), Seen: f.Revision, Commit: func(sources.Planned) error {
		close(inside)
		select {
		case err := <-out:
			t.Error("the other wrote between compare and write", err)
		case <-time.After(50 * time.Millisecond):
		}
		return nil
	}})
	require.ErrorIs(t, <-out, sources.ErrConflict)
	require.Empty(t, r.Warning)
	require.True(t, slices.Equal([]byte(r.New.Revision), []byte(read(t, b, "api/canary").Revision)))
}
