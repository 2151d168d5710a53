package shop

import "io"

// Lines returns the first n events of a seed as lines of JSON, for an import.
// The reader is not safe for concurrent use.
func Lines(seed uint64, n int) io.Reader { return &lines{generator: New(seed), left: n} }

type lines struct {
	generator *Generator
	left      int
	line      []byte // what is left of the line
}

// Read reads as many whole lines as fit, at least a part of one.
func (l *lines) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(l.line) == 0 {
			if l.left == 0 {
				break
			}
			line, err := l.generator.Next().Line()
			if err != nil {
				return n, err
			}
			l.line = line
			l.left--
		}
		m := copy(b[n:], l.line)
		n += m
		l.line = l.line[m:]
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
