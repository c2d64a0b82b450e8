package sourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The tokens of every Unleash that is started here: of the Admin API, and those of
// all projects in the environment production.
const (
	UnleashAdmin    = "*:*.admin-token-0123456789"
	UnleashBackend  = "*:production.be-0123456789"
	UnleashFrontend = "*:production.fe-0123456789"
)

// fleet is what has been started: one PostgreSQL, and an Unleash of each version on a
// database of its own, by the first test that needs them and for all.
type fleet struct {
	mu      sync.Mutex
	stops   []func()
	pg      *postgres
	pgErr   error
	unleash map[int]*Unleash
	errs    map[int]error
}

var running = fleet{unleash: map[int]*Unleash{}, errs: map[int]error{}}

// StopUnleash ends every server that StartUnleash has started, for a TestMain. They
// end with the process in any case.
func StopUnleash() {
	f := &running
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.stops) - 1; i >= 0; i-- {
		f.stops[i]()
	}
	f.stops, f.pg, f.unleash = nil, nil, map[int]*Unleash{}
}

// Unleash is one running server.
type Unleash struct {
	Version int    // the major version
	Base    string // its address
	db      string
	pg      *postgres
}

// account is the user that a server runs as.
type account struct{ uid, gid int }

type postgres struct {
	bin, dir, port string
	as             *account // nil for this user
}

// StartUnleash gives the running Unleash of a version, 6 or 7, which all tests of the
// process share. Without what it needs the test ends by RequireReal.
func StartUnleash(t testing.TB, version int) *Unleash {
	t.Helper()
	node := RealTool(t, "node", "apt-get install nodejs")
	bin := postgresBin(t)
	main := filepath.Join(UnleashModules(t, version), "unleash-server", "dist", "server.js")
	if _, err := os.Stat(main); err != nil {
		RequireReal(t, fmt.Sprintf("npm package unleash-server (%d)", version), fmt.Sprintf("npm install --no-package-lock --prefix .ci/unleash%d", version))
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

// UnleashModules is where npm has put what the tests with an Unleash of that version
// need, as an absolute path.
func UnleashModules(t testing.TB, version int) string {
	t.Helper()
	root, err := repoRoot()
	require.NoError(t, err)
	return filepath.Join(root, ".ci", fmt.Sprintf("unleash%d", version), "node_modules")
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
		RequireReal(t, "postgresql", "apt-get install postgresql (its service need not run)")
	}
	return filepath.Dir(found[len(found)-1])
}

// endedWell is a server that ended when it was told to: by itself, or by the signal.
var endedWell = regexp.MustCompile(`ended with status (0|143)\n`)

// spawn runs a program that ends with this process, however that ends: a shell
// beside it waits for the end of a pipe.
func spawn(name string, as *account, environ []string, args ...string) (*Output, error) {
	script := `"$@" & p=$!; read -r _; kill -TERM $p; (sleep 5; kill -KILL $p) 2>/dev/null & wait $p; echo "ended with status $?"; [ -z "$REMOVE" ] || rm -rf "$REMOVE"`
	cmd := exec.CommandContext(context.Background(), "/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), environ...)
	out := &Output{}
	cmd.Stdout, cmd.Stderr = out, out
	runAs(cmd, as, true)
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
		killGroup(cmd)
		if said := out.String(); !endedWell.MatchString(said) { // then its tests failed over nothing of ours
			fmt.Fprintf(os.Stderr, "%s did not end as it should; the last that it said:\n%s\n", name, said[max(0, len(said)-4000):])
		}
	})
	return out, nil
}

func freePort() (string, error) {
	addr, err := freeAddress()
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(addr)
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
		pg.as = &account{uid, gid}
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
	log, err := spawn("postgres", pg.as, []string{"REMOVE=" + dir}, filepath.Join(bin, "postgres"), "-D", data, "-p", pg.port, "-k", dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60")
	if err != nil {
		return nil, err
	}
	return pg, Poll(30*time.Second, func() error {
		if err := pg.run("pg_isready", "-h", "127.0.0.1", "-p", pg.port); err != nil {
			return fmt.Errorf("%w: %s", err, log)
		}
		return nil
	})
}

func (pg *postgres) run(tool string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), filepath.Join(pg.bin, tool), args...)
	cmd.Dir = "/"
	runAs(cmd, pg.as, false)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", tool, err, out)
	}
	return nil
}

func startUnleash(pg *postgres, node, main string, version int) (*Unleash, error) {
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
		"INIT_ADMIN_API_TOKENS=" + UnleashAdmin, backend + UnleashBackend, "INIT_FRONTEND_API_TOKENS=" + UnleashFrontend,
	}, node, main)
	if err != nil {
		return nil, err
	}
	s := &Unleash{Version: version, Base: "http://127.0.0.1:" + port, db: db, pg: pg}
	return s, Poll(90*time.Second, func() error {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.Base+"/health", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
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

// Poll tries until it works or the time is up, and then gives the last error.
func Poll(within time.Duration, try func() error) error {
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

// SQL runs a statement on the server's database.
func (s *Unleash) SQL(t testing.TB, statement string) {
	t.Helper()
	require.NoError(t, s.pg.run("psql", "-h", "127.0.0.1", "-p", s.pg.port, "-U", "postgres", "-d", s.db, "-v", "ON_ERROR_STOP=1", "-c", statement))
}

// Raw is one request by a minimal client: the status and the body.
func (s *Unleash) Raw(t testing.TB, token, method, path string, body any) (int, []byte) {
	t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(t, err)
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, s.Base+path, in)
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

// Must is a request by the admin that succeeds; out may be nil.
func (s *Unleash) Must(t testing.TB, method, path string, body, out any) {
	t.Helper()
	status, raw := s.Raw(t, UnleashAdmin, method, path, body)
	require.Less(t, status, 300, "%s %s: %s", method, path, raw)
	if out != nil {
		require.NoError(t, json.Unmarshal(raw, out), "%s", raw)
	}
}
