package main

import (
	"fmt"
	"math/rand"
	"strconv"

	"github.com/google/uuid"

	"github.com/millrace/millrace/streams"
)

// generator makes OrderPlaced events of about 190 bytes and 9 fields: streams
// are uniform, customers follow Zipf's law with exponent 1.1, cities are 1,000.
type generator struct {
	random  *rand.Rand
	zipf    *rand.Zipf
	prefix  []byte // the framing that names the schema
	streams int
	busy    *rand.Zipf // the streams; nil: uniform
	n       int64
	version []int64
	buf     []byte
}

const (
	customers = 100_000
	cities    = 1_000
)

func newGenerator(seed int64, streams int, prefix []byte) *generator {
	r := rand.New(rand.NewSource(seed))
	return &generator{random: r, zipf: rand.NewZipf(r, 1.1, 1, customers-1), prefix: prefix, streams: streams, version: make([]int64, streams)}
}

// order is what an event says, in the order of the schema.
type order struct {
	eventID         string
	occurredAt      int64
	orderID         string
	customerID      string
	cents           int64
	coupon          string
	street          string
	city            string
	zip             string
	items           [2]item
	source, traceID string
}

type item struct {
	sku      string
	quantity int64
	price    int64
}

// next returns the key, headers and value of the next event. The value is valid
// until the call after.
func (g *generator) next() (streams.Event, []byte) {
	g.n++
	stream := g.stream()
	g.version[stream]++
	o := g.order()
	e := streams.Event{
		ID: o.eventID, Type: "OrderPlaced", Source: "bench", Stream: streams.StreamID("order-" + strconv.Itoa(stream)),
		Time: "2026-01-01T00:00:00Z", Sequence: streams.FormatSequence(g.version[stream]), Correlation: o.eventID, ContentType: streams.ContentTypeAvro,
	}
	g.buf = o.append(append(g.buf[:0], g.prefix...))
	return e, g.buf
}

func (g *generator) stream() int {
	if g.busy != nil {
		return int(g.busy.Uint64())
	}
	return g.random.Intn(g.streams)
}

func (g *generator) order() order {
	r := g.random
	var id uuid.UUID
	r.Read(id[:])
	o := order{
		eventID: id.String(), occurredAt: 1_760_000_000_000 + g.n,
		orderID: fmt.Sprintf("ord-%09d", g.n), customerID: fmt.Sprintf("cus-%07d", g.zipf.Uint64()),
		cents: 100 + r.Int63n(100_000), street: fmt.Sprintf("Long Street %d", r.Intn(400)),
		city: fmt.Sprintf("City %d", r.Intn(cities)), zip: fmt.Sprintf("%05d", r.Intn(99_999)),
		source: "web-checkout", traceID: fmt.Sprintf("%012x", r.Int63n(1<<48)),
	}
	if g.n%3 == 0 {
		o.coupon = "WELCOME10"
	}
	for i := range o.items {
		o.items[i] = item{fmt.Sprintf("sku-%05d", r.Intn(50_000)), 1 + r.Int63n(4), 100 + r.Int63n(20_000)}
	}
	return o
}

// append writes the order in Avro's binary encoding. A test compares it with
// what the codec writes.
func (o *order) append(b []byte) []byte {
	b = text(b, o.eventID)
	b = varint(b, o.occurredAt)
	b = text(b, o.orderID)
	b = text(b, o.customerID)
	b = decimal(b, o.cents)
	if o.coupon == "" {
		b = varint(b, 0)
	} else {
		b = text(varint(b, 1), o.coupon)
	}
	for _, s := range []string{o.street, o.city, o.zip, "NL"} {
		b = text(b, s)
	}
	b = varint(b, int64(len(o.items)))
	for _, i := range o.items {
		b = varint(varint(text(b, i.sku), i.quantity), i.price)
	}
	b = varint(b, 0)
	b = varint(b, 2)
	b = text(text(b, "source"), o.source)
	b = text(text(b, "trace"), o.traceID)
	return varint(b, 0)
}

func varint(b []byte, n int64) []byte {
	u := uint64(n<<1) ^ uint64(n>>63)
	for ; u >= 0x80; u >>= 7 {
		b = append(b, byte(u)|0x80)
	}
	return append(b, byte(u))
}

func text(b []byte, s string) []byte { return append(varint(b, int64(len(s))), s...) }

// decimal writes the shortest two's complement of a number that is not negative.
func decimal(b []byte, n int64) []byte {
	var digits []byte
	for shift := 56; shift >= 0; shift -= 8 {
		c := byte(n >> shift)
		if len(digits) > 0 || c != 0 || shift == 0 {
			digits = append(digits, c)
		}
	}
	if digits[0]&0x80 != 0 {
		digits = append([]byte{0}, digits...)
	}
	return append(varint(b, int64(len(digits))), digits...)
}
