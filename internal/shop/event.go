package shop

import (
	"encoding/json"
	"fmt"
	"time"
)

// The event types.
const (
	OrderPlaced    = "OrderPlaced"
	OrderPaid      = "OrderPaid"
	OrderShipped   = "OrderShipped"
	OrderCancelled = "OrderCancelled"
	OrderReturned  = "OrderReturned"
)

// Event is one event. As JSON it is a line that can be imported.
type Event struct {
	Stream  string `json:"stream"`
	Version int64  `json:"version"`
	Type    string `json:"type"`
	// Time is RFC 3339, with the offset of the customer's country.
	Time string `json:"time"`
	// Data is a Placed, Paid, Shipped, Cancelled or Returned.
	Data any `json:"data"`
}

// Placed is the data of an OrderPlaced.
type Placed struct {
	Customer  string  `json:"customer"`
	Address   Address `json:"address"`
	Items     []Item  `json:"items"`
	ItemCount int     `json:"item_count"`
	Coupon    *string `json:"coupon"`
	Discount  Cents   `json:"discount"`
	Postage   Cents   `json:"postage"`
	Total     Cents   `json:"total"`
}

// Address is where an order goes.
type Address struct {
	Street   string `json:"street"`
	Postcode string `json:"postcode"`
	City     string `json:"city"`
	Country  string `json:"country"`
}

// Item is one line of an order.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
	Price    Cents  `json:"price"`
}

// Paid is the data of an OrderPaid.
type Paid struct {
	Amount    Cents  `json:"amount"`
	Method    string `json:"method"`
	Reference string `json:"reference"`
}

// Shipped is the data of an OrderShipped.
type Shipped struct {
	Carrier    string    `json:"carrier"`
	Tracking   string    `json:"tracking"`
	ExpectedAt time.Time `json:"expected_at"`
}

// Cancelled is the data of an OrderCancelled. Refund is nil where nothing had
// been paid.
type Cancelled struct {
	Stage  string `json:"stage"`
	Reason string `json:"reason"`
	Refund *Cents `json:"refund"`
}

// Returned is the data of an OrderReturned.
type Returned struct {
	Reason string         `json:"reason"`
	Items  []ReturnedItem `json:"items"`
	Refund Cents          `json:"refund"`
}

// ReturnedItem is an article that came back.
type ReturnedItem struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Cents is an amount in hundredths of a EUR. As JSON it is a number with two
// digits behind the point.
type Cents int64

// MarshalJSON returns the exact amount: 62.50.
func (c Cents) MarshalJSON() ([]byte, error) {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Appendf(nil, "%s%d.%02d", sign, c/100, c%100), nil
}

// DataJSON returns the data alone, as JSON.
func (e Event) DataJSON() (json.RawMessage, error) { return json.Marshal(e.Data) }

// Line returns the event as a line of JSON, with its end.
func (e Event) Line() ([]byte, error) {
	line, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("writing event %d of %s as JSON: %w", e.Version, e.Stream, err)
	}
	return append(line, '\n'), nil
}
