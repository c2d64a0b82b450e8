package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// soakTime is how long the board is left out in bad weather: RELCTL_SOAK says, such
// as 10m, else it is only long enough to show that the test works.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("RELCTL_SOAK")
	if text == "" {
		return 20 * time.Second
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "RELCTL_SOAK wants a duration")
	return d
}

// storm puts another fault on a wire, or none.
func storm(w *wire, n int) {
	w.answer(nil)
	switch n {
	case 0:
		w.refuse()
	case 1:
		w.answer(hang)
		w.relay()
	case 2:
		w.answer(answers(200, "text/html", "<h1>hello</h1>\x1b[2J"))
		w.relay()
	case 3:
		w.answer(answers(503, "text/plain", "try later"))
		w.relay()
	case 4:
		w.relay(`{"name":"slow","type":"latency","attributes":{"latency":1500}}`)
	case 5:
		w.relay(`{"name":"cut","type":"limit_data","attributes":{"bytes":700}}`)
	default:
		w.relay()
	}
}

// usage is what two boards hold at a moment: the goroutines of the one in this
// process, and the MB that the other, a process of its own, has in memory. What this
// test and the race detector keep would count as the board's otherwise.
type usage struct{ goroutines, resident float64 }

func used(t *testing.T, board *screen) usage {
	t.Helper()
	u := usage{goroutines: float64(runtime.NumGoroutine())}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", board.cmd.Process.Pid))
	if err != nil {
		return u // not on this system
	}
	var size, pages float64
	_, err = fmt.Sscan(string(text), &size, &pages)
	require.NoError(t, err)
	u.resident = pages * float64(os.Getpagesize()) / (1 << 20)
	return u
}

// mean is the average of some moments.
func mean(list []usage) (m usage) {
	for _, u := range list {
		m.goroutines += u.goroutines / float64(len(list))
		m.resident += u.resident / float64(len(list))
	}
	return m
}

// meddle edits the flag file as other people do, and breaks it now and then.
func meddle(t *testing.T, path string, stop <-chan struct{}) {
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := 0; ; n++ {
		text := string(good)
		switch n % 7 {
		case 2:
			text = text[:len(text)/2]
		case 4:
			text = "\x00\xff not a flag file"
		case 5:
			text = strings.Repeat(" ", 1<<20) + text
		}
		_ = os.WriteFile(path, []byte(text), 0o600)
		select {
		case <-stop:
			_ = os.WriteFile(path, good, 0o600)
			return
		case <-time.After(900 * time.Millisecond):
		}
	}
}

func TestFaultsThatComeAndGoLeaveNothingBehind(t *testing.T) {
	// Not parallel: it counts what belongs to the whole process.
	length := soakTime(t)
	f := startFleet(t)
	prom, page := lay(t, startPrometheus(t, f.metrics), nil), lay(t, f.metrics, nil)
	config := faultConfig(t, f.flags,
		fmt.Sprintf("{dsn: %q, name: prom, every: 1s, timeout: 1s}", prom.url()),
		fmt.Sprintf("{dsn: %q, name: page, every: 1s, timeout: 1s}", "scrape+"+page.url()))
	s, other := boardOn(t, config), open(t, faultWidth, faultHeight, nil, "--config", config)
	s.awaitText("checkout-v2")
	other.awaitText("checkout-v2")

	stop := make(chan struct{})
	var weather sync.WaitGroup
	weather.Go(func() { meddle(t, f.flags, stop) })
	for i, w := range []*wire{prom, page} {
		weather.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(i)))
			for {
				storm(w, rng.IntN(9))
				select {
				case <-stop:
					storm(w, -1)
					return
				case <-time.After(time.Duration(500+rng.IntN(4000)) * time.Millisecond):
				}
			}
		})
	}
	keys := strings.Split("j k G g + y - n K u z z \t ? ?", " ")
	began, step := time.Now(), 0
	var samples []usage
	next := length / 20
	for time.Since(began) < length {
		s.press(keys[step%len(keys)])
		other.press(keys[step%len(keys)])
		step++
		pause(300 * time.Millisecond)
		if time.Since(began) >= next {
			samples = append(samples, used(t, other))
			next += length / 20
		}
	}
	close(stop)
	weather.Wait()
	s.await("every source fresh again", func(text string) bool {
		return strings.Contains(head(text), "prom speaks") && !strings.Contains(head(text), "stale") &&
			!strings.Contains(head(text), "failing") && strings.Contains(text, "checkout-v2")
	})
	// The first quarter is for caches and pools to fill.
	warm, end := mean(samples[len(samples)/4:len(samples)/2]), mean(samples[len(samples)*3/4:])
	t.Logf("%s of faults, warm and at the end: %.1f, %.1f; each twentieth of the time: %.0f", length, warm, end, samples)
	require.Less(t, end.goroutines, warm.goroutines*1.25+20)
	if length >= 5*time.Minute {
		require.Less(t, end.resident, warm.resident*1.05)
	}
}
