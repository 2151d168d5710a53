package avro

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

const extension = ".avsc"

// readFolder parses every schema below the root of fsys. All problems come at
// once, each with its file.
func readFolder(fsys fs.FS) ([]*schema, error) {
	var found []*schema
	var problems []error
	err := fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || path.Ext(file) != extension {
			return nil
		}
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			problems = append(problems, err)
			return nil
		}
		s, err := parseSchema(file, text)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", file, err))
			return nil
		}
		found = append(found, s)
		return nil
	})
	return found, errors.Join(append(problems, err)...)
}

// eventType is what the file's name says, empty for a file in a subfolder.
func (s *schema) eventType() string {
	if strings.Contains(s.file, "/") {
		return ""
	}
	return strings.TrimSuffix(s.file, extension)
}

// index adds the schema by its fingerprints.
func (c *Codec) index(s *schema) error {
	for _, fingerprint := range []uint64{s.fingerprint, s.foreign} {
		other := c.writers[fingerprint]
		if other == nil {
			c.writers[fingerprint] = s
		} else if other.logical != s.logical {
			return fmt.Errorf("%s: has the fingerprint %016x of %s but other logical types, so nobody could tell their values apart; give one of them another record name",
				s.file, fingerprint, other.file)
		}
	}
	return nil
}
