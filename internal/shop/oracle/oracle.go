// Package oracle computes the rows of the views of examples/shop straight from
// lines of JSON, by the standard library alone: what a projector wrote is
// compared with it, byte for byte.
package oracle

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
)

// The views.
const (
	Order          = "order"
	RevenueByDay   = "revenue-by-day"
	OrdersByStatus = "orders-by-status"
)

// Row is a row of a view: values by field.
type Row map[string]string

// Views are the rows by key, by view.
type Views map[string]map[string]Row

type event struct {
	Stream  string         `json:"stream"`
	Version int64          `json:"version"`
	Type    string         `json:"type"`
	Time    string         `json:"time"`
	Data    map[string]any `json:"data"`
}

// sums holds what is still added to, by view, key and field.
type sums map[[3]string]*big.Rat

type oracle struct {
	views Views
	sums  sums
}

// Compute reads lines of JSON to their end.
func Compute(r io.Reader) (Views, error) {
	o := oracle{
		views: Views{Order: {}, RevenueByDay: {}, OrdersByStatus: {}},
		sums:  make(sums),
	}
	lines := json.NewDecoder(r)
	lines.UseNumber()
	for n := 1; ; n++ {
		var e event
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		o.order(e)
		o.revenue(e)
		o.status(e)
	}
	for at, sum := range o.sums {
		o.row(at[0], at[1])[at[2]] = decimal(sum)
	}
	return o.views, nil
}

func (o *oracle) row(view, key string) Row {
	row := o.views[view][key]
	if row == nil {
		row = make(Row)
		o.views[view][key] = row
	}
	return row
}

func (o *oracle) order(e event) {
	row := o.row(Order, e.Stream)
	set := func(field string, value any) {
		if value != nil {
			row[field] = fmt.Sprint(value)
		}
	}
	switch e.Type {
	case "OrderPlaced":
		set("status", "placed")
		set("customer", e.Data["customer"])
		address, _ := e.Data["address"].(map[string]any)
		set("country", address["country"])
		set("items", e.Data["item_count"])
		set("coupon", e.Data["coupon"])
		set("total", decimal(number(e.Data["total"])))
		set("placed_at", e.Time)
	case "OrderPaid":
		set("status", "paid")
		set("method", e.Data["method"])
		set("paid_at", e.Time)
	case "OrderShipped":
		set("status", "shipped")
		set("carrier", e.Data["carrier"])
		set("shipped_at", e.Time)
		set("expected_at", e.Data["expected_at"])
	case "OrderCancelled", "OrderReturned":
		set("status", strings.ToLower(strings.TrimPrefix(e.Type, "Order")))
		set("reason", e.Data["reason"])
		if e.Data["refund"] != nil {
			set("refund", decimal(number(e.Data["refund"])))
		}
		set("closed_at", e.Time)
	}
}

func (o *oracle) revenue(e event) {
	day, _, _ := strings.Cut(e.Time, "T")
	add := func(field string, n *big.Rat) {
		at := [3]string{RevenueByDay, day, field}
		if o.sums[at] == nil {
			o.sums[at] = new(big.Rat)
		}
		o.sums[at].Add(o.sums[at], n)
	}
	switch {
	case e.Type == "OrderPaid":
		amount := number(e.Data["amount"])
		add("orders", big.NewRat(1, 1))
		add("revenue", amount)
		add("net", amount)
		row := o.row(RevenueByDay, day)
		if largest, ok := row["largest"]; !ok || amount.Cmp(number(json.Number(largest))) > 0 {
			row["largest"] = decimal(amount)
		}
	case e.Type == "OrderReturned", e.Type == "OrderCancelled" && e.Data["stage"] == "paid":
		refund := number(e.Data["refund"])
		add("refunds", refund)
		add("net", new(big.Rat).Neg(refund))
	}
}

func (o *oracle) status(e event) {
	add := func(status string, n int) {
		row := o.row(OrdersByStatus, status)
		have, _ := strconv.Atoi(row["orders"])
		row["orders"] = strconv.Itoa(have + n)
	}
	switch e.Type {
	case "OrderPlaced":
		add("placed", 1)
	case "OrderPaid":
		add("placed", -1)
		add("paid", 1)
	case "OrderShipped":
		add("paid", -1)
		add("shipped", 1)
	case "OrderCancelled":
		add(fmt.Sprint(e.Data["stage"]), -1)
		add("cancelled", 1)
	case "OrderReturned":
		add("shipped", -1)
		add("returned", 1)
	}
}

// number returns a number of JSON, exactly; 0 for what is none.
func number(v any) *big.Rat {
	n, ok := new(big.Rat).SetString(fmt.Sprint(v))
	if !ok {
		return new(big.Rat)
	}
	return n
}

// decimal writes an amount without trailing zeros.
func decimal(n *big.Rat) string {
	s := n.FloatString(2)
	s = strings.TrimRight(s, "0")
	return strings.TrimSuffix(s, ".")
}
