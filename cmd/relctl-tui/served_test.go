package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// without a screen lists the verbs for which README says that they are served over SSH.
var readmeVerb = regexp.MustCompile(`(?m)^relctl-tui ([a-z|]+)`)

func TestEveryVerbIsServedOverSSHOrAWrittenListSaysWhyNot(t *testing.T) {
	t.Parallel()
	for _, cmd := range rootOf(&options{now: time.Now}).Commands() {
		name := cmd.Name()
		require.NotEqual(t, servedVerbs[name] != "", unservedVerbs[name] != "", "%s is either served or has a reason why it is not", name)
	}
	var served []string
	for _, cmd := range servedCommands(&options{now: time.Now}) {
		served = append(served, cmd.Name())
	}
	slices.Sort(served)
	require.Equal(t, keysOf(servedVerbs), served, "what is allowed is what can be typed")
}

func TestOverSSHThereAreTheVerbsThatREADMEPromises(t *testing.T) {
	t.Parallel()
	readme := read(t, "../../README.md")
	_, above, ok := strings.Cut(readme, "### The same without a screen")
	require.True(t, ok)
	_, above, _ = strings.Cut(above, "```sh\n")
	above, _, _ = strings.Cut(above, "```")
	_, promise, ok := strings.Cut(readme, "The verbs are [those above](#the-same-without-a-screen) but for")
	require.True(t, ok)
	promise, _, _ = strings.Cut(promise, ". ")
	verbs := readmeVerb.FindAllStringSubmatch(above, -1)
	require.NotEmpty(t, verbs)
	for _, line := range verbs {
		for verb := range strings.SplitSeq(line[1], "|") {
			but := strings.Contains(promise, "`"+verb+"`")
			require.NotEqual(t, servedVerbs[verb] != "", but, "%s is served, or among those that are not", verb)
		}
	}
}

func TestAViewerSeesTheDeploysOverSSHAndIsToldWhyAVerbIsNotServed(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte("# TYPE app_build_info gauge\napp_build_info{service=\"web\",version=\"2.14.1\",pod=\"a\"} 1\n"))
	}))
	t.Cleanup(page.Close)
	b := serveSSHTo(t, "--flags", "flagd:"+flagFile(t, fleetFile), "--metrics", "scrape+"+page.URL+"/metrics")
	got := b.ssh("bo", "deploys")
	require.Zero(t, got.code, got.stderr)
	require.Regexp(t, `(?m)^web +2\.14\.1 +1/1`, got.stdout)
	got = b.ssh("bo", "doctor")
	require.Equal(t, exitRefused, got.code)
	require.Contains(t, got.stderr, "doctor is not served over SSH, for it tells of this server's files and addresses")
	require.Contains(t, got.stderr, "deploys", "it lists what is")
}
