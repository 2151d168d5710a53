package rules

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestExpressionProblems holds each message with its column in the expression.
func TestExpressionProblems(t *testing.T) {
	tests := []struct {
		expr   string
		column int
		want   string
	}{
		// syntax
		{`data.amount +`, 13, "the expression ends too early"},
		{`data.amount = 1`, 13, "unexpected =; equality is =="},
		{`(data.amount`, 12, "the expression ends too early"},
		{`data.amount)`, 12, `unexpected ")"`},
		{`"abc`, 5, "the text is not closed"},
		{`data.count ?? 0 + 1`, 17, "put ?? in parentheses: (data.amount ?? 0) + 1"},
		{`99999999999999999999`, 20, "the number does not fit 64 bits"},
		{`0x10 + 1`, 1, `"0x10" is not a number; write 12, -3 or 1.5`},
		{`1e3`, 1, `"1e3" is not a number; write 12, -3 or 1.5`},
		{`data.article + 010`, 16, `"010" is not a number; write 12, -3 or 1.5`},
		{`1.234567890123456789012345678901234567890`, 1, "decimal has more than 38 digits"},
		{`data.amount @ 1`, 13, "unexpected character U+0040 '@'"},
		// what is not supported
		{`1 < data.article < 3`, 5, "comparisons cannot be chained; write a < b and b < c"},
		{`[1, 2]`, 1, "a list stands only behind in, or alone as a row key"},
		{`data?.address`, 7, "?. is not needed; data.a.b is null where data.a is null"},
		{`b"x"`, 1, "bytes cannot be written in an expression"},
		{`let a = 1; a`, 5, "an expression is one value; let and ; are not supported"},
		{`data.coupon[0:1]`, 12, "parts of texts and lists are not supported"},
		{`data.coupon[0]`, 12, "only names can follow a point, and only a point can follow a name: data.address.city"},
		{`{"a": 1}`, 1, "Map is not supported in an expression"},
		{`data.customer_id matches "a"`, 18, "matches is not supported; there are contains, startsWith and endsWith"},
		{`data.article in 1..2`, 14, `in takes a list of values: data.class in ["A", "C"]`},
		{`1..2`, 2, "ranges are not supported; write a <= x and x <= b"},
		{`2 ** 3`, 3, "** is not supported"},
		{`if data.express {1} else {2}`, 1, "if is not supported; write cond ? a : b"},
		{`+data.article`, 1, "+ before a value is not supported"},
		{`data.customer_id.lower()`, 18, "only functions can be called; write lower(data.name), not data.name.lower()"},
		{`filter(data.items, # == "a")`, 1, "there is no function filter; functions are string, int, float, decimal, time, len, lower, upper, trim, abs, min, max, round, div, year, month, day, hour"},
		{`days(time, "UTC")`, 1, "there is no function days; did you mean day?"},
		// names
		{`data.amont`, 6, `OrderPlaced has no field "amont"; did you mean amount?`},
		{`data.xyzzy`, 6, `OrderPlaced has no field "xyzzy"; it has amount, discount, article, count, weight, ratio, customer_id, coupon, express, gift, placed, due, …`},
		{`data.address.town`, 14, `data.address of OrderPlaced has no field "town"; it has city`},
		{`data.address`, 6, "data.address is record {city}; name a field of it: data.address.city"},
		{`data.items`, 6, "data.items is list of string; expressions read only single values"},
		{`data.article.x`, 14, "data.article is int and has no field x"},
		{`data`, 1, "data is all of OrderPlaced; name a field of it: amount, discount, article, count, weight, ratio, customer_id, coupon, express, gift, placed, due, …"},
		{`amount`, 1, `there is no "amount"; did you mean data.amount?`},
		{`steam`, 1, `there is no "steam"; did you mean stream?`},
		{`quux`, 1, `there is no "quux"; names are stream, type, version, time, id, correlation, causation, topic, partition, offset, data`},
		{`data.coupon == null`, 16, `there is no "null"; in an expression null is written nil`},
		{`stream.keys`, 8, `stream has no "keys"; did you mean key?`},
		{`stream.key.x`, 12, "stream.key is a text and has no x"},
		{`time.year`, 6, "time has no parts"},
		{`row.amount`, 1, "reading row is not supported yet"},
		{`state.amount`, 1, "state is for sagas and snapshots; a view has data and the names of the event"},
		// types
		{`data.discount + 1`, 1, "the left side of + can be null; write (data.discount ?? 0)"},
		{`1 - data.count`, 5, "the right side of - can be null; write (data.count ?? 0)"},
		{`-data.ratio`, 2, "the operand of - can be null; write (data.ratio ?? 0)"},
		{`data.coupon + "a"`, 1, `the left side of + can be null; write (data.coupon ?? "")`},
		{`data.due < time`, 1, "the left side of < can be null; write (data.due ?? time)"},
		{`data.gift and true`, 1, "the left side of and can be null; write (data.gift ?? false)"},
		{`nil + 1`, 1, "the left side of + is nil"},
		{`data.amount + data.weight`, 13, "decimal and float do not mix; write decimal(x) of the float or float(x) of the decimal"},
		{`data.amount + data.customer_id`, 13, "+ takes two numbers, not decimal and string; write string(x) of the number or decimal(x) of the text"},
		{`data.placed - data.placed`, 13, "- takes two numbers, not time and time"},
		{`data.amount / 2`, 13, "/ does not say how to round; write div(a, b, places)"},
		{`data.article / 2`, 14, "/ does not say how to round; write div(a, b, places)"},
		{`data.amount % 2`, 13, "% takes two ints, not decimal and int"},
		{`-data.customer_id`, 1, "- takes a number, not string"},
		{`not data.article`, 5, "the operand of not must be a bool, not int"},
		{`data.article and true`, 1, "the left side of and must be a bool, not int"},
		{`data.weight > 9007199254740993`, 13, "float and int cannot be compared; no float is this int; write float(x) for the nearest one"},
		{`data.article contains "1"`, 14, "contains takes two strings, not int and string"},
		{`data.article == "7"`, 14, "int and string cannot be compared; write string(x) of the number or decimal(x) of the text"},
		{`data.express < true`, 14, "bool has no order"},
		{`data.placed < "2000"`, 13, "time and string cannot be compared"},
		{`nil == nil`, 5, "both sides of == are nil"},
		{`nil ?? 1`, 1, "the left side of ?? is nil"},
		{`data.coupon ?? 1`, 16, "both sides of ?? must have one type, but they are string? and int; write string(x) of the number or decimal(x) of the text"},
		{`data.express ? 1 : "a"`, 20, "both sides of : must have one type, but they are int and string; write string(x) of the number or decimal(x) of the text"},
		{`data.express ? nil : nil`, 16, "one side of : must be a value, not nil"},
		{`data.article ? 1 : 2`, 1, "the condition before ? must be a bool, not int"},
		{`data.article in []`, 17, "the list behind in is empty"},
		{`data.article in [1, "a"]`, 21, "string cannot be compared with int"},
		{`data.article in [data.count]`, 18, "the list behind in may hold only values that are written there; write a == b or …"},
		// functions
		{`lower()`, 1, "lower takes 1 argument, not 0 arguments; it is written lower(text)"},
		{`max(1)`, 1, "max takes at least 2 arguments, not 1 argument; it is written max(a, b, …)"},
		{`div(1, 2)`, 1, "div takes 3 arguments, not 2 arguments; it is written div(a, b, places)"},
		{`lowr("A")`, 1, "there is no function lowr; did you mean lower?"},
		{`lower(data.coupon)`, 7, `an argument of lower can be null; write (data.coupon ?? "")`},
		{`lower(1)`, 1, "lower takes a text, not int"},
		{`len(data.photo)`, 1, "len takes a text, not bytes"},
		{`string(data.photo)`, 1, "string takes a string, bool, number or time, not bytes"},
		{`int(true)`, 1, "int takes a number or a text, not bool"},
		{`float("1")`, 1, "float takes a number; write float(decimal(x)) of a text, not string"},
		{`decimal(true)`, 1, "decimal takes a number or a text, not bool"},
		{`time(1)`, 1, "time takes a text or a time, not int"},
		{`abs("a")`, 1, "abs takes a number, not string"},
		{`max("a", "b")`, 1, "max takes numbers or times of one type, not string, string"},
		{`round(data.weight, 1)`, 1, "round takes ints or decimals, and a number of places; write decimal(x) of a float, not float, int"},
		{`round(data.amount, data.article)`, 20, "the number of places must be written there: 0 to 38"},
		{`round(data.amount, 39)`, 20, "the number of places must be 0 to 38, not 39"},
		{`year(data.placed, "Rome")`, 19, `there is no zone "Rome"; write "as written", "UTC" or one such as "Europe/Rome"`},
		{`year(data.placed, "Local")`, 19, `there is no zone "Local"; write "as written", "UTC" or one such as "Europe/Rome"`},
		{`day(data.placed, data.customer_id)`, 18, `the zone must be written there: "as written", "UTC" or one such as "Europe/Rome"`},
		{`month("2000-01", "UTC")`, 1, `month takes a time and a zone: "as written", "UTC" or one such as "Europe/Rome", not string, string`},
		{`month(data.placed)`, 1, "month takes 2 arguments, not 1 argument; it is written month(t, zone)"},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			_, problems := check(t, header+"on:\n  OrderPlaced:\n    set: {x: "+quote(tt.expr)+", y: 1}\n")
			wantColumn := 15 + tt.column + strings.Count(tt.expr[:min(tt.column, len(tt.expr))], "'")
			if len(problems) != 1 {
				t.Fatalf("got %v, want one problem", problems)
			}
			if p := problems[0]; p.Message != tt.want || p.Line != 7 || p.Column != wantColumn {
				t.Errorf("got  %v\nwant 7:%d: %s", p, wantColumn, tt.want)
			}
		})
	}
}

// TestExpressionLimits: texts that would cost too much are refused.
func TestExpressionLimits(t *testing.T) {
	deep := "1"
	for range 40 { // b of a < b < c stands in the tree twice
		deep = "(1 < (" + deep + ") < 2 ? 1 : 0)"
	}
	tests := map[string]string{
		"1" + strings.Repeat(" + 1", 250): "the expression has more than 500 parts",
		strings.Repeat("(", 20_000):       "the expression is longer than 16384 bytes",
		strings.Repeat(" ", 10):           "the expression is empty; a literal = is written ==",
		deep:                              "comparisons cannot be chained; write a < b and b < c",
	}
	for expr, want := range tests {
		_, problems := check(t, header+"on:\n  OrderPlaced:\n    set: {x: "+quote(expr)+"}\n")
		if len(problems) != 1 || problems[0].Message != want {
			t.Errorf("%.30s…: got %v, want %s", expr, problems, want)
		}
	}
}

// TestNestedExpressionsEndSoon: what stands once is evaluated once, however deep
// it stands, so that 500 parts cost 500 steps.
func TestNestedExpressionsEndSoon(t *testing.T) {
	nulls, members, choices := "data.coupon", "data.express", "data.count"
	for range 50 {
		nulls = "(" + nulls + " == 'a' ? nil : data.coupon)"
		members = "(" + members + " in [true, false])"
		choices = "(" + choices + " ?? data.count)"
	}
	for _, expr := range []string{nulls + " ?? ''", members, choices} {
		got, err := value(t, expr, full(t))
		if err != nil || got != "SPRING" && got != "true" && got != "3" {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

// TestPlaces: a problem stands at the very character, however the scalar is
// written.
func TestPlaces(t *testing.T) {
	tests := []struct{ scalar, want string }{
		{`=1 + data.nope`, "7:20"},
		{`"=1 + data.nope"`, "7:21"},
		{`'=1 + data.nope'`, "7:21"},
		{`"=\"a\" + data.nope"`, "7:25"},
		{`'=''a'' + data.nope'`, "7:25"},
		{`"=\"äö\" + data.nope"`, "7:26"},
		{"|\n        =1 + data.nope", "7:10"},
	}
	for _, tt := range tests {
		_, problems := check(t, header+"on:\n  OrderPlaced:\n    set:\n      x: "+tt.scalar+"\n")
		if len(problems) != 1 {
			t.Fatalf("%s: got %v", tt.scalar, problems)
		}
		// x: stands on line 8, in column 7
		want := strings.Replace(tt.want, "7:", "8:", 1)
		if got := (place{problems[0].Line, problems[0].Column}).String(); got != want {
			t.Errorf("%s: got %s, want %s", tt.scalar, got, want)
		}
	}
}

// TestColumnsAreCharacters, not bytes, also of what stands before on the line.
func TestColumnsAreCharacters(t *testing.T) {
	_, problems := check(t, on("    set: {x: äöü, y: \"='äöü' + data.nope\"}\n"))
	expect(t, problemTexts(problems), []string{"7:37: "})
}

func TestParseNothing(t *testing.T) {
	if v, problems := Parse(nil); v != nil || len(problems) != 1 {
		t.Errorf("got %v, %v", v, problems)
	}
	if v, problems := Parse(&yaml.Node{}); v != nil || len(problems) != 1 {
		t.Errorf("got %v, %v", v, problems)
	}
}
