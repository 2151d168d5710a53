//go:build unix

package devcluster

import (
	"os"
	"syscall"
)

// take locks a file for as long as it is open, and does not wait for it.
func take(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// release gives the lock up. Closing the file would not, as long as a process that
// is just being started shares it.
func release(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
