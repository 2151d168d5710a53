package streams

import "fmt"

// Problem is one thing that is wrong in a configuration file, at one place.
type Problem struct {
	// Line and Column count from 1; Column counts characters, not bytes.
	Line, Column int
	// Message says what is wrong and what would be right, in one sentence
	// without a full stop.
	Message string
}

// Error returns line:column: message.
func (p Problem) Error() string { return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message) }

// FieldError is an error of one setting, whose place in the file is found by its
// path. Errors of several settings are joined.
type FieldError struct {
	// Path leads to the setting from the block that was checked: "addr",
	// "brokers[0]".
	Path string
	// Message is a full sentence that names the setting, without a full stop.
	Message string
}

// FieldErrorf returns a [*FieldError] with the message given as in [fmt.Sprintf].
func FieldErrorf(path, format string, args ...any) error {
	return &FieldError{path, fmt.Sprintf(format, args...)}
}

// Error returns the message.
func (e *FieldError) Error() string { return e.Message }
