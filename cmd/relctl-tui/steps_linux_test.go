package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"relctl-tui/sources/sourcetest"
)

// step is one call of the system by which a change touches what is kept: the
// store, its lock, the journal, their folder, or the answer on stdout.
type step struct {
	name  string // "fsync temp"
	n     int    // the first, second, ... of that name in this run
	after bool   // the call has been made, else it is about to be
}

func (s step) String() string {
	when := "before"
	if s.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s #%d", when, s.name, s.n)
}

// calls are the calls of the system that are steps, by what they are given: a
// path in that argument, or a file descriptor in the first.
var (
	callsByPath = map[uint64]struct {
		name string
		arg  int
	}{
		unix.SYS_OPENAT:     {"openat", 1},
		unix.SYS_NEWFSTATAT: {"newfstatat", 1},
		unix.SYS_FACCESSAT:  {"faccessat", 1},
		unix.SYS_RENAMEAT:   {"renameat", 1},
		unix.SYS_RENAMEAT2:  {"renameat2", 1},
		unix.SYS_UNLINKAT:   {"unlinkat", 1},
		unix.SYS_MKDIRAT:    {"mkdirat", 1},
		unix.SYS_FCHMODAT:   {"fchmodat", 1},
		unix.SYS_GETXATTR:   {"getxattr", 0},
	}
	callsByFile = map[uint64]string{
		unix.SYS_READ: "read", unix.SYS_PREAD64: "pread", unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite",
		unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_CLOSE: "close", unix.SYS_FLOCK: "flock",
		unix.SYS_FCHMOD: "fchmod", unix.SYS_FCHOWN: "fchown", unix.SYS_FSTAT: "fstat", unix.SYS_LSEEK: "lseek",
		unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_GETDENTS64: "getdents",
	}
)

// stepped is a finished run under the eyes of a tracer.
type stepped struct {
	result
	killed bool
	steps  []step // before each call, in their order
}

// tracer follows the program from step to step.
type tracer struct {
	t      testing.TB
	pid    int
	path   string // the store
	at     func(step) (kill bool)
	mem    *os.File
	known  map[int]bool // threads
	inside map[int]step // threads within a step's call
	counts map[string]int
	got    stepped
}

// follow runs the program on the bench's file and halts it before and after each
// step. There at may change the world, or have the program killed: then no call
// that was about to be made is made.
func (b *bench) follow(at func(step) (kill bool), args ...string) stepped {
	b.t.Helper()
	runtime.LockOSThread() // who starts a process traces it
	defer runtime.UnlockOSThread()
	dir := b.t.TempDir()
	var files []*os.File
	for _, name := range []string{os.DevNull, filepath.Join(dir, "stdout"), filepath.Join(dir, "stderr")} {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(b.t, err)
		defer f.Close()
		files = append(files, f)
	}
	pid, err := syscall.ForkExec(binary, append([]string{binary, "--flags", "flagd:" + b.path}, args...), &syscall.ProcAttr{
		Env: b.env, Files: []uintptr{files[0].Fd(), files[1].Fd(), files[2].Fd()},
		Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
	})
	if err != nil {
		if os.Getenv(sourcetest.RequireRealEnv) == "1" {
			b.t.Fatalf("processes cannot be traced here, and %s=1: %v", sourcetest.RequireRealEnv, err)
		}
		b.t.Skipf("processes cannot be traced here: %v", err)
	}
	tr := &tracer{t: b.t, pid: pid, path: b.path, at: at, known: map[int]bool{pid: true}, inside: map[int]step{}, counts: map[string]int{}}
	tr.run()
	for i, into := range []*string{&tr.got.stdout, &tr.got.stderr} {
		raw, err := os.ReadFile(files[i+1].Name())
		require.NoError(b.t, err)
		*into = string(raw)
	}
	return tr.got
}

// run goes from stop to stop until every thread is gone.
func (tr *tracer) run() {
	var ws syscall.WaitStatus
	_, err := syscall.Wait4(tr.pid, &ws, 0, nil)
	require.NoError(tr.t, err)
	require.True(tr.t, ws.Stopped())
	require.NoError(tr.t, syscall.PtraceSetOptions(tr.pid, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_EXITKILL))
	tr.mem, err = os.Open(fmt.Sprintf("/proc/%d/mem", tr.pid))
	require.NoError(tr.t, err)
	defer tr.mem.Close()
	for tid := tr.pid; ; {
		if signal, on := tr.stop(tid, ws); on {
			_ = syscall.PtraceSyscall(tid, signal) // a thread that is gone is waited for all the same
		}
		for {
			// Its own process group: other tests have children too.
			if tid, err = syscall.Wait4(-tr.pid, &ws, unix.WALL, nil); !errors.Is(err, syscall.EINTR) {
				break
			}
		}
		require.NoError(tr.t, err)
		if tid == tr.pid && !ws.Stopped() {
			tr.got.code = ws.ExitStatus()
			return // the first thread is reported last
		}
	}
}

// stop deals with one halt of a thread: which signal it goes on with, and whether.
func (tr *tracer) stop(tid int, ws syscall.WaitStatus) (signal int, on bool) {
	switch s := ws.StopSignal(); {
	case !ws.Stopped(), tr.got.killed:
		return 0, false
	case s == syscall.SIGTRAP|0x80:
		if tr.step(tid) {
			tr.got.killed = true
			require.NoError(tr.t, syscall.Kill(tr.pid, syscall.SIGKILL))
			return 0, false
		}
		return 0, true
	case s == syscall.SIGTRAP: // the start, or a new thread told of by its maker
		return 0, true
	case s == syscall.SIGSTOP && !tr.known[tid]:
		tr.known[tid] = true
		return 0, true
	default:
		return int(s), true
	}
}

// callInfo is the kernel's struct ptrace_syscall_info, which is the same on every
// machine, where registers are not.
type callInfo struct {
	op   uint8
	_    [3]byte
	_    uint32
	_    [2]uint64
	call uint64
	args [6]uint64
	_    [2]uint64
}

// step looks at the call that a thread enters or leaves.
func (tr *tracer) step(tid int) (kill bool) {
	var info callInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno == unix.ESRCH {
		return false
	}
	require.Zero(tr.t, errno)
	if info.op == unix.PTRACE_SYSCALL_INFO_EXIT {
		s, was := tr.inside[tid]
		delete(tr.inside, tid)
		s.after = true
		return was && tr.at(s)
	}
	name, what := tr.call(&info)
	if what == "" {
		return false
	}
	s := step{name: name + " " + what}
	tr.counts[s.name]++
	s.n = tr.counts[s.name]
	tr.inside[tid] = s
	tr.got.steps = append(tr.got.steps, s)
	return tr.at(s)
}

// call names a call and what it is made on; "" when that is no concern of a change.
func (tr *tracer) call(info *callInfo) (name, what string) {
	if c, ok := callsByPath[info.call]; ok {
		return c.name, tr.what(tr.text(info.args[c.arg]))
	}
	name, ok := callsByFile[info.call]
	switch {
	case !ok:
		return "", ""
	case name == "write" && info.args[0] == 1:
		return name, "stdout"
	}
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tr.pid, int32(info.args[0])))
	if err != nil {
		return "", ""
	}
	return name, tr.what(path)
}

func (tr *tracer) what(path string) string {
	dir, own := filepath.Dir(tr.path), filepath.Base(tr.path)
	if path == dir {
		return "folder"
	}
	file, in := strings.CutPrefix(path, dir+"/")
	switch {
	case !in:
		return ""
	case file == own:
		return "store"
	case strings.HasPrefix(file, "."+own+".relctl-"):
		return "temp"
	default:
		return strings.TrimPrefix(file, "."+own+".relctl.") // lock, jsonl, jsonl.lock
	}
}

// text is the string at an address of the program's.
func (tr *tracer) text(address uint64) string {
	b := make([]byte, unix.PathMax)
	n, _ := tr.mem.ReadAt(b, int64(address)) // what lies behind the string need not be there
	text, _, _ := bytes.Cut(b[:n], []byte{0})
	return string(text)
}
