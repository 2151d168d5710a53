package compaction

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// The state and the events of the lab in Go.
type goOrder struct {
	Payments *int64   `avro:"payments"`
	Paid     *big.Rat `avro:"paid"`
	Note     *string  `avro:"note"`
	Other    *string  `avro:"other"`
	Closed   bool     `avro:"closed"`
}

type (
	goPaid struct {
		Amount *big.Rat `avro:"amount"`
	}
	goNoted struct {
		Note  string `avro:"note"`
		Other bool   `avro:"other"`
	}
	goClosed struct{}
)

func typedOrder(digest string) Kind {
	t := NewTyped[goOrder](digest)
	On(t, "Paid", func(o goOrder, d goPaid, _ Event) (goOrder, bool, error) {
		n, paid := int64(1), d.Amount
		if o.Payments != nil {
			n, paid = n+*o.Payments, new(big.Rat).Add(paid, o.Paid)
		}
		o.Payments, o.Paid = &n, paid
		if d.Amount.Sign() < 0 {
			return o, false, errors.New("it is negative")
		}
		return o, false, nil
	})
	On(t, "Noted", func(o goOrder, d goNoted, _ Event) (goOrder, bool, error) {
		o.Note = &d.Note
		return o, false, nil
	})
	On(t, "Closed", func(o goOrder, _ goClosed, _ Event) (goOrder, bool, error) { return o, true, nil })
	return t.Kind()
}

const kindFold = `
name: order
topic: orders
state: Order
on_error: stop
kind: orders-in-go
`

// TestTypedFold: a fold in Go leaves what the rules leave. With another digest it
// is refused.
func TestTypedFold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.kinds = map[string]Kind{"orders-in-go": typedOrder("1")}
		l.fold = l.compile(kindFold)
		w := l.start(nil)
		viewed := l.event("Closed", 1, "{}")
		viewed.Type = "Viewed" // before it begins, while it lives, when it has ended
		l.Kafka.Produce("orders", viewed, l.paid(1, "3.00"), viewed, l.event("Noted", 1, `{"note":"x"}`), l.event("Closed", 1, "{}"), viewed)
		l.pay(60)
		l.Kafka.Produce("orders", l.event("Closed", 2, "{}"), l.event("Closed", 2, "{}"), l.paid(2, "3.00"), l.event("Closed", 3, "{}"), viewed)
		l.caughtUp()
		l.right()
		l.Kafka.Produce("orders", l.paid(in(1, 1)[0], "-1.00"))
		_ = w.stops(1, "record orders/1/", "event Paid of stream order-", "it is negative")
		w.stop()

		before := l.watermarks()
		l.kinds["orders-in-go"] = typedOrder("2")
		fold := l.fold
		l.fold = l.compile(kindFold)
		var digest *snapshot.DigestError
		if err := l.start(nil).leaves("raise version"); !errors.As(err, &digest) {
			t.Errorf("it left with %v", err)
		}
		if l.fold = fold; l.watermarks() != before {
			t.Error("another fold has moved the watermarks")
		}
	})
}

// TestKindWithoutState: a record without a value would say that nothing is known
// of its stream.
func TestKindWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.kinds = map[string]Kind{"orders-in-go": {Digest: "1", New: func(streams.Codec, string) (Folder, error) {
			return FolderFunc(func([]byte, Event) ([]byte, bool, error) { return nil, false, nil }), nil
		}}}
		l.fold = l.compile(kindFold)
		l.pay(20)
		w := l.start(nil)
		_ = w.stops(0, "record orders/0/0: ", "its fold returned no state")
		w.stop()
	})
}

// counting counts the events of each stream.
type counting struct{ types []string } // those that it was called with

func (c *counting) New(streams.Codec, string) (Folder, error) { return c, nil }

func (c *counting) Begin() ([]byte, error) { return []byte("0"), nil }

func (c *counting) Fold(before []byte, e Event) ([]byte, bool, error) {
	c.types = append(c.types, e.Type)
	n, err := strconv.Atoi(cmp.Or(string(before), "0"))
	return strconv.AppendInt(nil, int64(n)+1, 10), false, err
}

// TestKindGetsWhatItNames: an event of another type changes nothing but the version
// of its stream, and one that begins with it has the state that it begins with.
func TestKindGetsWhatItNames(t *testing.T) {
	for _, c := range []struct {
		names, calls []string
		one, other   state.Entry
	}{
		{[]string{"Paid"}, []string{"Paid", "Paid"}, state.Entry{Version: 4, Value: []byte("2")}, state.Entry{Version: 1, Value: []byte("0")}},
		{[]string{}, nil, state.Entry{Version: 4, Value: []byte("0")}, state.Entry{Version: 1, Value: []byte("0")}},
		{nil, []string{"Noted", "Paid", "Noted", "Paid", "Noted"}, state.Entry{Version: 4, Value: []byte("4")}, state.Entry{Version: 1, Value: []byte("1")}},
	} {
		t.Run(fmt.Sprintf("%q", c.names), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, folder, two := newLab(t), &counting{}, in(1, 2)
				l.kinds = map[string]Kind{"orders-in-go": {Digest: "1", Events: c.names, New: folder.New}}
				l.fold = l.compile(kindFold)
				noted, paid := l.event("Noted", two[0], `{"note":"x"}`), l.paid(two[0], "1.00")
				l.Kafka.Produce(l.topic, noted, paid, noted, paid, l.event("Noted", two[1], `{"note":"x"}`))
				l.once()
				c.one.Offset, c.other.Offset = 3, 4
				want := map[string]state.Entry{string(l.stream(two[0])): c.one, string(l.stream(two[1])): c.other}
				if got := l.load(); !reflect.DeepEqual(got, want) || !slices.Equal(folder.types, c.calls) {
					t.Errorf("called with %q, states %v, want %q, %v", folder.types, got, c.calls, want)
				}
			})
		})
	}
}

// TestTypedOfNothing: without a function every stream is the zero value.
func TestTypedOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		store := state.NewMemory()
		replay := replayOf(t, schemas, kindFold, map[string]Kind{"orders-in-go": NewTyped[goOrder]("1").Kind()}, store)
		for range 2 {
			if err := replay.Apply(l.Kafka.Record(l.topic, l.paid(1, "1.00"))); err != nil {
				t.Fatal(err)
			}
		}
		if e, _, err := store.Get([]byte("order-1")); err != nil || e.Gone || !bytes.Equal(e.Value, orderState(t, schemas, "{}")) {
			t.Errorf("got %+v, %v", e, err)
		}
	})
}

// TestZeroValueThatIsNoState: it is refused where it is needed, for most streams
// never begin with it.
func TestZeroValueThatIsNoState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		last := NewTyped[goPaid]("1")
		On(last, "Paid", func(_, d goPaid, _ Event) (goPaid, bool, error) { return d, false, nil })
		l.kinds = map[string]Kind{"orders-in-go": last.Kind()}
		l.fold = l.compile(strings.Replace(kindFold, "state: Order", "state: Paid", 1))
		two := in(1, 2)
		l.Kafka.Produce(l.topic, l.paid(two[0], "1.00"), l.event("Closed", two[0], "{}"), l.event("Closed", two[1], "{}"))
		w := l.start(nil)
		_ = w.stops(1, "record orders/1/2: ", "a stream begins with the zero value: writing Paid from compaction.goPaid: ", "; fold events of this type, too")
		w.stop()
	})
}

// TestKindsThatCannotBe are problems of the configuration.
func TestKindsThatCannotBe(t *testing.T) {
	fails := errors.New("no such table")
	wrong := NewTyped[goPaid]("1")
	twice := NewTyped[goOrder]("1")
	On(twice, "Paid", func(o goOrder, _ goNoted, _ Event) (goOrder, bool, error) { return o, false, nil })
	for _, tt := range []struct {
		want  string
		line  int // of the name, or of the kind
		kinds map[string]Kind
	}{
		{"this binary has none", 6, nil},
		{"this binary has others", 6, map[string]Kind{"others": typedOrder("1")}},
		{"kind orders-in-go has no digest", 6, map[string]Kind{"orders-in-go": typedOrder("")}},
		{"no such table", 2, map[string]Kind{"orders-in-go": {Digest: "1", New: func(streams.Codec, string) (Folder, error) { return nil, fails }}}},
		{"Order as compaction.goPaid", 2, map[string]Kind{"orders-in-go": wrong.Kind()}},
		{"Paid as compaction.goNoted", 2, map[string]Kind{"orders-in-go": twice.Kind()}},
		{"kind orders-in-go names its events, and its folder, a compaction.FolderFunc, has no Begin", 2, map[string]Kind{
			"orders-in-go": {Digest: "1", Events: []string{"Paid"}, New: func(streams.Codec, string) (Folder, error) {
				return FolderFunc(func([]byte, Event) ([]byte, bool, error) { return nil, false, nil }), nil
			}}}},
		{"a fold of structs reads Avro, and ", 2, map[string]Kind{
			"orders-in-go": {Digest: "1", New: func(streams.Codec, string) (Folder, error) { return twice.folder(nil, "Order") }}}},
	} {
		codec := newCodec(t)
		_, problems := Compile(parseFold(t, kindFold), codec, nil, tt.kinds)
		if len(problems) != 1 || !strings.Contains(problems[0].Message, tt.want) || problems[0].Line != tt.line {
			t.Errorf("problems %v, want one in line %d with %q", problems, tt.line, tt.want)
		}
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "Paid are folded twice") {
			t.Errorf("panic %v", r)
		}
	}()
	On(twice, "Paid", func(o goOrder, _ goPaid, _ Event) (goOrder, bool, error) { return o, false, nil })
}
