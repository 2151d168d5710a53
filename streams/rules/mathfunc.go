package rules

import (
	"math"

	"github.com/millrace/millrace/streams"
)

func absolute(c *exprCompiler, call call) (operand, bool) {
	x, at := call.args[0], call.at
	o := operand{kind: x.kind, at: at}
	switch x.kind {
	case streams.KindInt:
		o.ints = func(e *env) int64 { return e.absolute(at, x.ints(e)) }
	case streams.KindFloat:
		o.floats = func(e *env) float64 { return math.Abs(x.floats(e)) }
	case streams.KindDecimal:
		o.decimals = func(e *env) streams.Decimal {
			d := x.decimals(e)
			if d.Sign() < 0 {
				return d.Neg()
			}
			return d
		}
	default:
		return c.takes(call, "a number")
	}
	return o, true
}

func (e *env) absolute(at place, n int64) int64 {
	if n == math.MinInt64 {
		e.fail(at, ErrOverflow)
	}
	if n < 0 {
		return -n
	}
	return n
}

func least(c *exprCompiler, call call) (operand, bool) { return extreme(c, call, "<") }

func greatest(c *exprCompiler, call call) (operand, bool) { return extreme(c, call, ">") }

// extreme compiles min and max. Of equals the first wins.
func extreme(c *exprCompiler, call call, better string) (operand, bool) {
	all, ok := oneKind(call.args)
	if !ok || !numeric(all[0].kind) && all[0].kind != streams.KindTime {
		return c.takes(call, "numbers or times of one type")
	}
	o := operand{kind: all[0].kind, at: call.at}
	switch o.kind {
	case streams.KindInt:
		o.ints = extremeOf(all, func(o operand) fn[int64] { return o.ints }, beats[int64](better))
	case streams.KindFloat:
		o.floats = extremeOf(all, func(o operand) fn[float64] { return o.floats }, beats[float64](better))
	case streams.KindTime:
		earlier := beats[int64](better)
		o.times = extremeOf(all, func(o operand) fn[streams.Time] { return o.times },
			func(a, b streams.Time) bool { return earlier(a.Nanos, b.Nanos) })
	default:
		smaller := beats[int](better)
		o.decimals = extremeOf(all, func(o operand) fn[streams.Decimal] { return o.decimals },
			func(a, b streams.Decimal) bool { return smaller(a.Cmp(b), 0) })
	}
	return o, true
}

func beats[T int | int64 | float64](better string) func(a, b T) bool {
	if better == "<" {
		return func(a, b T) bool { return a < b }
	}
	return func(a, b T) bool { return a > b }
}

func extremeOf[T any](list []operand, get func(operand) fn[T], beats func(a, b T) bool) fn[T] {
	var fns []fn[T]
	for _, o := range list {
		fns = append(fns, get(o))
	}
	return func(e *env) T {
		best := fns[0](e)
		for _, f := range fns[1:] {
			if v := f(e); beats(v, best) {
				best = v
			}
		}
		return best
	}
}

// round compiles round(x, places) as div(x, 1, places).
func round(c *exprCompiler, call call) (operand, bool) {
	one := intAt(call.at, 1).decimal()
	return quotient(c, call, one)
}

func divide(c *exprCompiler, call call) (operand, bool) {
	by := call.args[1].decimal()
	return quotient(c, call, by)
}

// quotient compiles the first argument by b; the last one is the constant number
// of places.
func quotient(c *exprCompiler, call call, b operand) (operand, bool) {
	a, places := call.args[0].decimal(), call.args[len(call.args)-1]
	if a.kind != streams.KindDecimal || b.kind != streams.KindDecimal || places.kind != streams.KindInt {
		return c.takes(call, "ints or decimals, and a number of places; write decimal(x) of a float")
	}
	if !places.number() {
		c.add(places.at, "the number of places must be written there: 0 to %d", streams.MaxDigits)
		return operand{}, false
	}
	n, _ := places.lit.number.Int64()
	if n < 0 || n > streams.MaxDigits {
		c.add(places.at, "the number of places must be 0 to %d, not %d", streams.MaxDigits, n)
		return operand{}, false
	}
	at, x, y := call.at, a.decimals, b.decimals
	return operand{kind: streams.KindDecimal, at: at, decimals: func(e *env) streams.Decimal {
		d, err := x(e).Div(y(e), int(n))
		if err != nil {
			e.fail(at, err)
			return streams.Decimal{}
		}
		return e.ranged(at, d)
	}}, true
}
