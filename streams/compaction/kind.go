package compaction

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams"
)

// Kind is a fold in Go, which a configuration names by kind.
type Kind struct {
	// Digest is another one whenever the same events would give other states: by
	// convention "1", "2" and so on. It is refused without a new version of the
	// fold.
	Digest string
	// Events are the types that it folds, of which nil is all. Those of others change
	// nothing but the version of their stream. It may begin with one, and has the
	// state of [Beginner] then.
	Events []string
	// New returns a folder of states of a type. It must be a [Beginner] where Events
	// are named. It is called for each partition, and when the configuration is
	// checked.
	New func(codec streams.Codec, state string) (Folder, error)
}

// FolderFunc is a function that folds events of all types: it is no [Beginner].
type FolderFunc func(before []byte, e Event) (after []byte, gone bool, err error)

// Fold calls the function.
func (f FolderFunc) Fold(before []byte, e Event) (after []byte, gone bool, err error) {
	return f(before, e)
}

func unknownKind(name string, kinds map[string]Kind) string {
	if len(kinds) == 0 {
		return fmt.Sprintf("there is no kind %q: this binary has none; register it in a main of your own", name)
	}
	return fmt.Sprintf("there is no kind %q; this binary has %s", name, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
}
