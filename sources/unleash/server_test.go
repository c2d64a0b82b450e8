package unleash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relctl-tui/sources/sourcetest"
)

// The servers are started by the first test that needs them and shared by all: one
// PostgreSQL, and an Unleash of each version on a database of its own.

const (
	adminToken    = "*:*.admin-token-0123456789"
	backendToken  = "*:production.be-0123456789"
	frontendToken = "*:production.fe-0123456789"
	env           = "production"
)

func TestMain(m *testing.M) {
	code := m.Run()
	running.stop()
	os.Exit(code)
}

// fleet is what has been started.
type fleet struct {
	mu      sync.Mutex
	stops   []func()
	pg      *postgres
	pgErr   error
	unleash map[int]*server
	errs    map[int]error
}

var running = fleet{unleash: map[int]*server{}, errs: map[int]error{}}

func (f *fleet) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.stops) - 1; i >= 0; i-- {
		f.stops[i]()
	}
}

// server is one running Unleash.
type server struct {
	version int
	base    string
	db      string
	pg      *postgres
}

type postgres struct {
	bin, dir, port string
	as             *syscall.Credential
}

// start gives the Unleash of a version; without what it needs the test ends by
// RequireReal.
func start(t testing.TB, version int) *server {
	t.Helper()
	node := sourcetest.RealTool(t, "node", "apt-get install nodejs")
	bin := postgresBin(t)
	dir := fmt.Sprintf("../../.ci/unleash%d", version)
	main := filepath.Join(dir, "node_modules", "unleash-server", "dist", "server.js")
	if _, err := os.Stat(main); err != nil {
		sourcetest.RequireReal(t, fmt.Sprintf("npm package unleash-server (%d)", version), fmt.Sprintf("npm install --no-package-lock --prefix .ci/unleash%d", version))
	}
	running.mu.Lock()
	defer running.mu.Unlock()
	if running.pg == nil && running.pgErr == nil {
		running.pg, running.pgErr = startPostgres(bin)
	}
	require.NoError(t, running.pgErr)
	if running.unleash[version] == nil && running.errs[version] == nil {
		running.unleash[version], running.errs[version] = startUnleash(running.pg, node, main, version)
	}
	require.NoError(t, running.errs[version])
	return running.unleash[version]
}

func postgresBin(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(target)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		sourcetest.RequireReal(t, "postgresql", "apt-get install postgresql (its service need not run)")
	}
	return filepath.Dir(found[len(found)-1])
}

// spawn runs a program that ends with this process, however that ends: a shell
// beside it waits for the end of a pipe.
func spawn(name string, as *syscall.Credential, environ []string, args ...string) (*lockedBuffer, error) {
	script := `"$@" & p=$!; read -r _; kill -TERM $p; (sleep 5; kill -KILL $p) 2>/dev/null & wait $p`
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), environ...)
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true}
	if as != nil {
		cmd.Dir = "/"
	}
	cmd.WaitDelay = 5 * time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	running.stops = append(running.stops, func() {
		_ = stdin.Close()
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(8 * time.Second):
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	return out, nil
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// startPostgres makes a cluster of its own. PostgreSQL refuses root, so root runs it
// as the user that Debian's package made.
func startPostgres(bin string) (*postgres, error) {
	dir, err := os.MkdirTemp("", "relctl-unleash-pg-")
	if err != nil {
		return nil, err
	}
	running.stops = append(running.stops, func() { _ = os.RemoveAll(dir) })
	pg := &postgres{bin: bin, dir: dir}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		pg.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
	}
	if pg.port, err = freePort(); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := pg.run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"); err != nil {
		return nil, err
	}
	log, err := spawn("postgres", pg.as, nil, filepath.Join(bin, "postgres"), "-D", data, "-p", pg.port, "-k", dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60")
	if err != nil {
		return nil, err
	}
	return pg, poll(30*time.Second, func() error {
		if err := pg.run("pg_isready", "-h", "127.0.0.1", "-p", pg.port); err != nil {
			return fmt.Errorf("%w: %s", err, log)
		}
		return nil
	})
}

func (pg *postgres) run(tool string, args ...string) error {
	cmd := exec.Command(filepath.Join(pg.bin, tool), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: pg.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", tool, err, out)
	}
	return nil
}

func startUnleash(pg *postgres, node, main string, version int) (*server, error) {
	db := fmt.Sprintf("unleash%d", version)
	if err := pg.run("createdb", "-h", "127.0.0.1", "-p", pg.port, "-U", "postgres", db); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	backend := "INIT_BACKEND_API_TOKENS="
	if version < 7 {
		backend = "INIT_CLIENT_API_TOKENS="
	}
	log, err := spawn("unleash", nil, []string{
		"DATABASE_URL=postgres://postgres@127.0.0.1:" + pg.port + "/" + db, "DATABASE_SSL=false",
		"HTTP_HOST=127.0.0.1", "HTTP_PORT=" + port, "CHECK_VERSION=false", "SEND_TELEMETRY=false",
		"SIMPLE_LOGIN_LIMIT_PER_MINUTE=1000", "CREATE_USER_LIMIT_PER_MINUTE=1000", "LOG_LEVEL=warn",
		"INIT_ADMIN_API_TOKENS=" + adminToken, backend + backendToken, "INIT_FRONTEND_API_TOKENS=" + frontendToken,
	}, node, main)
	if err != nil {
		return nil, err
	}
	s := &server{version: version, base: "http://127.0.0.1:" + port, db: db, pg: pg}
	return s, poll(90*time.Second, func() error {
		resp, err := http.Get(s.base + "/health")
		if err != nil {
			return fmt.Errorf("unleash %d is not ready: %w: %s", version, err, log)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err == nil && !strings.Contains(string(b), "GOOD") {
			err = fmt.Errorf("unleash %d says %s", version, b)
		}
		return err
	})
}

// poll tries until it works or the time is up.
func poll(within time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// eventually fails the test unless ok comes true in time.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	require.NoError(t, poll(20*time.Second, func() error {
		if !ok() {
			return errors.New(what + " did not come true")
		}
		return nil
	}))
}

// sql runs a statement on the server's database.
func (s *server) sql(t testing.TB, statement string) {
	t.Helper()
	require.NoError(t, s.pg.run("psql", "-h", "127.0.0.1", "-p", s.pg.port, "-U", "postgres", "-d", s.db, "-v", "ON_ERROR_STOP=1", "-c", statement))
}

// raw is one request by a minimal client.
func (s *server) raw(t testing.TB, token, method, path string, body any) (int, []byte) {
	t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(t, err)
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, s.base+path, in)
	require.NoError(t, err)
	req.Header.Set("Authorization", token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, raw
}

// must is a call that succeeds, as the admin.
func (s *server) must(t testing.TB, method, path string, body, out any) {
	t.Helper()
	status, raw := s.raw(t, adminToken, method, path, body)
	require.Less(t, status, 300, "%s %s: %s", method, path, raw)
	if out != nil {
		require.NoError(t, json.Unmarshal(raw, out), "%s", raw)
	}
}

var counter atomic.Int64

// unique is a name that no other test has.
func unique(prefix string) string { return prefix + "-" + strconv.FormatInt(counter.Add(1), 10) }

// project makes a project with the environment, which the open-source server lets
// only its database do.
func (s *server) project(t testing.TB) string {
	t.Helper()
	p := unique("p")
	s.sql(t, fmt.Sprintf(`insert into projects(id,name,description) values('%s','%s','');
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
	s.must(t, http.MethodPost, "/api/admin/projects/"+project+"/features", map[string]any{"name": name, "type": kind, "description": "of " + name}, nil)
	for _, st := range strategies {
		var got struct{ ID string }
		s.must(t, http.MethodPost, path(project, name)+"/environments/"+env+"/strategies", st, &got)
		ids = append(ids, got.ID)
	}
	if len(strategies) > 0 {
		s.must(t, http.MethodPost, path(project, name)+"/environments/"+env+"/on", nil, nil)
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
	s.must(t, http.MethodGet, path(project, flag)+"/environments/"+env, nil, &got)
	return got
}

// someone makes a user of a root role (2 Editor, 3 Viewer) and returns a personal
// access token.
func (s *server) someone(t testing.TB, name string, role int) string {
	t.Helper()
	const password = "Passw0rd!12345x"
	s.must(t, http.MethodPost, "/api/admin/user-admin", map[string]any{
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
	modules, err := filepath.Abs("../../.ci/unleash7/node_modules")
	require.NoError(t, err)
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
