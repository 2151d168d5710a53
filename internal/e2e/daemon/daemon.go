// Package daemon runs processes that outlive whoever started them: the services
// of the end-to-end tests. A daemon has a name in a folder, where NAME.pid says
// which process it is and NAME.log holds what it prints. It is ended by that
// process ID, never by the name of a program, and only while the ID still
// belongs to the process that was started.
package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Daemon names a process by the folder that holds its files and a name in it.
type Daemon struct {
	Dir, Name string
}

// LogFile is the path of the file that holds what the process prints.
func (d Daemon) LogFile() string { return filepath.Join(d.Dir, d.Name+".log") }

func (d Daemon) pidFile() string { return filepath.Join(d.Dir, d.Name+".pid") }

// Start starts the process in a session of its own, in the working directory of
// the caller. The channel is closed when it ends while the caller still lives.
func (d Daemon) Start(path string, args ...string) (ended <-chan struct{}, err error) {
	log, err := os.Create(d.LogFile())
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", d.Name, err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", d.Name, err)
	}
	pid := cmd.Process.Pid
	text := fmt.Sprintf("%d %s\n", pid, birth(pid))
	if err := os.WriteFile(d.pidFile(), []byte(text), 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", d.Name, err), cmd.Process.Kill(), cmd.Wait())
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = cmd.Wait() // how it ended stands in its log
	}()
	return gone, nil
}

// PID returns the ID of the process, 0 where it does not run.
func (d Daemon) PID() (int, error) {
	b, err := os.ReadFile(d.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("looking for %s: %w", d.Name, err)
	}
	number, born, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	pid, err := strconv.Atoi(number)
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("looking for %s: %s holds no process ID; remove the file if the process is gone", d.Name, d.pidFile())
	}
	if !alive(pid) || birth(pid) != born {
		return 0, nil
	}
	return pid, nil
}

// Stop asks the process to end, kills it when it has not ended after grace, and
// returns when it is gone. It does nothing where the process does not run.
func (d Daemon) Stop(grace time.Duration) error {
	pid, err := d.PID()
	if err != nil {
		return err
	}
	if pid == 0 {
		return d.forget()
	}
	if err := signal(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping %s: %w", d.Name, err)
	}
	if !waitGone(pid, grace) {
		if err := d.Kill(); err != nil {
			return err
		}
	}
	return d.forget()
}

// Kill ends the process at once, as kill -9 does, and returns when it is gone.
// It does nothing where the process does not run.
func (d Daemon) Kill() error {
	pid, err := d.PID()
	if err != nil || pid == 0 {
		return err
	}
	if err := signal(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing %s: %w", d.Name, err)
	}
	if !waitGone(pid, 10*time.Second) {
		return fmt.Errorf("killing %s: process %d is still there", d.Name, pid)
	}
	return nil
}

// forget removes the file of the process ID.
func (d Daemon) forget() error {
	if err := os.Remove(d.pidFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stopping %s: %w", d.Name, err)
	}
	return nil
}

// LogTail returns the last lines of what the process printed.
func (d Daemon) LogTail(lines int) string {
	b, err := os.ReadFile(d.LogFile())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// signal sends a signal; that the process is gone is no error.
func signal(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

func waitGone(pid int, timeout time.Duration) bool {
	for deadline := time.Now().Add(timeout); alive(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// alive says whether a process runs. A dead one that nobody has waited for does
// not: in a container that may be for ever. While one of its threads is still
// ending it does: it has its ports until then.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	if fields := stat(pid); len(fields) == 0 || fields[0] != "Z" {
		return true
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err == nil && len(threads) > 1
}

// birth tells a process from a later one of the same ID: when it was started,
// "-" where the system does not say.
func birth(pid int) string {
	const startTime = 19 // behind the name of the program
	if fields := stat(pid); len(fields) > startTime {
		return fields[startTime]
	}
	return "-"
}

// stat returns what Linux knows of a process, from its state on.
func stat(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The name stands in parentheses and may hold anything.
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}
