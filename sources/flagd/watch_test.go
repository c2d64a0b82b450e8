package flagd_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"relctl-tui/sources"
	"relctl-tui/sources/flagd"
	"relctl-tui/sources/flagfile"
	"relctl-tui/sources/sourcetest"
)

func event(t *testing.T, ch <-chan sources.FlagEvent) sources.FlagEvent {
	t.Helper()
	select {
	case e, ok := <-ch:
		require.True(t, ok)
		require.True(t, (e.Set == nil) != (e.Err == nil), "exactly one of the two")
		return e
	case <-time.After(20 * time.Second):
		require.FailNow(t, "no event came")
		return sources.FlagEvent{}
	}
}

// until waits for the set in which checkout-v2 reads as wanted.
func until(t *testing.T, ch <-chan sources.FlagEvent, brief string) {
	t.Helper()
	for {
		e := event(t, ch)
		require.NoError(t, e.Err)
		if e.Set.Flags[0].Brief() == brief {
			return
		}
	}
}

func replace(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func at(percent string) string {
	return strings.Replace(shop, `["on", 25], ["off", 75]`, percent, 1)
}

// Each test of the watch runs by notification and by poll alone; the other way
// is made too slow to help.
func bothWays(t *testing.T, run func(t *testing.T, opts ...flagfile.Option)) {
	t.Helper()
	t.Run("notified", func(t *testing.T) {
		t.Parallel()
		run(t, flagfile.WithPollInterval(time.Hour))
	})
	t.Run("polled", func(t *testing.T) {
		t.Parallel()
		run(t, flagfile.WithoutNotify(), flagfile.WithPollInterval(5*time.Millisecond))
	})
}

func TestWatchSeesFilesReplacedAndFilesWrittenInPlace(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, opts ...flagfile.Option) {
		path := file(t, shop)
		ch := sourcetest.Watch(t, flagd.New("prod", path, opts...), "")
		until(t, ch, "25%")
		replace(t, path, at(`["on", 50], ["off", 50]`))
		until(t, ch, "50%")
		require.NoError(t, os.WriteFile(path, []byte(at(`["on", 9], ["off", 91]`)), 0o600))
		until(t, ch, "9%")
		replace(t, path, shop)
		until(t, ch, "25%")
	})
}

func TestWatchFollowsTheLinkSwapsOfAMountedConfigMap(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, opts ...flagfile.Option) {
		dir := t.TempDir()
		version := func(name, text string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name, "f.json"), []byte(text), 0o600))
			require.NoError(t, os.Symlink(name, filepath.Join(dir, "..data_tmp")))
			require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		}
		version("..1", shop)
		path := filepath.Join(dir, "f.json")
		require.NoError(t, os.Symlink("..data/f.json", path))
		ch := sourcetest.Watch(t, flagd.New("prod", path, opts...), "")
		until(t, ch, "25%")
		version("..2", at(`["on", 50], ["off", 50]`))
		until(t, ch, "50%")
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "..1")))
		version("..3", at(`["on", 75], ["off", 25]`))
		until(t, ch, "75%")
	})
}

func TestWatchFollowsTheFileBehindALinkToAnotherDirectory(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, opts ...flagfile.Option) {
		path := file(t, shop)
		link := filepath.Join(t.TempDir(), "link.json")
		require.NoError(t, os.Symlink(path, link))
		ch := sourcetest.Watch(t, flagd.New("prod", link, opts...), "")
		until(t, ch, "25%")
		replace(t, path, at(`["on", 50], ["off", 50]`))
		until(t, ch, "50%")
	})
}

func TestWatchReportsAFileThatIsMissingOrBrokenOnceAndHeals(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, opts ...flagfile.Option) {
		path := filepath.Join(t.TempDir(), "f.json")
		ch := sourcetest.Watch(t, flagd.New("prod", path, append(opts, flagfile.WithPatience(time.Millisecond))...), "")
		require.ErrorIs(t, event(t, ch).Err, sources.ErrNotFound)
		replace(t, path, shop)
		until(t, ch, "25%")
		replace(t, path, shop[:len(shop)/2])
		require.ErrorIs(t, event(t, ch).Err, sources.ErrInvalid)
		replace(t, path, shop)
		until(t, ch, "25%") // the same content again: being well is news
		require.NoError(t, os.Remove(path))
		require.ErrorIs(t, event(t, ch).Err, sources.ErrNotFound)
		replace(t, path, at(`["on", 50], ["off", 50]`))
		until(t, ch, "50%")
	})
}

func TestWatchDoesNotReportAFileCaughtHalfWritten(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, opts ...flagfile.Option) {
		path := file(t, shop)
		ch := sourcetest.Watch(t, flagd.New("prod", path, append(opts, flagfile.WithPatience(time.Hour))...), "")
		until(t, ch, "25%")
		text := at(`["on", 50], ["off", 50]`)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		require.NoError(t, err)
		_, err = f.WriteString(text[:100])
		require.NoError(t, err)
		select {
		case e := <-ch:
			require.Fail(t, "half a file is no news", "%+v", e)
		case <-time.After(100 * time.Millisecond):
		}
		_, err = f.WriteString(text[100:])
		require.NoError(t, err)
		require.NoError(t, f.Close())
		until(t, ch, "50%")
	})
}

func TestWatchFindsAChangeThatKeepsSizeAndTime(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	ch := sourcetest.Watch(t, flagd.New("prod", path, flagfile.WithoutNotify(), flagfile.WithPollInterval(time.Millisecond), flagfile.WithReread(20*time.Millisecond)), "")
	until(t, ch, "25%")
	info, err := os.Stat(path)
	require.NoError(t, err)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(at(`["on", 35], ["off", 65]`))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
	until(t, ch, "35%")
}

func TestWatchSaysThatAFileSystemHangsAndGoesOnWhenItAnswers(t *testing.T) {
	t.Parallel()
	path := file(t, shop)
	var hangs atomic.Bool
	inside, release := make(chan struct{}), make(chan struct{})
	stat := func(name string) (fs.FileInfo, error) {
		if hangs.Swap(false) {
			close(inside)
			<-release
		}
		return os.Stat(name)
	}
	ch := sourcetest.Watch(t, flagd.New("prod", path, flagfile.WithStat(stat, 2*time.Second), flagfile.WithoutNotify(), flagfile.WithPollInterval(5*time.Millisecond)), "")
	until(t, ch, "25%")
	hangs.Store(true)
	<-inside
	e := event(t, ch)
	require.ErrorIs(t, e.Err, sources.ErrUnavailable)
	require.ErrorContains(t, e.Err, "does not answer")
	close(release)
	until(t, ch, "25%") // though nothing has changed: it can be trusted again
}

func TestWatchEndsThoughItsFileSystemHangs(t *testing.T) {
	t.Parallel()
	inside, release := make(chan struct{}), make(chan struct{})
	stat := func(name string) (fs.FileInfo, error) {
		close(inside)
		<-release
		return os.Stat(name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := flagd.New("prod", file(t, shop), flagfile.WithStat(stat, time.Hour)).Watch(ctx, "")
	require.NoError(t, err)
	<-inside
	cancel()
	for range ch {
		t.Error("nothing was read")
	}
	close(release)
}

func TestWatchLeavesNoGoroutineBehindWhenNobodyListens(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for _, opts := range [][]flagfile.Option{nil, {flagfile.WithoutNotify()}} {
		ctx, cancel := context.WithCancel(context.Background())
		_, err := flagd.New("prod", file(t, shop), opts...).Watch(ctx, "")
		require.NoError(t, err)
		cancel()
	}
	require.Eventually(t, func() bool { return goleak.Find(before) == nil }, 20*time.Second, time.Millisecond)
}
