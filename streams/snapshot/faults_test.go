package snapshot

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// breaks end a connection at a request that is frozen, or leave that to the link.
var breaks = map[string]struct {
	action streamstest.Action
	after  func(*streamstest.Link)
}{
	"request is lost": {streamstest.CutRequest, func(*streamstest.Link) {}},
	"reply is lost":   {streamstest.CutReply, func(*streamstest.Link) {}},
	"broker is away": {streamstest.FreezeRequest, func(link *streamstest.Link) {
		link.Down()
		link.Thaw()
		time.Sleep(2 * time.Second)
		link.Up()
	}},
}

// Whatever befalls the connections of a load, at any of its requests: it comes to
// the same, at once, or when it goes on from where it was.
func TestLoadGoesOnAfterItsConnectionsEnd(t *testing.T) {
	for name, b := range breaks {
		for _, request := range []string{"ListOffsets", "Fetch", "Metadata"} {
			for _, nth := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, request, nth), func(t *testing.T) {
					onGrounds(t, func(l *lab) {
						link, over := l.kafka.MainLink(), make(chan struct{})
						l.interrupted(func() {
							struck := link.Inject(streamstest.Fault{Request: request, Nth: nth, Action: b.action})
							go func() { <-struck; b.after(link); close(over) }()
						})
						<-over // or it was not struck
					})
				})
			}
		}
	}
}

// interrupted loads in two passes, goes on where it is interrupted, and expects
// the fold of all events.
func (l *lab) interrupted(arm func()) {
	l.t.Helper()
	l.happen("a", "b", "-b")
	l.flush()
	r, passes := l.reader(), 0
	r.topic.missedNothing = func(kafka.Pass) bool {
		if passes++; passes == 1 {
			l.happen("b", "c")
			l.flush()
			l.happen("a")
		}
		return passes > 1
	}
	arm()
	err := r.load()
	for ; kafka.Waits(err); err = r.load() {
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	r.follow()
	if wrong := r.wrong(); wrong != "" || r.loaded.Position != 5 || r.next != (Checkpoint{8, 5, 4}) || passes < 2 {
		l.t.Errorf("%+v after %d passes: %s", r.loaded, passes, wrong)
	}
}
