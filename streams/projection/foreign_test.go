package projection

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
)

// TestLostBookkeepingStops: somebody deletes what stands beside the rows, or
// Redis evicts it. Rows that are left must not be taken for those of a new view.
func TestLostBookkeepingStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(60)
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		id := l.views[0].ID(DefaultPrefix)
		for _, kept := range []string{keyEpochs, keyRows, keyMarks} {
			lost := []string{id.key(keyDefinition), id.key(keyPositions)}
			for _, k := range []string{keyEpochs, keyRows, keyMarks} {
				if k != kept {
					lost = append(lost, id.key(k))
				}
			}
			dump := l.Redis.Snapshot()
			l.del(lost...)
			l.until("stopped partition", func() bool { return errors.Is(stopped(w, 0), ErrNoDefinition) })
			if !l.right() {
				t.Errorf("with %s left: rows are wrong: %v", kept, l.rows(l.views[0]))
			}
			l.Redis.Restore(dump)
			w.stop()
			w = l.start(nil)
			l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		}
	})
}

// TestForeignBookkeepingIsNamed: what a script or this package cannot read of it
// is an error that says where it stands, and waits for nobody.
func TestForeignBookkeepingIsNamed(t *testing.T) {
	scripts := map[string]func(ctx context.Context, b *bench) error{
		"define": func(ctx context.Context, b *bench) error { return b.store.Define(ctx, definition()) },
		"assign": func(ctx context.Context, b *bench) error { _, err := b.store.Assign(ctx, part0, At(0)); return err },
		"confirm": func(ctx context.Context, b *bench) error {
			_, err := b.store.Confirm(ctx, part0, b.at.Epoch)
			return err
		},
		"mark": func(ctx context.Context, b *bench) error {
			_, err := b.store.MarkHot(ctx, map[streams.Partition]int64{part0: 0})
			return err
		},
		"raise": func(ctx context.Context, b *bench) error { return b.store.RaiseMark(ctx, part0, b.at.Epoch, 1) },
	}
	reads := map[string][]string{
		"define": {keyDefinition}, "assign": {keyDefinition, keyEpochs, keyPositions, keyMarks, keySeen},
		"confirm": {keyEpochs, keyPositions, keyMarks, keySeen},
		"mark":    {keyDefinition, keyPositions, keyMarks}, "raise": {keyDefinition, keyEpochs, keyMarks},
	}
	garbage := map[string][]string{
		"assign":  {keyEpochs, keyPositions, keyMarks},
		"confirm": {keyPositions, keyMarks},
		"mark":    {keyMarks},
	}
	onRedis(t, func(t *testing.T, b *bench) {
		try := func(script, key, how string, damage func()) {
			t.Helper()
			b.wipe()
			b.begin(counters...)
			_, err := b.store.MarkHot(ctx(t), map[streams.Partition]int64{part0: 0})
			b.must(err)
			damage()
			if err := scripts[script](ctx(t), b); err == nil || !strings.Contains(err.Error(), key) || Waits(err) {
				t.Errorf("%s, %s in %s: %v", script, how, key, err)
			}
		}
		for script, keys := range reads {
			for _, key := range keys {
				try(script, key, "another type", func() { b.set(b.id.key(key), "text") })
			}
		}
		for script, keys := range garbage {
			for _, key := range keys {
				values := []string{"many", "1.0", " 1"}
				if key != keyEpochs { // Redis counts it up, the embedded one from these, too
					values = append(values, "+1", "01", "-1")
				}
				for _, value := range values {
					try(script, key, value, func() { b.hset(key, part0.String(), value) })
				}
			}
		}
	})
}

// TestForeignPositionStops: one that is written in another way than ours is not
// asked for again and again.
func TestForeignPositionStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(60)
		w := l.start(nil)
		l.untilApplied()
		position := l.Redis.Hash(l.views[0].ID(DefaultPrefix).key(keyPositions))["orders/0"]
		if err := l.Redis.Client().HSet(t.Context(), l.views[0].ID(DefaultPrefix).key(keyPositions), "orders/0", "0"+position).Err(); err != nil {
			t.Fatal(err)
		}
		l.pay(60)
		l.until("stopped partition", func() bool { return stopped(w, 0) != nil })
		if why := stopped(w, 0).Error(); !strings.Contains(why, keyPositions) {
			t.Errorf("stopped by %s", why)
		}
	})
}

// TestForeignLiveVersionIsNamed, and ends nothing.
func TestForeignLiveVersionIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(60)
		key := l.views[0].ID(DefaultPrefix).liveKey()
		if err := l.Redis.Client().Set(t.Context(), key, "v1", 0).Err(); err != nil {
			t.Fatal(err)
		}
		w := l.start(nil)
		l.until("line that says hot", func() bool { return strings.Contains(l.logs.String(), "the live version is unknown") })
		time.Sleep(time.Minute)
		if why := w.NotReady(); len(why) > 0 {
			t.Errorf("not ready: %q", why)
		}
		_, err := LiveVersion(t.Context(), l.Redis.Client(), DefaultPrefix, "order")
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), `"v1"`) {
			t.Errorf("error %v", err)
		}
	})
}
