package shop_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/millrace/millrace/internal/shop"
)

// The events of a seed are part of what demonstrations and tests promise: a
// change of this hash is a change of all their figures.
func TestSameSeedSameEvents(t *testing.T) {
	h := sha256.New()
	if _, err := io.Copy(h, shop.Lines(1, 20_000)); err != nil {
		t.Fatal(err)
	}
	const want = "24d4d6269a96c399f16411c1a894b10268796adb64586b397a6efe130ab07360"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("20,000 events of seed 1 have the hash %s, want %s", got, want)
	}
}

func TestOtherSeedOtherEvents(t *testing.T) {
	a, err := io.ReadAll(shop.Lines(1, 100))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(shop.Lines(2, 100))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) == string(b) {
		t.Error("seeds 1 and 2 give the same events")
	}
}

func TestLinesBegin(t *testing.T) {
	if err := iotest.TestReader(shop.Lines(7, 20), first(t, 7, 40, 20)); err != nil {
		t.Error(err)
	}
}

// first returns the first m of n events as lines.
func first(t *testing.T, seed uint64, n, m int) []byte {
	t.Helper()
	r := bufio.NewReader(shop.Lines(seed, n))
	var all []byte
	for range m {
		line, err := r.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line...)
	}
	return all
}

func TestStreamsObeyCauseAndEffect(t *testing.T) {
	after := map[string][]string{
		"":                  {shop.OrderPlaced},
		shop.OrderPlaced:    {shop.OrderPaid, shop.OrderCancelled},
		shop.OrderPaid:      {shop.OrderShipped, shop.OrderCancelled},
		shop.OrderShipped:   {shop.OrderReturned},
		shop.OrderCancelled: nil,
		shop.OrderReturned:  nil,
	}
	last := make(map[string]shop.Event)
	count := make(map[string]int)
	total := make(map[string]shop.Cents)
	now := time.Time{}
	err := shop.Generate(42, 50_000, func(e shop.Event) error {
		before := last[e.Stream]
		if !slices.Contains(after[before.Type], e.Type) {
			t.Errorf("%s: %s after %q", e.Stream, e.Type, before.Type)
		}
		if e.Version != before.Version+1 {
			t.Errorf("%s: version %d after %d", e.Stream, e.Version, before.Version)
		}
		at, err := time.Parse(time.RFC3339, e.Time)
		if err != nil || at.Before(now) {
			t.Errorf("%s: time %s after %s, %v", e.Stream, e.Time, now, err)
		}
		now = at
		checkAmounts(t, e, before, total)
		last[e.Stream] = e
		count[e.Type]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, least := range map[string]int{
		shop.OrderPlaced: 12_000, shop.OrderPaid: 11_000, shop.OrderShipped: 10_000,
		shop.OrderCancelled: 800, shop.OrderReturned: 400,
	} {
		if count[kind] < least {
			t.Errorf("%d events %s, want at least %d", count[kind], kind, least)
		}
	}
}

// checkAmounts checks that what is paid is what was asked, and what is paid back
// not more than that.
func checkAmounts(t *testing.T, e, before shop.Event, total map[string]shop.Cents) {
	t.Helper()
	switch d := e.Data.(type) {
	case shop.Placed:
		sum := d.Postage - d.Discount
		count := 0
		for _, item := range d.Items {
			sum += shop.Cents(item.Quantity) * item.Price
			count += item.Quantity
		}
		if sum != d.Total || count != d.ItemCount || d.Total <= 0 {
			t.Errorf("%s: %+v does not add up", e.Stream, d)
		}
		total[e.Stream] = d.Total
	case shop.Paid:
		if d.Amount != total[e.Stream] {
			t.Errorf("%s: paid %d of %d", e.Stream, d.Amount, total[e.Stream])
		}
	case shop.Cancelled:
		paid := before.Type == shop.OrderPaid
		if (d.Refund != nil) != paid || (d.Stage == "paid") != paid || paid && *d.Refund != total[e.Stream] {
			t.Errorf("%s: %+v after %s", e.Stream, d, before.Type)
		}
	case shop.Returned:
		if d.Refund <= 0 || d.Refund > total[e.Stream] || len(d.Items) == 0 {
			t.Errorf("%s: %+v of %d", e.Stream, d, total[e.Stream])
		}
	}
}

func TestFewCustomersOrderMost(t *testing.T) {
	orders := make(map[string]int)
	placed := 0
	err := shop.Generate(3, 30_000, func(e shop.Event) error {
		if d, ok := e.Data.(shop.Placed); ok {
			orders[d.Customer]++
			placed++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// Zipf's law gives the first of 20,000 customers 1/10.5 of the orders.
	if got := orders["customer-1"]; got*11 < placed*9/10 || got*10 > placed*11/10 {
		t.Errorf("the best customer has %d of %d orders", got, placed)
	}
	if len(orders) < placed/10 {
		t.Errorf("only %d customers for %d orders", len(orders), placed)
	}
}

func TestCents(t *testing.T) {
	for cents, want := range map[shop.Cents]string{0: "0.00", 5: "0.05", 6250: "62.50", -105: "-1.05", 129900: "1299.00"} {
		if got, err := json.Marshal(cents); err != nil || string(got) != want {
			t.Errorf("%d is %s, %v; want %s", int64(cents), got, err, want)
		}
	}
}

func TestGenerateStopsAtAnError(t *testing.T) {
	enough := errors.New("enough")
	n := 0
	err := shop.Generate(1, 100, func(shop.Event) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("error %v after %d events", err, n)
	}
}

func TestLine(t *testing.T) {
	line := string(first(t, 1, 1, 1))
	for _, want := range []string{`{"stream":"order-1","version":1,"type":"OrderPlaced","time":"2026-01-01T`, `"total":`, `"country":"`} {
		if !strings.Contains(line, want) {
			t.Errorf("the first line is %s, which does not hold %s", line, want)
		}
	}
}

func BenchmarkLines(b *testing.B) {
	b.ReportAllocs()
	if _, err := io.Copy(io.Discard, shop.Lines(1, b.N)); err != nil {
		b.Fatal(err)
	}
}
