package avro

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestJSONIsNotMended: encoding/json takes the last of two values, and writes
// U+FFFD for what is no text.
func TestJSONIsNotMended(t *testing.T) {
	var many []string
	for i := range 3 * manyKeys {
		many = append(many, fmt.Sprintf(`"k%d":%d`, i, i))
	}
	for text, want := range map[string]string{
		`{"a":1,"a":2}`:                              `the key "a" stands in one object twice`,
		`{"a":1,"\u0061":2}`:                         `the key "a" stands in one object twice`,
		`{"x":[{"b":{}},{"a":[],"b":"", "a":0}]}`:    `the key "a" stands in one object twice`,
		"{" + strings.Join(many, " , ") + `,"k7":0}`: `the key "k7" stands in one object twice`,
		"{" + strings.Join(many, ",") + `,"k95":0}`:  `the key "k95" stands in one object twice`,
		"{\"a\":\"\xff\"}":                           "it is not UTF-8",
		`{"a":"\ud800"}`:                             "half of a UTF-16 surrogate pair",
		`{"a":"\udc00\ud800"}`:                       "half of a UTF-16 surrogate pair",
		`{"a":"\ud800\u0041"}`:                       "half of a UTF-16 surrogate pair",
		`{"\ud83d":1}`:                               "half of a UTF-16 surrogate pair",
	} {
		_, err := parseJSON(json.RawMessage(text))
		wantError(t, err, want)
	}
	for _, text := range []string{
		"{" + strings.Join(many, ",") + "}", `{"a":{"a":{"a":[]}},"b":[[],{},"a","a",1,null]}`,
		`{"a":"\ud83d\ude00 \\ud800 \" ,}"}`, "  { \"a\"\t: -1.5e3 ,\n\"b\" : true } ", `{}`, `{"":"\u0000"}`,
	} {
		if _, err := parseJSON(json.RawMessage(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzParseJSON: what is taken is what encoding/json reads, and nothing of it
// was mended.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":1,"a":2}`, `{"a":"\ud83d\ude00","b":[1,{"c":null}]}`, `{"a":"\ud800"}`, `{} {}`, "{\"\xff\":1}", `{"a":tru`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseJSON(json.RawMessage(s))
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var want any
		stdErr := d.Decode(&want)
		if err != nil {
			return
		}
		if stdErr != nil || !reflect.DeepEqual(any(got), want) || !utf8.ValidString(s) {
			t.Fatalf("%q: got %v, want %v, %v", s, got, want, stdErr)
		}
		if mended := strings.ContainsRune(fmt.Sprint(got), utf8.RuneError); mended && !strings.ContainsRune(s, utf8.RuneError) && !strings.Contains(strings.ToLower(s), `\ufffd`) {
			t.Fatalf("%q: mended to %v", s, got)
		}
	})
}

// TestNamesBeforeEscapedNames: a name of the data that looks like the escape of
// another one belongs to its own field.
func TestNamesBeforeEscapedNames(t *testing.T) {
	events := []string{`{"a b":1,"a_u0020_b":2}`}
	s := infer(t, events...)
	c := codecOf(t, s.FileName, string(s.JSON))
	w, err := c.JSONWriter("Event")
	if err != nil {
		t.Fatal(err)
	}
	value, err := w.EncodeJSON(nil, json.RawMessage(events[0]))
	if err != nil {
		t.Fatal(err)
	}
	_, data, err := c.Decode(value)
	if got, _ := json.Marshal(data); err != nil || string(got) != events[0] {
		t.Errorf("got %s, %v", got, err)
	}
}
