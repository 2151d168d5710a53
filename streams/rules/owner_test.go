package rules

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
)

const orderUndefined = "events of several streams write it in an order that is not defined"

// TestOwnership is the table of who may write a field.
func TestOwnership(t *testing.T) {
	shared := strings.Replace(header, "=stream", "=data.customer_id", 1)
	two := strings.Replace(header, "[shop]", "[shop, mall]", 1)
	anyP := strings.Replace(header, "[shop]", "[any]", 1)
	tuple := strings.Replace(header, "=stream", "=[stream, data.article]", 1)
	noSetBut := func(place, why, remedy string) []string {
		return []string{place + ": set of field x is not possible: " + orderUndefined + ", since " + why + "; use latest, which orders by the time of the event, or " + remedy}
	}
	noSet := func(place, why string) []string { return noSetBut(place, why, "the row key \"=stream\"") }
	const delWhy = "; give every rule of the view the row key \"=stream\" or a tuple with stream in one place"
	noKey := "the row key at 3:6 is not the stream and does not contain it"
	tests := []struct {
		name, head, rules string
		want              []string
	}{
		{"owned: all ops", header, "    - {set: {x: 1}, add: {a: 1}, min: {b: 1}, max: {c: 1}, latest: {d: 1}}\n    - {unset: x}\n    - {delete: true}\n", nil},
		{"owned: tuple with the stream", tuple, "    - {set: {x: 1}}\n    - {unset: x, delete: true}\n", nil},
		{"shared: what commutes", shared, "    {add: {a: 1}, min: {b: 1}, max: {c: 1}, latest: {d: 1}}\n", nil},
		{"shared: set", shared, "    set: {x: 1}\n", noSet("7:11", noKey)},
		{"shared: unset", shared, "    - set: {x: 1}\n    - unset: [x]\n", append(noSet("7:13", noKey),
			"8:15: unset of field x is not possible: "+orderUndefined+", since "+noKey+"; use the row key \"=stream\"")},
		{"shared: set of null", shared, "    - latest: {y: 1}\n    - set: {x: null}\n", []string{
			"8:13: no rule gives field x a value; did you mean y?",
			"8:13: set of null of field x is not possible: " + orderUndefined + ", since " + noKey + "; use the row key \"=stream\""}},
		{"shared: delete", shared, "    delete: true\n", []string{
			"7:5: delete is not possible: the row may hold what other streams wrote, since " + noKey + delWhy}},
		{"two topics", two, "    set: {x: 1}\n", noSetBut("7:11", "the view reads several topics", "a view for each topic")},
		{"two topics: what commutes", two, "    add: {x: 1}\n", nil},
		{"any partitioner", anyP, "    set: {x: 1}\n", noSetBut("7:11", "topic any has partitioner: any", "a topic whose producers partition by its keys")},
		{"any partitioner: delete", anyP, "    delete: true\n", []string{
			"7:5: delete is not possible: the row may hold what other streams wrote, since topic any has partitioner: any; use a topic whose producers partition by its keys"}},
		{"key made of the stream", strings.Replace(header, "=stream", "=lower(stream)", 1), "    set: {x: 1}\n", noSet("7:11", noKey)},
		{"key is a part of the stream", strings.Replace(header, "=stream", "=stream.key", 1), "    set: {x: 1}\n", noSet("7:11", noKey)},
		{"one rule of a field is shared", header, "    - set: {x: 1}\n    - key: \"=data.customer_id\"\n      set: {x: 2}\n", append(
			noSet("7:13", "the row key at 8:12 is not the stream and does not contain it"),
			noSet("9:13", "the row key at 8:12 is not the stream and does not contain it")...)},
		{"another field is shared", header, "    - set: {x: 1}\n    - key: \"=data.customer_id\"\n      add: {y: 2}\n", nil},
		{"delete beside a shared field", header, "    - delete: true\n    - key: \"=data.customer_id\"\n      add: {y: 2}\n", []string{
			"7:7: delete is not possible: the row may hold what other streams wrote, since the row key at 8:12 is not the stream and does not contain it" + delWhy}},
		{"stream in two places", tuple, "    - set: {x: 1}\n    - key: \"=[data.article, stream]\"\n      set: {x: 2}\n", append(
			noSet("7:13", "the row key at 8:12 has the stream in another place"),
			noSet("9:13", "the row key at 8:12 has the stream in another place")...)},
		{"stream in two places at once", tuple, "    - set: {x: 1}\n    - key: \"=[stream, stream]\"\n      set: {x: 2}\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := check(t, tt.head+"on:\n  OrderPlaced:\n"+tt.rules)
			expect(t, problemTexts(problems), tt.want)
		})
	}
}

// TestOwnershipTable goes through the table of who may write a field: each op
// under each kind of row key.
func TestOwnershipTable(t *testing.T) {
	topic := func(names string) string { return strings.Replace(header, "[shop]", "["+names+"]", 1) }
	key := func(expr string) string { return strings.Replace(header, `"=stream"`, expr, 1) }
	owned := map[string]string{
		"the stream": header, "a tuple with it": key(`"=[stream, data.article]"`), "behind another part": key(`"=[data.article, stream]"`), "a tuple of it": key(`"=[stream]"`),
	}
	shared := map[string]struct{ head, remedy string }{
		"another key":          {key(`"=data.customer_id"`), ownKey},
		"a literal":            {key("all"), ownKey},
		"another tuple":        {key(`"=[data.customer_id, stream.key]"`), ownKey},
		"made of the stream":   {key(`"=stream + ''"`), ownKey},
		"several topics":       {topic("shop, mall"), ownView},
		"any partitioner":      {topic("any"), ownTopic},
		"any of several":       {topic("shop, any"), ownView},
		"tuple, any partition": {strings.Replace(topic("any"), "=stream", "=[stream, type]", 1), ownTopic},
	}
	ops := []struct {
		rules, field string
		commutes     bool
	}{
		{"{set: {x: 1}}", "use latest", false}, {"[{set: {x: 1}}, {unset: x}]", "unset of field x", false},
		{"[{set: {x: 1}}, {set: {x: null}}]", "set of null of field x", false}, {"[{delete: true}, {add: {x: 1}}]", "delete is not possible", false},
		{"{add: {x: 1}}", "", true}, {"{min: {x: 1}}", "", true}, {"{max: {x: 1}}", "", true}, {"{latest: {x: 1}}", "", true},
	}
	for _, op := range ops {
		text := "on:\n  OrderPlaced: " + op.rules + "\n"
		for name, head := range owned {
			if p, problems := check(t, head+text); len(problems) > 0 || p.Fields[0].Shared {
				t.Errorf("%s, %s: %v", op.rules, name, problems)
			}
		}
		for name, of := range shared {
			p, problems := check(t, of.head+text)
			got := strings.Join(problemTexts(problems), "\n")
			switch {
			case op.commutes && (p == nil || !p.Fields[0].Shared):
				t.Errorf("%s, %s: %s", op.rules, name, got)
			case !op.commutes && (!strings.Contains(got, op.field) || !strings.Contains(got, of.remedy)):
				t.Errorf("%s, %s: got %q, want %q and %q", op.rules, name, got, op.field, of.remedy)
			}
		}
	}
}

// TestFamiliesDoNotMeet goes through all pairs of ops on one field.
func TestFamiliesDoNotMeet(t *testing.T) {
	family := map[string]string{"set": "set", "unset": "set", "add": "add", "min": "min", "max": "max", "latest": "latest"}
	rule := func(op string) string {
		if op == "unset" {
			return "{unset: x}"
		}
		return "{" + op + ": {x: 1}}"
	}
	for a := range family {
		for b := range family {
			_, problems := check(t, header+"on:\n  OrderPlaced: {set: {y: 1}}\n  OrderPaid: ["+rule(a)+"]\n  OrderCancelled: ["+rule(b)+"]\n")
			got := strings.Join(problemTexts(problems), "\n")
			if met := strings.Contains(got, "by one family of ops"); met != (family[a] != family[b]) {
				t.Errorf("%s and %s: %s", a, b, got)
			}
		}
	}
}

// TestFieldTypes: a field has one family and one type, whatever rule writes it.
func TestFieldTypes(t *testing.T) {
	tests := []struct{ rules, want string }{
		{`[{add: {x: 1}}, {add: {x: "=data.article"}}]`, "add int"},
		{`[{add: {x: 1}}, {add: {x: "=data.amount"}}]`, "add decimal"},
		{`[{add: {x: "=data.weight"}}, {add: {x: 1}}, {add: {x: 0.5}}]`, "add decimal"},
		{`[{set: {x: "=data.amount"}}, {set: {x: "=data.wide"}}, {set: {x: 1}}, {unset: x}]`, "set decimal"},
		{`[{set: {x: 1}}, {set: {x: 0.5}}, {set: {x: "=data.weight"}}]`, "set float"},
		{`[{set: {x: null}}, {set: {x: "=data.coupon"}}]`, "set string"},
		{`[{max: {x: 1.5}}]`, "max decimal"},
		{`[{min: {x: "=data.placed"}}]`, "min time"},
		{`[{latest: {x: "=data.photo"}}]`, "latest bytes"},
		{`[{set: {x: 2000-01-01}}]`, "set string"},

		{`[{add: {x: 1}}, {set: {x: 1}}]`, "6:39: set of field x, which has add at 6:24; all rules change a field by one family of ops"},
		{`[{add: {x: 1}}, {unset: x}]`, "6:40: unset of field x, which has add at 6:24; all rules change a field by one family of ops"},
		{`[{set: {x: 1}}, {set: {x: "a"}}]`, "6:39: field x is string here, but int at 6:24; a field has one type in all rules; write string(x) of the number or decimal(x) of the text"},
		{`[{set: {x: "=data.amount"}}, {set: {x: "=data.weight"}}]`, "6:52: field x is float here, but decimal at 6:24; a field has one type in all rules; write decimal(x) of the float or float(x) of the decimal"},
		{`[{set: {x: 1.5}}, {set: {x: "=data.amount"}}, {set: {x: "=data.weight"}}]`, "6:69: field x is float here, but decimal at 6:41; a field has one type in all rules; write decimal(x) of the float or float(x) of the decimal"},
	}
	for _, tt := range tests {
		t.Run(tt.rules, func(t *testing.T) {
			p, problems := check(t, header+"on:\n  OrderPlaced: "+tt.rules+"\n")
			got := strings.Join(problemTexts(problems), "\n")
			if got == "" {
				got = p.Fields[0].Family.String() + " " + p.Fields[0].Type.Kind.String()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSharedIsSaid(t *testing.T) {
	p := compiled(t, header+"on:\n  OrderPlaced:\n    - set: {x: 1}\n    - key: \"=data.customer_id\"\n      add: {y: 2}\n")
	want := []Field{
		{Name: "x", Family: FamilySet, Type: typ(streams.KindInt)},
		{Name: "y", Family: FamilyAdd, Type: typ(streams.KindInt), Shared: true},
	}
	if len(p.Fields) != 2 || p.Fields[0].Shared != want[0].Shared || p.Fields[1].Shared != want[1].Shared {
		t.Errorf("got %+v", p.Fields)
	}
}
