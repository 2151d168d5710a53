package rules

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/millrace/millrace/streams"
)

// toString compiles string(x): the canonical text.
func toString(c *exprCompiler, call call) (operand, bool) {
	texts := textOf(call.args[0], call.at)
	if texts == nil {
		return c.takes(call, "a string, bool, number or time")
	}
	return operand{kind: streams.KindString, at: call.at, texts: texts}, true
}

// textOf returns the canonical text of a value; nil for kinds that have none.
func textOf(x operand, at place) fn[string] {
	switch x.kind {
	case streams.KindString:
		return x.texts
	case streams.KindBool:
		return written(at, x.bools, strconv.AppendBool)
	case streams.KindInt:
		return written(at, x.ints, func(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) })
	case streams.KindDecimal:
		return written(at, x.decimals, func(b []byte, d streams.Decimal) []byte { return d.Append(b) })
	case streams.KindFloat:
		return written(at, x.floats, streams.AppendFloat)
	case streams.KindTime:
		return written(at, x.times, func(b []byte, t streams.Time) []byte {
			b, _ = t.AppendText(b) // it never fails
			return b
		})
	}
	return nil
}

// written builds the text of a value in the scratch memory of the evaluator. The
// value comes first: to find it may take scratch memory, too.
func written[T any](at place, value fn[T], write func([]byte, T) []byte) fn[string] {
	return func(e *env) string {
		v := value(e)
		from := len(e.buf)
		e.buf = write(e.buf, v)
		return e.built(at, from)
	}
}

// toInt compiles int(x).
func toInt(c *exprCompiler, call call) (operand, bool) {
	x, at := call.args[0], call.at
	o := operand{kind: streams.KindInt, at: at}
	switch x.kind {
	case streams.KindInt:
		return x, true
	case streams.KindFloat:
		o.ints = func(e *env) int64 { return e.floatToInt(at, x.floats(e)) }
	case streams.KindDecimal:
		o.ints = func(e *env) int64 { return e.decimalToInt(at, x.decimals(e)) }
	case streams.KindString:
		o.ints = func(e *env) int64 { return e.textToInt(at, x.texts(e)) }
	default:
		return c.takes(call, "a number or a text")
	}
	return o, true
}

func (e *env) floatToInt(at place, f float64) int64 {
	if f = math.Trunc(f); f >= -(1<<63) && f < 1<<63 {
		return int64(f)
	}
	e.fail(at, ErrOverflow)
	return 0
}

func (e *env) decimalToInt(at place, d streams.Decimal) int64 {
	from := len(e.buf)
	e.buf = d.Append(e.buf)
	whole, _, _ := strings.Cut(e.built(at, from), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	e.buf = e.buf[:from]
	if err != nil {
		e.fail(at, ErrOverflow)
	}
	return n
}

func (e *env) textToInt(at place, s string) int64 {
	d, err := streams.ParseDecimal(s)
	switch {
	case errors.Is(err, streams.ErrDecimalRange):
		e.fail(at, ErrOverflow)
		return 0
	case err != nil || d.Scale() > 0:
		e.fail(at, ErrNumber)
		return 0
	}
	return e.decimalToInt(at, d)
}

// toFloat compiles float(x).
func toFloat(c *exprCompiler, call call) (operand, bool) {
	x, at := call.args[0], call.at
	switch {
	case x.kind == streams.KindFloat:
		return x, true
	case x.number():
		o := x.float()
		o.lit, o.at = nil, at
		return o, true
	case x.kind == streams.KindInt:
		return operand{kind: streams.KindFloat, at: at, floats: func(e *env) float64 { return float64(x.ints(e)) }}, true
	case x.kind == streams.KindDecimal:
		return operand{kind: streams.KindFloat, at: at, floats: func(e *env) float64 { return x.decimals(e).Float() }}, true
	}
	return c.takes(call, "a number; write float(decimal(x)) of a text")
}

// toDecimal compiles decimal(x).
func toDecimal(c *exprCompiler, call call) (operand, bool) {
	x, at := call.args[0], call.at
	switch x.kind {
	case streams.KindInt, streams.KindDecimal:
		o := x.decimal()
		o.lit, o.at = nil, at
		return o, true
	case streams.KindFloat:
		return x.shortest(at), true
	case streams.KindString:
		return operand{kind: streams.KindDecimal, at: at, decimals: func(e *env) streams.Decimal {
			d, err := streams.ParseDecimal(x.texts(e))
			switch {
			case errors.Is(err, streams.ErrDecimalRange):
				e.fail(at, err)
			case err != nil:
				e.fail(at, ErrNumber)
			default:
				return e.ranged(at, d)
			}
			return streams.Decimal{}
		}}, true
	}
	return c.takes(call, "a number or a text")
}

// toTime compiles time(x).
func toTime(c *exprCompiler, call call) (operand, bool) {
	x, at := call.args[0], call.at
	switch x.kind {
	case streams.KindTime:
		return x, true
	case streams.KindString:
		if x.lit != nil {
			t, err := streams.ParseTime(x.lit.text)
			if err != nil {
				c.add(x.at, "%v", err)
			}
			return operand{kind: streams.KindTime, at: at, times: func(*env) streams.Time { return t }}, err == nil
		}
		return operand{kind: streams.KindTime, at: at, times: func(e *env) streams.Time {
			t, err := streams.ParseTime(x.texts(e))
			if err != nil {
				e.fail(at, err)
			}
			return t
		}}, true
	}
	return c.takes(call, "a text or a time")
}
