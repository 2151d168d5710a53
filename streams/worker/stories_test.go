package worker

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/millrace/millrace/internal/story"
)

// TestStories runs the stories of the command line: what a user typed and
// configured, and everything that the worker answered.
func TestStories(t *testing.T) { story.Run(t, testscript.Params{Dir: "testdata/script"}) }
