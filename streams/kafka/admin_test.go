package kafka

import (
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

func (f *fixture) admin() *Admin {
	f.t.Helper()
	a, err := NewAdmin(f.config)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

func TestAdminTopics(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 3, map[string]string{"retention.ms": "-1"})
		a := f.admin()
		defer a.Close()
		topics, err := a.Topics(t.Context(), "t")
		if err != nil {
			t.Fatal(err)
		}
		id := f.cluster.TopicInfo("t").TopicID
		got := topics["t"]
		if got.Name != "t" || got.Partitions != 3 || got.Replicas != 1 || got.Configs["retention.ms"] != "-1" ||
			got.ID != base64.RawURLEncoding.EncodeToString(id[:]) {
			t.Errorf("topic %+v", got)
		}
		if _, err := a.Topics(t.Context(), "t", "other"); !errors.Is(err, ErrNoTopic) || !strings.Contains(err.Error(), "other") {
			t.Errorf("missing topic: %v", err)
		}
		if id, err := a.ClusterID(t.Context()); err != nil || id == "" {
			t.Errorf("cluster ID %q, %v", id, err)
		}
	})
}

// Who asks for a topic that is being created is told for a moment that there is
// none, and then that it exists already.
func TestCreateTopicWhileAnotherDoes(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		a := f.admin()
		defer a.Close()
		if _, err := a.Topics(t.Context(), "t"); !errors.Is(err, ErrNoTopic) {
			t.Fatal(err)
		}
		f.topic("t", 3, map[string]string{"retention.ms": "-1"})
		if err := a.CreateTopic(t.Context(), TopicSpec{Name: "t", Partitions: 3}); err != nil {
			t.Error(err)
		}
	})
}

// Rule 2: the stable end is not the high watermark while a transaction is open.
func TestAdminOffsets(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 2, nil)
		f.produce(p0, 4)
		end := f.transaction(p0, 2)
		defer end(kgo.TryAbort)
		if err := f.cluster.DeleteRecords("t", 0, 1); err != nil {
			t.Fatal(err)
		}
		a := f.admin()
		defer a.Close()
		p1 := streams.Partition{Topic: "t", Partition: 1}
		for _, tt := range []struct {
			name string
			ask  func(context.Context, ...string) (map[streams.Partition]int64, error)
			want int64
		}{{"start", a.StartOffsets, 1}, {"stable", a.StableOffsets, 4}, {"end", a.EndOffsets, 6}} {
			got, err := tt.ask(t.Context(), "t")
			if err != nil || len(got) != 2 || got[p0] != tt.want || got[p1] != 0 {
				t.Errorf("%s = %v, %v, want %d", tt.name, got, err, tt.want)
			}
		}
		if _, err := a.EndOffsets(t.Context(), "other"); !errors.Is(err, ErrNoTopic) {
			t.Errorf("missing topic: %v", err)
		}
	})
}

// Callers retry, so an answer must not take its time when nobody listens.
func TestAdminDoesNotWaitForABroker(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		gate := &gate{dial: f.config.Dialer, closed: true}
		f.config.Dialer = gate.Dial
		a := f.admin()
		defer a.Close()
		began := time.Now()
		if _, err := a.Topics(t.Context(), "t"); err == nil || errors.Is(err, ErrNoTopic) {
			t.Errorf("Topics: %v", err)
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// Rule 12: topics are created with their settings, and compared.
func TestCreateTopic(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		a := f.admin()
		defer a.Close()
		spec := TopicSpec{Name: "t", Partitions: 2, Configs: map[string]string{"segment.ms": "60000"}}
		for range 2 {
			if err := a.CreateTopic(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
		}
		topics, err := a.Topics(t.Context(), "t")
		if err != nil || topics["t"].Configs["retention.ms"] != "-1" || topics["t"].Configs["segment.ms"] != "60000" {
			t.Errorf("topic %+v, %v", topics["t"], err)
		}
		spec.Partitions, spec.Configs = 3, map[string]string{"retention.ms": "5"}
		want := `topic t exists and differs: it has 2 partitions, not 3; its retention.ms is "-1", not "5"; change it, or take another name`
		if err := a.CreateTopic(t.Context(), spec); err == nil || err.Error() != want {
			t.Errorf("CreateTopic = %v\nwant %s", err, want)
		}
		f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidTopicException})
		if err := a.CreateTopic(t.Context(), TopicSpec{Name: "u", Partitions: 1}); !errors.Is(err, kerr.InvalidTopicException) {
			t.Errorf("a refusal: %v", err)
		}
	})
}

// Rules 4 and 12.
func TestCheckTopics(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		keep := map[string]string{"retention.ms": "-1"}
		f.topic("good", 1, keep)
		f.topic("finite", 1, map[string]string{"retention.ms": "1000"})
		f.topic("bytes", 1, map[string]string{"retention.ms": "-1", "retention.bytes": "9"})
		f.topic("compacted", 1, map[string]string{"cleanup.policy": "compact"})
		f.topic("gone", 2, keep)
		f.produce(streams.Partition{Topic: "gone", Partition: 1}, 3)
		if err := f.cluster.DeleteRecords("gone", 1, 2); err != nil {
			t.Fatal(err)
		}
		a := f.admin()
		defer a.Close()
		for _, tt := range []struct {
			topic string
			is    error
			words []string
		}{
			{"good", nil, nil},
			{"missing", ErrNoTopic, []string{"missing", "--create", "--partitions"}},
			{"finite", ErrRetention, []string{"retention.ms is 1000", "accept_retention"}},
			{"bytes", ErrRetention, []string{"retention.bytes is 9"}},
			{"compacted", ErrRetention, []string{"cleanup.policy is compact"}},
			{"gone", ErrRetention, []string{"partition 1 begins at offset 2", "retention.ms is -1"}},
		} {
			for _, accept := range []bool{false, true} {
				warnings, err := CheckTopics(t.Context(), a, CheckOptions{Topics: map[string]TopicConfig{tt.topic: {AcceptRetention: accept}}})
				want := tt.is
				if accept && want == ErrRetention {
					want = nil
				}
				if !errors.Is(err, want) || want == nil && err != nil {
					t.Errorf("%s, accepted %t: %v", tt.topic, accept, err)
				}
				for _, w := range tt.words {
					if want != nil && !strings.Contains(err.Error(), w) {
						t.Errorf("%s: %q does not say %q", tt.topic, err, w)
					}
				}
				if tt.is != ErrNoTopic && (len(warnings) != 1 || !strings.Contains(warnings[0], "replication factor of 1")) {
					t.Errorf("%s: warnings %q", tt.topic, warnings)
				}
			}
		}
	})
}

// What is gone may be in snapshots. What Kafka goes on deleting is not, once they
// stand still.
func TestTopicsThatAreReadFromSnapshotsMayHaveLostTheirBeginning(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		forever, hour := map[string]string{"retention.ms": "-1"}, map[string]string{"retention.ms": "3600000"}
		topics := map[string]TopicConfig{}
		for name, keep := range map[string]map[string]string{"forever": forever, "replayed": forever, "hour": hour} {
			topics[name] = TopicConfig{}
			f.topic(name, 1, keep)
			f.produce(streams.Partition{Topic: name}, 3)
			if err := f.cluster.DeleteRecords(name, 0, 2); err != nil {
				t.Fatal(err)
			}
		}
		a := f.admin()
		defer a.Close()
		_, err := CheckTopics(t.Context(), a, CheckOptions{Topics: topics, FromSnapshots: func(topic string) bool { return topic != "replayed" }})
		want := regexp.MustCompile(`^topic hour: .* retention\.ms is 3600000, .*\ntopic replayed: .* begins at offset 2 .*$`)
		if !errors.Is(err, ErrRetention) || !want.MatchString(err.Error()) {
			t.Errorf("refused: %v", err)
		}
	})
}
