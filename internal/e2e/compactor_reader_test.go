package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
	states "github.com/millrace/millrace/streams/state" // state is a function here
)

// story is a topic of events that a test writes, and what each stream should be
// after each of them. It is told without the fold of the compactor.
type story[S any] interface {
	// end is the position behind the last event of a partition.
	end(partition int32) int64
	// before is what the events of a partition before a position fold to. The
	// position never goes back.
	before(partition int32, position int64) map[string]S
	// state is what a snapshot says.
	state(*snapshot.Record) S
	// same fails where states are not those that are wanted.
	same(what string, want, got map[string]S)
}

// reader reads snapshots and the events behind them.
type reader[S any] struct {
	*Env
	story   story[S]
	fold    *compaction.Fold
	topic   *snapshot.Topic
	scanner *kafka.Scanner
	random  *rand.Rand

	again          int // passes that were not whole
	loaded, tailed int64
}

// scene is what happens while readers read.
type scene struct {
	partitions int32
	settings   map[string]string // of the snapshot topic; nil: those of the compactor
	fold       *compaction.Fold
	compactor  func() *Worker
	write      func(n int) error // the next n events
}

// readUnderLoad has readers begin at 100 random times while 5,000 events are
// written in a second.
func readUnderLoad[S any](e *Env, told story[S], s scene) {
	e.t.Helper()
	if s.settings != nil {
		settings := map[string]*string{}
		for name, value := range s.settings {
			settings[name] = &value
		}
		e.kafka().CreateTopic(s.fold.Snapshots, s.partitions, settings)
	}
	w := s.compactor()
	w.WaitReady(time.Minute)
	r := newReader(e, told, s.fold)
	l := startLoad(e.t, 5000, s.write)
	defer l.stop()
	r.cutUnder(l, s.settings != nil)
	l.stop()
	r.caughtUp()
	if strings.Contains(w.Log(), "partition stopped") {
		e.t.Error("a partition stopped")
	}
}

func newReader[S any](e *Env, told story[S], fold *compaction.Fold) *reader[S] {
	e.t.Helper()
	cfg := kafka.Config{Brokers: e.Brokers}
	topic, err := snapshot.Open(e.context(), cfg, fold.Topic, fold.Snapshots)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(topic.Close)
	scanner, err := kafka.NewScanner(cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(scanner.Close)
	return &reader[S]{Env: e, story: told, fold: fold, topic: topic, scanner: scanner, random: rand.New(rand.NewPCG(3, 0))}
}

// cutUnder cuts 100 times and until 60,000 events are written, and on until a
// reader has met what compaction removed, if it does.
func (r *reader[S]) cutUnder(l *load, compacted bool) {
	r.t.Helper()
	const cuts, events, most = 100, 60_000, 1000
	n := 0
	for ; n < cuts || l.written.Load() < events || compacted && r.again == 0; n++ {
		if n == most {
			r.t.Fatalf("after %d cuts %d events are written, and %d passes were not whole", n, l.written.Load(), r.again)
		}
		l.allow(2000)
		time.Sleep(time.Duration(r.random.IntN(100)) * time.Millisecond)
		r.cut(r.random.Int32N(r.topic.Source.Partitions))
	}
	r.t.Logf("%d cuts while %d events were written, %.0f in a second: %d passes that were not whole, %d records loaded, %d events behind them",
		n, l.written.Load(), l.rate(), r.again, r.loaded, r.tailed)
	if l.rate() < 4500 {
		r.t.Log("this machine is too slow to write 5,000 events in a second beside all else")
	}
}

// caughtUp waits until the snapshots have every event.
func (r *reader[S]) caughtUp() {
	r.t.Helper()
	for p := range r.topic.Source.Partitions {
		Poll(r.t, time.Minute, func() (bool, string) {
			at, end := r.cut(p), r.story.end(p)
			return at == end, fmt.Sprintf("partition %d is at %d of %d", p, at, end)
		})
	}
}

// cut compares what a reader of one partition has at the end that it has now, and
// returns where the events behind the snapshots began.
func (r *reader[S]) cut(p int32) (watermark int64) {
	r.t.Helper()
	store := states.NewMemory()
	loaded, err := snapshot.Resync(r.context(), r.topic, snapshot.Options{Partition: p, Digest: r.fold.Digest}, func(s *snapshot.Record) error {
		if s.Watermark != nil {
			return nil
		}
		return store.Put(s.Stream, s.Entry)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.again += loaded.Passes - 1
	r.loaded += loaded.Snapshots
	end := r.behind(p, loaded.Position)
	r.goOn(streams.Partition{Topic: r.fold.Topic, Partition: p}, &loaded, end, store)
	got := map[string]S{}
	for stream, e := range store.All() {
		got[string(stream)] = r.story.state(&snapshot.Record{Stream: stream, Entry: e})
	}
	r.story.same(fmt.Sprintf("a reader of partition %d at %d", p, end), r.story.before(p, end), got)
	return loaded.Position
}

// behind is the end that a partition has now: at a watermark or behind it, once
// the test knows of all events before that.
func (r *reader[S]) behind(p int32, watermark int64) (end int64) {
	r.t.Helper()
	Poll(r.t, time.Minute, func() (bool, string) {
		end = r.story.end(p)
		return end >= watermark, fmt.Sprintf("partition %d has events up to %d, of which nobody wrote those from %d", p, watermark, end)
	})
	return end
}

// goOn folds the events behind the snapshots, each of which has to be the next of
// its stream.
func (r *reader[S]) goOn(p streams.Partition, loaded *snapshot.Loaded, end int64, store *states.Memory) {
	r.t.Helper()
	replay, err := r.fold.Replay(r.topic.Source.Partitions, store)
	if err != nil {
		r.t.Fatal(err)
	}
	_, err = r.scanner.Scan(r.context(), p, loaded.Position, func(k streams.Record) error {
		if k.Offset >= end || loaded.Filter.Includes(k.Key, k.Offset) {
			return nil
		}
		r.tailed++
		before, _, err := store.Get(k.Key)
		if err != nil {
			return err
		}
		if err := replay.Apply(&k); err != nil {
			return err
		}
		if after, _, err := store.Get(k.Key); err != nil || after.Version != before.Version+1 {
			r.t.Errorf("%s/%d: event %d of stream %s comes after %d (%v)", k.Topic, k.Offset, after.Version, k.Key, before.Version, err)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// foldOf compiles the fold of a configuration.
func foldOf(t testing.TB, config string, codec *avro.Codec) *compaction.Fold {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Compactor compaction.Config }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	folds, problems := file.Compactor.Compile(codec, nil, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return folds[0]
}
