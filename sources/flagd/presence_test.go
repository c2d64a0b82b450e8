package flagd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
)

// house is a flag file, the folder with who looks at it, and a clock.
type house struct {
	*flagd.Store
	t    *testing.T
	here string
	now  time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "f.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"flags":{}}`), 0o600))
	h := &house{t: t, here: filepath.Join(dir, ".f.json.relctl.here"), now: time.Unix(1_800_000_000, 0)}
	h.Store = flagd.New("prod", path, flagfile.WithNow(func() time.Time { return h.now }))
	return h
}

func (h *house) enter(id, name string) {
	h.t.Helper()
	require.NoError(h.t, h.Attend(h.t.Context(), sources.Attendance{ID: id, People: []sources.Person{{Name: name}}}))
}

// left is a file as a process leaves it that was killed a while ago.
func (h *house) left(name, content string, ago time.Duration) {
	h.t.Helper()
	path := filepath.Join(h.here, name)
	require.NoError(h.t, os.WriteFile(path, []byte(content), 0o600))
	require.NoError(h.t, os.Chtimes(path, time.Time{}, h.now.Add(-ago)))
}

func (h *house) names() (names []string) {
	h.t.Helper()
	all, err := h.Attending(h.t.Context())
	require.NoError(h.t, err)
	for _, p := range sources.PresentIn(all) {
		names = append(names, p.Name)
	}
	return names
}

func TestWhoMissesThreeBeatsIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.enter("a", "ana")
	h.now = h.now.Add(sources.BeatEvery)
	h.enter("b", "ben")
	h.now = h.now.Add(sources.PresentFor - sources.BeatEvery)
	require.Equal(t, []string{"ana", "ben"}, h.names())
	h.now = h.now.Add(time.Second)
	require.Equal(t, []string{"ben"}, h.names())
	h.enter("a", "ana")
	require.Equal(t, []string{"ana", "ben"}, h.names(), "and back with the next beat")
}

func TestFiveHundredProcessesThatWereKilledAreNobodyAndAreClearedAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.enter("a", "ana")
	for i := range 500 {
		h.left(fmt.Sprintf("dead%d.json", i), `{"people":[{"name":"ghost"}]}`, time.Hour)
	}
	h.left("notes.txt", "somebody's own", time.Hour)
	require.Equal(t, []string{"ana"}, h.names())
	h.enter("a", "ana")
	kept, err := os.ReadDir(h.here)
	require.NoError(t, err)
	require.Len(t, kept, 2, "a.json and what is not ours")
}

func TestWhatOthersWriteAboutThemselvesIsBoundedAndMayBeGarbage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.enter("a", "ana")
	h.left("garbage.json", "\x00{", 0)
	h.left("huge.json", `{"people":[{"name":"`+strings.Repeat("h", 1<<20)+`"}]}`, 0)
	h.left("crowd.json", `{"people":[`+strings.Repeat(`{"name":"crowd"},`, 3000)+`{"name":"last"}]}`, 0)
	h.left("UPPER.json", `{"people":[{"name":"upper"}]}`, 0)
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(h.here, "zero.json")))
	require.NoError(t, os.Mkdir(filepath.Join(h.here, "folder.json"), 0o700))
	require.Equal(t, []string{"ana", "crowd"}, h.names())
}

func TestTheLastOneOutLeavesNothingBesideTheFlags(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.enter("a", "ana")
	h.enter("b", "ben")
	require.NoError(t, h.Attend(t.Context(), sources.Attendance{ID: "a"}))
	require.DirExists(t, h.here)
	require.NoError(t, h.Attend(t.Context(), sources.Attendance{ID: "b"}))
	require.NoDirExists(t, h.here)
}

func TestWherePresenceCannotBeKeptOnlyThatIsLost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	require.NoError(t, os.WriteFile(h.here, []byte("a file where the folder should be"), 0o600))
	err := h.Attend(t.Context(), sources.Attendance{ID: "a", People: []sources.Person{{Name: "ana"}}})
	require.ErrorIs(t, err, sources.ErrUnavailable)
	require.ErrorContains(t, err, "other boards do not see this one; flags are not concerned")
	require.Empty(t, h.names())
	_, err = h.Flags(t.Context())
	require.NoError(t, err)
}
