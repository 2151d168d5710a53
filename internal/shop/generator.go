package shop

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// Generator invents events, one after the other, without an end. It is not safe
// for concurrent use.
type Generator struct {
	random    *rand.Rand
	customers popularity
	articles  popularity
	orders    int64     // how many have been placed
	placed    time.Time // when the next is placed
	open      queue     // orders that go on
}

const customerCount = 20_000

// start is the instant of the first day.
func start() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// New returns a generator at its first event.
func New(seed uint64) *Generator {
	g := &Generator{
		random:    rand.New(rand.NewPCG(seed, 0x6d696c6c72616365)),
		customers: newPopularity(customerCount),
		articles:  newPopularity(len(catalogue)),
		placed:    start(),
	}
	g.advance()
	return g
}

// Next returns the next event.
func (g *Generator) Next() Event {
	if len(g.open) > 0 && g.open[0].at.Before(g.placed) {
		o := heap.Pop(&g.open).(*order)
		return g.goOn(o)
	}
	return g.place()
}

// Generate calls emit with the first n events of a seed. An error of emit ends
// it and is returned.
func Generate(seed uint64, n int, emit func(Event) error) error {
	g := New(seed)
	for range n {
		if err := emit(g.Next()); err != nil {
			return err
		}
	}
	return nil
}

// order is an order that goes on.
type order struct {
	number  int64
	version int64
	at      time.Time // of its next event
	next    string    // the type of its next event
	stage   string
	place   place
	total   Cents
	goods   Cents // what the items cost, after the discount
	items   []Item
}

// event makes the next event of an order.
func (o *order) event(kind string, data any) Event {
	o.version++
	return Event{
		Stream:  fmt.Sprintf("order-%d", o.number),
		Version: o.version,
		Type:    kind,
		Time:    o.at.In(o.place.zone()).Format(time.RFC3339),
		Data:    data,
	}
}

// advance moves on to when the next order is placed.
func (g *Generator) advance() {
	pause := 2 * 60 * 100 / hourly[g.placed.Hour()]
	g.placed = g.placed.Add(time.Duration(g.random.IntN(2*pause)) * time.Second)
}

// goOn gives the event that an order has waited for and decides the one after.
func (g *Generator) goOn(o *order) Event {
	switch o.next {
	case OrderPaid:
		return g.pay(o)
	case OrderShipped:
		return g.ship(o)
	case OrderCancelled:
		return g.cancel(o)
	default:
		return g.giveBack(o)
	}
}

// plan says which event an order has next, and when: between so many minutes.
func (g *Generator) plan(o *order, next string, least, most int) {
	o.next = next
	o.at = o.at.Add(time.Duration(least*60+g.random.IntN((most-least)*60)) * time.Second)
	heap.Push(&g.open, o)
}

// chance is true in so many of 1,000 cases.
func (g *Generator) chance(perMille int) bool { return g.random.IntN(1000) < perMille }

func pick[T any](g *Generator, of []T) T { return of[g.random.IntN(len(of))] }

// queue holds orders by the instant of their next event; of two at the same
// instant, the older order comes first.
type queue []*order

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if c := q[i].at.Compare(q[j].at); c != 0 {
		return c < 0
	}
	return q[i].number < q[j].number
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*order)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	o := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return o
}
