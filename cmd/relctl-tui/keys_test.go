package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
	"relctl-tui/views"
)

func TestKeysListsEveryActionWithTheKeysOfTheConfig(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte("keys: {kill: [K, f9], report: []}\ncontexts: {a: {keys: {sort: f5}}}\n"), 0o600))
	r := runIn(t, cleanEnv(t), "--config", config, "keys")
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?m)^kill +K f9 +kill the flag$`, r.stdout)
	require.Regexp(t, `(?m)^report +none +write a report$`, r.stdout)
	require.Regexp(t, `(?m)^sort +f5 +sort$`, r.stdout)
	r = runIn(t, cleanEnv(t), "--config", config, "keys", "-o", "json")
	var answer keysAnswer
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &answer))
	require.Len(t, answer.Keys, len(views.ActionNames()))
}

func TestTheDefaultKeysClashWithNothing(t *testing.T) {
	t.Parallel()
	r := runIn(t, cleanEnv(t), "keys", "--check")
	require.Zero(t, r.code, r.stdout+r.stderr)
	require.Contains(t, r.stdout, "no key clashes; checked against the prefixes of tmux and screen")
}

func TestEachKindOfClashIsNamed(t *testing.T) {
	t.Parallel()
	for key, c := range map[string]struct{ kind, says string }{
		"ctrl+b":       {kindClash, "it is tmux's prefix by default and does not get here"},
		"ctrl+i":       {kindClash, "a plain terminal sends tab for it"},
		"ctrl+shift+x": {kindClash, "a plain terminal cannot send it"},
		"alt+u":        {kindClash, "over a slow link it can arrive as esc and u, which is undo"},
		"alt+d":        {kindNote, "over a slow link it can arrive as esc and d"},
		"ctrl+q":       {kindNote, "flow control"},
		"ctrl+\\":      {kindNote, "signal"},
	} {
		keys, err := views.DefaultKeyMap().Bind(views.Bindings{"sort": {key}})
		require.NoError(t, err, key)
		found := clashesOf(&keys, surroundings{taken: map[string]string{"ctrl+b": "tmux's prefix by default"}, flow: true})
		var of []clash
		for _, one := range found {
			if one.Key == key {
				of = append(of, one)
			}
		}
		require.Len(t, of, 1, key)
		require.Equal(t, "sort", of[0].Action)
		require.Equal(t, c.kind, of[0].Kind, key)
		require.Contains(t, of[0].Says, c.says, key)
	}
	keys, err := views.DefaultKeyMap().Bind(views.Bindings{"down": {"down"}, "copy": {"j"}})
	require.NoError(t, err)
	require.Contains(t, clashesOf(&keys, surroundings{}), clash{kindNote, "j", "copy", "by default it is down, and a hand may expect that"})
}

func TestAScreensOwnEscapeIsRead(t *testing.T) {
	t.Parallel()
	rc := filepath.Join(t.TempDir(), "screenrc")
	for text, want := range map[string]string{"": "ctrl+a", "escape ^Bb": "ctrl+b", `escape "\005e"`: "ctrl+e", "escape ``": "`", "# escape ^Bb": "ctrl+a"} {
		require.NoError(t, os.WriteFile(rc, []byte("startup_message off\n"+text+"\n"), 0o600))
		require.Equal(t, want, screenEscape(func(name string) string { return map[string]string{"SCREENRC": rc}[name] }), text)
	}
}

func TestKeysThatThisTmuxKeepsAreFoundByAskingIt(t *testing.T) {
	t.Parallel()
	program := sourcetest.RealTool(t, "tmux", "apt-get install tmux")
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	tmux := func(args ...string) string {
		cmd := exec.Command(program, append([]string{"-f", "/dev/null", "-S", socket}, args...)...)
		cmd.Env = terminalEnv(t)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	tmux("new-session", "-d", "-x", "80", "-y", "24", "sleep 600")
	t.Cleanup(func() { _ = exec.Command(program, "-S", socket, "kill-server").Run() })
	tmux("set-option", "-g", "prefix", "C-d")
	tmux("bind-key", "-n", "M-Left", "previous-window")
	tmux("bind-key", "-n", `\;`, "next-window")
	config := filepath.Join(dir, "c.yaml")
	require.NoError(t, os.WriteFile(config, []byte("keys: {copy: alt+left, sort: ';', zoom: ctrl+b}\ncontexts: {a: {}}\n"), 0o600))
	r := runIn(t, append(cleanEnv(t), "TMUX="+socket+",1,0"), "--config", config, "keys", "--check")
	require.Equal(t, exitRefused, r.code, r.stdout+r.stderr)
	require.Contains(t, r.stdout, "clash  ctrl+d (page_down): it is tmux's prefix and does not get here")
	require.Contains(t, r.stdout, "clash  alt+left (copy): it is bound in tmux and does not get here")
	require.Contains(t, r.stdout, "clash  ; (sort): it is bound in tmux")
	require.NotContains(t, r.stdout, "ctrl+b", "this tmux has another prefix")
	require.Contains(t, r.stdout, "checked against this tmux")
}
