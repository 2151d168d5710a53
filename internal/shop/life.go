package shop

import (
	"fmt"
	"time"
)

const (
	hour = 60 // minutes
	day  = 24 * hour
)

const (
	stagePlaced = "placed"
	stagePaid   = "paid"
)

const (
	postage     = 490   // Cents
	postageFree = 5_000 // from this amount on
	coupon      = "WELCOME10"
	couponRate  = 10 // per cent
)

// place makes a new order and decides what becomes of it: most are paid soon,
// some are cancelled, some forgotten.
func (g *Generator) place() Event {
	g.orders++
	o := &order{number: g.orders, at: g.placed, stage: stagePlaced}
	g.advance()
	customer := g.customers.draw(g.random)
	o.place = places[customer%len(places)]
	data := Placed{
		Customer: fmt.Sprintf("customer-%d", customer+1),
		Address:  o.place.address(customer),
		Items:    g.fill(),
	}
	if g.chance(150) {
		code := coupon
		data.Coupon = &code
	}
	data.price()
	o.items, o.goods, o.total = data.Items, data.Total-data.Postage, data.Total
	e := o.event(OrderPlaced, data)
	switch {
	case g.chance(900):
		g.plan(o, OrderPaid, 1, 2*hour)
	case g.chance(700):
		g.plan(o, OrderCancelled, day, 3*day)
	}
	return e
}

// price adds up the items.
func (p *Placed) price() {
	var goods Cents
	for _, item := range p.Items {
		p.ItemCount += item.Quantity
		goods += Cents(item.Quantity) * item.Price
	}
	if p.Coupon != nil {
		p.Discount = (goods*couponRate + 50) / 100
	}
	if goods-p.Discount < postageFree {
		p.Postage = postage
	}
	p.Total = goods - p.Discount + p.Postage
}

// fill fills a basket with different articles.
func (g *Generator) fill() []Item {
	var items []Item
	for range 1 + g.random.IntN(4) {
		a := catalogue[g.articles.draw(g.random)]
		quantity := 1
		if g.chance(200) {
			quantity += 1 + g.random.IntN(2)
		}
		if !holds(items, a.sku) {
			items = append(items, Item{a.sku, quantity, a.price})
		}
	}
	return items
}

func holds(items []Item, sku string) bool {
	for _, item := range items {
		if item.SKU == sku {
			return true
		}
	}
	return false
}

func (g *Generator) pay(o *order) Event {
	o.stage = stagePaid
	e := o.event(OrderPaid, Paid{
		Amount:    o.total,
		Method:    pick(g, []string{"card", "card", "paypal", "transfer"}),
		Reference: fmt.Sprintf("%012X", g.random.Uint64()>>16),
	})
	switch {
	case g.chance(950):
		g.plan(o, OrderShipped, 4*hour, 3*day)
	case g.chance(800):
		g.plan(o, OrderCancelled, 5, 12*hour)
	}
	return e
}

func (g *Generator) ship(o *order) Event {
	travel := time.Duration(2+g.random.IntN(5)) * 24 * time.Hour
	e := o.event(OrderShipped, Shipped{
		Carrier:    pick(g, []string{"Northwind", "Pigeon Post", "Swift and Sons"}),
		Tracking:   fmt.Sprintf("MR%09d", g.random.IntN(1e9)),
		ExpectedAt: o.at.Add(travel).Truncate(time.Hour),
	})
	if g.chance(80) {
		g.plan(o, OrderReturned, 3*day, 21*day)
	}
	return e
}

func (g *Generator) cancel(o *order) Event {
	data := Cancelled{Stage: o.stage, Reason: pick(g, []string{"changed my mind", "found it cheaper", "delivery too slow"})}
	if o.stage == stagePaid {
		data.Refund = &o.total
	} else if g.chance(500) {
		data.Reason = "never paid"
	}
	return o.event(OrderCancelled, data)
}

// giveBack returns everything, or one line of the order: then its share of the
// discount stays off.
func (g *Generator) giveBack(o *order) Event {
	data := Returned{Reason: pick(g, []string{"does not fit", "broken", "not as described"}), Refund: o.goods}
	items := o.items
	if len(items) > 1 && g.chance(600) {
		i := g.random.IntN(len(items))
		items = items[i : i+1]
		var all Cents
		for _, item := range o.items {
			all += Cents(item.Quantity) * item.Price
		}
		data.Refund = Cents(items[0].Quantity) * items[0].Price * o.goods / all
	}
	for _, item := range items {
		data.Items = append(data.Items, ReturnedItem{item.SKU, item.Quantity})
	}
	return o.event(OrderReturned, data)
}
