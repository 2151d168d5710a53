package projection

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

func TestDefineComparesWhatIsThere(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.define(definition())
		b.define(definition())
		cases := map[string]func(d *Definition){
			"rules changed: raise version":             func(d *Definition) { d.Digest = "d2" },
			"layout 1, this worker writes layout 2":    func(d *Definition) { d.Layout = 2 },
			"topic fines was made anew":                func(d *Definition) { d.Topics["fines"] = TopicIdentity{"t2", 2} },
			"topic fines has 3 partitions and had 2":   func(d *Definition) { d.Topics["fines"] = TopicIdentity{"t1", 3} },
			"kafka is cluster c2, the rows were built": func(d *Definition) { d.ClusterID = "c2" },
			"": func(d *Definition) { d.ClusterID = "" },
			"view fine.3: rules changed: raise version:": func(d *Definition) { d.Digest, d.ClusterID = "d2", "c2" },
		}
		before := fmt.Sprint(b.dump())
		for message, edit := range cases {
			d := definition()
			edit(&d)
			err := NewStore(b.client, b.id).Define(ctx(t), d)
			if (err == nil) != (message == "") || err != nil && !strings.Contains(err.Error(), message) {
				t.Errorf("error %v, want %q", err, message)
			}
		}
		var digest *DigestError
		d := definition()
		d.Digest = "d2"
		if err := b.store.Define(ctx(t), d); !errors.As(err, &digest) || *digest != (DigestError{"d2", "d1"}) {
			t.Errorf("error %v", err)
		}
		if after := fmt.Sprint(b.dump()); after != before {
			t.Errorf("comparing changed\n%s\nto\n%s", before, after)
		}
	})
}

// TestDefineKeepsOffLostDefinitions: positions of unknown rules are not taken
// for those of a new view.
func TestDefineKeepsOffLostDefinitions(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(five...)
		b.del(keyDefinition)
		if err := b.store.Define(ctx(t), definition()); !errors.Is(err, ErrNoDefinition) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAssign(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		if _, err := b.store.Assign(ctx(t), part0, At(0)); !errors.Is(err, ErrWiped) {
			t.Errorf("without a definition: %v", err)
		}
		b.begin(counters...)
		if want := (Assignment{1, Stored{At(0), Absent}}); b.at != want {
			t.Errorf("first assignment %+v", b.at)
		}
		b.ok(step("a", change(1, rules.OpAdd, 1)))
		b.mark(part0, 1)
		if got, want := b.assign(part0), (Assignment{2, Stored{At(1), 1}}); got != want {
			t.Errorf("second assignment %+v, want %+v", got, want)
		}
		b.hset(keyDefinition, fieldDigest, "d2")
		var digest *DigestError
		if _, err := b.store.Assign(ctx(t), part0, At(0)); !errors.As(err, &digest) {
			t.Errorf("with other rules: %v", err)
		}
		if got := b.bookkeeping().Epochs[part0]; got != 2 {
			t.Errorf("a refused assignment raised the epoch to %d", got)
		}
	})
}

// TestStaleOwnerIsFenced: the owner before cannot write, whatever position it
// believes in, and its successor can.
func TestStaleOwnerIsFenced(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		frozen := b.at
		b.at = b.assign(part0)
		b.ok(step("a", change(1, rules.OpAdd, 1)))
		for _, first := range []int64{0, 1} {
			if a := b.write(Write{Partition: part0, Epoch: frozen.Epoch, First: At(first), Next: At(first + 1), Fold: b.fold}); a.Kind != AnswerFenced || a.Epoch != 2 {
				t.Errorf("from %d: %+v", first, a)
			}
		}
		b.wantRow("a", "fines=1")
	})
}

// TestPositionsMoveWithoutRows: a batch of events that no rule names.
func TestPositionsMoveWithoutRows(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		for i, f := range []*Fold{nil, b.fold} {
			if a := b.send(f); a.Kind != AnswerOK {
				t.Errorf("fold %d: %+v", i, a)
			}
		}
		if got := b.bookkeeping().Positions; fmt.Sprint(got) != "map[fines/0:2]" {
			t.Errorf("positions %v", got)
		}
		b.wantRows(0)
	})
}

func TestConfirm(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		b.ok(step("a", change(1, rules.OpAdd, 1)))
		b.mark(part0, 1)
		for p, want := range map[streams.Partition]Stored{part0: {At(1), 1}, part1: {At(Absent), Absent}} {
			if got, err := b.store.Confirm(ctx(t), p, b.at.Epoch); err != nil || got != want {
				t.Errorf("partition %s: %+v, %v", p, got, err)
			}
		}
		seen := b.bookkeeping().Seen[part0]
		if seen.IsZero() {
			t.Error("not seen")
		}
		next := b.assign(part0)
		b.hset(keySeen, part0.String(), seen.Format(time.RFC3339Nano))
		if _, err := b.store.Confirm(ctx(t), part0, b.at.Epoch); !errors.Is(err, errFenced) || !b.bookkeeping().Seen[part0].Equal(seen) {
			t.Errorf("the owner before: %v", err)
		}
		if _, err := b.store.Confirm(ctx(t), part0, next.Epoch); err != nil || b.bookkeeping().Seen[part0].Equal(seen) {
			t.Errorf("the owner after: %v", err)
		}
		b.wipe()
		if _, err := b.store.Confirm(ctx(t), part0, next.Epoch); !errors.Is(err, ErrWiped) {
			t.Errorf("of a wiped Redis: %v", err)
		}
		if keys := b.keys(); len(keys) > 0 {
			t.Errorf("a wiped Redis got keys %q", keys)
		}
	})
}

// TestMarksAreOnlyRaised, also where a mark is longer in digits.
func TestMarksAreOnlyRaised(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		b.hset(keyPositions, part0.String(), "20")
		mark := func(m int64) { b.mark(part0, m) }
		raise := func(m int64) { b.must(b.store.RaiseMark(ctx(t), part0, b.at.Epoch, m)) }
		for i, c := range []struct {
			do         func(int64)
			mark, want int64
		}{{mark, 9, 9}, {mark, 10, 10}, {mark, 9, 10}, {raise, 9, 10}, {raise, 100, 100}, {mark, 20, 100}} {
			c.do(c.mark)
			if got := b.bookkeeping().Marks[part0]; got != c.want {
				t.Errorf("step %d: mark %d, want %d", i, got, c.want)
			}
		}
		old := b.at.Epoch
		b.at = b.assign(part0)
		if err := b.store.RaiseMark(ctx(t), part0, old, 1000); !errors.Is(err, errFenced) {
			t.Errorf("an owner that was fenced: %v", err)
		}
		if got := b.bookkeeping().Marks[part0]; got != 100 {
			t.Errorf("an owner that was fenced raised the mark to %d", got)
		}
	})
}

// TestVersionGoesLiveOnce every partition has a mark, unless there is a live
// version.
func TestVersionGoesLiveOnce(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		live := func() string { return b.client.Get(ctx(t), b.id.liveKey()).Val() }
		b.mark(part0, 0)
		if live() != "" {
			t.Error("live with one partition hot of two")
		}
		b.assign(part1)
		b.mark(part1, 0)
		if live() != "3" {
			t.Errorf("live version %q", live())
		}
		b.set(b.id.liveKey(), "2")
		b.mark(part0, 0)
		if live() != "2" {
			t.Errorf("the live version was replaced by %q", live())
		}
		b.wipe()
		if _, err := b.store.MarkHot(ctx(t), map[streams.Partition]int64{part0: 0}); !errors.Is(err, ErrWiped) {
			t.Errorf("in a wiped Redis: %v", err)
		}
	})
}

// TestUnknownScriptIsLoaded: a Redis that was restarted has no scripts.
func TestUnknownScriptIsLoaded(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		for range 2 {
			b.must(b.client.ScriptFlush(ctx(t)).Err())
			b.ok(step("a", change(1, rules.OpAdd, 1)))
		}
		b.wantRow("a", "fines=2")
	})
}

// cutting is a connection whose replies can be lost.
type cutting struct {
	net.Conn
	cut *atomic.Bool
}

func (c cutting) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.cut.CompareAndSwap(true, false) {
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

// TestBatchIsSentAgainAfterALostReply: the connection is cut when the reply is on its
// way. The client does not repeat the batch by itself; repeated, it is stale at
// its own end.
func TestBatchIsSentAgainAfterALostReply(t *testing.T) {
	server := miniredis.RunT(t)
	var cut atomic.Bool
	client, err := OpenRedis(RedisConfig{Addr: server.Addr(), Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return cutting{c, &cut}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	b := newBench(t, server.Addr(), DefaultPrefix).begin(counters...)
	b.ok(step("a", change(1, rules.OpAdd, 1)))
	store := NewStore(client, b.id)
	if err := store.Define(ctx(t), definition()); err != nil {
		t.Fatal(err)
	}
	w := b.batch(1, 2, b.fold)
	cut.Store(true)
	if a, err := store.Apply(ctx(t), w); !Waits(err) {
		t.Fatalf("answer %+v, error %v", a, err)
	}
	a, err := store.Apply(ctx(t), w)
	if want := (Answer{Kind: AnswerStale, Position: At(2)}); err != nil || a != want {
		t.Fatalf("answer %+v, error %v", a, err)
	}
	b.wantRow("a", "fines=2")
}
