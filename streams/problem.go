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
