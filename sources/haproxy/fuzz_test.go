package haproxy_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources"
	"relctl-tui/sources/haproxy"
)

// sampleAnswer is what HAProxy 2.6 said, shortened to the columns that are read.
const sampleAnswer = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_agent_state
3 api 1 stable 127.0.0.1 2 0 75 75 0
3 api 2 canary 127.0.0.1 2 0 25 25 0
4 web 1 old 127.0.0.1 2 1 50 50 6
4 web 2 canary - 0 32 50 50 0

# pxname,svname,scur,status,act,bck,type,algo,
api,stable,0,no check,1,0,2,,
api,canary,7,"UP, but",0,1,2,,
api,BACKEND,0,UP,2,0,1,roundrobin,

admin
`

func FuzzAnswers(f *testing.F) {
	f.Add(sampleAnswer)
	f.Add("1\n# srv_iweight srv_uweight srv_admin_state srv_op_state srv_name be_name\n1 1 0 2 canary api\n1 1 0 2 stable api\n\n\n\nuser\n")
	f.Add("Can't find backend.\n\nNo such proxy.\n\nadmin\n\n")
	f.Add("1\n#\n\n\"\n\nUnknown command\n\nhelp\n")
	f.Add("1\n# be_name srv_name srv_op_state srv_admin_state srv_uweight srv_iweight\nb canary 2 0 99999999999999999999 -1\n\n\n\n")
	f.Fuzz(func(t *testing.T, raw string) {
		flags, err := haproxy.Read(raw)
		if err != nil {
			require.NotNil(t, sources.Sentence(err))
			return
		}
		for i := range flags {
			x := &flags[i]
			require.NotEmpty(t, x.Revision)
			for _, text := range []string{x.Name, x.Description, x.Note, x.Variant} {
				require.Negative(t, strings.IndexFunc(text, unicode.IsControl), "%q", text)
			}
			require.Equal(t, x.Rollout.V.Clamp(), x.Rollout.V)
			if x.Killed {
				require.Zero(t, x.Rollout.V)
			}
			backend, canary, ok := strings.Cut(x.ID.Key, "/")
			require.True(t, ok)
			require.Negative(t, strings.IndexFunc(backend+canary, func(r rune) bool { return r == ';' || unicode.IsSpace(r) }), "a name is never a second command")
		}
	})
}

func TestColumnsAreFoundByNameWhereverTheyStand(t *testing.T) {
	flags, err := haproxy.Read(sampleAnswer)
	require.NoError(t, err)
	require.Len(t, flags, 2)
	require.Equal(t, sources.FlagCustom, flags[0].State)
	require.Contains(t, flags[0].Note, "backup server")
	require.Contains(t, flags[1].Note, "old is taken out")
	require.Contains(t, flags[1].Note, "canary has no address")
	require.Contains(t, flags[1].Note, "an agent may change the weights")

	shuffled, err := haproxy.Read("1\n# more srv_iweight srv_uweight srv_admin_state srv_op_state srv_name be_name\n" +
		"x 1 1 0 2 canary api y\nx 3 3 0 2 stable api y\n\n\nadmin\n")
	require.NoError(t, err)
	require.Equal(t, sources.Some(sources.Pct(25)), shuffled[0].Rollout)
}
