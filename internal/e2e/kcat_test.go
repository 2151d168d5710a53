package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/snapshot"
)

// kcat shows keys and headers of snapshots, of gone streams and of watermarks, as
// docs/snapshots.md says, so that readers in other languages have them, too.
func TestKcatReadsSnapshots(t *testing.T) {
	o := newOrders(New(t), 1)
	needs(t, "kcat")
	if err := o.write(300, 40); err != nil {
		t.Fatal(err)
	}
	o.compactor().WaitReady(time.Minute)
	want := map[string]string{}
	for p, history := range o.history {
		if len(history) == 0 {
			continue
		}
		o.watermarkByKcat(int32(p))
		for _, name := range []string{"beginning", "watermark"} {
			want[fmt.Sprintf("%d \x00%s", p, name)] = "content-type=application/json"
		}
		for _, c := range history {
			headers := fmt.Sprintf("src-offset=%d,src-version=%d", c.offset, c.after.version)
			if c.after.gone {
				headers += ",gone=true"
			}
			want[fmt.Sprintf("%d %s", p, c.stream)] = headers
		}
	}
	o.compareByKcat(want)
}

// kcat reads committed snapshots.
func (o *orders) kcat(args ...string) string {
	o.t.Helper()
	args = append([]string{"-b", strings.Join(o.Brokers, ","), "-t", o.snapshots, "-C", "-e", "-q", "-X", "isolation.level=read_committed"}, args...)
	out, err := exec.CommandContext(o.context(), "kcat", args...).Output()
	if err != nil {
		o.t.Fatalf("kcat %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// watermarkByKcat waits until the watermark of a partition is behind its last
// event: it stands before the marker of its transaction.
func (o *orders) watermarkByKcat(p int32) {
	o.t.Helper()
	want := snapshot.Watermark{Topic: o.topic, Partition: p, Partitions: orderPartitions, Next: o.end(p)}
	Poll(o.t, time.Minute, func() (bool, string) {
		out := o.kcat("-p", itoa(int(p)), "-o", "-2", "-f", "%k %s")
		text, ok := strings.CutPrefix(out, snapshot.WatermarkKey+" ")
		var w snapshot.Watermark
		if err := json.Unmarshal([]byte(text), &w); !ok || err != nil {
			return false, fmt.Sprintf("the last record of partition %d is %q", p, out)
		}
		known := w.TopicID != "" && w.Digest != ""
		w.TopicID, w.Digest = "", ""
		return known && w == want, fmt.Sprintf("the watermark of partition %d is %s, want %+v", p, text, want)
	})
}

// compareByKcat compares the last record of each partition and key with its
// headers, and says which streams have no state.
func (o *orders) compareByKcat(want map[string]string) {
	o.t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(o.kcat("-f", `%p %k\t%h\t%S\n`)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 3 {
			o.t.Fatalf("kcat prints %q", line)
		}
		got[cells[0]] = cells[1]
		if gone := strings.HasSuffix(cells[1], ",gone=true"); gone != (cells[2] == "0") {
			o.t.Errorf("%s with headers %s has a state of %s bytes", cells[0], cells[1], cells[2])
		}
	}
	for key, headers := range want {
		if got[key] != headers {
			o.t.Errorf("%s has headers %q, want %q", key, got[key], headers)
		}
	}
	if len(got) != len(want) {
		o.t.Errorf("kcat reads %d keys, want %d", len(got), len(want))
	}
}
