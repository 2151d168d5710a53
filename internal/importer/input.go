package importer

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// maxLine is the longest line, in bytes, that is read. A record of Kafka has at
// most 1 MB by default; JSON is seldom more than a few times as long as Avro.
const maxLine = 8 << 20

var errLongLine = errors.New("the line is longer than 8 MiB; a record of Kafka has at most 1 MB")

// input is an open file of lines.
type input struct {
	name  string
	from  io.Reader
	size  int64 // bytes of the file, 0 where nobody knows
	read  atomic.Int64
	lines *bufio.Reader // nil before the first read of the standard input
	close func() error
	line  int64 // number of the line that was read last
}

// openInput opens a file, or the standard input where its name is "-". Whether
// it is compressed by gzip is seen in its first bytes. The standard input is not
// read yet: that may block for as long as somebody thinks.
func openInput(name string, stdin io.Reader) (*input, error) {
	if name == Stdin {
		return &input{name: "stdin", from: stdin, close: func() error { return nil }}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the events: %w", err)
	}
	in := &input{name: name, from: f, close: f.Close}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		in.size = info.Size()
	}
	if err := in.begin(); err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

func (in *input) begin() error {
	raw := bufio.NewReaderSize(&counter{in.from, &in.read}, 256<<10)
	magic, err := raw.Peek(2)
	if err != nil && err != io.EOF {
		return in.failed(err)
	}
	in.lines = raw
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		plain, err := gzip.NewReader(raw)
		if err != nil {
			return in.failed(err)
		}
		in.lines = bufio.NewReaderSize(plain, 256<<10)
	}
	head, _ := in.lines.Peek(6) // an error comes again with the first line
	for _, f := range otherForms {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return fmt.Errorf("%s is %s", in.name, f.advice)
		}
	}
	if mark := "\ufeff"; bytes.HasPrefix(head, []byte(mark)) {
		_, _ = in.lines.Discard(len(mark)) // what was peeked is there
	}
	return nil
}

// otherForms are files that would otherwise fail line by line, by how they begin.
var otherForms = []struct{ magic, advice string }{
	{"\xff\xfe", "UTF-16; convert it to UTF-8 and import again"},
	{"\xfe\xff", "UTF-16; convert it to UTF-8 and import again"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd; unpack it, or compress it by gzip"},
	{"BZh", "compressed by bzip2; unpack it, or compress it by gzip"},
	{"\xfd7zXZ", "compressed by xz; unpack it, or compress it by gzip"},
	{"PK\x03\x04", "a zip archive; unpack it, or compress it by gzip"},
}

// failed names the place of an error and says what to do.
func (in *input) failed(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the compressed file ends in the midst (%w); get the whole of it and import again", err)
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		err = fmt.Errorf("the compressed file is damaged (%w); get it anew and import again", err)
	}
	return fmt.Errorf("reading %s after line %d: %w", in.name, in.line, err)
}

// next returns the next line that is not blank, without its end, in memory of
// its own. The error is io.EOF at the end, errLongLine for a line that is
// passed over; any other one ends the input.
func (in *input) next() ([]byte, error) {
	if in.lines == nil {
		if err := in.begin(); err != nil {
			return nil, err
		}
	}
	for {
		raw, err := in.readLine()
		if err == nil && len(raw) == 0 {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errLongLine) {
			err = in.failed(err)
		}
		return raw, err
	}
}

// readLine returns a line without the white space around it. A last line
// without an end is a line.
func (in *input) readLine() ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := in.lines.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			long, line = true, nil
		}
		if !long {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (err != io.EOF || len(part) == 0 && len(line) == 0 && !long) {
			return nil, err
		}
		in.line++
		if long {
			return nil, errLongLine
		}
		return bytes.TrimSpace(line), nil
	}
}

// counter counts what is read, for the progress.
type counter struct {
	from io.Reader
	n    *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	return n, err
}
