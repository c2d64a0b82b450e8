package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAFlagIsKilledByItsNameAndAPasteOfTheSameWordsDoesNothing(t *testing.T) {
	t.Parallel()
	path := flagFile(t, fleetFile)
	s := open(t, 80, 24, nil, "--flags", "flagd:"+path)
	s.awaitLine("checkout-v2", "25")

	s.send(":kill checkout-v2\r")
	s.await("the paste in the palette", func(text string) bool { return strings.Contains(text, ":kill checkout-v2") })
	s.press("\x1b")
	s.await("the board", func(text string) bool { return !strings.Contains(text, "Commands") })
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, fleetFile, string(got))

	s.press(":")
	s.awaitText("Commands", "tab completes")
	s.press("k", "i", "l")
	s.awaitLine("▸ kill", "action")
	s.press("\t")
	s.awaitLine("▸ kill", "K")
	s.press("c", "h", "e", "c", "k", "\t")
	s.awaitText("enter: kill checkout-v2, 25%")
	pause(pressed)
	s.press("\r")
	s.awaitFile(path, has(`"state": "DISABLED"`))
	s.awaitText("killed confirmed in")

	s.press(":")
	s.awaitLine("▸ kill checkout-v2") // what was said of late comes first
	s.press("q", "u", "i", "t")
	s.awaitText("enter: quit")
	pause(pressed)
	s.press("\r")
	require.Zero(t, s.awaitExit())
}

// pressed is a person's pause before enter: two keys closer than this are a paste.
const pressed = 60 * time.Millisecond
