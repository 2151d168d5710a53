package rules

import (
	"slices"
	"testing"
)

// TestEnders: which event types may end a stream, so that views from snapshots
// must delete its row.
func TestEnders(t *testing.T) {
	const (
		status = "state.status == 'closed'"
		both   = "state.status == 'closed' and state.count > 1"
		either = "state.status == 'closed' or state.count > 1"
	)
	tests := []struct {
		gone, rules string
		ends        bool
	}{
		{status, "{set: {status: closed}}", true},
		{status, "{set: {status: paid}}", false},
		{status, "[{set: {status: paid}}, {set: {status: closed}}]", true},
		{status, "{when: false, set: {status: closed}}", true},
		{status, "{set: {status: \"=data.coupon\"}}", true},
		{status, "{set: {status: \"='clo' + 'sed'\"}}", true},
		{status, "{unset: status}", false},
		{status, "{set: {status: null}}", false},
		{status, "{set: {note: closed}}", false},
		{status, "{delete: true}", false},
		{status, "{delete: true, set: {status: closed}}", true},
		{"int(state.paid ?? 1) > 1 or int(state.paid ?? 1) == 0", "{set: {paid: 1}}", false},
		{"int(state.paid ?? 1) > 1 or int(state.paid ?? 1) == 0", "{set: {paid: 2}}", true},
		{"int(state.paid ?? 1) > 1 or int(state.paid ?? 1) == 0", "{set: {paid: 0.00}}", true},
		{"10 % int(state.paid ?? 1) == 1", "{set: {paid: 0}}", true},
		{"state.count > 3", "{add: {count: 1}}", true},
		{"not state.open", "{set: {open: true}}", false},
		{"not state.open", "{set: {open: false}}", true},
		{both, "{set: {status: placed}}", false},
		{both, "{set: {status: closed}}", true},
		{both, "{unset: status}", false},
		{both, "{set: {count: 1}}", false},
		{both, "{set: {count: 2}}", true},
		{both, "{add: {count: 1}}", true},
		{both, "[{set: {status: placed}}, {set: {count: 2}}]", true},
		{both, "{set: {status: placed, count: 1}}", false},
		{both, "{set: {note: a}}", false},
		{either, "{set: {status: placed}}", true},
		{either, "{set: {status: closed}}", true},
		{"(" + either + ") && state.open", "{set: {status: placed}}", true},
		{"(" + either + ") && state.open", "{set: {open: false}}", false},
		{"not state.open and 10 % state.count == 1", "{set: {count: 0}}", true},
	}
	for _, tt := range tests {
		f, problems := parseFold(t, foldHeader+"gone: \"="+tt.gone+"\"\non:\n  OrderPaid: "+tt.rules+
			"\n  OrderCancelled: {when: false, unset: [status, count, paid, open]}\n")
		c := f.check(testTypes)
		if problems = append(problems, c.all...); len(problems) > 0 {
			t.Fatalf("%s, %s: %v", tt.gone, tt.rules, problems)
		}
		if ends := slices.Contains(c.enders(), "OrderPaid"); ends != tt.ends {
			t.Errorf("%s, %s: ends is %v", tt.gone, tt.rules, ends)
		}
	}
}

// TestGone: a stream ends by the state after the event.
func TestGone(t *testing.T) {
	p := compiledFold(t, foldOn("    add: {count: 1}\n    set: {note: \"=data.coupon\"}\n")+"gone: \"=state.count == 2 and (state.note ?? '') != 'stay'\"\n")
	tests := []struct {
		events []event
		want   string
	}{
		{[]event{{}, {}}, "count 1\ncount 2, gone"},
		{[]event{{}, {"data.coupon": "stay"}, {}}, "count 1\ncount 2, note stay\ncount 3"},
	}
	for _, tt := range tests {
		if got := foldAll(t, p, tt.events...); got != tt.want {
			t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
		}
	}
}

// TestGoneMayFail: then the state is as it was.
func TestGoneMayFail(t *testing.T) {
	p := compiledFold(t, foldOn("    add: {count: \"=data.article\"}\n")+"gone: \"=100 % (5 - state.count) == 1\"\n")
	if got, want := foldAll(t, p, event{"data.article": 2}, event{"data.article": 3}, event{"data.article": 1}),
		"count 2, gone\nerror at 8:13: division by zero\ncount 3"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
