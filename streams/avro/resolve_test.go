package avro

import "testing"

// TestResolveUnits: a time that twmb/avro would take for another one is refused,
// wherever it stands.
func TestResolveUnits(t *testing.T) {
	ms, us := logicalOf("long", "timestamp-millis"), logicalOf("long", "timestamp-micros")
	for _, x := range []struct{ was, is, want string }{
		{ms, us, "data.t: a timestamp-millis is not converted to a timestamp-micros; a new type is made"},
		{ms, logicalOf("long", "local-timestamp-millis"), ""},
		{`"long"`, us, ""},
		{ms, `"long"`, ""},
		{logicalOf("int", "time-millis"), logicalOf("long", "time-micros"), "data.t: a time-millis is not converted to a time-micros"},
		{logicalOf("int", "time-millis"), `"long"`, ""},
		{logicalOf("int", "date"), ms, "data.t: a date is not converted"},
		{`["null",` + ms + `]`, us, "data.t: a timestamp-millis"},
		{ms, `["null",` + us + `]`, "data.t: a timestamp-millis"},
		{`{"type":"map","values":` + ms + `}`, `{"type":"map","values":` + us + `}`, "data.t: a timestamp-millis"},
		{rec("In", field("x", ms)), rec("In", field("y", us, `"aliases":["x"]`)), "data.t.y: a timestamp-millis"},
		{rec("In", field("x", ms)), rec("In", field("y", us, `"default":0`)), ""},
	} {
		was, err := parseSchema("was.avsc", []byte(rec("T", field("t", x.was))))
		if err != nil {
			t.Fatal(err)
		}
		is, err := parseSchema("is.avsc", []byte(rec("T", field("t", x.is))))
		if err != nil {
			t.Fatal(err)
		}
		got := resolve(was, is)
		if x.want != "" {
			wantError(t, got.err, "written with was.avsc, read with is.avsc: "+x.want)
		} else if got.err != nil || got.schema == nil {
			t.Errorf("%s as %s: %v", x.was, x.is, got.err)
		}
	}
}
