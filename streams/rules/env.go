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
	ErrTextSize = fmt.Errorf("the rules of the event build texts of more than %d MiB", maxBuilt>>20)
	ErrInexact  = errors.New("no float is this int; write float(x) for the nearest one, or decimal(x) of the float")
	ErrFit      = errors.New("the number does not fit the field of the state")
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

// maxBuilt bounds, in bytes, the texts that the rules of one event build: each +
// of a chain makes a longer one, and a record may have a megabyte.
const maxBuilt = 16 << 20

// maxKept is how much memory for texts is kept for the next event.
const maxKept = 1 << 20

func (e *env) reset() {
	if cap(e.buf) > maxKept {
		e.buf = nil
	}
	e.buf, e.err = e.buf[:0], nil
}

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
func (e *env) built(at place, from int) string {
	if len(e.buf) > maxBuilt {
		e.fail(at, ErrTextSize)
		e.buf = e.buf[:from]
	}
	b := e.buf[from:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// finite fails on NaN and the infinities. It only compares: beside a product, f-f
// could become one fused step on some processors, which is not 0 there.
func (e *env) finite(at place, f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail(at, ErrFloat)
	}
	return f
}

// float returns the float that is an int, and fails where none is.
func (e *env) float(at place, n int64) float64 {
	f := float64(n)
	if f == 1<<63 || int64(f) != n {
		e.fail(at, ErrInexact)
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
