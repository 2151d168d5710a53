package streamstest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/streamstest"
)

// TestConnect looks that links and events are on real servers as on those of
// this process, and that no topic is left.
func TestConnect(t *testing.T) {
	brokers, addr := os.Getenv("MILLRACE_KAFKA"), os.Getenv("MILLRACE_REDIS")
	if brokers == "" || addr == "" {
		t.Skip("needs real Kafka and real Redis, and MILLRACE_KAFKA or MILLRACE_REDIS is not set; make services starts both")
	}
	servers := streamstest.Servers{Brokers: strings.Split(brokers, ","), Redis: addr}
	topic := fmt.Sprintf("streamstest-%x", rand.Uint64())
	t.Run("uses", func(t *testing.T) {
		c := streamstest.Connect(t, servers, streamstest.Options{Topics: map[string]int32{topic: 2}})
		c.Kafka.Produce(topic, streamstest.Event{Stream: "order-1", Type: "Paid"}, streamstest.Event{Stream: "order-2", Type: "Paid"})
		if n := len(c.Kafka.Read(topic)); n != 2 {
			t.Errorf("%d events, want 2", n)
		}
		for n := range 20 { // what is committed can be read at once
			x := c.Kafka.Begin(topic)
			x.Produce(topic, streamstest.Event{Stream: "order-1", Type: "Paid"}, streamstest.Event{Stream: "order-2", Type: "Paid"})
			x.Commit()
			if got := len(c.Kafka.Read(topic)); got != 2*n+4 {
				t.Errorf("%d events after the commit, want %d", got, 2*n+4)
			}
		}
		client := c.Redis.Client()
		if err := client.Set(t.Context(), topic, "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if n := client.Del(t.Context(), topic).Val(); n != 1 {
			t.Errorf("%d keys deleted, want 1", n)
		}
	})
	c := streamstest.Connect(t, servers, streamstest.Options{})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		topics, err := c.Kafka.Admin().ListTopics(t.Context())
		if err == nil && !topics.Has(topic) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("topic %s is left, %v", topic, err)
		}
	}
}
