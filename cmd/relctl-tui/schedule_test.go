package main

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"relctl-tui/sources/sourcetest"
)

// schedulesDoc is what schedules -o json says.
type schedulesDoc struct {
	Schedules []scheduleJSON `json:"schedules"`
}

// runnerProcess is one runner as a process of its own, ready to run what is due.
func runnerProcess(t testing.TB, env []string, args ...string) (stop func() string) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "runner", "--every", "100ms"}, args...)...)
	cmd.Env = env
	sourcetest.DiesWithTest(cmd)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said, first := &strings.Builder{}, make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		once := sync.OnceFunc(func() { close(first) })
		defer once()
		for sc := bufio.NewScanner(out); sc.Scan(); once() {
			said.WriteString(sc.Text() + "\n")
		}
	}()
	<-first
	stop = sync.OnceValue(func() string {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		require.NoError(t, cmd.Wait(), stderr.String())
		return said.String()
	})
	t.Cleanup(func() { stop() })
	return stop
}

// twoRunners has one change scheduled and run by two processes on one store.
func twoRunners(t *testing.T, verb func(args ...string) result, env []string, dsn string) {
	t.Helper()
	r := verb("schedule", "checkout-v2", "50", "--at", time.Now().Add(10*time.Second).Format(time.RFC3339), "--zone", "Europe/Berlin", "--reason", "release", "-o", "json")
	require.Zero(t, r.code, r.stderr)
	first, second := runnerProcess(t, env, "--flags", dsn), runnerProcess(t, env, "--flags", dsn)
	var doc schedulesDoc
	require.Eventually(t, func() bool {
		got := verb("schedules", "--all", "-o", "json")
		doc = schedulesDoc{}
		return got.code == 0 && json.Unmarshal([]byte(got.stdout), &doc) == nil && len(doc.Schedules) == 1 && doc.Schedules[0].State == "done"
	}, time.Minute, 200*time.Millisecond)
	said := first() + second()
	require.Contains(t, said, "checkout-v2 50% at ")
	require.Contains(t, said, " done (schedule ")
	log := verb("log", "-o", "json")
	var changes struct {
		Changes []struct{ ID, Actor, Reason, New, Outcome string }
	}
	require.NoError(t, json.Unmarshal([]byte(log.stdout), &changes))
	require.Len(t, changes.Changes, 1, "exactly one of them made it")
	c := changes.Changes[0]
	require.Equal(t, doc.Schedules[0].Change, c.ID)
	require.Equal(t, []string{"ana", "50%", "confirmed"}, []string{c.Actor, c.New, c.Outcome})
	require.Contains(t, c.Reason, "schedule "+doc.Schedules[0].ID)
	require.Contains(t, c.Reason, ": release")
}

func TestOneOfTwoRunnersMakesAScheduledChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	twoRunners(t, b.run, b.env, "flagd:"+b.path)
}

func TestOneOfTwoRunnersMakesAScheduledChangeInARealEtcd(t *testing.T) {
	t.Parallel()
	b := newEtcdBench(t)
	r := b.run("flags", "import", b.path)
	require.Zero(t, r.code, r.stderr)
	_, err := b.cli.Delete(t.Context(), "team/prod/journal/", clientv3.WithPrefix()) // what the import left there
	require.NoError(t, err)
	twoRunners(t, b.run, b.env, b.dsn)
}

func TestSchedulesAreListedCancelledAndRefusedInASentence(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.run("schedules")
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, "nothing is scheduled\n", r.stdout)
	r = b.run("schedule", "checkout-v2", "50", "--at", "Fri 10:00", "--zone", "Europe/Berlin")
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `^checkout-v2 50% at Fri \d{4}-\d\d-\d\d 10:00 CES?T, in \S+ \(schedule \S+; cancel with: relctl-tui schedules cancel \S+ --flags flagd:`, r.stdout)
	id := strings.Fields(strings.Split(r.stdout, "(schedule ")[1])[0]
	id = strings.TrimSuffix(id, ";")
	r = b.run("schedules")
	require.Contains(t, r.stdout, "checkout-v2")
	require.Contains(t, r.stdout, "waiting")
	r = b.run("schedules", "cancel", id)
	require.Zero(t, r.code, r.stderr)
	r = b.run("schedules", "cancel", id)
	require.Equal(t, exitConflict, r.code)
	require.Contains(t, r.stderr, "is cancelled")
	require.Equal(t, "nothing is scheduled\n", b.run("schedules").stdout)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"schedule checkout-v2 50", exitUsage, `schedule needs --at`},
		{"schedule checkout-v2 50 --at 2020-01-01_10:00", exitUsage, `"2020-01-01_10:00" is no moment: write "10:00", "Fri 10:00", "2026-12-04 10:00"`},
		{"schedule checkout-v2 50 --at 2020-01-01T10:00 --zone UTC", exitUsage, `2020-01-01 10:00 UTC lies in the past`},
		{"schedule checkout-v2 50 --at 2027-03-28T02:30 --zone Europe/Berlin", exitUsage, `2027-03-28 02:30 does not exist in Europe/Berlin, the clocks are set forward over it: write 01:30 or 03:30`},
		{"schedule checkout-v2 50 --at 10:00 --zone Mars", exitUsage, `--zone: unknown time zone "Mars"`},
		{"schedule checkout-v2 500 --at 10:00", exitUsage, `500`},
		{"schedule checkout-v2 50 --at 10:00 --expires 48h", exitUsage, `from a minute to a day late`},
		{"schedule pricing 50 --at 10:00", exitRefused, `custom`},
		{"schedule no-such 50 --at 10:00", exitFailed, `no flag "no-such"`},
		{"schedules cancel 123", exitFailed, `there is no schedule 123`},
	} {
		r := b.run(strings.Fields(c.args)...)
		require.Equal(t, c.code, r.code, "%s: %s", c.args, r.stderr)
		require.Contains(t, r.stderr, c.want, c.args)
		require.Len(t, lines(r.stderr), 1, c.args)
	}
	r = runIn(t, b.env, "--flags", "haproxy:/nonexistent", "schedules")
	require.Equal(t, exitRefused, r.code)
	require.Contains(t, r.stderr, "no store of this context has a place for schedules (flag files and etcd have)")
}
