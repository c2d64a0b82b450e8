package views_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/views"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func flagsToFilter() []sources.Flag {
	flag := func(name, store, by string, at sources.Percent, ago time.Duration, tags ...string) sources.Flag {
		f := sources.Flag{
			ID: sources.FlagID{Source: store, Key: name}, Name: name, ChangedBy: by, ChangedAt: noon.Add(-ago), Tags: tags,
			State: sources.FlagOn, Rollout: sources.Some(at), Ladder: sources.DefaultLadder(),
		}
		if at == 0 {
			f.State = sources.FlagOff
		}
		return f
	}
	killed := flag("checkout-old", "file", "bo", 0, 48*time.Hour)
	killed.Killed = true
	return []sources.Flag{
		flag("checkout-v2", "etcd", "ana", sources.Pct(25), 10*time.Minute, "shop", "ui"),
		killed,
		flag("pay-later", "file", "ana", sources.Full, 3*time.Hour, "shop"),
		flag("#odd:name", "etcd", "", sources.Pct(5), time.Minute),
	}
}

func TestAllWordsOfAFilterHaveToHold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "checkout-v2 checkout-old pay-later #odd:name",
		"check":                  "checkout-v2 checkout-old",
		"chk v2":                 "checkout-v2",
		"check !old":             "checkout-v2",
		"!check !pay":            "#odd:name",
		"#shop":                  "checkout-v2 pay-later",
		"!#shop":                 "checkout-old #odd:name",
		"state:killed":           "checkout-old",
		"state:on rollout>10":    "checkout-v2 pay-later",
		"rollout<50%":            "checkout-v2 checkout-old #odd:name",
		"changed<1h":             "checkout-v2 #odd:name",
		"changed>1h by:an":       "pay-later",
		"store:etcd tag:ui":      "checkout-v2",
		"odd:n":                  "#odd:name",
		"rollout>":               "checkout-v2 checkout-old pay-later #odd:name",
		"state: check":           "checkout-v2 checkout-old",
		"#odd":                   "#odd:name",
		"STATE:ON Pay":           "pay-later",
		"nothing has this name!": "",
	} {
		f, err := views.ParseFilter(text)
		require.NoError(t, err, text)
		var got []string
		for _, fl := range flagsToFilter() {
			if _, ok := f.Flag(&fl, noon); ok {
				got = append(got, fl.Name)
			}
		}
		require.Equal(t, want, strings.Join(got, " "), text)
	}
	_, err := views.ParseFilter("check rollout>x")
	require.EqualError(t, err, "rollout>: write a number from 0 to 100")
	_, err = views.ParseFilter("changed<2")
	require.EqualError(t, err, "changed<: write a span, such as 30m or 2h")
}

// Whatever is typed: a further word never lets more through, and what is looked for among
// the previous hits alone is found as among all.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"check", "!old", "rollout>1", "state:on changed<1h", "#sh", "a b c", "rollout>nan", "changed<-1h", "!", ":", "\xff<"} {
		f.Add(s, "v2")
		f.Add(s, "0")
	}
	f.Fuzz(func(t *testing.T, text, more string) {
		before, _ := views.ParseFilter(text)
		further, _ := views.ParseFilter(text + " " + more)
		longer, _ := views.ParseFilter(text + more)
		narrows := longer.Narrows(&before)
		for _, fl := range flagsToFilter() {
			_, held := before.Flag(&fl, noon)
			if _, still := further.Flag(&fl, noon); still && !held {
				t.Fatalf("%q lets %q through, and %q does not", text+" "+more, fl.Name, text)
			}
			if _, still := longer.Flag(&fl, noon); still && !held && narrows {
				t.Fatalf("%q is to narrow %q, and lets %q through", text+more, text, fl.Name)
			}
		}
	})
}
