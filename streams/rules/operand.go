package rules

import (
	"strconv"

	"github.com/millrace/millrace/streams"
)

// fn is a compiled expression.
type fn[T any] func(*env) T

// operand is a compiled expression with its type. Of its closures the one of its
// kind is set; text and bytes share one. The kind is KindInvalid for nil.
//
// Where null is set, it is called once before each call of the other closure,
// which is called only if it said false: it may remember what it found.
type operand struct {
	kind     streams.Kind
	null     fn[bool] // nil: it cannot be null
	ints     fn[int64]
	floats   fn[float64]
	bools    fn[bool]
	texts    fn[string]
	decimals fn[streams.Decimal]
	times    fn[streams.Time]

	lit  *literal
	name string // of what is read as it is: data.amount
	at   place
}

// literal is what an operand has that stands in the configuration as it is.
type literal struct {
	number streams.Decimal // of a number; exact
	text   string          // of a text
}

func (o operand) isNil() bool { return o.kind == streams.KindInvalid }

// numeric says whether arithmetic takes the kind.
func numeric(k streams.Kind) bool {
	return k == streams.KindInt || k == streams.KindFloat || k == streams.KindDecimal
}

// typ names the type as users read it.
func (o operand) typ() string {
	if o.isNil() {
		return "nil"
	}
	if o.null != nil {
		return o.kind.String() + "?"
	}
	return o.kind.String()
}

func nilAt(at place) operand {
	return operand{at: at, null: func(*env) bool { return true }}
}

// nilOf returns a nil that stands beside a value of that kind.
func nilOf(at place, k streams.Kind) operand {
	return operand{
		kind: k, at: at, null: func(*env) bool { return true },
		ints: zero[int64], floats: zero[float64], bools: zero[bool],
		texts: zero[string], decimals: zero[streams.Decimal], times: zero[streams.Time],
	}
}

func zero[T any](*env) (z T) { return z }

func intAt(at place, n int64) operand {
	return operand{
		kind: streams.KindInt, at: at, ints: func(*env) int64 { return n },
		lit: &literal{number: streams.NewDecimal(n, 0)},
	}
}

func decimalAt(at place, d streams.Decimal) operand {
	return operand{
		kind: streams.KindDecimal, at: at, decimals: func(*env) streams.Decimal { return d },
		lit: &literal{number: d},
	}
}

func textAt(at place, s string) operand {
	return operand{kind: streams.KindString, at: at, texts: func(*env) string { return s }, lit: &literal{text: s}}
}

func boolAt(at place, b bool) operand {
	return operand{kind: streams.KindBool, at: at, bools: func(*env) bool { return b }, lit: &literal{}}
}

// number says whether the operand is a number that stands in the configuration.
func (o operand) number() bool { return o.lit != nil && numeric(o.kind) }

// decimal returns an int or a decimal as a decimal.
func (o operand) decimal() operand {
	if o.kind == streams.KindInt {
		ints := o.ints
		o.kind, o.ints = streams.KindDecimal, nil
		o.decimals = func(e *env) streams.Decimal { return streams.NewDecimal(ints(e), 0) }
	}
	return o
}

// float returns an int as the float that it is, or a number that stands in the
// configuration as the nearest one.
func (o operand) float() operand {
	switch {
	case o.number():
		f, _ := strconv.ParseFloat(o.lit.number.String(), 64)
		o.floats = func(*env) float64 { return f }
	case o.kind == streams.KindInt:
		ints, at := o.ints, o.at
		o.floats = func(e *env) float64 { return e.float(at, ints(e)) }
	default:
		return o
	}
	o.kind, o.ints, o.decimals = streams.KindFloat, nil, nil
	return o
}

// shortest returns a float as the shortest decimal that reads back as it.
func (o operand) shortest(at place) operand {
	floats := o.floats
	o.kind, o.floats, o.at = streams.KindDecimal, nil, at
	o.decimals = func(e *env) streams.Decimal {
		d, err := streams.DecimalFromFloat(floats(e))
		if err != nil {
			e.fail(at, err)
		}
		return d
	}
	return o
}

// common returns both operands as one kind, where they have one: ints go with
// decimals and floats, numbers of the configuration with any number.
func common(a, b operand) (operand, operand, bool) {
	switch {
	case a.kind == b.kind:
	case a.isNil():
		a = nilOf(a.at, b.kind)
	case b.isNil():
		b = nilOf(b.at, a.kind)
	case a.kind == streams.KindFloat && b.besideFloat():
		b = b.float()
	case b.kind == streams.KindFloat && a.besideFloat():
		a = a.float()
	case a.kind == streams.KindInt && b.kind == streams.KindDecimal:
		a = a.decimal()
	case a.kind == streams.KindDecimal && b.kind == streams.KindInt:
		b = b.decimal()
	default:
		return a, b, false
	}
	return a, b, true
}

// besideFloat says whether a number that is not a float goes with one. An int
// that stands in the configuration must be a float; a fraction seldom is.
func (o operand) besideFloat() bool {
	if n, whole := o.written(); whole && o.kind == streams.KindInt {
		f := float64(n)
		return f != 1<<63 && int64(f) == n
	}
	return o.kind == streams.KindInt || o.number()
}

// written returns the int that stands in the configuration.
func (o operand) written() (int64, bool) {
	if !o.number() {
		return 0, false
	}
	return o.lit.number.Int64()
}

// widen returns an operand of the kind that all of them can become. It tells
// misfit which one goes with which other one not. Numbers of the configuration
// come last: they go with any other, but not any other with what they became.
func widen(list []operand, misfit func(i, with int)) operand {
	var widest operand
	with := 0
	for _, written := range []bool{false, true} {
		for i, o := range list {
			if o.number() != written {
				continue
			}
			wider, _, ok := common(widest, o)
			switch {
			case widest.isNil():
				widest, with = o, i
			case !ok:
				misfit(i, with)
			case wider.kind != widest.kind:
				widest, with = wider, i
			}
		}
	}
	return widest
}

// oneKind brings all operands to one kind.
func oneKind(list []operand) ([]operand, bool) {
	ok := true
	widest := widen(list, func(int, int) { ok = false })
	all := make([]operand, len(list))
	for i, o := range list {
		all[i], _, _ = common(o, widest)
	}
	return all, ok
}

// mixing says why two kinds do not go together, and what to write.
func mixing(a, b operand) string {
	switch {
	case a.kind == streams.KindFloat && b.kind == streams.KindDecimal, a.kind == streams.KindDecimal && b.kind == streams.KindFloat:
		return "; write decimal(x) of the float or float(x) of the decimal"
	case a.kind == streams.KindFloat && b.kind == streams.KindInt, a.kind == streams.KindInt && b.kind == streams.KindFloat:
		return "; no float is this int; write float(x) for the nearest one"
	case a.kind == streams.KindString && numeric(b.kind), numeric(a.kind) && b.kind == streams.KindString:
		return "; write string(x) of the number or decimal(x) of the text"
	}
	return ""
}
