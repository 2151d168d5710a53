package avro

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

type lineState struct {
	SKU string `avro:"sku"`
	Qty int    `avro:"qty"`
}

type stamps struct {
	At  time.Time  `avro:"at"`
	Day *time.Time `avro:"day"`
}

type cartState struct {
	ID     string  `avro:"id"`
	Status *string `avro:"status"`
	Total  *big.Rat
	stamps
	Lines  []lineState      `avro:"lines"`
	Counts map[string]int64 `avro:"counts"`
	First  *lineState       `avro:"first"`
	Raw    []byte           `avro:"raw"`
	Rate   float64          `avro:"rate"`
	Next   *cartState       `avro:"next"`
	Cache  int              `avro:"-"`
}

var cartSchema = rec("Cart",
	field("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`), field("status", `["null",{"type":"enum","name":"E","symbols":["open","paid"]}]`, `"default":null`),
	field("Total", decimal), field("at", logicalOf("long", "timestamp-micros")), field("day", `["null",`+logicalOf("int", "date")+`]`),
	field("lines", `{"type":"array","items":`+rec("Line", field("sku", `"string"`), field("qty", `"int"`))+`}`), field("counts", `{"type":"map","values":"long"}`), field("first", `["null","Line"]`),
	field("raw", `"bytes"`), field("rate", `"double"`, `"default":1.5`), field("next", `["Cart","null"]`))

func cart() cartState {
	status, day := "paid", time.Date(2013, 5, 6, 0, 0, 0, 0, time.UTC)
	return cartState{
		ID: "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", Status: &status, Total: rat("62.59"), stamps: stamps{time.Date(2013, 5, 6, 7, 8, 9, 123456000, time.UTC), &day},
		Lines: []lineState{{"a", 1}, {"b", -2}}, Counts: map[string]int64{"x": 1 << 60}, First: &lineState{"c", 3}, Raw: []byte{0xff, 0}, Rate: 0.1,
	}
}

func recordOf[S any](t testing.TB, recordType string, files ...string) *Record[S] {
	t.Helper()
	r, err := NewRecord[S](codecOf(t, files...), recordType)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecord(t *testing.T) {
	r := recordOf[cartState](t, "Cart", "Cart.avsc", cartSchema)
	for _, next := range []*cartState{nil, {ID: "00000000-0000-0000-0000-000000000000", Total: rat("1.5"), stamps: stamps{At: time.Unix(0, 0).UTC()}, Lines: []lineState{}, Counts: map[string]int64{}, Raw: []byte{}}} {
		want := cart()
		want.Next = next
		value, err := r.Encode([]byte("before"), want)
		if err != nil {
			t.Fatal(err)
		}
		value, found := bytes.CutPrefix(value, []byte("before"))
		if oracle := valueOf(t, cartSchema, want); !found || !bytes.Equal(value, oracle) {
			t.Errorf("got %x, twmb/avro writes %x", value, oracle)
		}
		got, err := r.Decode(bytes.Clone(value))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
}

// TestRecordResolves reads what was written with a former schema.
func TestRecordResolves(t *testing.T) {
	was := rec("S", field("amount", `"int"`), field("gone", `"string"`), field("old", `["null","string"]`), field("at", logicalOf("long", "timestamp-millis")))
	is := rec("S", field("at", logicalOf("long", "local-timestamp-millis")), field("name", `["null","string"]`, `"aliases":["old"]`), field("amount", `"long"`), field("rate", `"double"`, `"default":1.5`))
	type state struct {
		Amount int64     `avro:"amount"`
		Name   string    `avro:"name"`
		Rate   float64   `avro:"rate"`
		At     time.Time `avro:"at"`
	}
	r := recordOf[state](t, "S", "S.avsc", is, "former/S.avsc", was)
	at := time.UnixMilli(1500).UTC()
	got, err := r.Decode(valueOf(t, was, map[string]any{"amount": 7, "gone": "x", "old": "Ada", "at": at}))
	if want := (state{7, "Ada", 1.5, at}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestNewRecordRefuses(t *testing.T) {
	c := codecOf(t, "Line.avsc", rec("Line", field("sku", `"string"`), field("qty", `"int"`)), "Deep.avsc", rec("Deep", field("a", `["null",{"type":"array","items":`+rec("In", field("x", `"int"`))+`}]`), field("m", `{"type":"map","values":"In"}`)))
	type in struct {
		X int `avro:"x"`
	}
	type less struct{}
	type more struct {
		in
		Y int
	}
	try := func(_ any, err error) error { return err }
	for want, err := range map[string]error{
		`did you mean Line?`:                   try(NewRecord[lineState](c, "Lime")),
		`Line as *avro.lineState: it is not a`: try(NewRecord[*lineState](c, "Line")),
		`Line as avro.less: avro.less has no field for sku of the schema; add one, tagged`: try(NewRecord[less](c, "Line")),
		`has no field for sku`: try(NewRecord[struct{ SKU string }](c, "Line")),
		`Deep as struct`:       try(NewRecord[struct{ A int }](c, "Deep")),
		`avro.less has no field for a.x`: try(NewRecord[struct {
			A []less        `avro:"a"`
			M map[string]in `avro:"m"`
		}](c, "Deep")),
		`the schema has no field for m.Y of avro.more; add one, or tag it`: try(NewRecord[struct {
			A *[]in            `avro:"a"`
			M map[string]*more `avro:"m"`
		}](c, "Deep")),
	} {
		wantError(t, err, want)
	}
	wide := codecOf(t, "W.avsc", rec("W", field("w", `[`+rec("A", field("x", `"int"`))+`,`+rec("B", field("y", `"int"`))+`]`)))
	if _, err := NewRecord[struct {
		W less `avro:"w"`
	}](wide, "W"); err != nil {
		t.Errorf("which branch of a union it is, the value says: %v", err)
	}
}

// TestCollectFields: a struct may embed itself, and what is tagged inline.
func TestCollectFields(t *testing.T) {
	type Itself struct {
		*Itself
		A     int             `avro:"a,omitzero"`
		Flat  struct{ B int } `avro:",inline"`
		Named struct{ C int } `avro:"named"`
	}
	got := map[string]reflect.Type{}
	if collectFields(got, reflect.TypeFor[Itself]()); len(got) != 3 || got["a"] == nil || got["B"] == nil || got["named"] == nil {
		t.Errorf("got %v", got)
	}
	clear(got)
	if collectFields(got, reflect.TypeFor[guard]()); len(got) > 0 {
		t.Errorf("got the fields %v, which are not exported", got)
	}
}

func TestRecordRefusesToDecode(t *testing.T) {
	millisThen := rec("T", field("t", `["null",{"type":"array","items":`+logicalOf("long", "timestamp-millis")+`}]`))
	microsNow := rec("T", field("t", `{"type":"array","items":["null",`+logicalOf("long", "timestamp-micros")+`]}`))
	type stamped struct {
		T []*time.Time `avro:"t"`
	}
	at := map[string]any{"t": []any{time.UnixMilli(1500)}}
	r := recordOf[stamped](t, "T", "T.avsc", microsNow, "former/T.avsc", millisThen, "Other.avsc", rec("Other"))
	_, err := r.Decode(valueOf(t, millisThen, at))
	wantError(t, err, "reading T: written with former/T.avsc, read with T.avsc: data.t: a timestamp-millis is not converted to a timestamp-micros")
	good := valueOf(t, microsNow, at)
	if got, err := r.Decode(good); err != nil || !got.T[0].Equal(time.UnixMilli(1500)) {
		t.Fatalf("got %v, %v", got, err)
	}
	for name, x := range map[string]struct {
		value []byte
		want  error
	}{
		"frame":   {[]byte("x"), errFrame},
		"unknown": {valueOf(t, rec("U"), map[string]any{}), ErrUnknownSchema},
		"tail":    {append(bytes.Clone(good), 0), errTail},
		"short":   {good[:len(good)-1], errShort},
		"huge":    {append(bytes.Clone(good[:headerSize]), binary.AppendVarint(nil, 1<<50)...), errShort},
	} {
		if _, err := r.Decode(x.value); !errors.Is(err, x.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err = r.Decode(valueOf(t, rec("Other"), map[string]any{}))
	wantError(t, err, "the value is a Other (Other.avsc), but the reader schema T.avsc is of T")
	narrow := rec("A", field("b", `"int"`), field("a", `"int"`))
	small := recordOf[struct {
		A int8 `avro:"a"`
		B int  `avro:"b"`
	}](t, "A", "A.avsc", narrow)
	half, err := small.Decode(valueOf(t, narrow, map[string]any{"a": 300, "b": 1}))
	wantError(t, err, "reading A as struct", "field a: cannot use int8")
	if half.B != 0 {
		t.Errorf("%+v comes with the error", half)
	}
}

func TestRecordRefusesToEncode(t *testing.T) {
	r := recordOf[cartState](t, "Cart", "Cart.avsc", cartSchema)
	for want, change := range map[string]func(c *cartState){
		`writing Cart from avro.cartState: avro: field Total: `: func(c *cartState) { c.Total = big.NewRat(1, 3) },
		`is finer than a timestamp-micros; truncate it`:         func(c *cartState) { c.At = c.At.Add(1) },
		`is finer than a date`:                                  func(c *cartState) { c.Day = &c.At },
		`time out of range`:                                     func(c *cartState) { c.At = time.Time{} },
		`field first.qty: cannot use int`:                       func(c *cartState) { c.First.Qty = 1 << 40 },
		`the value could not be read again`:                     func(c *cartState) { c.First.SKU = "\xff" },
		`data.first.sku`:                                        func(c *cartState) { c.First.SKU = "\xff" },
		`field status: cannot use string`:                       func(c *cartState) { *c.Status = "lost" },
		`field id: `:                                            func(c *cartState) { c.ID = "x" },
		`nests deeper than 64`: func(c *cartState) {
			for range MaxDepth + 2 {
				inner := *c
				c.Next = &inner
			}
		},
	} {
		state := cart()
		change(&state)
		out, err := r.Encode([]byte("before"), state)
		wantError(t, err, want)
		if string(out) != "before" {
			t.Errorf("%s: %q was appended", want, out)
		}
	}
}

// TestRecordKeepsNothing: a slot is a view into the value.
func TestRecordKeepsNothing(t *testing.T) {
	r := recordOf[cartState](t, "Cart", "Cart.avsc", cartSchema)
	fresh := r.guards.New().(*guard)
	r.guards.New = func() any { return fresh }
	if _, err := r.Encode(nil, cart()); err != nil {
		t.Fatal(err)
	}
	for _, s := range fresh.slots {
		if s.Str != "" {
			t.Errorf("%q is kept", s.Str)
		}
	}
}

// TestRecordConcurrently is for the race detector.
func TestRecordConcurrently(t *testing.T) {
	r := recordOf[cartState](t, "Cart", "Cart.avsc", cartSchema)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				value, err := r.Encode(nil, cart())
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := r.Decode(value); err != nil || !reflect.DeepEqual(got, cart()) {
					t.Errorf("got %+v, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

// FuzzRecord decodes noise. What is decoded is encoded, and decoded as the same.
func FuzzRecord(f *testing.F) {
	r := recordOf[cartState](f, "Cart", "Cart.avsc", cartSchema)
	value, err := r.Encode(nil, cart())
	if err != nil {
		f.Fatal(err)
	}
	header := value[:headerSize]
	f.Add(value[headerSize:])
	f.Fuzz(func(t *testing.T, payload []byte) {
		state, err := r.Decode(slices.Concat(header, payload))
		if err != nil {
			return
		}
		for s := &state; s != nil; s = s.Next {
			if math.IsNaN(s.Rate) {
				return // it is not equal to itself
			}
		}
		again, err := r.Encode(nil, state)
		if err != nil && strings.Contains(err.Error(), "exceeds schema precision 30") {
			return // reading takes 38 digits everywhere
		}
		if err != nil {
			t.Fatalf("%+v cannot be encoded: %v", state, err)
		}
		if same, err := r.Decode(again); err != nil || !reflect.DeepEqual(same, state) {
			t.Fatalf("%+v is read again as %+v, %v", state, same, err)
		}
	})
}
