package rules

import (
	"time"
	_ "time/tzdata" // so that zones are known on every machine

	"github.com/millrace/millrace/streams"
)

// asWritten is the zone that stands in the time itself.
const asWritten = "as written"

// clock shows a time as a calendar and a clock on the wall do; its zone is UTC or
// one that was loaded once, so that it does not allocate.
type clock func(streams.Time) time.Time

// zone returns the clock of the second argument, which must be a text that
// stands there.
func (c *exprCompiler) zone(call call) (clock, bool) {
	t, zone := call.args[0], call.args[1]
	if t.kind != streams.KindTime || zone.kind != streams.KindString {
		c.takes(call, `a time and a zone: "as written", "UTC" or one such as "Europe/Rome"`)
		return nil, false
	}
	if zone.lit == nil {
		c.add(zone.at, `the zone must be written there: "as written", "UTC" or one such as "Europe/Rome"`)
		return nil, false
	}
	if zone.lit.text == asWritten {
		return ownZone, true
	}
	at, err := time.LoadLocation(zone.lit.text)
	if err != nil || zone.lit.text == "" || zone.lit.text == "Local" {
		c.add(zone.at, `there is no zone %q; write "as written", "UTC" or one such as "Europe/Rome"`, zone.lit.text)
		return nil, false
	}
	return func(t streams.Time) time.Time { return time.Unix(0, t.Nanos).In(at) }, true
}

// ownZone shows a time with its own offset.
func ownZone(t streams.Time) time.Time {
	const second = int64(time.Second)
	return time.Unix(t.Nanos/second+int64(t.Offset), t.Nanos%second).UTC()
}

func year(c *exprCompiler, call call) (operand, bool) {
	clock, ok := c.zone(call)
	times := call.args[0].times
	return operand{kind: streams.KindInt, at: call.at, ints: func(e *env) int64 {
		return int64(clock(times(e)).Year())
	}}, ok
}

var calendarLayouts = map[string]string{"month": "2006-01", "day": "2006-01-02", "hour": "2006-01-02T15"}

// calendar compiles month, day and hour: texts that sort as the time does.
func calendar(c *exprCompiler, call call) (operand, bool) {
	clock, ok := c.zone(call)
	times, layout := call.args[0].times, calendarLayouts[call.name]
	return operand{kind: streams.KindString, at: call.at, texts: written(call.at, times, func(b []byte, t streams.Time) []byte {
		return clock(t).AppendFormat(b, layout)
	})}, ok
}
