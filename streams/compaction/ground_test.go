package compaction

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams/streamstest"
)

// ground is where a lab stands: what is different between a Kafka in this process
// and a real one.
type ground struct {
	// topic is the event topic of the lab; every other name begins with it.
	topic string
	// config is that of its workers.
	config Config
	// patience is how long a story waits before it says that something does not
	// come true, and look how long between two looks.
	patience, look time.Duration
	// while is how long a story stands still to see that nothing happens.
	while time.Duration
}

// virtualGround is in this process. Time is virtual.
var virtualGround = ground{topic: "orders", patience: 5 * time.Minute, look: 500 * time.Millisecond, while: time.Minute}

// realGround is on the Kafka that the environment names, where others may be too.
// Partitions are assigned directly, as in this process, where a story wants no
// group.
func realGround(t *testing.T) (ground, streamstest.Servers) {
	t.Helper()
	brokers := os.Getenv("MILLRACE_KAFKA")
	if brokers == "" {
		t.Skip("needs a real Kafka, and MILLRACE_KAFKA is not set; make services starts one")
	}
	return ground{
		topic:    fmt.Sprintf("orders-%x", rand.Uint64()),
		config:   Config{FlushInterval: 200 * time.Millisecond},
		patience: 2 * time.Minute, look: 20 * time.Millisecond, while: 2 * time.Second,
	}, streamstest.Servers{Brokers: strings.Split(brokers, ",")}
}

func (g ground) options() streamstest.Options {
	return streamstest.Options{Topics: map[string]int32{g.topic: partitions}}
}

// newRealLab returns a lab on a real Kafka, or skips the test.
func newRealLab(t *testing.T) *lab {
	t.Helper()
	g, servers := realGround(t)
	l := g.lab(t, streamstest.Connect(t, servers, g.options()))
	t.Cleanup(l.clean)
	return l
}

// clean removes the snapshot topics and groups that workers made.
func (l *lab) clean() {
	ctx := context.Background()
	groups, err := l.admin.ListGroups(ctx)
	for _, name := range groups.Groups() {
		if err == nil && strings.Contains(name, l.topic+".") {
			_, err = l.admin.DeleteGroup(ctx, name)
		}
	}
	topics, failed := l.admin.ListTopics(ctx)
	err = errors.Join(err, failed)
	for _, name := range topics.Names() {
		if err == nil && strings.HasPrefix(name, l.topic+".") {
			_, err = l.admin.DeleteTopic(ctx, name)
		}
	}
	if err != nil {
		l.t.Errorf("deleting the snapshot topics and groups of the test: %v", err)
	}
}

// onGrounds tells a story in this process, and on a real Kafka where the
// environment names one.
func onGrounds(t *testing.T, story func(l *lab)) {
	t.Helper()
	t.Run("virtual", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { story(newLab(t)) })
	})
	t.Run("real", func(t *testing.T) { story(newRealLab(t)) })
}

// bothWays tells a story twice on each ground: with the defence, where it must end
// well, and without it, where something must be wrong, or the story proves nothing.
func bothWays(t *testing.T, story func(l *lab, defended bool) (wrong []string)) {
	t.Helper()
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			onGrounds(t, func(l *lab) {
				wrong := story(l, defended)
				if (len(wrong) == 0) != defended {
					l.t.Errorf("wrong: %q\n%s", wrong, l.logs)
				}
			})
		})
	}
}
