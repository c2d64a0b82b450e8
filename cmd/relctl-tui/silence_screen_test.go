package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// watched is a config with that Alertmanager, and what more there is to say of it.
func watched(t *testing.T, addr, more string) string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte("contexts:\n  prod:\n    metrics: [{dsn: \"alertmanager+http://"+addr+"\", name: am"+more+"}]\n"), 0o600))
	return config
}

func TestOneOfManyAlertsOfARealAlertmanagerIsUnfoldedSilencedWithAReasonAndFiresAgainAfterUndo(t *testing.T) {
	t.Parallel()
	var list []fired
	for _, pod := range []string{"p1", "p2", "p3", "p4"} {
		service := map[string]string{"p4": "ledger"}[pod]
		if service == "" {
			service = "checkout"
		}
		list = append(list, fired{Labels: map[string]string{"alertname": "HighErrorRate", "service": service, "pod": pod}})
	}
	addr := manages(t, list...)
	all := map[string]string{"p1": "active", "p2": "active", "p3": "active", "p4": "active"}
	s := open(t, 120, 34, []string{"RELCTL_ACTOR=ana"}, "--flags", "flagd:"+flagFile(t, fleetFile), "--config", watched(t, addr, ", silences: true"))
	s.awaitLine("firing", "HighErrorRate x4", "2 services")
	s.press("\t")
	s.awaitLine("▸", "HighErrorRate x4")
	s.awaitText("a silence") // the keys of this pane, in the footer
	s.press("a")
	s.awaitText("several alerts stand in that row: enter unfolds it")
	pause(time.Second)
	s.press("\r", "j")
	line := s.awaitLine("▸", "pod=")
	pod := regexp.MustCompile(`pod=(p\d)`).FindStringSubmatch(line)[1]
	s.press("a")
	s.awaitText("quiet:", "now why, for the record")
	s.press("\r") // nothing yet: it has no reason
	for _, c := range "known, fix is out" {
		s.press(string(c))
		pause(15 * time.Millisecond)
	}
	s.awaitText("known, fix is out", "enter silences it for 1h")
	require.Equal(t, all, held(t, addr))
	pause(300 * time.Millisecond) // what is typed faster than a person types is no answer
	s.press("\r")
	s.awaitText("firing ➔ silenced until", "confirmed in")
	s.awaitLine("silenced", "HighErrorRate", "silenced by ana")
	s.press("g")
	s.awaitLine("HighErrorRate x3") // which still fire
	states := held(t, addr)
	require.Equal(t, "suppressed", states[pod])
	delete(states, pod)
	require.Len(t, states, 3)
	for _, state := range states {
		require.Equal(t, "active", state, "the others of that rule are as they were")
	}
	s.awaitLine("ana", "HighErrorRate#", "confirmed")
	s.press("u")
	s.awaitText("undone: HighErrorRate#", "➔ firing confirmed")
	require.Equal(t, all, held(t, addr))
	s.awaitLine("HighErrorRate x4")
	require.Zero(t, s.quit())
}

func TestTheKeyThatSilencesIsNotThereAndSaysWhyWithoutItsConfigurationAndWithoutTheRight(t *testing.T) {
	t.Parallel()
	addr := manages(t, fired{Labels: map[string]string{"alertname": "DiskFull", "service": "db"}})
	flags := "flagd:" + flagFile(t, fleetFile)
	for _, c := range []struct {
		more, why string
		args      []string
	}{
		{"", "silences: true", nil},
		{", silences: true", "read-only: this board was started without the right to change anything", []string{"--read-only"}},
	} {
		s := open(t, 120, 30, nil, append(c.args, "--flags", flags, "--config", watched(t, addr, c.more))...)
		s.awaitLine("firing", "DiskFull")
		s.press("\t")
		s.awaitLine("▸", "DiskFull")
		require.NotContains(t, s.text(), "a silence", "what cannot be done is not offered")
		s.press("a")
		s.awaitText(c.why)
		require.NotContains(t, s.text(), "quiet:")
		s.press("?")
		s.awaitText("Keys")
		require.NotContains(t, s.text(), "silence the alert")
		require.Equal(t, map[string]string{"": "active"}, held(t, addr))
		s.press("q")
		require.Zero(t, s.quit())
	}
}
