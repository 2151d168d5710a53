//go:build unix

package devcluster

import (
	"syscall"
	"testing"
)

// TestFolderIsFreeAfterClose: also while a process that is just being started has
// the open files of this one.
func TestFolderIsFreeAfterClose(t *testing.T) {
	o := Options{DataDir: t.TempDir()}
	first, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := syscall.Dup(int(first.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(shared)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
