package importer

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestParseLine(t *testing.T) {
	const good = `{"stream":"fine-S1","version":7,"type":"FineCreated","time":"2000-01-01T00:00:00.5+01:00","data":{"a":[1,{"b":"}"}]}}`
	l := parseLine([]byte(good))
	if l.err != nil || l.stream != "fine-S1" || l.version != 7 || l.kind != "FineCreated" ||
		l.time != "2000-01-01T00:00:00.5+01:00" || string(l.data) != `{"a":[1,{"b":"}"}]}` {
		t.Errorf("parseLine: %+v", l)
	}
	tests := []struct{ from, to, want string }{
		{`"stream":"fine-S1"`, `"stream":7`, "stream: 7 is not a text"},
		{`"stream":"fine-S1"`, `"stream":"a\u0000"`, "stream: not a stream ID: \"a\\x00\" has a control character"},
		{`"stream":"fine-S1",`, ``, `key "stream" is missing; a line has stream, version, type, time, data`},
		{`"stream"`, `"Stream"`, `unknown key "Stream"; did you mean "stream"?`},
		{`"stream":"fine-S1"`, `"stream":"fine-S1","x":1,"y":2`, `unknown key "x"; a line has stream, version, type, time, data`},
		{`"stream":"fine-S1"`, `"stream":"fine-S1","stream":"b"`, `key "stream" stands there twice`},
		{`"version":7`, `"version":"7"`, `version: "7" is not a whole number from 1`},
		{`"version":7`, `"version":0`, `version: 0 is not a whole number from 1`},
		{`"version":7`, `"version":7.0`, `version: 7.0 is not a whole number from 1`},
		{`"version":7`, `"version":9223372036854775808`, `version: 9223372036854775808 is not a whole number from 1`},
		{`"type":"FineCreated"`, `"type":""`, "type: it is empty"},
		{`"type":"FineCreated"`, `"type":null`, "type: null is not a text"},
		{`2000-01-01T00:00:00.5+01:00`, `2000-01-01`, `time: "2000-01-01" is not an RFC 3339 time`},
		{`2000-01-01T00:00:00.5+01:00`, `2000-01-01T0:00:00Z`, `time: "2000-01-01T0:00:00Z" is not an RFC 3339 time`},
		{`2000-01-01T00:00:00.5+01:00`, `1500-01-01T00:00:00Z`, "time: time out of range (1678 to 2261)"},
		{`{"a":[1,{"b":"}"}]}`, `[1]`, "data: [1] is not an object"},
		{`"b"`, `"\ud800"`, `half of a UTF-16 surrogate pair (\ud800 to \udfff) stands alone`},
		{`"b"`, "\"\xff\"", "not UTF-8"},
		{`}}`, `}`, "not JSON: unexpected end of JSON input"},
		{good, `[1]`, "the line is not a JSON object"},
	}
	for _, tt := range tests {
		l := parseLine([]byte(strings.Replace(good, tt.from, tt.to, 1)))
		if l.err == nil || !strings.HasPrefix(l.err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.to, l.err, tt.want)
		}
		knows := !strings.Contains(tt.want, "stream") || strings.Contains(tt.want, "twice") || strings.Contains(tt.want, `"x"`)
		knows = knows && !strings.Contains(tt.want, "UTF") && !strings.Contains(tt.want, "JSON")
		if knows != (l.stream != "") {
			t.Errorf("%s: stream %q", tt.to, l.stream)
		}
	}
}

// FuzzParseLine compares with encoding/json: what is taken as an event, says the
// same there, and no line makes it panic.
func FuzzParseLine(f *testing.F) {
	f.Add([]byte(lineOf("fine-1", 1)))
	f.Add([]byte(`{"stream" : "\ud83d\ude00\\\"" ,"version":1,"type":"A","time":"2000-01-01T00:00:00Z", "data" : {} } `))
	f.Add([]byte(`{"stream":"a","data":[[{"x":"]"}],null,true,-1.5e3],"version":1}`))
	f.Add([]byte(`{"\u0073tream":"a","version":1,"type":"\ud800","time":"","data":{}}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"a":1,}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := parseLine(raw)
		if l.err != nil {
			return
		}
		var want struct {
			Stream  string
			Version int64
			Type    string
			Time    string
			Data    json.RawMessage
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if string(l.stream) != want.Stream || l.version != want.Version || l.kind != want.Type || l.time != want.Time || !bytes.Equal(l.data, want.Data) {
			t.Errorf("%s: %+v, want %+v", raw, l, want)
		}
		if strings.ContainsRune(want.Stream, '\ufffd') && !bytes.ContainsRune(raw, '\ufffd') && !bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`)) {
			t.Errorf("%s: a character was replaced", raw)
		}
	})
}
