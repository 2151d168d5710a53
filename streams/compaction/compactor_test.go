package compaction

import (
	"testing"
)

// TestSnapshotsAreTheFoldOfAllEvents, also of streams that ended and began
// again, and after a restart.
func TestSnapshotsAreTheFoldOfAllEvents(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.pay(100)
		l.Kafka.Produce(l.topic, l.event("Closed", 1, "{}"), l.event("Closed", 2, "{}"), l.paid(2, "3.00"))
		w := l.start(nil)
		l.caughtUp()
		l.right()
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		w.stop()

		l.pay(50)
		l.Kafka.Produce(l.topic, l.event("Closed", 3, "{}"), l.paid(1, "7.00"))
		w = l.start(nil)
		l.caughtUp()
		l.right()
		w.stop()
	})
}
