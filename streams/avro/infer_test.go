package avro

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// infer returns the schema and notes for events of one type.
func infer(t testing.TB, events ...string) InferredSchema {
	t.Helper()
	i := NewInferrer()
	for _, e := range events {
		if err := i.Add("Event", json.RawMessage(e)); err != nil {
			t.Fatal(err)
		}
	}
	schemas := i.Schemas()
	if len(schemas) != 1 || schemas[0].EventType != "Event" || schemas[0].FileName != "Event.avsc" {
		t.Fatalf("got %+v", schemas)
	}
	return schemas[0]
}

// inferredFields are the fields of a schema, as compact JSON.
func inferredFields(t testing.TB, s InferredSchema) string {
	t.Helper()
	var record struct{ Fields []map[string]json.RawMessage }
	if err := json.Unmarshal(s.JSON, &record); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range record.Fields {
		var compact any
		if err := json.Unmarshal(f["type"], &compact); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(compact)
		text := string(f["name"]) + ":" + string(b)
		if d, ok := f["default"]; ok {
			text += "=" + string(d)
		}
		out = append(out, strings.ReplaceAll(text, `"`, ""))
	}
	return strings.Join(out, " ")
}

func TestInfer(t *testing.T) {
	for name, x := range map[string]struct {
		events []string
		want   string
		notes  []string
	}{
		"scalars":          {[]string{`{"b":true,"l":1,"s":"x"}`}, "b:boolean l:long s:string", nil},
		"missing":          {[]string{`{"a":1}`, `{}`}, "a:[null,long]=null", nil},
		"missing first":    {[]string{`{}`, `{"a":1}`}, "a:[null,long]=null", nil},
		"null":             {[]string{`{"a":1}`, `{"a":null}`}, "a:[null,long]=null", nil},
		"only null":        {[]string{`{"a":null}`}, "a:[null,{millrace.any:true,type:string}]=null", []string{"data.a: is always null; it becomes a string that holds the JSON text"}},
		"money":            {[]string{`{"a":62.59}`, `{"a":31.3}`}, "a:{logicalType:decimal,precision:18,scale:6,type:bytes}", nil},
		"money and whole":  {[]string{`{"a":62.590}`, `{"a":31}`}, "a:{logicalType:decimal,precision:18,scale:6,type:bytes}", nil},
		"zero":             {[]string{`{"a":0.0}`}, "a:{logicalType:decimal,precision:18,scale:6,type:bytes}", nil},
		"12 digits":        {[]string{`{"a":123456789012}`, `{"a":0.5}`}, "a:{logicalType:decimal,precision:18,scale:6,type:bytes}", nil},
		"13 digits":        {[]string{`{"a":1234567890123}`, `{"a":0.5}`}, "a:{logicalType:decimal,precision:18,scale:5,type:bytes}", nil},
		"18 and a point":   {[]string{`{"a":123456789012345678.0}`}, "a:{logicalType:decimal,precision:18,scale:0,type:bytes}", nil},
		"many zeros":       {[]string{`{"a":1.500000000}`}, "a:{logicalType:decimal,precision:18,scale:6,type:bytes}", nil},
		"long fraction":    {[]string{`{"a":0.1234567}`, `{"a":1}`, `{"a":1.5}`}, "a:double", nil},
		"exponent":         {[]string{`{"a":1e30}`}, "a:double", nil},
		"inexact":          {[]string{`{"a":0.1234567}`, `{"a":9007199254740993}`}, "a:{millrace.any:true,type:string}", []string{"data.a: some numbers are exact as no double; it becomes a string that holds the JSON text"}},
		"absurd":           {[]string{`{"a":1e9999}`}, "a:{millrace.any:true,type:string}", []string{"data.a: numbers have exponents beyond every double; it becomes a string that holds the JSON text"}},
		"18 digits":        {[]string{`{"a":-123456789012345678}`}, "a:long", nil},
		"19 digits":        {[]string{`{"a":1234567890123456789}`}, "a:{millrace.any:true,type:string}", []string{"data.a: numbers have more than 18 digits; it becomes a string that holds the JSON text"}},
		"digits together":  {[]string{`{"a":12345678901234567}`, `{"a":0.12}`}, "a:{millrace.any:true,type:string}", []string{"data.a: numbers have more than 18 digits; it becomes a string that holds the JSON text"}},
		"changes":          {[]string{`{"a":1}`, `{"a":"x"}`}, "a:{millrace.any:true,type:string}", []string{"data.a: changes its type (numbers, texts); it becomes a string that holds the JSON text"}},
		"changes, missing": {[]string{`{"a":1}`, `{"a":{"b":1}}`, `{}`}, "a:[null,{millrace.any:true,type:string}]=null", []string{"data.a: changes its type (numbers, objects); it becomes a string that holds the JSON text"}},
		"nested":           {[]string{`{"a":{"x":1,"y":"s"}}`, `{"a":{"x":2}}`}, "a:{fields:[{name:x,type:long},{default:null,name:y,type:[null,string]}],name:Event.a,type:record}", nil},
		"lists":            {[]string{`{"a":[1,2.5]}`, `{"a":[]}`}, "a:{items:{logicalType:decimal,precision:18,scale:6,type:bytes},type:array}", nil},
		"nulls in lists":   {[]string{`{"a":[{"x":1},null]}`}, "a:{items:[null,{fields:[{name:x,type:long}],name:Event.a,type:record}],type:array}", nil},
		"empty lists":      {[]string{`{"a":[]}`}, "a:{items:{millrace.any:true,type:string},type:array}", []string{"data.a[]: is never there, since the list is always empty; it becomes a string that holds the JSON text"}},
		"names":            {[]string{`{"1st name":1}`}, "_u0031_st_u0020_name:long", []string{`data.1st name: is named _u0031_st_u0020_name in the schema, since Avro cannot hold "1st name"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := infer(t, x.events...)
			if got := inferredFields(t, s); got != x.want {
				t.Errorf("got\n%s, want\n%s", got, x.want)
			}
			if !slices.Equal(s.Notes, x.notes) {
				t.Errorf("notes are %q, want %q", s.Notes, x.notes)
			}
			slices.Reverse(x.events)
			if again := infer(t, x.events...); string(again.JSON) != string(s.JSON) {
				t.Error("the order of the events matters")
			}
			encodeAll(t, s, x.events)
		})
	}
}

// encodeAll holds that the events fit the schema that they gave.
func encodeAll(t testing.TB, s InferredSchema, events []string) {
	t.Helper()
	w, err := codecOf(t, s.FileName, string(s.JSON)).JSONWriter(s.EventType)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if _, err := w.EncodeJSON(nil, json.RawMessage(e)); err != nil {
			t.Errorf("%s: %v", e, err)
		}
	}
}

func TestInferNamesOfTypes(t *testing.T) {
	i := NewInferrer()
	for _, eventType := range []string{"FineCreated.v2", "FineCreated", "fine created"} {
		if err := i.Add(eventType, json.RawMessage(`{"in":{"in":{"in":1}}}`)); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, s := range i.Schemas() {
		var record struct{ Name string }
		if err := json.Unmarshal(s.JSON, &record); err != nil {
			t.Fatal(err)
		}
		names = append(names, s.FileName+"="+record.Name)
		codecOf(t, s.FileName, string(s.JSON))
	}
	if got, want := strings.Join(names, " "), "FineCreated.avsc=FineCreated FineCreated.v2.avsc=FineCreated_u002E_v2 fine created.avsc=fine_u0020_created"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	wantError(t, i.Add("X", json.RawMessage(`[1]`)), "inferring X: data: it is not a JSON object")
}

func TestWriteFolderKeepsWhatIsThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "schemas")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mine := rec("A", field("x", `"string"`))
	if err := os.WriteFile(filepath.Join(dir, "A.avsc"), []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	i := NewInferrer()
	for _, eventType := range []string{"B", "A"} {
		if err := i.Add(eventType, json.RawMessage(`{"x":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	written, kept, err := i.WriteFolder(dir)
	if err != nil || !slices.Equal(written, []string{"B.avsc"}) || !slices.Equal(kept, []string{"A.avsc"}) {
		t.Errorf("got %q, %q, %v", written, kept, err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "A.avsc")); string(got) != mine {
		t.Errorf("A.avsc was overwritten: %s", got)
	}
	if _, err := OpenFolder(dir); err != nil {
		t.Error(err)
	}
}

// TestInferRefusesTypesThatAreNoFileName: one such line must not keep the others
// from their schemas.
func TestInferRefusesTypesThatAreNoFileName(t *testing.T) {
	i := NewInferrer()
	for _, eventType := range []string{"", "a/b", `a\b`, "a\x00b", strings.Repeat("a", 300)} {
		wantError(t, i.Add(eventType, json.RawMessage(`{}`)), "cannot be the name of a file")
	}
	if err := i.Add("A", json.RawMessage(`{}`)); err != nil {
		t.Fatal(err)
	}
	if written, _, err := i.WriteFolder(t.TempDir()); err != nil || !slices.Equal(written, []string{"A.avsc"}) {
		t.Errorf("got %q, %v", written, err)
	}
}

// TestInferBoundsSchemas: objects whose keys are data, and ones within one
// another, would make a schema that no codec takes.
func TestInferBoundsSchemas(t *testing.T) {
	var wide, manyFields []string
	for i := range 3 * maxInferredKeys {
		wide = append(wide, fmt.Sprintf(`{"a":{"k%d":1},"b":1}`, i))
	}
	deep := []string{
		strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200),
		`{"a":` + strings.Repeat(`[`, 2000) + strings.Repeat("]", 2000) + "}",
	}
	for _, events := range [][]string{wide, deep[:1], deep[1:], deep} {
		s := infer(t, events...)
		encodeAll(t, s, events)
		if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "holds the JSON text") {
			t.Errorf("notes: %q", s.Notes)
		}
	}
	for i := range maxTypeNodes + 1 {
		manyFields = append(manyFields, fmt.Sprintf(`"k%d":1`, i))
	}
	err := NewInferrer().Add("A", json.RawMessage("{"+strings.Join(manyFields, ",")+"}"))
	wantError(t, err, "inferring A: its events have more than 10000 different fields")
}

// TestInferredSchemasTakeTomorrowsEvents: what today's events leave open is left
// open.
func TestInferredSchemasTakeTomorrowsEvents(t *testing.T) {
	s := infer(t, `{"price":1.5,"extra":null,"tags":[]}`)
	encodeAll(t, s, []string{
		`{"price":123456789012.654321,"extra":5,"tags":["a"]}`, `{"price":-0.000001,"extra":{"b":1},"tags":[1,{"x":null}]}`,
		`{"price":3,"tags":[]}`,
	})
}

// jsonValue draws a JSON value of at most that depth.
func jsonValue(depth int) *rapid.Generator[any] {
	number := rapid.Map(rapid.StringMatching(`-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,8})?(e[+-]?[0-9]{1,3})?`), func(s string) any { return json.Number(s) })
	scalar := rapid.OneOf(number, rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Map(rapid.String(), func(s string) any { return s }))
	if depth == 0 {
		return scalar
	}
	name := rapid.SampledFrom([]string{"a", "b", "a b", "1", "", "Event", "_u0041_"})
	return rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(jsonValue(depth-1), 0, 3), func(v []any) any { return v }),
		rapid.Map(rapid.MapOfN(name, jsonValue(depth-1), 0, 4), func(v map[string]any) any { return v }))
}

// TestInferredSchemasTakeTheirEvents holds for whatever events: they can be
// written and read back by the schema that they gave.
func TestInferredSchemasTakeTheirEvents(t *testing.T) {
	event := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c d", ""}), jsonValue(3), 0, 4)
	rapid.Check(t, func(rt *rapid.T) {
		var events []string
		for _, e := range rapid.SliceOfN(event, 1, 5).Draw(rt, "events") {
			b, err := json.Marshal(e)
			if err != nil {
				rt.Skip("not a JSON number")
			}
			events = append(events, string(b))
		}
		s := infer(t, events...)
		c, err := openFiles(s.FileName, string(s.JSON))
		if err != nil {
			rt.Fatalf("%s: %v", s.JSON, err)
		}
		w, err := c.JSONWriter("Event")
		if err != nil {
			rt.Fatal(err)
		}
		for _, e := range events {
			value, err := w.EncodeJSON(nil, json.RawMessage(e))
			if err != nil {
				rt.Fatalf("%s\n%s: %v", s.JSON, e, err)
			}
			if _, _, err := c.Decode(value); err != nil {
				rt.Fatalf("%s\n%s: %v", s.JSON, e, err)
			}
		}
	})
}
