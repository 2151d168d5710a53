package shop_test

import (
	"context"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/streamstest"
	"github.com/millrace/millrace/streams/worker"
)

func TestRefundsAreTakenOffTheDay(t *testing.T) {
	s := newStory(t, "shop.yaml", "../../schemas/shop")

	s.given("order-1", "OrderPaid", "2026-03-31T23:30:00+02:00", `{"amount": 100, "method": "card", "reference": "r1"}`)
	s.given("order-2", "OrderPaid", "2026-04-01T08:00:00+02:00", `{"amount": 20.50, "method": "card", "reference": "r2"}`)
	s.given("order-2", "OrderCancelled", "2026-04-01T09:00:00+02:00", `{"stage": "paid", "reason": "too late", "refund": 20.50}`)
	s.whenProjected()
	s.then("revenue-by-day", rows{
		"2026-03-31": {"orders": "1", "revenue": "100", "net": "100", "largest": "100"},
		"2026-04-01": {"orders": "1", "revenue": "20.5", "net": "0", "largest": "20.5", "refunds": "20.5"},
	})
}

// rows are those of a view, by key: the fields as they stand in Redis.
type rows map[string]map[string]string

// story is the views of a configuration on a Kafka and a Redis of this process.
// It needs nothing that is internal to Millrace: copy it.
type story struct {
	*streamstest.Cluster
	t     *testing.T
	codec *avro.Codec
	views map[string]*projection.View
}

func newStory(t *testing.T, config, schemas string) *story {
	t.Helper()
	codec, err := avro.OpenFolder(schemas)
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	var projector projection.Config
	topics := map[string]kafka.TopicConfig{}
	// Load returns the file with what is wrong, and Add adds to it
	file, _ := worker.Load(config, src, map[string]any{"projector": &projector, "topics": &topics}, worker.KnownBlocks())
	options := streamstest.Options{Topics: map[string]int32{}}
	s := &story{t: t, codec: codec, views: map[string]*projection.View{}}
	for i := range projector.Views {
		parsed, problems := rules.Parse(&projector.Views[i])
		file.Add(problems...)
		if parsed == nil {
			continue
		}
		s.views[parsed.Name], problems = projection.CompileView(parsed, codec, topics, nil)
		file.Add(problems...)
		for _, topic := range parsed.Topics {
			options.Topics[topic] = 3
		}
	}
	if err := file.Err(); err != nil {
		t.Fatal(err)
	}
	s.Cluster = streamstest.New(t, options)
	return s
}

// given writes an event to the topic orders.
func (s *story) given(stream streams.StreamID, eventType, time, data string) {
	s.t.Helper()
	writer, err := s.codec.JSONWriter(eventType)
	if err != nil {
		s.t.Fatal(err)
	}
	value, err := writer.EncodeJSON(nil, []byte(data))
	if err != nil {
		s.t.Fatal(err)
	}
	s.Kafka.Produce("orders", streamstest.Event{Stream: stream, Type: eventType, Time: time, Value: value})
}

// whenProjected runs the projector until all that was given is in the rows.
func (s *story) whenProjected() {
	s.t.Helper()
	client, err := projection.OpenRedis(projection.RedisConfig{Addr: s.Redis.Addr(), Dialer: s.Redis.Dial})
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	o := projection.Options{
		Kafka: kafka.Config{Brokers: s.Kafka.Brokers(), Dialer: s.Kafka.Dial},
		Redis: client, Prefix: projection.DefaultPrefix,
	}
	for _, v := range s.views {
		o.Views = append(o.Views, v)
	}
	projector, err := projection.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- projector.Run(ctx) }()
	// ready: every partition has reached the end that was there when it began
	missing := projector.NotReady()
	for deadline := time.Now().Add(30 * time.Second); len(missing) > 0 && time.Now().Before(deadline); missing = projector.NotReady() {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil || len(missing) > 0 {
		s.t.Fatal(err, missing)
	}
}

// then compares all rows of a view.
func (s *story) then(view string, want rows) {
	s.t.Helper()
	id := s.views[view].ID(projection.DefaultPrefix)
	if got := rows(s.Redis.Hashes(id.RowKey(""))); !reflect.DeepEqual(got, want) {
		s.t.Errorf("view %s has the rows\n%v\nwant\n%v", view, got, want)
	}
}
