package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
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
	c.scope.table("zone "+zone.lit.text, func() string { return offsets(at) })
	return func(t streams.Time) time.Time { return time.Unix(0, t.Nanos).In(at) }, true
}

// offsets is a hash of the offsets that a zone has at all times that there can
// be, and of when they change, as far as that is not twice in a day. The zone
// database of the machine comes before that of the program, and what it says of a
// zone changes with its version.
func offsets(at *time.Location) string {
	const day = 86400
	first, behind := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	h, last := sha256.New(), offsetAt(at, first)
	fmt.Fprintln(h, last)
	for t := first; t < behind; t += day {
		next := offsetAt(at, t+day)
		if next == last {
			continue
		}
		seconds := sort.Search(day, func(n int) bool { return offsetAt(at, t+int64(n)) == next })
		fmt.Fprintln(h, t+int64(seconds), next)
		last = next
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func offsetAt(at *time.Location, unix int64) int {
	_, offset := time.Unix(unix, 0).In(at).Zone()
	return offset
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
