package avro

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
)

func encode(t testing.TB, c *Codec, eventType, data string) ([]byte, error) {
	t.Helper()
	w, err := c.JSONWriter(eventType)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeJSON([]byte("before"), json.RawMessage(data))
}

const everything = `{"type":"record","name":"R","namespace":"n.s","fields":[
	{"name":"i","type":"int","default":-1},
	{"name":"l","type":"long","default":9007199254740993},
	{"name":"f","type":"float","default":0.5},
	{"name":"d","type":"double","default":0.1},
	{"name":"b","type":"boolean","default":true},
	{"name":"s","type":"string","default":"dflt"},
	{"name":"by","type":"bytes","default":"ÿ\u0001"},
	{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"A"},
	{"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":6},"default":"\u0001"},
	{"name":"fix","type":["null",{"type":"fixed","name":"Fix","size":4,"logicalType":"decimal","precision":9,"scale":2}],"default":null},
	{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"},"default":0},
	{"name":"day","type":{"type":"int","logicalType":"date"},"default":0},
	{"name":"id","type":["null",{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}],"default":null},
	{"name":"in","type":{"type":"record","name":"In","namespace":"","fields":[{"name":"x","type":"int","default":3},{"name":"y","type":["null","string"],"default":null}]},"default":{"y":null}},
	{"name":"u","type":["string","null","long","In",{"type":"array","items":"In"}],"default":"un"},
	{"name":"li","type":{"type":"array","items":["null","E"]},"default":[]},
	{"name":"m","type":{"type":"map","values":"In"},"default":{}},
	{"name":"self","type":["null","R"],"default":null},
	{"name":"_u0031_st","type":["null","int"]},
	{"name":"any","type":["null",{"type":"string","millrace.any":true}],"default":null}
]}`

// roundTrip encodes data and shows what a reader of the bytes sees, without the
// fields that have their default.
func roundTrip(t *testing.T, c *Codec, data string) string {
	t.Helper()
	value, err := encode(t, c, "R", data)
	if err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	value, found := bytes.CutPrefix(value, []byte("before"))
	if !found {
		t.Fatal("the value is not appended")
	}
	show := func(value []byte) map[string]any {
		_, v, err := c.Decode(value)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		return v.(map[string]any)
	}
	defaults, err := encode(t, c, "R", `{}`)
	if err != nil {
		t.Fatal(err)
	}
	plain, out := show(defaults[len("before"):]), show(value)
	for k := range out {
		a, _ := json.Marshal(out[k])
		if b, _ := json.Marshal(plain[k]); bytes.Equal(a, b) {
			delete(out, k)
		}
	}
	text, _ := json.Marshal(out)
	return string(text)
}

func TestEncodeJSON(t *testing.T) {
	c := codecOf(t, "R.avsc", everything)
	for data, want := range map[string]string{
		`{}`: `{}`,
		`{"i":2147483647,"l":-9223372036854775808}`:     "",
		`{"i":1e2,"l":5.0}`:                             `{"i":100,"l":5}`,
		`{"d":62.59,"f":62.59}`:                         "",
		`{"d":0.10000000000000001}`:                     `{}`,
		`{"d":1e300}`:                                   `{"d":1e+300}`,
		`{"d":9007199254740992}`:                        `{"d":9.007199254740992e+15}`,
		`{"b":false,"s":"ü\u0000"}`:                     `{"b":false,"s":"ü\u0000"}`,
		`{"by":"AQL/","e":"B"}`:                         "",
		`{"dec":123456789012.123456}`:                   "",
		`{"dec":-0.000001}`:                             "",
		`{"dec":1.50e1}`:                                `{"dec":15}`,
		`{"fix":-12345.67}`:                             "",
		`{"t":"2013-05-06T09:08:09.25+02:00"}`:          `{"t":"2013-05-06T07:08:09.25Z"}`,
		`{"t":1500}`:                                    `{"t":"1970-01-01T00:00:01.5Z"}`,
		`{"day":"2013-05-06"}`:                          "",
		`{"day":"2013-05-06T00:00:00Z"}`:                `{"day":"2013-05-06"}`,
		`{"id":"0190A5B2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}`: `{"id":"0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}`,
		`{"in":{"x":4}}`:                                `{"in":{"x":4,"y":null}}`,
		`{"u":null}`:                                    "",
		`{"u":7}`:                                       "",
		`{"u":{"y":"s"}}`:                               `{"u":{"x":3,"y":"s"}}`,
		`{"u":[{"x":1},{}]}`:                            `{"u":[{"x":1,"y":null},{"x":3,"y":null}]}`,
		`{"li":["A",null,"B"],"m":{"1 2":{"x":1}}}`:     `{"li":["A",null,"B"],"m":{"1 2":{"x":1,"y":null}}}`,
		`{"1st":5}`:                                     "",
		`{"_u0031_st":5}`:                               `{"1st":5}`,
		`{"any":"text"}`:                                "",
		`{"any":12345678901234567890.10}`:               `{"any":"12345678901234567890.10"}`,
		`{"any":{"b":[1,"<"],"a":null}}`:                `{"any":"{\"a\":null,\"b\":[1,\"\u003c\"]}"}`,
		`{"any":null}`:                                  `{}`,
		`{"li":[]}`:                                     `{}`,
		`{"dec":0,"fix":0.00,"d":-0.0,"l":0,"i":0,"f":0,"t":0,"day":0,"u":0}`: `{"d":-0,"dec":0,"f":0,"fix":0,"i":0,"l":0,"u":0}`,
	} {
		if want == "" {
			want = data
		}
		if got := roundTrip(t, c, data); got != want {
			t.Errorf("%s: got %s, want %s", data, got, want)
		}
	}
}

func TestEncodeJSONDefaults(t *testing.T) {
	c := codecOf(t, "R.avsc", everything)
	value, err := encode(t, c, "R", `{}`)
	if err != nil {
		t.Fatal(err)
	}
	_, data, err := c.Decode(value[len("before"):])
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(data)
	want := `{"1st":null,"any":null,"b":true,"by":"/wE=","d":0.1,"day":"1970-01-01","dec":0.000001,"e":"A","f":0.5,"fix":null,"i":-1,"id":null,"in":{"x":3,"y":null},"l":9007199254740993,"li":[],"m":{},"s":"dflt","self":null,"t":"1970-01-01T00:00:00Z","u":"un"}`
	if string(got) != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestEncodeJSONRefuses(t *testing.T) {
	c := codecOf(t, "R.avsc", everything, "N.avsc", rec("N", field("n", `"int"`), field("_u0031_st", `"string"`), field("nn", `["null",{"type":"array","items":"null"}]`, `"default":null`)))
	for data, want := range map[string]string{
		`{"dec":12.3456789}`:                    `writing R: data.dec: 12.3456789 does not fit decimal(18, 6)`,
		`{"dec":1234567890123.5}`:               `data.dec: 1234567890123.5 does not fit decimal(18, 6)`,
		`{"dec":"1.5"}`:                         `data.dec: "1.5" does not fit decimal(18, 6)`,
		`{"fix":99999999.5}`:                    `data.fix: 99999999.5 does not fit decimal(9, 2)`,
		`{"i":2147483648}`:                      `data.i: 2147483648 does not fit int`,
		`{"l":9223372036854775808}`:             `does not fit long`,
		`{"l":1.5}`:                             `data.l: 1.5 does not fit long`,
		`{"l":1e99999999999999999999}`:          `does not fit long`,
		`{"l":null}`:                            `data.l: null does not fit long`,
		`{"d":9007199254740993}`:                `data.d: 9007199254740993 does not fit double`,
		`{"d":0.12345678901234567890}`:          `does not fit double`,
		`{"d":1e400}`:                           `does not fit double`,
		`{"d":1e-400}`:                          `does not fit double`,
		`{"d":"1"}`:                             `data.d: "1" does not fit double`,
		`{"f":16777217}`:                        `data.f: 16777217 does not fit float`,
		`{"b":1}`:                               `data.b: 1 does not fit boolean`,
		`{"s":1}`:                               `data.s: 1 does not fit string`,
		`{"by":"%"}`:                            `data.by: "%" does not fit bytes`,
		`{"e":"C"}`:                             `data.e: "C" does not fit enum n.s.E`,
		`{"t":"2013-05-06T09:08:09.2505Z"}`:     `does not fit timestamp-millis`,
		`{"t":"yesterday"}`:                     `does not fit timestamp-millis`,
		`{"t":9223372036854775807}`:             `does not fit timestamp-millis`,
		`{"day":"2013-05-06T01:00:00Z"}`:        `does not fit date`,
		`{"id":"0190a5b27c3d7e4f8a5b6c7d8e9f"}`: `does not fit uuid`,
		`{"in":{"x":"a"}}`:                      `data.in.x: "a" does not fit int`,
		`{"in":{"z":1}}`:                        `data.in.z: the schema has no such field`,
		`{"in":[]}`:                             `data.in: [] is not an object`,
		`{"u":true}`:                            `data.u: true does not fit any of string, null, long, record In, array`,
		`{"li":["A","Z"]}`:                      `data.li[1]: "Z" does not fit enum n.s.E`,
		`{"m":{"k":{"x":null}}}`:                `data.m.k.x: null does not fit int`,
		`{"ind":1}`:                             `data.ind: the schema has no such field; did you mean id?`,
		`{"1st":1,"_u0031_st":2}`:               `the field _u0031_st is given twice`,
		`{"s":"first","s":"second"}`:            `the key "s" stands in one object twice`,
		`[]`:                                    `data: it is not a JSON object`,
		`{} {}`:                                 `data: there is more than one JSON value`,
		`{"i":`:                                 `data: unexpected EOF`,
		strings.Repeat(`{"self":`, 70) + `null` + strings.Repeat(`}`, 70): `nests deeper than 64`,
	} {
		out, err := encode(t, c, "R", data)
		wantError(t, err, want)
		if string(out) != "before" {
			t.Errorf("%s: %q was appended", data, out)
		}
	}
	_, err := encode(t, c, "N", `{"n":1}`)
	wantError(t, err, "writing N: data.1st: is missing; it is string without a default")
	wide := codecOf(t, "W.avsc", rec("W", field("d", `{"type":"bytes","logicalType":"decimal","precision":50,"scale":0}`)))
	_, err = encode(t, wide, "W", `{"d":1`+strings.Repeat("1", streams.MaxDigits)+`}`)
	wantError(t, err, "does not fit decimal(50, 0)")
	_, err = encode(t, c, "N", `{"n":1,"1st":"","nn":[`+strings.Repeat("null,", maxEmptyItems)+`null]}`)
	wantError(t, err, "data.nn: an array has more than")
}

// TestWhatIsWrittenCanBeRead holds for every number that a decimal, a long and a
// double take: the reader sees just that number.
func TestWhatIsWrittenCanBeRead(t *testing.T) {
	c := codecOf(t, "N.avsc", rec("N", field("dec", `["null",{"type":"bytes","logicalType":"decimal","precision":38,"scale":6}]`), field("fix", `["null",{"type":"fixed","name":"F","size":16,"logicalType":"decimal","precision":38,"scale":6}]`),
		field("l", `["null","long"]`), field("d", `["null","double"]`)))
	number := rapid.Custom(func(t *rapid.T) string {
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,33})(\.[0-9]{1,8})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
	})
	w, err := c.JSONWriter("N")
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Reader("N", []string{"dec", "fix", "l", "d"})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := number.Draw(t, "text")
		slot := rapid.IntRange(0, 3).Draw(t, "field")
		value, err := w.EncodeJSON(nil, json.RawMessage(`{"`+[]string{"dec", "fix", "l", "d"}[slot]+`":`+text+`}`))
		if err != nil {
			return
		}
		slots := make([]streams.Slot, 4)
		if err := r.Read(value, slots); err != nil {
			t.Fatal(err)
		}
		want, got := rat(text), new(big.Rat)
		switch slot {
		case 0, 1:
			got = rat(slots[slot].Decimal(6).String())
		case 2:
			got.SetInt64(slots[2].Int())
		case 3:
			if f, _ := strconv.ParseFloat(text, 64); f != slots[3].Float() {
				t.Fatalf("%s is read as %v", text, slots[3].Float())
			}
			return
		}
		if got.Cmp(want) != 0 {
			t.Fatalf("%s is read as %s", text, got)
		}
	})
}

func TestFloatsAreTakenOnlyWhole(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-0.0": true, "1": true, "0.1": true, "62.59": true, "1e22": true, "1e23": true, "123456789012345678": false,
		"5e-324": true, "4.9e-324": false, "1.7976931348623157e308": true, "1e309": false, "0.30000000000000004": true, "0.3000000000000000400": true,
		"9007199254740993": false, "9007199254740992": true, "100000000000000000000000": false,
	} {
		n, ok := scanNumber(text)
		f, fits := n.float(text, 64)
		if !ok || fits != want {
			t.Errorf("%s: %v %v, want %v", text, f, fits, want)
		}
		if want && math.Abs(f) > math.MaxFloat64 {
			t.Errorf("%s is infinite", text)
		}
	}
}

func FuzzEncodeJSON(f *testing.F) {
	c, err := openFiles("R.avsc", everything)
	if err != nil {
		f.Fatal(err)
	}
	w, err := c.JSONWriter("R")
	if err != nil {
		f.Fatal(err)
	}
	r, err := c.Reader("R", []string{"dec", "t", "in.x", "any", "id"})
	if err != nil {
		f.Fatal(err)
	}
	for _, data := range []string{`{}`, `{"dec":1.5,"t":"2013-05-06T09:08:09Z"}`, `{"self":{"i":1},"li":["A",null],"u":{"x":1},"any":[1]}`, `{"id":"0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := w.EncodeJSON(nil, data)
		if err != nil {
			return
		}
		if err := r.Read(value, make([]streams.Slot, 5)); err != nil {
			t.Errorf("%s was written as %x, which cannot be read: %v", data, value, err)
		}
	})
}
