package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// memory is what the system says of the program's memory under a name, in MB.
func (s *screen) memory(name string) float64 {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	require.NoError(s.t, err)
	for line := range strings.Lines(string(status)) {
		var kb float64
		if _, err := fmt.Sscanf(line, name+": %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	s.t.Fatalf("the system does not say %s", name)
	return 0
}

// TestABoardGivesBackWhatItsFirstTableTook measures only what is the process's own: how
// much of its file a system maps at once differs between them.
func TestABoardGivesBackWhatItsFirstTableTook(t *testing.T) {
	s := open(t, 120, 40, nil, "--flags", "flagd:"+flagFile(t, manyFlags(10_000)))
	s.awaitText("flag-0")
	s.press("j", "j")
	s.await("10,000 flags in 18 MB, after there were more", func(string) bool {
		return s.memory("RssAnon") < 18 && s.memory("VmHWM")-s.memory("VmRSS") > 3
	})
}

// BenchmarkResidentMemory is the resident set with 10,000 flags: at most, once the board
// has settled, and after keys, of the program as it is released.
func BenchmarkResidentMemory(b *testing.B) {
	was := binary
	defer func() { binary = was }()
	binary = filepath.Join(b.TempDir(), "relctl-tui")
	build := exec.Command("go", "build", "-trimpath", "-tags", "grpcnotrace", "-ldflags", "-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(b, err, string(out))

	s := open(b, 120, 40, nil, "--flags", "flagd:"+flagFile(b, manyFlags(10_000)))
	s.awaitText("flag-0")
	pause(3 * time.Second)
	settled := s.memory("VmRSS")
	for b.Loop() {
		s.press("j")
		pause(100 * time.Millisecond)
	}
	b.ReportMetric(settled, "MB-settled")
	b.ReportMetric(s.memory("VmRSS"), "MB-rss")
	b.ReportMetric(s.memory("VmHWM"), "MB-peak")
}
