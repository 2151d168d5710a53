package rules

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"github.com/millrace/millrace/streams"
)

// TestTextsOfAnEventAreBounded: a chain of + copies what stands before it each
// time, so that a long one makes gigabytes of a record of a megabyte.
func TestTextsOfAnEventAreBounded(t *testing.T) {
	id := "data.customer_id"
	for name, expr := range map[string]string{
		"+":       id + strings.Repeat(" + "+id, 100),
		"nested":  strings.Repeat("lower(upper(", 100) + id + strings.Repeat("))", 100),
		"in when": "len(" + id + strings.Repeat(" + "+id, 100) + ") > 5 ? 'a' : 'b'",
	} {
		t.Run(name, func(t *testing.T) {
			ev := full(t)
			ev["data.customer_id"] = strings.Repeat("x", 1<<20)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := value(t, expr, ev)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrTextSize) {
				t.Errorf("got %v", err)
			}
			if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 256 {
				t.Errorf("it allocated %d MiB", n)
			}
		})
	}
	t.Run("tuple", func(t *testing.T) {
		key := "=[" + id + strings.Repeat(", "+id, 40) + "]"
		p := compiled(t, strings.Replace(header, "=stream", key, 1)+"on:\n  OrderPlaced: {add: {x: 1}}\n")
		_, err := run(t, p, "OrderPlaced", event{"data.customer_id": strings.Repeat("x", 1<<20)})
		if e := evalError(t, err); !errors.Is(err, ErrTextSize) || e.Line != 3 {
			t.Errorf("got %v", err)
		}
	})
}

// TestRulesBehindAnErrorAreNotEvaluated: the event is lost anyhow, and each of
// them may cost as much as the first.
func TestRulesBehindAnErrorAreNotEvaluated(t *testing.T) {
	p := compiled(t, header+"on:\n  OrderPlaced:\n    - add: {x: \"=1 % data.article\"}\n    - when: \"=data.article == 0\"\n      set: {y: 1}\n")
	e := p.Events["OrderPlaced"]
	evaluated := false
	when := e.rules[1].when
	e.rules[1].when = func(e *env) bool { evaluated = true; return when(e) }
	if _, err := run(t, p, "OrderPlaced", event{"stream": "s", "data.article": 0}); !errors.Is(err, streams.ErrDivisionByZero) || evaluated {
		t.Errorf("got %v, the second rule was evaluated: %v", err, evaluated)
	}
}

// TestMemoryOfLargeTextsIsGivenBack: one large event must not cost memory for
// good, in each partition.
func TestMemoryOfLargeTextsIsGivenBack(t *testing.T) {
	p := compiled(t, header+"on:\n  OrderPlaced: {set: {x: \"=data.customer_id + 'x'\"}}\n")
	e := p.Events["OrderPlaced"]
	v := e.NewEvaluator()
	for _, size := range []int{8 << 20, 1} {
		event{"stream": "s-1", "data.customer_id": strings.Repeat("x", size)}.fill(t, v, e)
		if _, err := v.Eval(); err != nil {
			t.Fatal(err)
		}
	}
	if n := cap(v.env.buf); n > maxKept {
		t.Errorf("%d bytes are kept", n)
	}
}

// TestForgottenEventsAreFreed: an event type that comes seldom must not keep the
// buffer of a fetch alive in each partition, whether another event came behind it
// or none.
func TestForgottenEventsAreFreed(t *testing.T) {
	const rules = `on:
  OrderPlaced:
    - latest: {x: "=data.customer_id", z: a}
    - when: "=data.article == 0"
      latest: {y: "=data.coupon ?? ''"}
`
	for _, key := range []string{"=data.customer_id", "=[data.customer_id]"} {
		for _, more := range []bool{false, true} {
			p := compiled(t, strings.Replace(header, "=stream", key, 1)+rules)
			e := p.Events["OrderPlaced"]
			v := e.NewEvaluator()
			held := evalHeld(t, v, e)
			small := event{"data.customer_id": "c", "data.coupon": nil, "data.article": 1}
			if more {
				small.fill(t, v, e)
				if steps, err := v.Eval(); err != nil || len(steps) != 1 { // fewer than before
					t.Fatal(steps, err)
				}
			}
			if runtime.GC(); held.Value() == nil {
				t.Errorf("%s: the event is not held before it is forgotten", key)
			}
			v.Forget()
			if runtime.GC(); held.Value() != nil {
				t.Errorf("%s, another event %v: the event is still held", key, more)
			}
			small["data.article"] = 0
			small.fill(t, v, e)
			if steps, err := v.Eval(); err != nil || show(p, steps) != "c: latest x c, latest z a\nc: latest y " {
				t.Errorf("after it: %s, %v", show(p, steps), err)
			}
			runtime.KeepAlive(v)
		}
	}
}

// evalHeld evaluates an event whose texts lie in one buffer, and returns what
// tells whether that is still there.
func evalHeld(t *testing.T, v *Evaluator, e *Event) weak.Pointer[byte] {
	t.Helper()
	buffer := []byte(strings.Repeat("x", 1<<16))
	text := unsafe.String(&buffer[0], len(buffer))
	event{"data.customer_id": text, "data.coupon": text, "data.article": 0}.fill(t, v, e)
	if steps, err := v.Eval(); err != nil || len(steps) != 2 {
		t.Fatal(steps, err)
	}
	return weak.Make(&buffer[0])
}

// TestLongNumbersAreRefused: to read a million digits would take minutes.
func TestLongNumbersAreRefused(t *testing.T) {
	for text, tests := range map[string][]struct {
		expr string
		want error
	}{
		"0." + strings.Repeat("1", 1<<20): {{"decimal(data.customer_id)", streams.ErrDecimalRange}, {"int(data.customer_id)", ErrOverflow}},
		strings.Repeat("1", 1<<20):        {{"decimal(data.customer_id)", streams.ErrDecimalRange}, {"int(data.customer_id)", ErrOverflow}},
	} {
		for _, tt := range tests {
			if _, err := value(t, tt.expr, event{"data.customer_id": text}); !errors.Is(err, tt.want) {
				t.Errorf("%s of %d digits: %v", tt.expr, len(text), err)
			}
		}
	}
}

// TestIntsBesideFloatsAreExact: an int that no float is would become another
// number in silence.
func TestIntsBesideFloatsAreExact(t *testing.T) {
	const large = 1<<53 + 1
	for _, tt := range []struct {
		expr string
		n    int
		want error
	}{
		{`data.article + data.weight`, large, ErrInexact}, {`data.article == data.weight`, large, ErrInexact},
		{`data.article > data.weight`, large, ErrInexact}, {`max(data.article, data.weight)`, large, ErrInexact},
		{`data.express ? data.article : data.weight`, large, ErrInexact}, {`data.article + data.weight`, 1<<63 - 1, ErrInexact},
		{`data.article + data.weight`, 1 << 53, nil}, {`data.article + data.weight`, -1 << 63, nil},
		{`float(data.article) + data.weight`, large, nil}, {`data.article + decimal(data.weight)`, large, nil},
	} {
		ev := full(t)
		ev["data.article"] = tt.n
		if got, err := value(t, tt.expr, ev); !errors.Is(err, tt.want) {
			t.Errorf("%s of %d: got %s, %v; want %v", tt.expr, tt.n, got, err, tt.want)
		}
	}
	// so it is where two rules give a field numbers of two types
	p := compiled(t, header+"on:\n  OrderPlaced:\n    - set: {x: \"=data.weight\"}\n    - set: {x: \"=data.article\"}\n")
	if _, err := run(t, p, "OrderPlaced", event{"stream": "s-1", "data.weight": 1.5, "data.article": large}); !errors.Is(err, ErrInexact) {
		t.Errorf("field of two types: %v", err)
	}
}

// TestCommentsToTheEndOfTheLineAreRefused: YAML makes one line of several, and
// a comment would take the rest of the expression with it.
func TestCommentsToTheEndOfTheLineAreRefused(t *testing.T) {
	_, problems := check(t, header+"on:\n  OrderPlaced:\n    add:\n      x: \"=data.amount // gross\n        + data.article\"\n")
	if len(problems) != 1 || problems[0].Line != 8 || problems[0].Column != 24 || !strings.Contains(problems[0].Message, "write comments in YAML") {
		t.Errorf("got %v", problems)
	}
	for _, expr := range []string{`"http://x"`, `'/*' + "//"`, "`//`", `1 /* // " */ + 2`, `1 /*/ // */ + 2`, `"a\"//"`, `'\\' + "//"`, `data.weight / data.weight`} {
		if _, err := value(t, expr, full(t)); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
	for _, expr := range []string{`1 // x`, `1 /* " */ // "`, `'\\' // x`, `"'" // "`} {
		if _, problems := check(t, header+"on:\n  OrderPlaced:\n    set: {x: "+quote(expr)+"}\n"); len(problems) != 1 {
			t.Errorf("%s: %v", expr, problems)
		}
	}
}

// TestWrittenTimesAreChecked: what stands in the rule is known before the first
// event.
func TestWrittenTimesAreChecked(t *testing.T) {
	_, problems := check(t, header+"on:\n  OrderPlaced:\n    when: \"=time > time('2000-01-01')\"\n    set: {x: 1}\n")
	if len(problems) != 1 || problems[0].Line != 7 || problems[0].Column != 25 || !strings.Contains(problems[0].Message, `"2000-01-01" is not an RFC 3339 time`) {
		t.Errorf("got %v", problems)
	}
	if got, err := value(t, `data.placed < time("2000-02-01T00:00:00+01:00")`, full(t)); err != nil || got != "true" {
		t.Errorf("got %s, %v", got, err)
	}
}
