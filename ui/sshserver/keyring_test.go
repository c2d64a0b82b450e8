package sshserver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
)

const someKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHq9jW4hJ2VmKc8PzrYNkDZrVgVqzTjWxj5m2gMZ6XQk"

func FuzzNoLineOfAKeyFileLetsInMoreThanItSays(f *testing.F) {
	for _, s := range []string{
		someKey, `role="operator" ` + someKey + " ana", `role="operator",from="10.0.0.0/8",expiry-time="20300101" ` + someKey,
		`cert-authority,principals="a,b" ` + someKey, `command="x" ` + someKey, "# " + someKey, "role=\"oper\x00ator\" " + someKey, `role="` + someKey,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		warned := 0
		lines := parseKeys([]byte(text), func(string) { warned++ })
		require.LessOrEqual(t, len(lines)+warned, strings.Count(text, "\n")+1)
		for _, a := range lines {
			require.Contains(t, []Role{Viewer, Operator}, a.role)
			require.NotEmpty(t, a.name)
			require.Equal(t, sources.Clean(a.name, maxName), a.name)
			require.NotNil(t, a.key)
			if a.role == Operator {
				require.Contains(t, strings.ToLower(text), "role=")
			}
		}
	})
}
