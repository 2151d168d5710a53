package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// refuses starts a worker and looks that it leaves, naming all of these.
func (p *payments) refuses(parts ...string) {
	p.t.Helper()
	w := p.projector()
	if code := w.Wait(time.Minute); code == 0 {
		p.t.Errorf("the worker left with code 0")
	}
	for _, part := range parts {
		if !strings.Contains(w.Log(), part) {
			p.t.Errorf("the worker that left does not name %q", part)
		}
	}
}

// A topic that may lose events is refused, until somebody accepts that.
func TestTopicWithRetentionIsRefused(t *testing.T) {
	for name, value := range map[string]string{"retention.ms": "60000000", "retention.bytes": "100000000", "cleanup.policy": "compact"} {
		t.Run(name, func(t *testing.T) {
			p := paymentsOn(t)
			p.kafka.CreateTopic(p.topic, paidPartitions, map[string]*string{name: &value})
			p.pay(60)
			p.refuses(p.topic, "accept_retention")
			p.configure("accept_retention: false", "accept_retention: true")
			p.projector().WaitReady(time.Minute)
			p.caughtUp(time.Minute)
		})
	}
}

// The first records of a partition are gone: the topic is refused, because
// nobody knows what was in them.
func TestDeletedBeginningIsRefused(t *testing.T) {
	p := newPayments(t)
	p.pay(120)
	var cut kadm.Offsets
	cut.Add(kadm.Offset{Topic: p.topic, Partition: 2, At: 3})
	if _, err := p.Admin.DeleteRecords(p.context(), cut); err != nil {
		t.Fatal(err)
	}
	p.refuses(p.topic, "partition 2 begins at offset 3", "retention.ms")
}

// A topic that has got more partitions has moved its keys, and one that was made
// anew is another one: both are refused.
func TestTopicThatChangedIsRefused(t *testing.T) {
	for name, change := range map[string]func(p *payments) error{
		"partitions": func(p *payments) error {
			_, err := p.Admin.UpdatePartitions(p.context(), paidPartitions+1, p.topic)
			return err
		},
		"made anew": func(p *payments) error {
			if _, err := p.Admin.DeleteTopics(p.context(), p.topic); err != nil {
				return err
			}
			Poll(p.t, time.Minute, func() (bool, string) {
				topics, err := p.Admin.ListTopics(p.context())
				return err == nil && !topics.Has(p.topic), "the topic is still there"
			})
			forever := "-1"
			_, err := p.Admin.CreateTopic(p.context(), paidPartitions, -1, map[string]*string{"retention.ms": &forever}, p.topic)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPayments(t)
			p.pay(60)
			w := p.projector()
			w.WaitReady(time.Minute)
			p.caughtUp(time.Minute)
			w.Terminate()
			w.ended(0)
			if err := change(p); err != nil {
				t.Fatal(err)
			}
			p.refuses(p.topic)
		})
	}
}
