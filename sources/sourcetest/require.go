// Package sourcetest holds what every driver's tests share: the conformance
// suite that each flag store must pass, and the rule for tests that need a real
// server or evaluator.
package sourcetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// RequireRealEnv is the variable that turns a missing real tool from a skip
// into a failure.
const RequireRealEnv = "RELCTL_REQUIRE_REAL"

// RequireReal ends the test because a real tool is not there: it skips with the
// hint how to install it, or fails when RELCTL_REQUIRE_REAL=1.
func RequireReal(t testing.TB, tool, installHint string) {
	t.Helper()
	if os.Getenv(RequireRealEnv) == "1" {
		t.Fatalf("%s is not installed and %s=1: %s", tool, RequireRealEnv, installHint)
	}
	t.Skipf("%s is not installed: %s", tool, installHint)
}

// RealTool is the path of an executable; without it the test ends by RequireReal.
func RealTool(t testing.TB, tool, installHint string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		RequireReal(t, tool, installHint)
	}
	return path
}

// JudgeHint says how flagd's own evaluation is installed for the tests.
const JudgeHint = "npm install --no-package-lock --prefix .ci/judge (or point RELCTL_JUDGE_DIR at a folder with node_modules/@openfeature/flagd-core)"

// Judge is a folder whose node_modules hold flagd's own evaluation, the
// independent judge of what a written file means, and the node to run it.
// Without them the test ends by RequireReal.
func Judge(t testing.TB) (node, dir string) {
	t.Helper()
	node = RealTool(t, "node", "apt-get install nodejs")
	dir = os.Getenv("RELCTL_JUDGE_DIR")
	if dir == "" {
		root, err := repoRoot()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(root, ".ci", "judge")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@openfeature", "flagd-core")); err != nil {
		RequireReal(t, "npm package @openfeature/flagd-core", JudgeHint)
	}
	return node, dir
}

// repoRoot is the folder of go.mod above the test.
func repoRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the test")
		}
		dir = up
	}
}
