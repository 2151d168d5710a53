package avro

import (
	"bytes"
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
