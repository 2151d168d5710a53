package avro

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// BenchmarkRead reads some of the 9 fields of an event of about 190 bytes; the
// last one decodes all of them to a map with twmb/avro.
func BenchmarkRead(b *testing.B) {
	text := orderSchema(b)
	w := avro.MustParse(text)
	var values [][]byte
	for n := range uint64(4096) {
		payload, err := w.Encode(order(n))
		if err != nil {
			b.Fatal(err)
		}
		values = append(values, payload)
	}
	for _, x := range []struct {
		name  string
		paths []string
	}{
		{"3 fields", []string{"customer_id", "amount", "occurred_at"}},
		{"nested", []string{"customer_id", "amount", "coupon", "address.city"}},
		{"none", nil},
	} {
		c := compilePair(b, pair{x.name, text, text, x.paths, nil})
		framed := make([][]byte, len(values))
		for i := range values {
			framed[i] = append(bytes.Clone(c.header), values[i]...)
		}
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			slots := make([]streams.Slot, len(x.paths))
			for i := 0; b.Loop(); i++ {
				if err := c.reader.Read(framed[i&4095], slots); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("twmb map", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			var v any
			if _, err := w.Decode(values[i&4095], &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWrite writes the 8 fields of a state, 50 bytes; reads them
// again; and encodes the same from a map with goavro.
func BenchmarkWrite(b *testing.B) {
	nullable := func(name, avroType string) string {
		return field(name, `["null",`+avroType+`]`, `"default":null`)
	}
	c := codecOf(b, "State.avsc", rec("State", nullable("customer", `"string"`), nullable("status", `{"type":"enum","name":"E","symbols":["placed","paid","sent"]}`), nullable("amount", decimal), nullable("paid", decimal),
		nullable("items", `"long"`), nullable("at", logicalOf("long", "timestamp-micros")), nullable("coupon", `"string"`), nullable("closed", `"boolean"`)))
	names := []string{"customer", "status", "amount", "paid", "items", "at", "coupon", "closed"}
	slots := []streams.Slot{{Str: "cus-0012345"}, {Str: "paid"}, {Bits: 6259}, {Bits: 123456789}, {Bits: 12}, {Bits: 1_760_000_000_000_000_000}, {Null: true}, {Bits: 1}}
	w, err := c.Writer("State", names)
	if err != nil {
		b.Fatal(err)
	}
	value, err := w.Write(nil, slots)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("slots", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if value, err = w.Write(value[:0], slots); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		r, err := c.Reader("State", names)
		if err != nil {
			b.Fatal(err)
		}
		got := make([]streams.Slot, len(names))
		for b.Loop() {
			if err := r.Read(value, got); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("goavro map", func(b *testing.B) {
		b.ReportAllocs()
		g := c.readers["State"].goavro
		for b.Loop() {
			native := map[string]any{
				"customer": map[string]any{"string": slots[0].Str}, "status": map[string]any{"E": slots[1].Str},
				"amount": map[string]any{"bytes": twosComplement(big.NewInt(slots[2].Bits))}, "paid": map[string]any{"bytes": twosComplement(big.NewInt(slots[3].Bits))},
				"items": map[string]any{"long": slots[4].Bits}, "at": map[string]any{"long": slots[5].Bits / micros}, "coupon": nil, "closed": map[string]any{"boolean": true},
			}
			if value, err = g.SingleFromNative(value[:0], native); err != nil {
				b.Fatal(err)
			}
		}
	})
}
