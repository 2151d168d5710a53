package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

func typ(k streams.Kind) streams.Type { return streams.Type{Kind: k} }

func nullable(t streams.Type) streams.Type { t.Nullable = true; return t }

func decimalType(precision, scale int) streams.Type {
	return streams.Type{Kind: streams.KindDecimal, Precision: precision, Scale: scale}
}

func record(fields ...streams.Field) streams.Type {
	return streams.Type{Kind: streams.KindRecord, Fields: fields}
}

// order is the data of the event types of these tests.
var order = record(
	streams.Field{Name: "amount", Type: decimalType(12, 2)},
	streams.Field{Name: "discount", Type: nullable(decimalType(12, 2)), Default: "null"},
	streams.Field{Name: "article", Type: typ(streams.KindInt)},
	streams.Field{Name: "count", Type: nullable(typ(streams.KindInt))},
	streams.Field{Name: "weight", Type: typ(streams.KindFloat)},
	streams.Field{Name: "ratio", Type: nullable(typ(streams.KindFloat))},
	streams.Field{Name: "customer_id", Type: typ(streams.KindString)},
	streams.Field{Name: "coupon", Type: nullable(typ(streams.KindString))},
	streams.Field{Name: "express", Type: typ(streams.KindBool)},
	streams.Field{Name: "gift", Type: nullable(typ(streams.KindBool))},
	streams.Field{Name: "placed", Type: typ(streams.KindTime)},
	streams.Field{Name: "due", Type: nullable(typ(streams.KindTime))},
	streams.Field{Name: "photo", Type: typ(streams.KindBytes)},
	streams.Field{Name: "wide", Type: decimalType(38, 10)},
	streams.Field{Name: "huge", Type: decimalType(50, 0)},
	streams.Field{Name: "address", Type: record(streams.Field{Name: "city", Type: typ(streams.KindString), Default: `""`})},
	streams.Field{Name: "billing", Type: nullable(record(streams.Field{Name: "city", Type: typ(streams.KindString)}))},
	streams.Field{Name: "items", Type: streams.Type{Kind: streams.KindList, Elem: &streams.Type{Kind: streams.KindString}}},
)

func testTypes(eventType string) (streams.Type, error) {
	switch eventType {
	case "OrderPlaced", "OrderPaid", "OrderCancelled":
		return order, nil
	case "OrderState":
		return orderState, nil
	case "Scalar":
		return typ(streams.KindString), nil
	}
	return streams.Type{}, fmt.Errorf("no schema of %s", eventType)
}

// orderState is the state of the folds of these tests.
var orderState = record(
	streams.Field{Name: "status", Type: typ(streams.KindString), Default: `"new"`},
	streams.Field{Name: "note", Type: nullable(typ(streams.KindString)), Default: "null"},
	streams.Field{Name: "count", Type: typ(streams.KindInt), Default: "0"},
	streams.Field{Name: "paid", Type: nullable(decimalType(12, 2))},
	streams.Field{Name: "fee", Type: decimalType(4, 2), Default: `"\u0096"`}, // -1.06
	streams.Field{Name: "big", Type: nullable(decimalType(38, 0))},
	streams.Field{Name: "weight", Type: nullable(typ(streams.KindFloat))},
	streams.Field{Name: "ratio", Type: typ(streams.KindFloat), Default: "0.5"},
	streams.Field{Name: "first", Type: nullable(typ(streams.KindTime))},
	streams.Field{Name: "last", Type: nullable(typ(streams.KindTime))},
	streams.Field{Name: "open", Type: typ(streams.KindBool), Default: "true"},
	streams.Field{Name: "photo", Type: typ(streams.KindBytes), Default: `"\u0001ÿ"`},
	streams.Field{Name: "bare", Type: typ(streams.KindInt)},
	streams.Field{Name: "since", Type: typ(streams.KindTime), Default: "0"},
	streams.Field{Name: "wild", Type: typ(streams.KindFloat), Default: `"NaN"`},
	streams.Field{Name: "address", Type: nullable(record(streams.Field{Name: "city", Type: typ(streams.KindString)}))},
)

var testOptions = Options{
	Types:          testTypes,
	AnyPartitioner: func(topic string) bool { return topic == "any" },
	Fold:           func(string) *Fold { return &Fold{Name: "order", State: "OrderState", Kind: "orders", ofKind: true} },
}

func parseView(tb testing.TB, text string) (*View, []streams.Problem) {
	tb.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		tb.Fatalf("%v in:\n%s", err, text)
	}
	return Parse(doc.Content[0])
}

func check(tb testing.TB, text string) (*Program, []streams.Problem) {
	tb.Helper()
	view, problems := parseView(tb, text)
	if view == nil {
		return nil, problems
	}
	program, more := view.Compile(testOptions)
	return program, append(problems, more...)
}

func compiled(tb testing.TB, text string) *Program {
	tb.Helper()
	p, problems := check(tb, text)
	for _, problem := range problems {
		tb.Errorf("%v", problem)
	}
	if len(problems) > 0 || p == nil {
		tb.Fatalf("does not compile:\n%s", text)
	}
	return p
}

// header is four lines, so that what follows begins on line 5.
const header = "name: orders\ntopics: [shop]\nkey: \"=stream\"\non_error: stop\n"

// event is an event of the tests: values by path or by the name of a Meta.
type event map[string]any

func (ev event) fill(tb testing.TB, v *Evaluator, e *Event) {
	tb.Helper()
	ev.into(tb, v.Slots(), e.Paths)
}

func (ev event) into(tb testing.TB, slots []streams.Slot, paths []string) {
	tb.Helper()
	for k, p := range paths {
		slots[k] = streams.Slot{Null: true}
		if value, ok := ev["data."+p]; ok {
			slots[k] = slotOf(tb, value)
		}
	}
	for m := range MetaCount {
		slots[len(paths)+int(m)] = streams.Slot{}
		if value, ok := ev[m.String()]; ok {
			slots[len(paths)+int(m)] = slotOf(tb, value)
		}
	}
}

func slotOf(tb testing.TB, value any) (s streams.Slot) {
	tb.Helper()
	switch v := value.(type) {
	case nil:
		s.Null = true
	case string:
		s.SetString(v)
	case int:
		s.SetInt(int64(v))
	case float64:
		s.SetFloat(v)
	case bool:
		s.SetBool(v)
	case streams.Time:
		s.SetTime(v)
	case streams.Slot:
		return v
	default:
		tb.Fatalf("no slot for %T", value)
	}
	return s
}

func timeOf(tb testing.TB, s string) streams.Time {
	tb.Helper()
	at, err := streams.ParseTime(s)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

// valueText shows a value of a field.
func valueText(f Field, v Value) string {
	switch f.Type.Kind {
	case streams.KindDecimal:
		return v.Decimal.String()
	case streams.KindInt:
		return fmt.Sprint(v.Slot.Int())
	case streams.KindFloat:
		return fmt.Sprint(v.Slot.Float())
	case streams.KindBool:
		return fmt.Sprint(v.Slot.Bool())
	case streams.KindTime:
		return v.Slot.Time().String()
	}
	return v.Slot.Str
}

// show writes steps as one line each: key: delete, op field value, …
func show(p *Program, steps []Step) string {
	var lines []string
	for _, s := range steps {
		var parts []string
		if s.Delete {
			parts = append(parts, "delete")
		}
		for _, c := range s.Changes {
			f := p.Fields[c.Field]
			if c.Op == OpUnset {
				parts = append(parts, "unset "+f.Name)
			} else {
				parts = append(parts, fmt.Sprintf("%s %s %s", c.Op, f.Name, valueText(f, c.Value)))
			}
		}
		lines = append(lines, s.Key+": "+strings.Join(parts, ", "))
	}
	return strings.Join(lines, "\n")
}

func run(tb testing.TB, p *Program, eventType string, ev event) (string, error) {
	tb.Helper()
	e := p.Events[eventType]
	v := e.NewEvaluator()
	ev.fill(tb, v, e)
	steps, err := v.Eval()
	return show(p, steps), err
}

// value evaluates one expression as a set of a field.
func value(tb testing.TB, expr string, ev event) (string, error) {
	tb.Helper()
	p := compiled(tb, header+"on:\n  OrderPlaced:\n    set: {x: "+quote(expr)+", y: 1}\n")
	if ev["stream"] == nil {
		ev["stream"] = "order-1"
	}
	got, err := run(tb, p, "OrderPlaced", ev)
	if err != nil {
		return "", err
	}
	got = strings.TrimSuffix(strings.TrimPrefix(got, ev["stream"].(string)+": "), ", set y 1")
	return strings.TrimPrefix(got, "set x "), nil
}

// quote writes an expression as a single-quoted YAML scalar.
func quote(expr string) string { return "'=" + strings.ReplaceAll(expr, "'", "''") + "'" }

func problemsOf(tb testing.TB, expr string) string {
	tb.Helper()
	_, problems := check(tb, header+"on:\n  OrderPlaced:\n    set: {x: "+quote(expr)+", y: 1}\n")
	return strings.Join(problemTexts(problems), "\n")
}

// canonicalOf is the text that the digest of an expression is taken of.
func canonicalOf(tb testing.TB, expr string) string {
	tb.Helper()
	text := compiled(tb, header+"on:\n  OrderPlaced:\n    set: {x: "+quote(expr)+", y: 1}\n").Canonical()
	_, text, _ = strings.Cut(text, "set x ")
	text, _, _ = strings.Cut(text, "\n")
	return text
}

func evalError(tb testing.TB, err error) *EvalError {
	tb.Helper()
	var e *EvalError
	if !errors.As(err, &e) {
		tb.Fatalf("got error %v, want an EvalError", err)
	}
	return e
}

func scalarNode(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: 1, Column: 1}
}
