package avro

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestDecode(t *testing.T) {
	text := rec("A", field("d", decimal), field("t", `{"type":"long","logicalType":"timestamp-millis"}`), field("old", `{"type":"long","logicalType":"timestamp-micros"}`), field("day", `["null",{"type":"int","logicalType":"date"}]`),
		field("b", `"bytes"`), field("_u0031_st_u0020_name", `"string"`), field("m", `{"type":"map","values":"double"}`), field("u", `["null","string",`+rec("ns.R", field("x", `"int"`))+`]`),
		field("l", `{"type":"array","items":["null","ns.R"]}`), field("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`))
	at := time.Date(2013, 5, 6, 7, 8, 9, 250_000_000, time.UTC)
	value := valueOf(t, text, map[string]any{
		"d": rat("-12345678901234567890.50"), "t": at, "old": time.Date(1901, 2, 3, 4, 5, 6, 789000, time.UTC), "day": at, "b": []byte{1, 2, 255}, "_u0031_st_u0020_name": "n", "m": map[string]any{"_u0031_": 0.1},
		"u": map[string]any{"ns.R": map[string]any{"x": 4}}, "l": []any{nil, map[string]any{"x": 5}}, "id": "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
	})
	name, data, err := codecOf(t, "A.avsc", text).Decode(value)
	if err != nil || name != "A" {
		t.Fatal(name, err)
	}
	got, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"1st name":"n","b":"AQL/","d":-12345678901234567890.5,"day":"2013-05-06","id":"0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","l":[null,{"x":5}],"m":{"_u0031_":0.1},"old":"1901-02-03T04:05:06.000789Z","t":"2013-05-06T07:08:09.25Z","u":{"x":4}}`
	if string(got) != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// TestDecodeShowsAHugeDecimalAsBytes: making digits of one takes time that grows
// with its square.
func TestDecodeShowsAHugeDecimalAsBytes(t *testing.T) {
	text := rec("A", field("d", decimal))
	c := codecOf(t, "A.avsc", text)
	value := valueOf(t, rec("A", field("d", `"bytes"`)), map[string]any{"d": bytes.Repeat([]byte{1}, 1<<20)})
	_, data, err := c.Decode(value)
	if _, isText := data.(map[string]any)["d"].(string); err != nil || !isText {
		t.Errorf("got %T, %v", data.(map[string]any)["d"], err)
	}
}

func FuzzDecode(f *testing.F) {
	var codecs []*Codec
	for k, p := range pairs(f) {
		c := compilePair(f, p)
		codecs = append(codecs, c.codec)
		for _, b := range c.payloads(f) {
			f.Add(uint8(k), append(bytes.Clone(c.header), b...))
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, value []byte) {
		_, data, err := codecs[int(k)%len(codecs)].Decode(value)
		if err != nil {
			return
		}
		if _, err := json.Marshal(data); err != nil {
			t.Errorf("%x: %v", value, err)
		}
	})
}
