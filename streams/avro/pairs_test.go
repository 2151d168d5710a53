package avro

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/avro"
)

// pair is a writer's and a reader's schema, paths of the reader's, and values of
// the writer's.
type pair struct {
	name, writer, reader string
	paths                []string
	values               []any
}

func orderSchema(t testing.TB) string {
	b, err := os.ReadFile("testdata/OrderPlaced.avsc")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// order is the nth of the 9-field events.
func order(n uint64) map[string]any {
	r := rand.New(rand.NewPCG(n, 1))
	var coupon any
	if n%3 == 0 {
		coupon = "WELCOME10"
	}
	item := func() map[string]any {
		return map[string]any{"sku": fmt.Sprintf("sku-%05d", r.IntN(50000)), "qty": int32(1 + r.IntN(4)), "price": int64(100 + r.IntN(20000))}
	}
	return map[string]any{
		"event_id":    fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48)),
		"occurred_at": time.UnixMilli(1760000000000 + int64(n)).UTC(),
		"order_id":    fmt.Sprintf("ord-%09d", n),
		"customer_id": fmt.Sprintf("cus-%07d", r.IntN(100000)),
		"amount":      int64(100 + r.IntN(100000)),
		"coupon":      coupon,
		"address":     map[string]any{"street": fmt.Sprintf("Long Street %d", r.IntN(400)), "city": "Lisbon", "zip": fmt.Sprintf("%05d", r.IntN(99999)), "country": "NL"},
		"items":       []any{item(), item()},
		"meta":        map[string]any{"source": "web-checkout", "trace": fmt.Sprintf("%016x", r.Uint64())},
	}
}

const (
	tree    = `{"type":"record","name":"T","fields":[{"name":"next","type":["null","T"]},{"name":"kids","type":{"type":"array","items":"T"}},{"name":"v","type":"int"}]}`
	decimal = `{"type":"bytes","logicalType":"decimal","precision":30,"scale":2}`
)

func rec(name string, fields ...string) string {
	return fmt.Sprintf(`{"type":"record","name":%q,"fields":[%s]}`, name, strings.Join(fields, ","))
}

func field(name, avroType string, more ...string) string {
	return fmt.Sprintf(`{"name":%q,"type":%s%s}`, name, avroType, strings.Join(append([]string{""}, more...), ","))
}

func rat(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

func pairs(t testing.TB) []pair {
	orders := orderSchema(t)
	leaf := map[string]any{"next": nil, "kids": []any{}, "v": int32(3)}
	node := map[string]any{"next": leaf, "kids": []any{leaf, leaf}, "v": int32(300)}
	at := time.Date(2013, 5, 6, 7, 8, 9, 123456789, time.UTC)
	return []pair{
		{"order", orders, orders, []string{"customer_id", "amount", "occurred_at"}, []any{order(1), order(2)}},
		{"nested", orders, orders, []string{"coupon", "address.city", "address.zip", "amount", "coupon"}, []any{order(2), order(3)}},
		{"narrower", orders,
			`{"type":"record","name":"OrderPlaced","namespace":"shop","fields":[{"name":"customer_id","type":"string"},{"name":"amount","type":"long"},{"name":"currency","type":"string","default":"EUR"}]}`,
			[]string{"amount", "currency", "customer_id"}, []any{order(4)}},
		{"promotions",
			rec("P", field("a", `"int"`), field("b", `"long"`), field("c", `"float"`), field("d", `"boolean"`), field("e", `"bytes"`), field("f", `"double"`), field("s", `"string"`), field("i", `"int"`)),
			rec("P", field("a", `"double"`), field("bb", `"double"`, `"aliases":["b"]`), field("c", `"double"`), field("d", `"boolean"`), field("e", `"string"`), field("f", `"double"`),
				field("g", `["null","long"]`, `"default":null`), field("h", `"long"`, `"default":7`), field("s", `"bytes"`), field("i", `"float"`)),
			[]string{"a", "bb", "c", "d", "e", "f", "g", "h", "s", "i"},
			[]any{map[string]any{"a": int32(-5), "b": int64(1) << 40, "c": float32(1.5), "d": true, "e": []byte("xyz"), "f": -0.25, "s": "text", "i": int32(16777217)}}},
		{"unions",
			rec("U", field("x", `["null","int","string"]`), field("a", `["null","long"]`), field("n", `["null",`+rec("N", field("p", `"int"`), field("q", `["string","null"]`))+`]`),
				field("e", `{"type":"enum","name":"E","symbols":["A","B","C"]}`), field("f", `{"type":"fixed","name":"F","size":3}`), field("z", `"string"`)),
			rec("U", field("a", `["null","long"]`), field("n", `["null",`+rec("N", field("p", `"long"`), field("q", `["string","null"]`))+`]`),
				field("e", `{"type":"enum","name":"E","symbols":["A","B","X"],"default":"X"}`), field("f", `{"type":"fixed","name":"F","size":3}`), field("z", `["null","string"]`)),
			[]string{"a", "n.p", "n.q", "e", "z", "f"},
			[]any{
				map[string]any{"x": "s", "a": nil, "n": map[string]any{"p": int32(9), "q": nil}, "e": "C", "f": []byte("abc"), "z": "end"},
				map[string]any{"x": nil, "a": int64(7), "n": nil, "e": "A", "f": []byte("abc"), "z": ""},
			}},
		{"skips",
			rec("S", field("t", tree), field("m", `{"type":"map","values":{"type":"array","items":"double"}}`), field("nn", `{"type":"array","items":"null"}`), field("v", `"string"`),
				field("w", `{"type":"array","items":["null","T"]}`), field("b", `"boolean"`), field("e", `{"type":"enum","name":"E","symbols":["A","B"]}`), field("y", `"int"`)),
			rec("S", field("v", `"string"`), field("y", `"long"`)),
			[]string{"v", "y"},
			[]any{map[string]any{"t": node, "m": map[string]any{"k": []any{1.0, 2.0}}, "nn": []any{nil, nil}, "v": "here", "w": []any{nil, node}, "b": true, "e": "B", "y": int32(-1)}}},
		{"inside recursion", rec("S", field("t", tree), field("y", `"int"`)), rec("S", field("t", tree), field("y", `"int"`)), []string{"t.v", "y"}, []any{map[string]any{"t": node, "y": int32(5)}}},
		{"decimals",
			rec("D", field("d", decimal), field("n", `["null",`+decimal+`]`), field("f", `{"type":"fixed","name":"M","size":12,"logicalType":"decimal","precision":20,"scale":4}`), field("flat", `"bytes"`, `"logicalType":"decimal"`, `"precision":9`, `"scale":3`)),
			rec("D", field("d", decimal), field("n", `["null",`+decimal+`]`), field("f", `{"type":"fixed","name":"M","size":12,"logicalType":"decimal","precision":20,"scale":4}`), field("flat", `"bytes"`, `"logicalType":"decimal"`, `"precision":9`, `"scale":3`),
				field("new", `"int"`, `"default":0`), field("dd", decimal, `"default":"ÿ"`)),
			[]string{"d", "n", "f", "flat", "dd"},
			[]any{
				map[string]any{"d": rat("62.59"), "n": rat("-0.01"), "f": rat("-12345678901234.5678"), "flat": rat("1.5")},
				map[string]any{"d": rat("-1234567890123456789012345678.90"), "n": nil, "f": rat("0"), "flat": rat("-999999.999")},
				map[string]any{"d": rat("92233720368547758.08"), "n": rat("-92233720368547758.09"), "f": rat("1"), "flat": rat("0")},
			}},
		{"times",
			rec("I", field("ms", `{"type":"long","logicalType":"timestamp-millis"}`), field("us", `{"type":"long","logicalType":"timestamp-micros"}`), field("ns", `{"type":"long","logicalType":"timestamp-nanos"}`),
				field("lms", `{"type":"long","logicalType":"local-timestamp-millis"}`), field("day", `{"type":"int","logicalType":"date"}`), field("tod", `{"type":"long","logicalType":"time-micros"}`), field("flat", `"long"`, `"logicalType":"timestamp-millis"`)),
			rec("I", field("ms", `{"type":"long","logicalType":"timestamp-millis"}`), field("us", `{"type":"long","logicalType":"timestamp-micros"}`), field("ns", `{"type":"long","logicalType":"timestamp-nanos"}`),
				field("lms", `{"type":"long","logicalType":"local-timestamp-millis"}`), field("day", `{"type":"int","logicalType":"date"}`), field("tod", `{"type":"long","logicalType":"time-micros"}`), field("flat", `"long"`, `"logicalType":"timestamp-millis"`),
				field("then", `{"type":"long","logicalType":"timestamp-millis"}`, `"default":1500`)),
			[]string{"ms", "us", "ns", "lms", "day", "tod", "flat", "then"},
			[]any{map[string]any{"ms": at, "us": at, "ns": at, "lms": at, "day": at, "tod": 5 * time.Second, "flat": at}}},
		{"uuid",
			rec("G", field("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`), field("s", `{"type":"string","logicalType":"uuid"}`)),
			rec("G", field("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`), field("s", `{"type":"string","logicalType":"uuid"}`), field("n", `["null","string"]`, `"default":null`)),
			[]string{"id", "s", "n"},
			[]any{map[string]any{"id": "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", "s": "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"}}},
		{"record defaults",
			rec("R", field("x", `"int"`)),
			rec("R", field("x", `"int"`), field("in", rec("In", field("a", `"long"`, `"default":4`), field("b", `"string"`)), `"default":{"b":"bb"}`), field("o", `["null",`+rec("Opt", field("c", `"double"`))+`]`, `"default":null`), field("u", `["string","null"]`, `"default":"dflt"`)),
			[]string{"in.a", "in.b", "o.c", "u", "x"}, []any{map[string]any{"x": int32(1)}}},
		{"aliases",
			rec("R", field("b", `"int"`), field("old", `"int"`)),
			rec("R", field("b", `"int"`), field("new", `"int"`, `"aliases":["older","old"]`)),
			[]string{"b", "new"}, []any{map[string]any{"b": int32(1), "old": int32(2)}}},
		{"branches",
			rec("R", field("u", `["null",`+rec("x.N", field("v", `"int"`))+`]`), field("w", `["int","null"]`), field("last", `"int"`)),
			rec("R", field("u", `[`+rec("y.N", field("other", `"int"`))+`,"null",`+rec("x.N", field("v", `"int"`))+`]`), field("w", `["null","double"]`), field("last", `"int"`)),
			[]string{"w", "last"}, []any{map[string]any{"u": map[string]any{"v": int32(1)}, "w": int32(2), "last": int32(3)}}},
		{"namespaces",
			`{"type":"record","name":"R","namespace":"a.b","fields":[{"name":"n","type":{"type":"record","name":"N","fields":[{"name":"v","type":"int"}]}},{"name":"m","type":["null","N"]},{"name":"self","type":["null","R"]},{"name":"last","type":"string"}]}`,
			`{"type":"record","name":"New","namespace":"c","aliases":["a.b.R"],"fields":[{"name":"n","type":{"type":"record","name":"N","fields":[{"name":"v","type":"long"}]}},{"name":"m","type":["null","N"]},{"name":"last","type":"string"}]}`,
			[]string{"n.v", "m.v", "last"},
			[]any{map[string]any{"n": map[string]any{"v": int32(1)}, "m": map[string]any{"v": int32(2)}, "self": nil, "last": "x"}}},
	}
}

// compiled is a pair that is ready to be read by us and by the oracle.
type compiled struct {
	pair
	codec  *Codec
	reader *reader
	oracle *avro.Schema
	// written is the writer's schema without logical types.
	written *avro.Schema
	header  []byte
}

func compilePair(t testing.TB, p pair) *compiled {
	t.Helper()
	codec, err := Open(fstest.MapFS{"Event.avsc": {Data: []byte(p.reader)}, "former/Event.avsc": {Data: []byte(p.writer)}})
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	r, err := codec.Reader("Event", p.paths)
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	w := avro.MustParse(p.writer)
	oracle, err := avro.Resolve(w, avro.MustParse(p.reader))
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	return &compiled{p, codec, r.(*reader), oracle, avro.MustParse(string(w.Canonical())), headerOf(w)}
}

// headerOf is what values of the schema begin with.
func headerOf(w *avro.Schema) []byte {
	return binary.LittleEndian.AppendUint64([]byte{0xC3, 1}, binary.BigEndian.Uint64(w.Fingerprint(avro.NewRabin())))
}

// payloads are the values of the pair in bytes, without a header.
func (c *compiled) payloads(t testing.TB) (out [][]byte) {
	t.Helper()
	w := avro.MustParse(c.writer)
	for _, v := range c.values {
		b, err := w.Encode(v)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		out = append(out, b)
	}
	return out
}
