package devcluster

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestOldRecordsStay, also in a topic that somebody else made, and where another
// topic is compacted: then the broker looks for what is old in all of them.
func TestOldRecordsStay(t *testing.T) {
	c, err := Start(t.Context(), Options{Topics: map[string]int32{"orders": 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.KafkaAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin, compact := kadm.NewClient(client), "compact"
	if _, err := admin.CreateTopic(t.Context(), 1, 1, map[string]*string{"cleanup.policy": &compact}, "states"); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateTopic(t.Context(), 1, 1, nil, "others"); err != nil {
		t.Fatal(err)
	}
	topics := []string{"orders", "states", "others"}
	for _, topic := range topics {
		old := &kgo.Record{Topic: topic, Key: []byte("order-1"), Value: []byte("old"), Timestamp: time.Unix(1e9, 0)}
		if err := client.ProduceSync(t.Context(), old).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	c.kafka.Compact()
	c.kafka.ApplyRetention()
	starts, err := admin.ListStartOffsets(t.Context(), topics...)
	if err != nil {
		t.Fatal(err)
	}
	starts.Each(func(o kadm.ListedOffset) {
		if o.Offset != 0 {
			t.Errorf("%s begins at offset %d", o.Topic, o.Offset)
		}
	})
}
