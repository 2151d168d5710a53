package avro

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/millrace/millrace/streams"
)

// Errors that a caller can ask for.
var (
	// ErrUnknownType says that no schema has the name of the type.
	ErrUnknownType = errors.New("type without a schema")
	// ErrUnknownSchema says that a value was written with a schema that the
	// folder does not have.
	ErrUnknownSchema = errors.New("unknown schema fingerprint")
)

// Codec knows the schemas of one folder. It is immutable and safe for
// concurrent use.
type Codec struct {
	folder  string
	readers map[string]*schema
	types   map[string]streams.Type
	writers map[uint64]*schema
}

var _ streams.Codec = (*Codec)(nil)

// OpenFolder reads the schemas of a folder; a relative path begins where the
// process was started. Each file that cannot be used is one error of the joined
// error.
func OpenFolder(dir string) (*Codec, error) {
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		here, hereErr := os.Getwd()
		if hereErr != nil {
			here = "the working directory"
		}
		return nil, fmt.Errorf("there is no folder %s in %s; a relative path begins where the command is started", dir, here)
	} else if err != nil {
		return nil, fmt.Errorf("opening schema folder: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("opening schema folder %s: it is a file", dir)
	}
	return open(os.DirFS(dir), dir)
}

// Open reads the schemas of a file system: embedded ones, for example.
func Open(fsys fs.FS) (*Codec, error) { return open(fsys, "the embedded schemas") }

func open(fsys fs.FS, folder string) (*Codec, error) {
	c := &Codec{folder: folder, readers: map[string]*schema{}, types: map[string]streams.Type{}, writers: map[uint64]*schema{}}
	found, err := readFolder(fsys)
	problems := []error{err}
	for _, s := range found {
		problems = append(problems, c.add(s))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("reading %s: %w", folder, err)
	}
	return c, nil
}

func (c *Codec) add(s *schema) error {
	if err := c.index(s); err != nil {
		return err
	}
	eventType := s.eventType()
	if eventType == "" {
		return nil
	}
	t, err := typeOf(s)
	if err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	c.readers[eventType], c.types[eventType] = s, t
	return nil
}

// EventTypes returns the event types that have a schema, sorted.
func (c *Codec) EventTypes() []string { return slices.Sorted(maps.Keys(c.readers)) }

// Types returns the type of an event's data, by the file of its name. Instants
// of every unit, dates included, are times in UTC; times of day are ints in
// their unit. An unknown event type is an error that is [ErrUnknownType]. The
// result is shared and must not be written to.
func (c *Codec) Types(eventType string) (streams.Type, error) {
	if _, err := c.reader(eventType); err != nil {
		return streams.Type{}, err
	}
	return c.types[eventType], nil
}

// reader returns the reader schema of an event type.
func (c *Codec) reader(eventType string) (*schema, error) {
	if s := c.readers[eventType]; s != nil {
		return s, nil
	}
	advice := "add " + eventType + extension
	if near := streams.Nearest(eventType, c.EventTypes()); near != "" {
		advice = "did you mean " + near + "?"
	}
	return nil, fmt.Errorf("%w: %s has no schema in %s; %s", ErrUnknownType, eventType, c.folder, advice)
}
