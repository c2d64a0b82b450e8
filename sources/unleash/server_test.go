package unleash_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

const (
	adminToken    = sourcetest.UnleashAdmin
	backendToken  = sourcetest.UnleashBackend
	frontendToken = sourcetest.UnleashFrontend
	env           = "production"
)

func TestMain(m *testing.M) {
	code := m.Run()
	sourcetest.StopUnleash()
	os.Exit(code)
}

// server is one running Unleash.
type server struct {
	*sourcetest.Unleash
	version int
	base    string
}

func start(t testing.TB, version int) *server {
	t.Helper()
	s := sourcetest.StartUnleash(t, version)
	return &server{s, s.Version, s.Base}
}

// eventually fails the test unless ok comes true in time.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	require.NoError(t, sourcetest.Poll(time.Minute, func() error {
		if !ok() {
			return errors.New(what + " did not come true")
		}
		return nil
	}))
}

var counter atomic.Int64

// unique is a name that no other test has.
func unique(prefix string) string { return prefix + "-" + strconv.FormatInt(counter.Add(1), 10) }

// project makes a project with the environment, which the open-source server lets
// only its database do.
func (s *server) project(t testing.TB) string {
	t.Helper()
	p := unique("p")
	s.SQL(t, fmt.Sprintf(`insert into projects(id,name,description) values('%s','%s','');
		insert into project_environments(project_id,environment_name) values('%s','%s')`, p, p, p, env))
	return p
}

func path(project, flag string) string {
	return "/api/admin/projects/" + project + "/features/" + flag
}

// gradual is a strategy of that percentage.
func gradual(rollout string) map[string]any {
	return map[string]any{
		"name": "flexibleRollout", "constraints": []any{}, "segments": []any{},
		"parameters": map[string]any{"rollout": rollout, "stickiness": "default", "groupId": "g"},
	}
}

// flag makes a flag that is on, with these strategies, and returns their ids. One
// with none stays off.
func (s *server) flag(t testing.TB, project, name, kind string, strategies ...map[string]any) (ids []string) {
	t.Helper()
	s.Must(t, http.MethodPost, "/api/admin/projects/"+project+"/features", map[string]any{"name": name, "type": kind, "description": "of " + name}, nil)
	for _, st := range strategies {
		var got struct{ ID string }
		s.Must(t, http.MethodPost, path(project, name)+"/environments/"+env+"/strategies", st, &got)
		ids = append(ids, got.ID)
	}
	if len(strategies) > 0 {
		s.Must(t, http.MethodPost, path(project, name)+"/environments/"+env+"/on", nil, nil)
	}
	return ids
}

// state is a flag's environment as the server itself has it.
type state struct {
	Enabled    bool
	Strategies []struct {
		ID, Name    string
		Disabled    bool
		Parameters  map[string]any
		Constraints []any
		Segments    []any
		Variants    []any
	}
}

func (s *server) state(t testing.TB, project, flag string) state {
	t.Helper()
	var got state
	s.Must(t, http.MethodGet, path(project, flag)+"/environments/"+env, nil, &got)
	return got
}

// crowd is a project with n flags, half of them on, each of which was edited once; the
// first is p-1. Through the API it would take minutes.
func (s *server) crowd(t testing.TB, n int) string {
	t.Helper()
	p := s.project(t)
	s.SQL(t, fmt.Sprintf(`
		insert into features(name, type, project, description) select '%[1]s-'||n, 'release', '%[1]s', 'flag number '||n from generate_series(1,%[2]d) n;
		insert into feature_environments(environment, feature_name, enabled) select '%[3]s', '%[1]s-'||n, n %% 2 = 0 from generate_series(1,%[2]d) n;
		insert into feature_strategies(id, feature_name, project_name, environment, strategy_name, parameters, constraints, sort_order)
		select gen_random_uuid()::text, '%[1]s-'||n, '%[1]s', '%[3]s', 'flexibleRollout',
		('{"rollout":"'||(n %% 101)||'","stickiness":"default","groupId":"g"}')::json, '[]'::json, 0 from generate_series(1,%[2]d) n;
		insert into events(type, created_by, created_by_user_id, data, pre_data, feature_name, project, environment)
		select 'feature-strategy-update', 'ana@example.com', 1, d, d, '%[1]s-'||n, '%[1]s', '%[3]s' from generate_series(1,%[2]d) n,
		(select '{"id":"x","name":"flexibleRollout","parameters":{"rollout":"5"}}'::jsonb d) x`, p, n, env))
	return p
}

// fixture makes a project with flags that are on, each with gradual rollouts, by one
// statement: the conformance suite wants some forty of them.
func (s *server) fixture(t testing.TB, flags map[string][]int) (project string) {
	t.Helper()
	p := unique("p")
	var q strings.Builder
	fmt.Fprintf(&q, `insert into projects(id,name,description) values('%[1]s','%[1]s','');
		insert into project_environments(project_id,environment_name) values('%[1]s','%[2]s');`, p, env)
	for name, rollouts := range flags {
		fmt.Fprintf(&q, `insert into features(name, type, project, description) values('%[1]s','release','%[2]s','of %[1]s');
			insert into feature_environments(environment, feature_name, enabled) values('%[3]s','%[1]s',true);`, name, p, env)
		for _, r := range rollouts {
			fmt.Fprintf(&q, `insert into feature_strategies(id, feature_name, project_name, environment, strategy_name, parameters, constraints, sort_order)
				values(gen_random_uuid()::text,'%s','%s','%s','flexibleRollout','{"rollout":"%d","stickiness":"default","groupId":"g"}','[]',0);`, name, p, env, r)
		}
	}
	s.SQL(t, q.String())
	return p
}

// someone makes a user of a root role (2 Editor, 3 Viewer) and returns a personal
// access token.
func (s *server) someone(t testing.TB, name string, role int) string {
	t.Helper()
	const password = "Passw0rd!12345x"
	s.Must(t, http.MethodPost, "/api/admin/user-admin", map[string]any{
		"username": name, "name": name, "email": name + "@example.com", "rootRole": role, "password": password, "sendEmail": false,
	}, nil)
	var secret string
	eventually(t, "a session", func() bool { // which the server may answer before it is stored
		secret = s.accessToken(t, login(t, s.base, name, password))
		return secret != ""
	})
	return secret
}

// accessToken makes one as whoever has logged in; "" when the session is not known.
func (s *server) accessToken(t testing.TB, session []*http.Cookie) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"description": unique("test"), "expiresAt": time.Now().AddDate(1, 0, 0)})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"/api/admin/user/tokens", bytes.NewReader(b))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, c := range session {
		req.AddCookie(c)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var got struct{ Secret string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&got))
	return got.Secret
}

func login(t testing.TB, base, name, password string) []*http.Cookie {
	t.Helper()
	b, err := json.Marshal(map[string]string{"username": name, "password": password})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/auth/simple/login", bytes.NewReader(b))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return resp.Cookies()
}

// judge is which of the users 0..n-1 Unleash's own Node SDK gives the flag.
func (s *server) judge(t testing.TB, flag string, n int) []int {
	t.Helper()
	node := sourcetest.RealTool(t, "node", "apt-get install nodejs")
	modules := sourcetest.UnleashModules(t, 7)
	if _, err := os.Stat(filepath.Join(modules, "unleash-client")); err != nil {
		sourcetest.RequireReal(t, "npm package unleash-client", "npm install --no-package-lock --prefix .ci/unleash7")
	}
	cmd := exec.CommandContext(t.Context(), node, "testdata/judge.js", s.base+"/api", backendToken, flag, strconv.Itoa(n))
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	out, err := cmd.Output()
	require.NoError(t, err)
	var on []int
	require.NoError(t, json.Unmarshal(bytes.TrimSpace(out), &on), "%s", out)
	return on
}
