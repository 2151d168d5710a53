package rules

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
)

// full is an event with a value in each field.
func full(tb testing.TB) event {
	tb.Helper()
	return event{
		"data.amount": 1250, "data.discount": 50, "data.article": 7, "data.count": 3,
		"data.weight": 1.5, "data.ratio": 0.25, "data.customer_id": "c-1", "data.coupon": "SPRING",
		"data.express": true, "data.gift": false, "data.placed": timeOf(tb, "2000-01-31T23:30:00+01:00"),
		"data.due": timeOf(tb, "2000-02-29T12:00:00Z"), "data.photo": "\x00\x01", "data.wide": 15_000_000_000,
		"data.address.city": "Roma", "data.billing.city": "Milano",
		"stream": "order-1", "type": "OrderPlaced", "version": 4, "time": timeOf(tb, "1999-12-31T23:59:59.5-02:00"),
		"id": "i", "correlation": "co", "causation": "ca", "topic": "shop", "partition": 3, "offset": 42,
	}
}

func TestExpressions(t *testing.T) {
	tests := []struct{ expr, want string }{
		// names
		{`stream`, "order-1"}, {`stream.category`, "order"}, {`stream.key`, "1"}, {`type`, "OrderPlaced"},
		{`version`, "4"}, {`time`, "1999-12-31T23:59:59.5-02:00"}, {`id`, "i"}, {`correlation`, "co"},
		{`causation`, "ca"}, {`topic`, "shop"}, {`partition`, "3"}, {`offset`, "42"},
		{`data.address.city`, "Roma"}, {`data.billing.city`, "Milano"}, {`data["article"]`, "7"},
		// literals
		{`12`, "12"}, {`1_000`, "1000"}, {`1.50`, "1.5"}, {`"a" + 'b'`, "ab"}, {`true`, "true"},
		{`-3`, "-3"}, {`-1.25`, "-1.25"}, {`0.1234567890123456789012345678`, "0.1234567890123456789012345678"},
		// int
		{`data.article + 2`, "9"}, {`data.article - 10`, "-3"}, {`data.article * 3`, "21"}, {`data.article % 4`, "3"},
		{`-data.article`, "-7"}, {`-data.article % 4`, "-3"}, {`abs(-data.article)`, "7"},
		// decimal
		{`data.amount + 0.001`, "12.501"}, {`data.amount - 1`, "11.5"}, {`data.amount * data.amount`, "156.25"},
		{`-data.amount`, "-12.5"}, {`data.amount * data.article`, "87.5"}, {`abs(-data.amount)`, "12.5"},
		{`div(data.amount, 3, 4)`, "4.1667"}, {`div(data.article, 2, 0)`, "4"}, {`div(5, 2, 0)`, "2"},
		{`round(data.amount, 0)`, "12"}, {`round(data.amount * 1.1, 1)`, "13.8"}, {`round(13.65, 1)`, "13.6"},
		// float
		{`data.weight + 1`, "2.5"}, {`data.weight * 1.5`, "2.25"}, {`data.weight / data.article`, "0.21428571428571427"},
		{`-data.weight`, "-1.5"}, {`data.article / data.weight`, "4.666666666666667"}, {`abs(-data.weight)`, "1.5"},
		{`data.weight - 0.5`, "1"},
		// comparison
		{`data.amount > 12`, "true"}, {`data.amount >= 12.5`, "true"}, {`data.amount < 12.5`, "false"},
		{`data.amount <= data.article`, "false"}, {`data.weight > 1.25`, "true"}, {`1.25 < data.weight`, "true"},
		{`data.article > 6`, "true"}, {`"a" < data.customer_id`, "true"}, {`data.placed < data.due ?? time`, "true"},
		{`data.amount == 12.50`, "true"}, {`data.amount != 12.5`, "false"}, {`data.express == true`, "true"},
		{`data.placed == time("2000-01-31T22:30:00Z")`, "true"}, {`data.article == 7.0`, "true"},
		{`data.photo == data.photo`, "true"}, {`data.weight == 1.5`, "true"},
		// null
		{`data.coupon == nil`, "false"}, {`nil != data.coupon`, "true"}, {`data.article == nil`, "false"},
		{`data.coupon == "SPRING"`, "true"}, {`data.coupon ?? "none"`, "SPRING"}, {`data.count ?? 0.5`, "3"},
		{`data.article ?? 1`, "7"}, {`data.discount`, "0.5"}, {`data.gift ?? true`, "false"},
		{`data.express ? data.coupon : nil`, "SPRING"}, {`data.express ? nil : data.coupon`, "unset x"},
		{`(data.coupon ?? nil) == "SPRING"`, "true"},
		// logic
		{`data.express and not (data.gift ?? true)`, "true"}, {`!data.express || data.article == 7`, "true"},
		{`data.express && data.article != 7`, "false"}, {`false or data.express`, "true"},
		{`data.article != 0 and 10 % data.article == 3`, "true"}, {`data.article == 7 or 1 % 0 == 0`, "true"},
		{`data.express ? 1 : 2.5`, "1"}, {`not data.express ? 1 : 2.5`, "2.5"}, {`data.express ? data.weight : 1`, "1.5"},
		// in
		{`data.customer_id in ["x", "c-1"]`, "true"}, {`data.article not in [1, 2]`, "true"},
		{`data.amount in [1, 12.5]`, "true"}, {`data.coupon in ["A"]`, "false"}, {`data.weight in [1.5]`, "true"},
		// texts
		{`data.customer_id contains "-"`, "true"}, {`data.customer_id startsWith "c"`, "true"},
		{`data.customer_id endsWith "c"`, "false"}, {`data.customer_id not startsWith "c"`, "false"},
		{`upper(data.address.city) + lower("ÄB")`, "ROMAäb"}, {`trim("  a b ")`, "a b"}, {`len("äöü")`, "3"},
		// conversions
		{`string(data.article)`, "7"}, {`string(data.amount)`, "12.5"}, {`string(data.weight)`, "1.5"},
		{`string(data.express)`, "true"}, {`string(data.placed)`, "2000-01-31T23:30:00+01:00"}, {`string("a")`, "a"},
		{`int(data.amount)`, "12"}, {`int(-data.amount)`, "-12"}, {`int(data.weight)`, "1"}, {`int("-12")`, "-12"},
		{`int(data.article)`, "7"}, {`float(data.amount) + data.weight`, "14"}, {`float(data.article)`, "7"},
		{`float(2.5) * data.weight`, "3.75"}, {`float(data.weight)`, "1.5"}, {`decimal(data.weight) + data.amount`, "14"},
		{`decimal("-1.50")`, "-1.5"}, {`decimal(data.article)`, "7"}, {`time("2000-01-01T00:00:00+01:00")`, "2000-01-01T00:00:00+01:00"},
		{`time(data.placed)`, "2000-01-31T23:30:00+01:00"},
		{`string(int("1" + "2"))`, "12"}, {`string(decimal(string(data.amount) + "1"))`, "12.51"},
		{`day(time(day(data.placed, "UTC") + "T00:00:00Z"), "UTC") + "!"`, "2000-01-31!"},
		{`upper("a" + lower("B" + string(data.article)))`, "AB7"},
		// the least and the greatest
		{`min(data.article, 3, 9)`, "3"}, {`max(data.article, data.amount)`, "12.5"}, {`max(data.weight, 2)`, "2"},
		{`min(data.placed, time)`, "1999-12-31T23:59:59.5-02:00"}, {`min(1.5, data.article)`, "1.5"},
		// the calendar
		{`year(time, "as written")`, "1999"}, {`year(time, "UTC")`, "2000"}, {`month(data.placed, "as written")`, "2000-01"},
		{`day(data.placed, "UTC")`, "2000-01-31"}, {`hour(data.placed, "UTC")`, "2000-01-31T22"},
		{`day(data.placed, "Asia/Tokyo")`, "2000-02-01"}, {`hour(data.placed, "as written")`, "2000-01-31T23"},
		{`hour(time, "as written")`, "1999-12-31T23"},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			got, err := value(t, tt.expr, full(t))
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
			// the digest is taken of a text that says the same
			plain := canonicalOf(t, tt.expr)
			if got, err := value(t, plain, full(t)); err != nil || got != tt.want {
				t.Errorf("as %s: got %q, %v; want %q", plain, got, err, tt.want)
			}
			if again := canonicalOf(t, plain); again != plain {
				t.Errorf("%s becomes %s", plain, again)
			}
		})
	}
}

// TestNulls evaluates the same expressions where what can be null is null.
func TestNulls(t *testing.T) {
	tests := []struct{ expr, want string }{
		{`data.discount`, "unset x"}, {`data.discount ?? 0`, "0"}, {`data.discount ?? data.amount`, "12.5"},
		{`data.count ?? data.article`, "7"}, {`data.count ?? 0.5`, "0.5"}, {`data.ratio ?? 1.5`, "1.5"},
		{`data.coupon == nil`, "true"}, {`data.coupon != nil`, "false"}, {`data.coupon == "SPRING"`, "false"},
		{`data.coupon != "SPRING"`, "true"}, {`data.coupon == data.billing.city`, "true"},
		{`data.coupon == data.customer_id`, "false"}, {`data.coupon in ["SPRING"]`, "false"},
		{`data.coupon not in ["SPRING"]`, "true"}, {`data.coupon ?? data.billing.city`, "unset x"},
		{`data.coupon ?? data.billing.city ?? "none"`, "none"}, {`data.express ? data.coupon : "b"`, "unset x"},
		{`data.express ? data.ratio : 1`, "unset x"}, {`(data.gift ?? false) ? "a" : data.coupon`, "unset x"},
		{`(data.express ? data.coupon : nil) ?? "none"`, "none"}, {`data.due ?? data.placed`, "2000-01-31T23:30:00+01:00"},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			ev := full(t)
			for _, f := range []string{"discount", "count", "ratio", "coupon", "gift", "due", "billing.city"} {
				ev["data."+f] = streams.Slot{Null: true, Str: "undefined", Bits: math.MaxInt64}
			}
			got, err := value(t, tt.expr, ev)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestEvalErrors(t *testing.T) {
	largest := event{
		"data.article": math.MaxInt64, "data.weight": math.MaxFloat64, "data.customer_id": "x1",
		"data.wide":   streams.Slot{Str: "\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a\x09\x8a\x22\x3f\xff\xff\xff\xff"}, // 10^38 - 1
		"data.amount": 1, "data.express": false, "data.placed": timeOf(t, "2000-01-01T00:00:00Z"),
	}
	tests := []struct {
		expr   string
		column int // in the expression
		want   error
	}{
		{`data.article + 1`, 14, ErrOverflow}, {`-data.article - 2`, 15, ErrOverflow}, {`data.article * 2`, 14, ErrOverflow},
		{`1 + data.article % (data.article - data.article)`, 18, streams.ErrDivisionByZero},
		{`abs(-data.article - 1)`, 1, ErrOverflow}, {`-(-data.article - 1)`, 1, ErrOverflow},
		{`data.weight * 2`, 13, ErrFloat}, {`data.weight + data.weight`, 13, ErrFloat},
		{`data.weight / 0`, 13, streams.ErrDivisionByZero}, {`int(data.weight)`, 1, ErrOverflow},
		{`data.wide * data.wide`, 11, streams.ErrDecimalRange}, {`data.wide + data.wide * 1.1`, 23, streams.ErrDecimalRange},
		{`data.wide - -data.wide * 1.1`, 24, streams.ErrDecimalRange}, {`int(data.wide * 1.1)`, 15, streams.ErrDecimalRange},
		{`int(data.wide)`, 1, ErrOverflow}, {`decimal(data.weight)`, 1, streams.ErrDecimalRange},
		{`div(1, data.amount - 0.01, 2)`, 1, streams.ErrDivisionByZero},
		{`div(data.wide, 0.00000000001, 1)`, 1, streams.ErrDecimalRange}, {`int(data.customer_id)`, 1, ErrNumber}, {`int("1.5")`, 1, ErrNumber},
		{`decimal(data.customer_id)`, 1, ErrNumber}, {`int("99999999999999999999")`, 1, ErrOverflow},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			_, err := value(t, tt.expr, largest)
			if e := evalError(t, err); !errors.Is(e, tt.want) || e.Line != 7 || e.Column != 15+tt.column {
				t.Errorf("got %v; want column %d, %v", e, 15+tt.column, tt.want)
			}
		})
	}
	if _, err := value(t, `abs(data.article)`, event{"data.article": math.MinInt64}); !errors.Is(err, ErrOverflow) {
		t.Errorf("abs of the least int: %v", err)
	}
	if _, err := value(t, `time(data.customer_id)`, largest); err == nil {
		t.Error("a text that is no time is one")
	}
}

// TestDecimalsOfDataAreInRange: a schema may promise more digits than a decimal
// has, but a value of them is an error of the record.
func TestDecimalsOfDataAreInRange(t *testing.T) {
	ev := full(t)
	ev["data.huge"] = 12
	if got, err := value(t, `data.huge`, ev); err != nil || got != "12" {
		t.Errorf("got %s, %v", got, err)
	}
	ev["data.huge"] = "\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a\x09\x8a\x22\x40\x00\x00\x00\x00" // 10^38
	if _, err := value(t, `data.huge`, ev); !errors.Is(err, streams.ErrDecimalRange) {
		t.Errorf("got %v", err)
	}
}

// TestStringOfFloatsIsThatOfRows: also where no decimal has as many digits.
func TestStringOfFloatsIsThatOfRows(t *testing.T) {
	for f, want := range map[float64]string{
		math.Copysign(0, -1): "0", 62.59: "62.59", 1e300: "1" + strings.Repeat("0", 300), -2.5e-50: "-0." + strings.Repeat("0", 49) + "25",
	} {
		if got, err := value(t, `string(data.weight)`, event{"data.weight": f}); err != nil || got != want {
			t.Errorf("%v: got %s, %v", f, got, err)
		}
	}
}

// TestFloatsOfDataAreFinite: a NaN in the data is an error of the record, also
// where nothing is computed.
func TestFloatsOfDataAreFinite(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		ev := full(t)
		ev["data.weight"] = f
		if _, err := value(t, `data.weight`, ev); !errors.Is(err, ErrFloat) {
			t.Errorf("%v: got %v", f, err)
		}
	}
}
