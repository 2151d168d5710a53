package rules

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/millrace/millrace/streams"
)

// Errors of evaluation, beside those of [streams.Decimal].
var (
	ErrOverflow = errors.New("the number does not fit 64 bits")
	ErrFloat    = errors.New("the float is NaN or infinite")
	ErrNumber   = errors.New("the text is not a number")
	ErrKey      = errors.New("the row key is empty")
	ErrText     = errors.New("the text is not valid UTF-8")
)

// EvalError is an error of one event: an expression has no value for it.
type EvalError struct {
	// Line and Column are those of the operator, function or value that failed.
	Line, Column int
	Err          error
}

// Error names the place in the configuration, then the reason.
func (e *EvalError) Error() string {
	return fmt.Sprintf("rule at line %d, column %d: %v", e.Line, e.Column, e.Err)
}

// Unwrap returns the reason.
func (e *EvalError) Unwrap() error { return e.Err }

// env is what the closures of one event type read and write.
type env struct {
	data   []streams.Slot // one for each path
	metas  []streams.Slot // one for each Meta
	chosen []bool         // which side a conditional took, from its null to its value
	buf    []byte         // texts that expressions build, until the next event
	parts  []string       // those of a tuple
	err    error          // the first one
}

func (e *env) reset() { e.buf, e.err = e.buf[:0], nil }

// fail keeps the first error. The closures go on with whatever value they have,
// and the evaluator drops it.
func (e *env) fail(at place, err error) {
	if e.err == nil {
		e.err = &EvalError{at.line, at.column, err}
	}
}

// built returns the text that was appended since the buffer had that length.
// It stays where it is when the buffer grows. Whoever builds a text first
// evaluates all that it is made of, and then asks for the length.
func (e *env) built(from int) string {
	b := e.buf[from:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// finite fails on NaN and the infinities.
func (e *env) finite(at place, f float64) float64 {
	if f-f != 0 || math.IsNaN(f) {
		e.fail(at, ErrFloat)
	}
	return f
}

// ranged fails on decimals of more than 38 digits.
func (e *env) ranged(at place, d streams.Decimal) streams.Decimal {
	if !d.InRange() {
		e.fail(at, streams.ErrDecimalRange)
		return streams.Decimal{}
	}
	return d
}
