package fines

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// DataVar is the environment variable that names the log.
const DataVar = "MILLRACE_DATA"

// dataPath is where the log lies beside a checkout or one of the folders above.
const dataPath = "shared/data/traffic-fines.jsonl.gz"

// ErrNoLog says that the log is not on this machine. Its text tells how to name
// one.
var ErrNoLog = errors.New("the log of traffic fines is not here: set " + DataVar + " to traffic-fines.jsonl.gz (see examples/fines/README.md)")

// Find returns the path of the log: what MILLRACE_DATA names, else the first
// shared/data/traffic-fines.jsonl.gz in the working directory or above. Without
// one the error is [ErrNoLog].
func Find() (string, error) {
	if path := os.Getenv(DataVar); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("looking for the log that %s names: %w", DataVar, err)
		}
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for the log: %w", err)
	}
	for {
		path := filepath.Join(dir, dataPath)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("looking for the log: %w", err)
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", ErrNoLog
	}
}

// Open opens the log that [Find] finds and unpacks it while it is read.
func Open() (io.ReadCloser, error) {
	path, err := Find()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return f, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), f.Close())
	}
	return unpacked{z, f}, nil
}

// unpacked closes the unpacker and the file below it.
type unpacked struct {
	*gzip.Reader
	file *os.File
}

func (u unpacked) Close() error { return errors.Join(u.Reader.Close(), u.file.Close()) }

// Event is one line of the log. Times and numbers keep the text that they have
// there.
type Event struct {
	Stream  string `json:"stream"`
	Version int    `json:"version"`
	Type    string `json:"type"`
	Time    string `json:"time"`
	Data    Data   `json:"data"`
}

// Data is what the views use of an event's data. What an event does not have is
// empty.
type Data struct {
	Amount       json.Number `json:"amount"`
	Article      json.Number `json:"article"`
	VehicleClass string      `json:"vehicle_class"`
	Expense      json.Number `json:"expense"`
	Payment      json.Number `json:"payment_amount"`
	LastSent     *string     `json:"last_sent"`
	Dismissal    string      `json:"dismissal"`
}

// Read calls each with every event of r, in order, until one returns an error.
func Read(r io.Reader, each func(Event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := each(e); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// Repeat copies the log in src to w that many times over, the second and later
// copies under stream IDs of their own: fine-S38735 becomes fine-2-S38735. src
// opens the log anew each time.
func Repeat(w io.Writer, copies int, src func() (io.ReadCloser, error)) error {
	out := bufio.NewWriterSize(w, 1<<16)
	for i := 1; i <= copies; i++ {
		if err := copyLog(out, i, src); err != nil {
			return fmt.Errorf("copy %d: %w", i, err)
		}
	}
	return out.Flush()
}

func copyLog(w *bufio.Writer, i int, src func() (io.ReadCloser, error)) (err error) {
	r, err := src()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var from, to []byte
	if i > 1 {
		from, to = []byte(`"stream":"fine-`), []byte(`"stream":"fine-`+strconv.Itoa(i)+"-")
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := bytes.Replace(lines.Bytes(), from, to, 1)
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return lines.Err()
}
