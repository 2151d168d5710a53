package streamstest_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams/streamstest"
)

// A worker that is stopped, as by SIGSTOP, does not stop the others.
func TestFaultsStayOnTheirLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 1}})
		kafkaLink, redisLink := c.Kafka.Link(), c.Redis.Link()
		stopped := redis.NewClient(&redis.Options{Addr: c.Redis.Addr(), Dialer: redisLink.Dial, ReadTimeout: -1, WriteTimeout: -1})
		defer stopped.Close()
		reader := c.Kafka.Client(kgo.Dialer(kafkaLink.Dial), kgo.ConsumeTopics("orders"))
		if err := errors.Join(stopped.Ping(t.Context()).Err(), reader.Ping(t.Context())); err != nil {
			t.Fatal(err)
		}
		kafkaLink.Freeze()
		redisLink.Freeze()
		done := make(chan error)
		go func() { done <- stopped.Set(t.Context(), "k", "late", 0).Err() }()
		go func() { done <- reader.PollFetches(t.Context()).Err() }()

		c.Kafka.Produce("orders", streamstest.Event{Stream: "order-1", Type: "Placed"})
		time.Sleep(time.Second)
		other := through(t, c)
		if err := other.Set(t.Context(), "k", "early", 0).Err(); err != nil {
			t.Error(err)
		}
		select {
		case err := <-done:
			t.Errorf("a frozen link let something through: %v", err)
		default:
		}
		kafkaLink.Thaw()
		redisLink.Thaw()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
		if got := other.Get(t.Context(), "k").Val(); got != "late" {
			t.Errorf("the value is %q, want that of the worker that woke", got)
		}
	})
}

func TestFaultsStrikeOnceEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		client, link := through(t, c), c.Redis.MainLink()
		link.Inject(streamstest.Fault{Request: "INCR", Nth: 2})
		link.Inject(streamstest.Fault{Request: "incr", Nth: 2, Action: streamstest.CutReply})
		var failed []int
		for i := range 6 {
			if err := client.Incr(t.Context(), "n").Err(); err != nil {
				failed = append(failed, i)
			}
		}
		if n := client.Get(t.Context(), "n").Val(); len(failed) != 2 || failed[0] != 1 || failed[1] != 2 || n != "5" {
			t.Errorf("requests %v failed and n is %s; want 1 and 2, and 5", failed, n)
		}
		if got := link.Requests("incr"); got != 6 {
			t.Errorf("%d requests were counted, want 6", got)
		}
	})
}

// A request has to hold all that is named: fines, and Kafka's number for the start.
func TestFaultsStrikeAtWhatRequestsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 1, "fines": 1}})
		link := streamstest.NewKafkaLink(t, c.Kafka.Dial)
		admin := kadm.NewClient(c.Kafka.Client(kgo.Dialer(link.Dial)))
		struck := link.Inject(streamstest.Fault{
			Request: "ListOffsets", Holds: [][]byte{[]byte("fines"), []byte("\xff\xff\xff\xfe")}, Nth: 2, Action: streamstest.FreezeReply,
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for n, want := range []error{nil, context.DeadlineExceeded} {
			_, start := admin.ListStartOffsets(ctx, "orders")
			_, end := admin.ListEndOffsets(ctx, "fines")
			if err := errors.Join(start, end); err != nil {
				t.Fatal(err)
			}
			if _, err := admin.ListStartOffsets(ctx, "fines"); !errors.Is(err, want) {
				t.Errorf("question %d: %v, want %v", n+1, err, want)
			}
		}
		<-struck
	})
}

func TestDownRefusesAsARealNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		client, link := through(t, c), c.Redis.MainLink()
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		link.Down()
		client.Ping(t.Context()) // finds its connection closed
		if err := client.Ping(t.Context()).Err(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("error %v, want connection refused", err)
		}
		link.Up()
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Error(err)
		}
		link.Cut()
		client.Ping(t.Context())
		link.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := client.Ping(ctx).Err(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a new connection through a frozen link: %v, want that it waits", err)
		}
	})
}

// Groups join outside of bubbles only.
func TestGroup(t *testing.T) {
	c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 2}})
	c.Kafka.Produce("orders", streamstest.Event{Stream: "order-1", Type: "Placed"})
	member := c.Kafka.Client(
		kgo.ConsumerGroup("g"),
		kgo.ConsumeTopics("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if fetches := member.PollFetches(ctx); fetches.Err() != nil || fetches.NumRecords() != 1 {
		t.Errorf("%d records, %v", fetches.NumRecords(), fetches.Err())
	}
}

func TestRESP3(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		client := redis.NewClient(&redis.Options{Addr: c.Redis.Addr(), Dialer: c.Redis.Dial, Protocol: 3})
		defer client.Close()
		client.HSet(t.Context(), "h", "a", "1")
		if got := client.HGetAll(t.Context(), "h").Val(); got["a"] != "1" {
			t.Errorf("hash %v", got)
		}
	})
}
