package views_test

import (
	"slices"
	"testing"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/stretchr/testify/require"

	"relctl-tui/views"
)

func actionOf(t *testing.T, k views.KeyMap, name string) views.Action {
	t.Helper()
	all := k.Actions()
	i := slices.IndexFunc(all, func(a views.Action) bool { return a.Name == name })
	require.GreaterOrEqual(t, i, 0, "no action %s", name)
	return all[i]
}

func TestTheDefaultKeysPassTheRulesThatAUsersKeysPass(t *testing.T) {
	t.Parallel()
	k := views.DefaultKeyMap()
	asked := views.Bindings{}
	for _, a := range k.Actions() {
		asked[a.Name] = a.Keys
		require.NotEmpty(t, a.Does, a.Name)
		require.NotEmpty(t, a.Keys, a.Name)
	}
	again, err := views.DefaultKeyMap().Bind(asked)
	require.NoError(t, err)
	for _, a := range again.Actions() {
		require.ElementsMatch(t, actionOf(t, k, a.Name).Keys, a.Keys, a.Name)
	}
}

func TestEveryBindingOfTheMapIsAnActionWithAName(t *testing.T) {
	t.Parallel()
	k := views.DefaultKeyMap()
	named := map[string]bool{}
	for _, a := range k.Actions() {
		for _, key := range a.Keys {
			named[key] = true
		}
	}
	for _, column := range append(k.FullHelp(), k.Replaying.All()) {
		for _, b := range column {
			for _, key := range b.Keys() {
				require.True(t, named[key], "%s (%s) has no name in the config", key, b.Help().Desc)
			}
		}
	}
}

func TestAReboundActionIsShownWithItsNewKeys(t *testing.T) {
	t.Parallel()
	k, err := views.DefaultKeyMap().Bind(views.Bindings{"kill": {"K", "F9"}, "undo": {"ctrl+Z"}, "suspend": {}, "down": {","}, "next_event": {"j"}, "quit": {"Q"}, "report": nil})
	require.NoError(t, err)
	require.Equal(t, "K/f9", k.Kill.Help().Key)
	require.Equal(t, "ctrl+z", k.Undo.Help().Key)
	require.Equal(t, "k/,", k.Up.Help().Key, "the pair is told together")
	require.Equal(t, "j/N", k.NextEvent.Help().Key)
	require.Equal(t, []string{"Q", "ctrl+c"}, k.Quit.Keys(), "the way out stays")
	require.Equal(t, "Q", k.Quit.Help().Key)
	for _, b := range []key.Binding{k.Report, k.Suspend} {
		require.Empty(t, views.KeysOf(b), "no key is no key")
		require.Empty(t, b.Help().Key, "nor is it shown")
	}
	require.Equal(t, []string{"x"}, views.KeysOf(views.DefaultKeyMap().Report), "the default map is as it was")
}

func TestKeysThatWouldDoHarmAreRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		keys views.Bindings
		at   string
		says string
	}{
		"the same key twice":         {views.Bindings{"kill": {"x"}}, "kill", "x is bound to kill and to report"},
		"two of the user's":          {views.Bindings{"sort": {"f5"}, "copy": {"f5"}}, "copy", "f5 is bound to copy and to sort"},
		"kill on enter":              {views.Bindings{"kill": {"return"}, "detail": {"f2"}}, "kill", "kill may not be on enter"},
		"ramp on an arrow":           {views.Bindings{"ramp": {"up"}}, "ramp", "ramp may not be on up"},
		"ramp on j, which is free":   {views.Bindings{"ramp": {"j"}, "down": {"down"}}, "ramp", "ramp may not be on j"},
		"undo on space":              {views.Bindings{"undo": {" "}, "mark": {}}, "undo", "undo may not be on space"},
		"no way to help":             {views.Bindings{"help": {}}, "help", "help needs a key"},
		"no way out":                 {views.Bindings{"quit": {}}, "quit", "quit needs a key"},
		"ctrl+c for anything else":   {views.Bindings{"copy": {"ctrl+c"}}, "copy", "ctrl+c is the way out and stays with quit"},
		"esc for anything else":      {views.Bindings{"undo": {"escape"}}, "undo", "esc is the way out"},
		"no such action":             {views.Bindings{"kil": {"K"}}, "kil", `no action "kil"`},
		"no such key":                {views.Bindings{"kill": {"f99"}}, "kill", `"f99" is no key`},
		"shift and a sign":           {views.Bindings{"kill": {"shift+1"}}, "kill", "write the character"},
		"a control character":        {views.Bindings{"kill": {"\x1b"}}, "kill", "is no key"},
		"one action, one key, twice": {views.Bindings{"kill": {"K", "shift+k"}}, "kill", "K is written twice for kill"},
	} {
		_, err := views.DefaultKeyMap().Bind(c.keys)
		var bad *views.BindError
		require.ErrorAs(t, err, &bad, name)
		require.Equal(t, c.at, bad.Action, name)
		require.Contains(t, err.Error(), c.says, name)
	}
}

func TestAKeyOfTheReplayMayHaveAnotherMeaningOnALiveBoard(t *testing.T) {
	t.Parallel()
	_, err := views.DefaultKeyMap().Bind(views.Bindings{"span": {"f2", "shift+left"}})
	require.NoError(t, err)
	_, err = views.DefaultKeyMap().Bind(views.Bindings{"zoom": {"shift+left"}})
	require.ErrorContains(t, err, "shift+left is bound to zoom and to minute_back")
}

// The names are those under which keys arrive, so what is bound is what is pressed.
func TestAKeysNameIsTheOneUnderWhichATerminalSendsIt(t *testing.T) {
	t.Parallel()
	for typed, sent := range map[string]string{
		"K": "K", "shift+k": "K", "+": "+", "plus": "+", "space": " ", "Enter": "\r", "tab": "\t", "shift+tab": "\x1b[Z", "ctrl+x": "\x18", "Ctrl+X": "\x18",
		"pgdn": "\x1b[6~", "PageUp": "\x1b[5~", "del": "\x1b[3~", "f9": "\x1b[20~", "alt+k": "\x1bk", "alt+K": "\x1bK", "shift+left": "\x1b[1;2D", "ctrl+\\": "\x1c", "ä": "ä",
		"backspace": "\x7f", "home": "\x1b[H", "alt+ctrl+up": "\x1b[1;7A",
	} {
		name, err := views.KeyName(typed)
		require.NoError(t, err, typed)
		var d uv.EventDecoder
		_, event := d.Decode([]byte(sent))
		press, ok := event.(uv.KeyPressEvent)
		require.True(t, ok, "%q is %T", sent, event)
		require.Equal(t, name, tea.KeyPressMsg(press).String(), typed)
	}
}
