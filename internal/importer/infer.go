package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/millrace/millrace/streams/avro"
)

// Inferred is what [Infer] did.
type Inferred struct {
	File, Folder string
	// Lines is how many lines were read. Failed is how many of them are no
	// events; an import names them.
	Lines, Failed int64
	// Written and Kept are the names of schema files: new ones, and those that
	// were there and are as they were.
	Written, Kept []string
	// Schemas are what the file needs, those that were not written, too.
	Schemas []avro.InferredSchema
}

// Infer reads a whole file of events and writes the Avro schemas that it needs
// into a folder: one for each event type. A schema file that exists is not
// touched. The file cannot be the standard input, which is read only once.
func Infer(ctx context.Context, file, folder string) (Inferred, error) {
	result := Inferred{File: file, Folder: folder}
	if file == Stdin {
		return result, errors.New("the standard input is read only once; write the events to a file to infer their schemas")
	}
	in, err := openInput(file, nil)
	if err != nil {
		return result, err
	}
	defer in.close() //nolint:errcheck // it is only read
	inferrer := avro.NewInferrer()
	if err := result.read(ctx, in, inferrer); err != nil {
		return result, err
	}
	result.Schemas = inferrer.Schemas()
	result.Written, result.Kept, err = inferrer.WriteFolder(folder)
	return result, err
}

func (f *Inferred) read(ctx context.Context, in *input, inferrer *avro.Inferrer) error {
	for {
		raw, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			l := parseLine(raw)
			if err = l.err; err == nil {
				err = inferrer.Add(l.kind, l.data)
			}
		} else if !errors.Is(err, errLongLine) {
			return err
		}
		f.Lines++
		if err != nil {
			f.Failed++
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// String says what was written and kept, and what a person should know.
func (f Inferred) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s -> %s: %d lines read, %d schemas written, %d kept\n", f.File, f.Folder, f.Lines, len(f.Written), len(f.Kept))
	kept := make(map[string]bool, len(f.Kept))
	for _, name := range f.Kept {
		kept[name] = true
		fmt.Fprintf(&b, "%s: kept as it is\n", name)
	}
	for _, s := range f.Schemas {
		if kept[s.FileName] {
			continue
		}
		for _, note := range s.Notes {
			fmt.Fprintf(&b, "%s: %s\n", s.FileName, note)
		}
	}
	if f.Failed > 0 {
		fmt.Fprintf(&b, "%d lines are no events and were not looked at; the import names them\n", f.Failed)
	}
	return b.String()
}
