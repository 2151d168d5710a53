package projection

import (
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/millrace/millrace/streams"
)

// TestForgottenFetchIsFreed: a fold copies what it keeps, so nothing else may
// keep the buffer of a fetch alive.
func TestForgottenFetchIsFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, paidViews)
		view := l.views[1] // it reads a text
		in, err := newInterpreter(view, orders(0), 0)
		if err != nil {
			t.Fatal(err)
		}
		fold := NewFold(view.program.Fields)
		apply := func() weak.Pointer[byte] {
			buffer := make([]byte, 1<<16)
			r := l.Kafka.Produce("orders", l.paid(1, "1.10", 1))[0]
			value := buffer[:copy(buffer, r.Value)]
			fetched := streams.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: r.Key, Headers: r.Headers, Value: value}
			if err := in.apply(&fetched, fold); err != nil {
				t.Fatal(err)
			}
			return weak.Make(&buffer[0])
		}
		held := apply()
		in.forget()
		if runtime.GC(); held.Value() != nil {
			t.Error("the fetch is still held")
		}
		runtime.KeepAlive(in)
		runtime.KeepAlive(fold)
	})
}
