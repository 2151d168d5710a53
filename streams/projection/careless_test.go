package projection

import (
	"testing"
	"testing/synctest"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// TestRecordIsRefusedByItsCheck: what stops a partition at a record is the check
// of that record. A worker that lacks it goes on, and its rows hold the record.
func TestRecordIsRefusedByItsCheck(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(l *lab, r *streams.Record)
		lack   func(l *lab, v *View)
	}{
		"wrong partition": {
			func(_ *lab, r *streams.Record) { setStream(r, streamOf(0)) },
			func(_ *lab, v *View) {
				v.topics = map[string]kafka.TopicConfig{"orders": {Partitioner: kafka.PartitionerAny}}
			},
		},
		"unknown fingerprint": {func(_ *lab, r *streams.Record) { r.Value[2] ^= 1 }, lackStrictness},
		"garbage":             {func(_ *lab, r *streams.Record) { r.Value = []byte("garbage") }, lackStrictness},
		"trailing bytes":      {func(_ *lab, r *streams.Record) { r.Value = append(r.Value, 0) }, lackStrictness},
	} {
		for _, defended := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := newLab(t, oneView)
					l.payPartition(1, 5)
					bad := l.Kafka.Record("orders", l.paid(streamNumber(1), "1.10", 1))
					bad.Partition = 1
					c.damage(l, bad)
					l.Kafka.ProduceRecords(bad)
					l.payPartition(1, 5)
					w := l.start(func(o *Options) {
						if !defended {
							careless := *l.views[0]
							c.lack(l, &careless)
							o.Views = []*View{&careless}
						}
					})
					end := l.Kafka.LSO("orders")[1]
					l.until("end of partition 1", func() bool { return stopped(w, 1) != nil || l.position(l.views[0], 1) == end })
					if refused := l.position(l.views[0], 1) == bad.Offset; refused != defended {
						t.Errorf("defended %t: refused %t: %v", defended, refused, stopped(w, 1))
					}
				})
			})
		}
	}
}

// lackStrictness has a view take another event for each that cannot be read.
func lackStrictness(l *lab, v *View) {
	v.codec = carelessCodec{v.codec, l.paid(1, "1.10", 1).Value}
}

type carelessCodec struct {
	streams.Codec
	other []byte
}

func (c carelessCodec) Reader(eventType string, paths []string) (streams.Reader, error) {
	r, err := c.Codec.Reader(eventType, paths)
	return carelessReader{r, c.other}, err
}

type carelessReader struct {
	streams.Reader
	other []byte
}

func (r carelessReader) Read(value []byte, slots []streams.Slot) error {
	if err := r.Reader.Read(value, slots); err != nil {
		return r.Reader.Read(r.other, slots)
	}
	return nil
}
