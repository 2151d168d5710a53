package oracle_test

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/shop"
	"github.com/millrace/millrace/internal/shop/oracle"
)

func TestByHand(t *testing.T) {
	views, err := oracle.Compute(strings.NewReader(`
{"stream":"order-1","version":1,"type":"OrderPlaced","time":"2026-01-01T23:30:00+01:00","data":{"customer":"customer-7","address":{"country":"IT"},"item_count":2,"coupon":"X","total":10.50}}
{"stream":"order-2","version":1,"type":"OrderPlaced","time":"2026-01-01T23:40:00Z","data":{"customer":"customer-8","address":{"country":"GB"},"item_count":1,"coupon":null,"total":20.00}}
{"stream":"order-1","version":2,"type":"OrderPaid","time":"2026-01-01T23:50:00+01:00","data":{"amount":10.50,"method":"card"}}
{"stream":"order-2","version":2,"type":"OrderCancelled","time":"2026-01-02T00:10:00Z","data":{"stage":"placed","reason":"never paid","refund":null}}
{"stream":"order-1","version":3,"type":"OrderCancelled","time":"2026-01-02T08:00:00+01:00","data":{"stage":"paid","reason":"late","refund":10.50}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[[2]string]oracle.Row{
		{oracle.Order, "order-1"}: {
			"status": "cancelled", "customer": "customer-7", "country": "IT", "items": "2", "coupon": "X", "total": "10.5",
			"placed_at": "2026-01-01T23:30:00+01:00", "method": "card", "paid_at": "2026-01-01T23:50:00+01:00",
			"reason": "late", "refund": "10.5", "closed_at": "2026-01-02T08:00:00+01:00",
		},
		{oracle.Order, "order-2"}: {
			"status": "cancelled", "customer": "customer-8", "country": "GB", "items": "1", "total": "20",
			"placed_at": "2026-01-01T23:40:00Z", "reason": "never paid", "closed_at": "2026-01-02T00:10:00Z",
		},
		{oracle.RevenueByDay, "2026-01-01"}:  {"orders": "1", "revenue": "10.5", "net": "10.5", "largest": "10.5"},
		{oracle.RevenueByDay, "2026-01-02"}:  {"refunds": "10.5", "net": "-10.5"},
		{oracle.OrdersByStatus, "placed"}:    {"orders": "0"},
		{oracle.OrdersByStatus, "paid"}:      {"orders": "0"},
		{oracle.OrdersByStatus, "cancelled"}: {"orders": "2"},
	} {
		if got := views[at[0]][at[1]]; !maps.Equal(got, want) {
			t.Errorf("%s %s:\n got %v\nwant %v", at[0], at[1], got, want)
		}
	}
}

// Every order is in one status, and as many rows say so as the counters.
func TestStatusesAgreeWithOrders(t *testing.T) {
	views, err := oracle.Compute(shop.Lines(5, 12_000))
	if err != nil {
		t.Fatal(err)
	}
	counted := make(map[string]int)
	for _, row := range views[oracle.Order] {
		counted[row["status"]]++
	}
	for status, row := range views[oracle.OrdersByStatus] {
		if row["orders"] != strconv.Itoa(counted[status]) {
			t.Errorf("%s: %s orders, but %d rows", status, row["orders"], counted[status])
		}
	}
	if len(counted) != 5 {
		t.Errorf("statuses %v, want 5", counted)
	}
}

func TestBadLine(t *testing.T) {
	if _, err := oracle.Compute(strings.NewReader("{}\n{")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v", err)
	}
}
