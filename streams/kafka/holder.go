package kafka

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/streams"
)

// holders says whose open transactions hold back the LSO of a partition, as a
// sentence's end: empty where the cluster does not tell. Who may not ask, or
// asks a cluster that is too old, learns the offsets and nothing else.
func holders(ctx context.Context, admin *kadm.Client, p streams.Partition) string {
	topics, err := admin.DescribeProducers(ctx, kadm.TopicsSet{p.Topic: {p.Partition: {}}})
	if err != nil {
		return ""
	}
	var open []string
	for _, producer := range topics[p.Topic].Partitions[p.Partition].ActiveProducers {
		if producer.CurrentTxnStartOffset < 0 {
			continue
		}
		open = append(open, fmt.Sprintf("producer ID %d%s has had it open since offset %d and wrote last at %s", producer.ProducerID,
			transactionalID(ctx, admin, producer.ProducerID), producer.CurrentTxnStartOffset,
			time.UnixMilli(producer.LastTimestamp).UTC().Format(time.RFC3339)))
	}
	return strings.Join(open, "; ")
}

// transactionalID is that of a producer ID, in brackets; empty where it is not
// told.
func transactionalID(ctx context.Context, admin *kadm.Client, producerID int64) string {
	listed, err := admin.ListTransactions(ctx, []int64{producerID}, nil)
	if err != nil {
		return ""
	}
	for id := range listed {
		return fmt.Sprintf(" (transactional ID %q)", id)
	}
	return ""
}
