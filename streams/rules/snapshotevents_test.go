package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEventsThatTheViewForgot: an event that changes what snapshot reads has rules.
func TestEventsThatTheViewForgot(t *testing.T) {
	forgot := func(what string) string {
		return "3:7: snapshot reads " + what + ", which changes at OrderPaid by fold order, but the view has no rules for OrderPaid, so the row would change only where it comes from snapshots; " +
			"give the view rules for it, or one with when: false if the row stays as it is"
	}
	tests := []struct{ fold, snapshot, view, want string }{
		{"{set: {status: paid}}", "", "", forgot("state.status")},
		{"{add: {paid: 1}}", "", "", forgot("state.paid")},
		{"{unset: status}", "", "", forgot("state.status")},
		{"{when: \"=data.express\", delete: true}", "", "", forgot("state.status")},
		{"[{set: {note: x}}, {set: {status: paid}}]", "", "", forgot("state.status")},
		{"{set: {note: x}}", "", "", ""},
		{"{set: {note: x}}", "when: \"=(state.note ?? '') != 'x'\"", "", forgot("state.note")},
		{"{set: {note: x}}", "when: \"=version < 9\"", "", forgot("version")},
		{"{set: {status: paid}}", "", "{when: false, set: {status: paid}}", ""},
	}
	for _, tt := range tests {
		view := fromSnapshots
		if tt.snapshot != "" {
			view = strings.Replace(view, "snapshot:\n", "snapshot:\n  "+tt.snapshot+"\n", 1)
		}
		if tt.view != "" {
			view += "  OrderPaid: " + tt.view + "\n"
		}
		_, problems := withFold(t, orderFold+"  OrderPaid: "+tt.fold+"\n", view)
		if got := strings.Join(problemTexts(problems), "\n"); got != tt.want {
			t.Errorf("%s, %s: got\n%s\nwant\n%s", tt.fold, tt.snapshot, got, tt.want)
		}
	}
}

// drawEnds draws a fold whose streams may end.
func drawEnds(t *rapid.T) string {
	terms := rapid.SampledFrom([]string{
		"state.status == 'a'", "state.count == 1", "state.note == 'a'", "not state.open",
		"(state.status == 'a' or state.count == 2)", "state.status != state.note",
	})
	changes := rapid.SampledFrom([]string{
		"set: {status: a}", "set: {status: b}", "unset: status", "set: {count: 1}", "set: {count: 2}", "add: {count: 1}",
		"set: {note: a}", "set: {note: null}", "set: {open: false}", "set: {open: true}", "delete: true", "set: {status: \"=data.customer_id\"}",
	})
	var b strings.Builder
	fmt.Fprintf(&b, "%sgone: \"=%s\"\non:\n", foldHeader, strings.Join(rapid.SliceOfN(terms, 1, 3).Draw(t, "gone"), " and "))
	for _, eventType := range []string{"OrderPlaced", "OrderPaid", "OrderCancelled"} {
		fmt.Fprintf(&b, "  %s:\n", eventType)
		for _, change := range rapid.SliceOfN(changes, 1, 3).Draw(t, "changes") {
			fmt.Fprintf(&b, "    - {when: \"=%s\", %s}\n", rapid.SampledFrom([]string{"true", "data.express", "state.open"}).Draw(t, "when"), change)
		}
	}
	return b.String() + "    - {when: false, unset: [status, count, note, open]}\n"
}

// TestOnlyEndersEndStreams: no stream ends at an event of which it is said that it
// ends none.
func TestOnlyEndersEndStreams(t *testing.T) {
	ended := 0
	rapid.Check(t, func(rt *rapid.T) {
		text := drawEnds(rt)
		f, _ := parseFold(t, text)
		checked := f.check(testTypes)
		if len(checked.all) > 0 {
			return // gone holds of a state that nothing was written to
		}
		enders, p, states := checked.enders(), checked.program(), folded{}
		for _, ev := range rapid.SliceOfN(rapid.Custom(drawPlaced), 1, 12).Draw(rt, "events") {
			if states.apply(t, p, ev); states[ev.stream] != nil {
				continue
			}
			if ended++; !slices.Contains(enders, ev.eventType) {
				rt.Fatalf("%s ends %s, the enders are %v:\n%s", ev.eventType, ev.stream, enders, text)
			}
		}
	})
	if ended == 0 {
		t.Error("no stream ended")
	}
}
