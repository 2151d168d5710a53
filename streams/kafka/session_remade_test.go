package kafka

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// TestSessionOfATopicMadeAnew: what the session has written is gone, so that
// nothing may stand behind it. Brokers before Kafka 4 would take it.
func TestSessionOfATopicMadeAnew(t *testing.T) {
	for name, versions := range map[string]*kversion.Versions{"2.6": kversion.V2_6_0(), "3.9": kversion.V3_9_0(), "newest": kversion.Stable()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster, g := sessionCluster(t, kfake.MaxVersions(versions))
				loaded := reopened(t, g, "a", "b")
				remake(t, cluster, g)
				if err := loaded.Write(t.Context(), outRecords("c")); err == nil {
					t.Error("nothing is said of what was loaded")
				}
				wrote := openSession(t, g)
				if err := wrote.Write(t.Context(), outRecords("d")); err != nil {
					t.Fatal(err)
				}
				remake(t, cluster, g)
				time.Sleep(time.Minute) // the client learns of the new one
				err := wrote.Write(t.Context(), outRecords("e"))
				if err == nil || name != "newest" && !strings.Contains(err.Error(), "gone back") {
					t.Errorf("Write: %v", err)
				}
				wantValues(t, values(t, openSession(t, g)))
			})
		})
	}
}

// remake deletes the topic and creates it again.
func remake(t *testing.T, cluster *kfake.Cluster, g ground) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.Dialer(g.Dialer))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.DeleteTopic(t.Context(), g.partition.Topic); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CreateTopic(t.Context(), 2, 1, nil, g.partition.Topic); err != nil {
		t.Fatal(err)
	}
}
