package rules

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
)

// fromSnapshots is a view from snapshots; the rules of its events begin on line 10.
const fromSnapshots = `name: orders
topics: [shop]
from: snapshots
key: "=stream"
on_error: stop
snapshot:
  set: {status: "=state.status", paid: "=state.paid"}
on:
  OrderPlaced:
    set: {status: placed}
    add: {paid: "=data.amount"}
`

// orderFold is a fold of what the view needs.
const orderFold = foldHeader + `on:
  OrderPlaced:
    set: {status: placed}
    add: {paid: "=data.amount"}
    min: {first: "=data.placed"}
`

// withFold compiles a view beside the fold of its topic.
func withFold(tb testing.TB, fold, view string) (*Program, []streams.Problem) {
	tb.Helper()
	v, problems := parseView(tb, view)
	if v == nil {
		return nil, problems
	}
	o := testOptions
	o.Fold = func(topic string) *Fold {
		if fold == "" || topic == "mall" {
			return nil
		}
		f, problems := parseFold(tb, fold)
		if len(problems) > 0 {
			tb.Fatal(problems)
		}
		return f
	}
	p, more := v.Compile(o)
	return p, append(problems, more...)
}

// TestSnapshotProblems holds each message with its line and column.
func TestSnapshotProblems(t *testing.T) {
	const snapshot = "  set: {status: \"=state.status\", paid: \"=state.paid\"}\n"
	ended := orderFold + "  OrderPaid: {set: {status: closed}}\n  OrderCancelled: {set: {note: x}}\ngone: \"=state.status == 'closed'\"\n"
	kind := foldHeader + "kind: orders\n"
	swap := func(from, to string) string {
		if !strings.Contains(fromSnapshots, from) {
			t.Fatalf("there is no %s", from)
		}
		return strings.Replace(fromSnapshots, from, to, 1)
	}
	tests := []struct {
		name, fold, view string
		want             []string
	}{
		{"from what", orderFold, swap("from: snapshots", "from: events"), []string{`3:7: from must be snapshots, not "events"; leave it out to read the events from the first one`}},
		{"no from", orderFold, swap("from: snapshots\n", ""), []string{"5:1: snapshot says how a snapshot becomes a row, but the view reads none; add from: snapshots"}},
		{"no snapshot", orderFold, swap("snapshot:\n"+snapshot, ""), []string{"3:7: from: snapshots needs snapshot: a rule with set that says how the state of a stream becomes a row"}},
		{"list", orderFold, swap("snapshot:\n  set", "snapshot:\n- set"), []string{"7:1: snapshot is one rule, not a list: it makes the one row of the stream"}},
		{"not a rule", orderFold, swap(snapshot, "  state\n"), []string{`7:3: snapshot must be a mapping of ops, such as set: {status: paid}, not "state"`}},
		{"op", orderFold, swap("  set: {status", "  add: {status"), []string{
			"7:3: snapshot has no add: a snapshot gives the whole row, so its rule has only set, which writes fields of add, min and max, too"}},
		{"unknown key", orderFold, swap(snapshot, snapshot+"  wen: true\n"), []string{`8:3: snapshot has no key "wen"; did you mean when?`}},
		{"nothing", orderFold, swap(snapshot, "  when: true\n"), []string{"7:3: the rule changes nothing; give it set"}},

		{"no fold", "", fromSnapshots, []string{"3:7: no fold keeps snapshots of topic shop; add one to compactor.snapshots, with name, topic: shop, state, on_error and on"}},
		{"no fold, once", "", swap("set: {status: \"", "set: {first: \"=state.first\", status: \"") + "  OrderPaid: {unset: first}\n", []string{"3:7: no fold keeps snapshots of topic shop; add one to compactor.snapshots, with name, topic: shop, state, on_error and on"}},
		{"no state", strings.Replace(orderFold, "OrderState", "State", 1), fromSnapshots, []string{"3:7: the state of fold order: no schema of State"}},
		{"state is no record", strings.Replace(orderFold, "OrderState", "Scalar", 1), fromSnapshots, []string{"3:7: the state of fold order: Scalar is string, not a record"}},
		{"topics", orderFold, swap("[shop]", "[shop, mall]"), []string{"3:7: from: snapshots needs exactly one topic, not 2: a snapshot is the state of one stream of one topic"}},
		{"partitioner", orderFold, swap("[shop]", "[any]"), []string{
			"3:7: from: snapshots is for rows that one stream writes, but topic any has partitioner: any; use a topic whose producers partition by its keys, or leave from out"}},
		{"shared", orderFold, swap(`"=stream"`, `"=stream.key"`), []string{
			`3:7: from: snapshots is for rows that one stream writes, but the row key at 4:6 is not the stream and does not contain it; use the row key "=stream", or leave from out`}},

		{"names of an event", orderFold, swap("=state.status", "=data.coupon + type"), []string{
			"7:19: a snapshot is not an event; it has only stream, version and state", "7:33: a snapshot is not an event; it has only stream, version and state"}},
		{"name of the state", orderFold, swap("=state.status", "=status"), []string{`7:19: there is no "status"; did you mean state.status?`}},
		{"no such field", orderFold, swap("=state.status", "=state.statut"), []string{`7:25: OrderState has no field "statut"; did you mean status?`}},
		{"field that nobody writes", orderFold, swap("=state.status", "=state.note"), []string{"7:25: no rule of the fold writes state.note, so it always has one and the same value"}},
		{"state in the key", orderFold, swap("key: \"=stream\"", "key: \"=[stream, state.status, version]\""), []string{
			"4:17: state is for sagas and snapshots; a view has data and the names of the event",
			"4:17: the row key of snapshot has only stream and its parts: where a stream has ended, the row is found without a state",
			"4:31: the row key of snapshot has only stream and its parts: where a stream has ended, the row is found without a state"}},
		{"no key", orderFold, strings.Replace(swap("key: \"=stream\"\n", ""), "    set: {status: placed}", "    key: \"=stream\"\n    set: {status: placed}", 1), []string{
			`6:3: the rule has no row key, and the view has none; write key: "=stream"`}},
		{"another key", orderFold + "  OrderPaid: {set: {status: paid}}\n", swap(snapshot, snapshot+"  key: \"=[stream, 'x']\"\n") + "  OrderPaid: {key: \"=[stream, 'x']\", set: {status: paid}}\n", []string{
			"4:6: this row key is not that of snapshot, at 8:8: the row would be missing where it comes from snapshots; give both the same row key",
			"8:8: this row key is a tuple of 2, but the one at 4:6 is a text; all rules of a view use one shape",
			"13:20: this row key is a tuple of 2, but the one at 4:6 is a text; all rules of a view use one shape"}},
		{"key of a rule", orderFold, strings.Replace(swap(snapshot, snapshot+"  key: \"=[stream, 'x']\"\n"), "key: \"=stream\"", "key: \"=[stream, data.article]\"", 1), []string{
			"4:6: this row key is not that of snapshot, at 8:8: the row would be missing where it comes from snapshots; give both the same row key"}},

		{"missing", orderFold, swap(`, paid: "=state.paid"`, ""), []string{`11:11: snapshot does not set field paid, so rows that come from snapshots would not have it; add paid: "=state.…" to its set`}},
		{"latest", orderFold, swap("add: {paid", "latest: {paid"), []string{
			"11:14: latest of field paid is not possible from snapshots: a state does not hold the time that orders its values; use set, since the events of a stream come in order"}},
		{"latest, not set", orderFold, strings.Replace(swap("add: {paid", "latest: {paid"), `, paid: "=state.paid"`, "", 1), []string{
			"11:14: latest of field paid is not possible from snapshots: a state does not hold the time that orders its values; use set, since the events of a stream come in order"}},
		{"type", orderFold, swap("=state.paid", "=state.status"), []string{"7:34: field paid is string here, but decimal at 11:11; a field has one type in all rules; write string(x) of the number or decimal(x) of the text"}},
		{"add of a text", orderFold, strings.Replace(swap("=state.paid", "=state.status"), "=data.amount", "=data.article", 1), []string{
			"7:34: field paid is string here, but int at 11:11; a field has one type in all rules; write string(x) of the number or decimal(x) of the text"}},
		{"null", orderFold, swap("\"=state.paid\"", "null"), []string{"7:34: set of null: rows that come from snapshots would never have field paid"}},

		{"ends", ended, fromSnapshots, []string{
			"3:7: fold order ends a stream by gone, which reads what OrderPaid writes, and then the row goes; give the view a rule with delete: true for OrderPaid, with the condition as when"}},
		{"ends, deleted", ended, fromSnapshots + "  OrderPaid: {when: true, delete: true}\n", nil},
		{"unknown ends", strings.Replace(ended, "state.status ==", "state.statut ==", 1), fromSnapshots, []string{
			"3:7: fold order has problems of its own, so it is not known which events end a stream; compactor --check tells them"}},
		{"event that the fold passes by", orderFold, fromSnapshots + "  OrderPaid: {set: {status: paid}}\n", []string{
			"12:3: fold order has no rules for OrderPaid, so what these do would be missing in rows that come from snapshots; give the fold rules for it, or leave these out"}},
		{"deleted, not ended", orderFold + "  OrderPaid: {set: {status: paid}}\n", fromSnapshots + "  OrderPaid: {delete: true}\n", []string{
			"12:15: delete is not possible: snapshot sets field status, at 7:9, which is not a field of the state that can be null, so the row would be there behind OrderPaid where it comes from snapshots; give the fold a gone that holds then, or snapshot a when that does not"}},
		{"deleted, ended by another", ended, fromSnapshots + "  OrderPaid: {delete: true}\n  OrderCancelled: {delete: true}\n", []string{
			"13:20: delete is not possible: snapshot sets field status, at 7:9, which is not a field of the state that can be null, so the row would be there behind OrderCancelled where it comes from snapshots; give the fold a gone that holds then, or snapshot a when that does not"}},
		{"kind", kind, fromSnapshots, []string{
			"3:7: fold order is of kind orders, which may end a stream, and then the row goes; give the view a rule with delete: true for the event that ends one"}},
		{"kind, deleted", kind, fromSnapshots + "  OrderPaid: {delete: true}\n", nil},
		{"kind reads all", kind, swap("=state.status", "=state.note") + "  OrderPaid: {delete: true}\n", nil},
		{"only in snapshots", orderFold, swap("set: {status: \"", "set: {first: \"=state.first\", status: \""), nil},
		{"constants in the key", orderFold, swap("key: \"=stream\"", "key: \"=['o', stream, stream.key]\""), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := withFold(t, tt.fold, tt.view)
			expect(t, problemTexts(problems), tt.want)
		})
	}
}
