package kafka

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Rule 2: at the tail of a partition stand offsets that no record ever has.
// Control records take the position over markers, the probe over what
// compaction left. Where one is switched off the position stays below the end.
func TestTailIsPassedByControlRecordsAndTheProbe(t *testing.T) {
	committed := func(f *fixture) { f.transaction(p0, 3)(kgo.TryCommit) }
	aborted := func(f *fixture) { f.transaction(p0, 3)(kgo.TryAbort) }
	compacted := func(f *fixture) {
		f.produce(p0, 4)
		f.atOffset(2, 4, emptyBatch(2, 3))
	}
	for name, tt := range map[string]struct {
		tail           func(f *fixture)
		control, probe bool
		passed         bool
	}{
		"committed":              {committed, true, false, true},
		"committed, undefended":  {committed, false, false, false},
		"aborted":                {aborted, true, false, true},
		"aborted, undefended":    {aborted, false, false, false},
		"compacted":              {compacted, true, true, true},
		"compacted, undefended":  {compacted, true, false, false},
		"compacted, no controls": {compacted, false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.topic("t", 1, nil)
				if !tt.probe {
					f.blindProbes()
				}
				tt.tail(f)
				if passed := f.passes(4, tt.control); passed != tt.passed {
					t.Errorf("the stable end is reached: %t, want %t", passed, tt.passed)
				}
			})
		})
	}
}

// passes says whether a reader of t/0 comes to an offset within a minute.
func (f *fixture) passes(offset int64, control bool) bool {
	f.t.Helper()
	r, err := NewReader(f.config, ReaderOptions{MaxPartitionBytes: 1})
	if err != nil {
		f.t.Fatal(err)
	}
	if !control {
		r.options = withoutControlRecords(f.t, r.options)
	}
	defer f.runs(r)()
	feed, late := r.Open(p0, 0), time.After(time.Minute)
	for {
		select {
		case b, ok := <-feed.Batches():
			if !ok {
				f.t.Fatalf("feed closed: %v", feed.Err())
			}
			if b.Next >= offset {
				return true
			}
		case <-late:
			return false
		}
	}
}

// withoutControlRecords are the options but for the one that keeps control
// records.
func withoutControlRecords(t *testing.T, all []kgo.Opt) []kgo.Opt {
	t.Helper()
	for i := range all {
		others := slices.Delete(slices.Clone(all), i, i+1)
		client, err := kgo.NewClient(others...)
		if err != nil {
			t.Fatal(err)
		}
		keeps := client.OptValue(kgo.KeepControlRecords).(bool)
		client.Close()
		if !keeps {
			return others
		}
	}
	t.Fatal("no option keeps control records")
	return nil
}

// blindProbes has fetches that do not wait, which are those of the probe, find
// nothing.
func (f *fixture) blindProbes() {
	f.cluster.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		if req.MaxWaitMillis > 0 || len(req.Topics) == 0 {
			return nil, nil, false
		}
		return fetched(req, nil), nil, true
	})
}
