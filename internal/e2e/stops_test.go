package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
)

// Whatever is wrong with a record, its partition stops at it, the log and the
// probe name it, and the others go on.
func TestRecordsThatCannotBeApplied(t *testing.T) {
	p := newPayments(t)
	p.pay(60)
	cases := []struct {
		change func(r *streams.Record)
		reason string
	}{
		{func(r *streams.Record) { *r = *p.kafka.Record(p.topic, p.event(streamIn(5))) }, "belongs in partition 5"},
		{func(r *streams.Record) { r.Headers = nil }, "ce_type is missing"},
		{func(r *streams.Record) { r.Key = nil }, "the key is null"},
		{func(r *streams.Record) { r.Value[2] ^= 1 }, "keep the former one"},
		{func(r *streams.Record) { r.Value = []byte("garbage") }, "Paid"},
	}
	bad := make([]*streams.Record, len(cases))
	for i, c := range cases {
		bad[i] = p.kafka.Record(p.topic, p.event(streamIn(int32(i))))
		c.change(bad[i])
		bad[i].Partition = int32(i)
	}
	p.kafka.ProduceRecords(bad...)
	p.pay(60)

	w := p.projector()
	for i, c := range cases {
		waitLog(w, 30*time.Second, "partition stopped", fmt.Sprintf("record %s/%d/%d", p.topic, i, bad[i].Offset), c.reason)
	}
	other := fmt.Sprintf("%s/%d", p.topic, len(cases))
	end := strconv.FormatInt(p.kafka.LSO(p.topic)[int32(len(cases))], 10)
	Poll(t, 30*time.Second, func() (bool, string) {
		at := p.Positions(paidView, 1)
		return at[other] == end, fmt.Sprintf("partition %s does not go on: %v, want %s", other, at, end)
	})
	ok, answer := w.ready()
	if ok || strings.Contains(answer, other+":") {
		t.Errorf("ready: %t, %s", ok, answer)
	}
	for i := range cases {
		at := strconv.FormatInt(bad[i].Offset, 10)
		if !strings.Contains(answer, fmt.Sprintf("%s/%d/%s", p.topic, i, at)) {
			t.Errorf("the probe does not name record %d: %s", i, answer)
		}
		if got := p.Positions(paidView, 1)[fmt.Sprintf("%s/%d", p.topic, i)]; got != at {
			t.Errorf("partition %d is at %s, the record at %s", i, got, at)
		}
	}
}

// Somebody writes text into one field and a sum at the edge of its range into
// another, in rows at the beginning, in the middle and at the end of a batch.
// Their partitions stop, name row and field, and nothing of the batch is written;
// when the values are mended and the worker is started again, everything is
// right.
func TestOpThatCannotApply(t *testing.T) {
	p := newPayments(t)
	p.pay(60)
	w := p.projector()
	w.WaitReady(time.Minute)
	p.caughtUp(30 * time.Second)
	first, middle, last, edge := streamsIn(0), streamsIn(1), streamsIn(2), streamsIn(3)
	foreign := []struct{ stream, value string }{
		{first[0], "much"},
		{middle[len(middle)/2], "much"},
		{last[len(last)-1], "much"},
		{edge[len(edge)-1], strings.Repeat("9", 38)},
	}
	good := make([]string, len(foreign))
	for i, f := range foreign {
		good[i] = p.Redis.HGet(p.context(), p.row(f.stream), "paid").Val()
		p.overwrite(f.stream, f.value)
	}
	p.pay(60)
	for _, f := range foreign {
		waitLog(w, 30*time.Second, "partition stopped", f.stream, "paid")
	}
	stable := p.kafka.LSO(p.topic)
	Poll(t, 30*time.Second, func() (bool, string) {
		at := p.Positions(paidView, 1)
		for n := int32(len(foreign)); n < paidPartitions; n++ {
			if at[fmt.Sprintf("%s/%d", p.topic, n)] != strconv.FormatInt(stable[n], 10) {
				return false, fmt.Sprintf("partition %d does not go on: %v, want %v", n, at, stable)
			}
		}
		return true, ""
	})
	ok, answer := w.ready()
	for i, f := range foreign {
		if ok || !strings.Contains(answer, f.stream) {
			t.Errorf("ready: %t, and the probe does not name row %s: %s", ok, f.stream, answer)
		}
		if got := p.Redis.HGet(p.context(), p.row(f.stream), "paid").Val(); got != f.value {
			t.Errorf("the foreign value became %s", got)
		}
		p.overwrite(f.stream, good[i])
	}
	w.Terminate()
	if code := w.Wait(30 * time.Second); code != 0 {
		t.Errorf("the worker left with code %d", code)
	}
	p.projector().WaitReady(time.Minute)
	p.caughtUp(30 * time.Second)
}

// streamsIn returns the streams that belong in a partition, of the first 60.
func streamsIn(partition int32) (ids []string) {
	for i := range 60 {
		if id := "order-" + itoa(i); streams.PartitionOf([]byte(id), paidPartitions) == partition {
			ids = append(ids, id)
		}
	}
	return ids
}

func (p *payments) overwrite(stream, value string) {
	p.t.Helper()
	if err := p.Redis.HSet(p.context(), p.row(stream), "paid", value).Err(); err != nil {
		p.t.Fatal(err)
	}
}
