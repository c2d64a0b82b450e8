package ui

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/live"
)

// slowTerminal takes a second for each question that it is shown.
type slowTerminal struct {
	mu   sync.Mutex
	text string
}

func (s *slowTerminal) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "(yes or no)") {
		<-time.After(time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text += string(b)
	return len(b), nil
}

func TestLinesOfAPasteDoNothingAlsoWhereTheTerminalTakesNothingBetweenThem(t *testing.T) {
	t.Parallel()
	for range 40 { // whatever the loop looks at first
		synctest.Test(t, func(t *testing.T) {
			engine := live.New(live.Options{Context: "test", Now: time.Now})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- engine.Run(ctx) }()
			defer func() { cancel(); require.NoError(t, <-ended) }()
			typed, keyboard := io.Pipe()
			out := &slowTerminal{}
			var mu sync.Mutex
			var done []string
			left := make(chan error, 1)
			go func() {
				left <- Plain(ctx, PlainOptions{
					Engine: engine, Now: time.Now, Stamp: func(time.Time) string { return "" }, Out: out, Typed: typed,
					Verb: func(_ context.Context, line string, _ io.Writer, ask func(string) bool) {
						mu.Lock()
						done = append(done, line)
						mu.Unlock()
						<-time.After(100 * time.Millisecond)
						ask("sure?")
					},
				})
			}()
			say := func(line string) {
				_, err := io.WriteString(keyboard, line+"\n")
				require.NoError(t, err)
				synctest.Wait()
			}
			say("ramp a 50")
			<-time.After(hold + 90*time.Millisecond) // ten before it is asked
			say("kill a")
			<-time.After(20 * time.Millisecond) // ten after, when the terminal takes nothing
			say("kill b")
			<-time.After(5 * time.Second)
			require.NoError(t, keyboard.Close())
			require.NoError(t, <-left)
			require.Contains(t, out.text, "2 lines within 30 ms look like a paste: nothing was done")
			require.Equal(t, []string{"ramp a 50"}, done)
		})
	}
}
