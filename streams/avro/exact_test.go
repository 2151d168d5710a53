package avro

import (
	"math"
	"testing"
	"time"
)

// TestExact: what twmb/avro would cut or round is an error, wherever it stands.
func TestExact(t *testing.T) {
	type state struct {
		Millis []time.Duration          `avro:"millis"`
		Micros map[string]time.Duration `avro:"micros"`
		Floats []*float64               `avro:"floats"`
		Times  []time.Time              `avro:"times"`
	}
	list := func(items string) string { return `{"type":"array","items":` + items + `}` }
	r := recordOf[state](t, "S", "S.avsc", rec("S", field("millis", list(logicalOf("int", "time-millis"))), field("micros", `{"type":"map","values":`+logicalOf("long", "time-micros")+`}`),
		field("floats", list(`["null","float"]`)), field("times", list(logicalOf("long", "timestamp-millis")))))
	half, tenth, far, nan := 0.5, 0.1, 1e300, math.NaN()
	micros := func(d time.Duration) map[string]time.Duration { return map[string]time.Duration{"a": d} }
	good := state{[]time.Duration{time.Millisecond}, micros(time.Microsecond), []*float64{nil, &half, &nan}, []time.Time{time.UnixMilli(-1)}}
	if _, err := r.Encode(nil, good); err != nil {
		t.Error(err)
	}
	for want, bad := range map[string]state{
		"1.5ms is finer than a time-millis; truncate it": {Millis: []time.Duration{1500 * time.Microsecond}},
		"1.5µs is finer than a time-micros":              {Micros: micros(1500)},
		"0.1 does not fit float: it would be rounded":    {Floats: []*float64{&tenth}},
		"1e+300 does not fit float: it would be rounded": {Floats: []*float64{&far}},
		"00.0001Z is finer than a timestamp-millis":      {Times: []time.Time{time.UnixMicro(100)}},
		"time out of range":                              {Times: []time.Time{{}}},
	} {
		_, err := r.Encode(nil, bad)
		wantError(t, err, want)
	}
}
