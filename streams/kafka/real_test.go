package kafka

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// onRealKafka returns a fixture of the Kafka whose address is in the
// environment, with a topic of its own.
func onRealKafka(t *testing.T, partitions int32) (*fixture, TopicSpec) {
	t.Helper()
	address := os.Getenv("MILLRACE_KAFKA")
	if address == "" {
		t.Skip("MILLRACE_KAFKA is not set to the address of a Kafka; make services starts one")
	}
	f := &fixture{t: t, config: Config{Brokers: strings.Split(address, ",")}}
	spec := TopicSpec{Name: "kafka-test-" + uuid.NewString(), Partitions: partitions}
	a := f.admin()
	if err := a.CreateTopic(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer a.Close()
		if _, err := a.admin.DeleteTopics(context.WithoutCancel(t.Context()), spec.Name); err != nil {
			t.Error(err)
		}
	})
	if err := a.CreateTopic(t.Context(), spec); err != nil {
		t.Errorf("creating it again: %v", err)
	}
	return f, spec
}

// What kfake answers in its way: markers, open transactions and offsets of
// a real broker.
func TestReaderOnRealKafka(t *testing.T) {
	f, spec := onRealKafka(t, 1)
	p := p0
	p.Topic = spec.Name
	f.produce(p, 5)
	f.transaction(p, 3)(kgo.TryAbort)
	f.transaction(p, 2)(kgo.TryCommit)
	end := f.transaction(p, 2)
	r, stop := f.reader(ReaderOptions{Topics: []string{spec.Name}})
	defer stop()
	feed := r.Open(p, 0)
	records, last := f.until(feed, stableEnd(12)) // 5, 3 and a marker, 2 and a marker
	if len(records) != 7 || last.Stable != 12 {
		t.Errorf("%d records, %d to %d, stable %d", len(records), last.First, last.Next, last.Stable)
	}
	end(kgo.TryCommit)
	if records, _ = f.until(feed, stableEnd(15)); len(records) != 2 {
		t.Errorf("after the commit %d records", len(records))
	}
	a := f.admin()
	defer a.Close()
	stable, err := a.StableOffsets(t.Context(), spec.Name)
	if err != nil || stable[p] != 15 {
		t.Errorf("stable %v, %v", stable, err)
	}
}

func TestAbortedBelowAnOpenTransactionOnRealKafka(t *testing.T) {
	f, spec := onRealKafka(t, 1)
	p := p0
	p.Topic = spec.Name
	abortedBelowOpen(t, f, p)
}

// Compression, records of 1 MiB, and values that are empty or null.
func TestScanReadsWhatEverIsOnTheWireOnRealKafka(t *testing.T) {
	f, spec := onRealKafka(t, 1)
	p := p0
	p.Topic = spec.Name
	a := f.admin()
	defer a.Close()
	change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: kadm.StringPtr("4194304")}}
	if _, err := a.admin.AlterTopicConfigs(t.Context(), change, p.Topic); err != nil {
		t.Fatal(err)
	}
	f.wires(p)
	f.scanWires(p)
}

// Whose transaction it is that keeps a session from being opened.
func TestSessionNamesTheHolderOnRealKafka(t *testing.T) {
	f, spec := onRealKafka(t, 1)
	p := p0
	p.Topic = spec.Name
	f.transaction(p, 1)(kgo.TryCommit) // holds nothing any more
	end := f.transaction(p, 2)
	defer end(kgo.TryAbort)
	_, err := OpenSession(t.Context(), f.config, p)
	if !errors.Is(err, ErrOpenTransaction) {
		t.Fatalf("OpenSession: %v", err)
	}
	for _, words := range []string{"LSO 2, high watermark 4", "producer ID ", `(transactional ID "txn-` + p.String() + `-2")`, "open since offset 2"} {
		if strings.Count(err.Error(), words) != 1 {
			t.Errorf("%q does not say %q once", err, words)
		}
	}
}

func TestGroupOnRealKafka(t *testing.T) {
	f, spec := onRealKafka(t, 1)
	g := run(t, NewGroup(f.config, GroupOptions{Group: spec.Name, Topics: []string{spec.Name}, SessionTimeout: time.Second}))
	g.await(1, 1)
	if err := g.Commit(t.Context(), map[streams.Partition]int64{{Topic: spec.Name}: 3}); err != nil {
		t.Error(err)
	}
	g.Rejoin()
	g.await(1, 2)
}

// Rule 9: a static member that is killed and restarted at once has its
// partitions again, and the other members hear nothing of it.
func TestStaticMemberRestartsUnnoticedOnRealKafka(t *testing.T) {
	f, two := onRealKafka(t, 2)
	member := func(instance string) *running {
		cfg := f.config
		cfg.InstanceID = instance
		return run(t, NewGroup(cfg, GroupOptions{Group: two.Name, Topics: []string{two.Name}}))
	}
	first, other := member("one"), member("two")
	first.await(1, 1)
	other.await(1, 1)
	_, assigned, revoked := other.count()
	for range 3 {
		_ = first.stop() // a static member does not say that it leaves
		first = member("one")
		first.await(1, 1)
	}
	first.Rejoin()
	first.await(1, 2)
	if _, a, r := other.count(); a != assigned || r != revoked {
		t.Errorf("the other member was told %d times, then %d", assigned+revoked, a+r)
	}
}
