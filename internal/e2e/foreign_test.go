package e2e

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
)

// foreignConfig is what the tests of this file run, but for the topic.
const foreignConfig = `
kafka:
  brokers: ["${MILLRACE_KAFKA}"]
  prefix: "${MILLRACE_KAFKA_PREFIX}"
redis:
  addr: "${MILLRACE_REDIS}"
  prefix: "${MILLRACE_PREFIX}"
schemas:
  folder: schemas
admin:
  addr: "${MILLRACE_ADMIN}"
projector:
  views:
    - name: fine
      topics: [TOPIC]
      key: "=stream"
      on_error: stop
      on:
        FineCreated:
          set: {status: created, amount: "=data.amount", created: "=time", place: "=data.place"}
        PaymentReceived:
          add: {payments: 1, paid: "=data.paid"}
`

const foreignPartitions = 12

// foreign is a topic with one event for each of a few fines, and a worker that
// has projected them.
type foreign struct {
	*Env
	topic  string
	dir    string // with fines.yaml and schemas
	worker *Worker
}

// needs skips a test where tools are not installed.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s (apt-get install kcat redis-tools python3)", tool)
		}
	}
}

// foreignEnv imports the fines fine-0 to fine-29.
func foreignEnv(t *testing.T, tools ...string) *foreign {
	t.Helper()
	f := &foreign{Env: New(t), dir: t.TempDir()}
	needs(t, tools...)
	f.topic = f.TopicName("fines")
	f.file("fines.yaml", strings.ReplaceAll(foreignConfig, "TOPIC", f.topic))
	var lines strings.Builder
	for i := range 30 {
		fmt.Fprintf(&lines, `{"stream":"fine-%d","version":1,"type":"FineCreated","time":"2024-03-01T09:15:00+01:00","data":{"amount":62.59,"place":"Città|%d"}}`+"\n", i, i)
	}
	lines.WriteString(`{"stream":"fine-0","version":2,"type":"PaymentReceived","time":"2024-03-09T16:20:00+01:00","data":{"paid":20.5}}` + "\n")
	f.file("fines.jsonl", lines.String())
	load := f.Start(WorkerSpec{Path: binaries.Binary(t, "millrace"), Dir: f.dir, Args: []string{
		"import", "--config", "fines.yaml", "--topic", f.topic, "--partitions", itoa(foreignPartitions), "--infer", "schemas", "fines.jsonl",
	}})
	if code := load.Wait(time.Minute); code != 0 {
		t.Fatalf("import ended with code %d", code)
	}
	f.worker = f.Start(WorkerSpec{Path: binaries.Binary(t, "projector"), Dir: f.dir, Args: []string{"--config", "fines.yaml"}})
	f.worker.WaitReady(time.Minute)
	f.WaitCaughtUp(time.Minute, f.topic, "fine")
	Poll(t, time.Minute, func() (bool, string) { // ready comes a moment before hot
		return f.Redis.Exists(f.context(), f.Prefix+"view:fine").Val() == 1, "no version of the view is live"
	})
	return f
}

func (f *foreign) file(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// run runs a foreign client and returns what it prints.
func (f *foreign) run(name string, args ...string) string {
	f.t.Helper()
	ctx := f.context()
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = f.dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// payment is the value of a payment, as it stands in a record.
func (f *foreign) payment(amount string) string {
	f.t.Helper()
	codec, err := avro.OpenFolder(filepath.Join(f.dir, "schemas"))
	if err != nil {
		f.t.Fatal(err)
	}
	writer, err := codec.JSONWriter("PaymentReceived")
	if err != nil {
		f.t.Fatal(err)
	}
	value, err := writer.EncodeJSON(nil, json.RawMessage(`{"paid":`+amount+`}`))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(value)
}

// pay has kcat write the second event of a stream, with its own partitioner
// unless a setting names another one.
func (f *foreign) pay(stream string, settings ...string) {
	f.t.Helper()
	f.file("value", f.payment("20.5"))
	args := []string{"-P", "-b", strings.Join(f.Brokers, ","), "-t", f.topic, "-k", stream}
	for _, s := range settings {
		args = append(args, "-X", s)
	}
	for _, header := range []string{
		"ce_specversion=1.0", "ce_id=" + stream + "-2", "ce_type=PaymentReceived", "ce_source=e2e/kcat", "ce_subject=" + stream,
		"ce_time=2024-03-09T16:20:00+01:00", "ce_sequence=" + streams.FormatSequence(2), "content-type=application/avro",
	} {
		args = append(args, "-H", header)
	}
	f.run("kcat", append(args, "value")...)
}

// kcat reads the keys and the headers of events, each in the partition that
// Java's partitioner gives its key.
func TestKcatReadsEvents(t *testing.T) {
	f := foreignEnv(t, "kcat")
	out := f.run("kcat", "-C", "-b", strings.Join(f.Brokers, ","), "-t", f.topic, "-e", "-q",
		"-X", "isolation.level=read_committed", "-f", `%k\t%p\t%h\n`)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 31 {
		t.Fatalf("kcat reads %d records, want 31:\n%s", len(lines), out)
	}
	for _, line := range lines {
		cells := strings.Split(line, "\t")
		if want := itoa(int(streams.PartitionOf([]byte(cells[0]), foreignPartitions))); cells[1] != want {
			t.Errorf("stream %s is in partition %s, want %s", cells[0], cells[1], want)
		}
		headers := map[string]string{}
		for _, h := range strings.Split(cells[2], ",") {
			name, value, _ := strings.Cut(h, "=")
			headers[name] = value
		}
		f.checkHeaders(cells[0], headers)
	}
}

var uuidv5 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (f *foreign) checkHeaders(stream string, got map[string]string) {
	f.t.Helper()
	if !uuidv5.MatchString(got["ce_id"]) {
		f.t.Errorf("stream %s: ce_id is %q, want a UUIDv5", stream, got["ce_id"])
	}
	want := map[string]string{
		"ce_specversion": "1.0", "ce_type": "FineCreated", "ce_source": "millrace/import", "ce_subject": stream,
		"ce_time": "2024-03-01T09:15:00+01:00", "ce_sequence": "00000000000000000001",
		"ce_correlationid": got["ce_id"], "content-type": "application/avro", "ce_id": got["ce_id"],
	}
	if got["ce_type"] == "PaymentReceived" {
		want["ce_type"], want["ce_time"], want["ce_sequence"] = "PaymentReceived", "2024-03-09T16:20:00+01:00", "00000000000000000002"
	}
	for name, value := range want {
		if got[name] != value {
			f.t.Errorf("stream %s: header %s is %q, want %q", stream, name, got[name], value)
		}
	}
	if len(got) != len(want) {
		f.t.Errorf("stream %s has headers %v, want %d of them", stream, got, len(want))
	}
}

// paid waits until the row of a fine has one payment, of that amount.
func (f *foreign) paid(stream, amount string) {
	f.t.Helper()
	key := f.Prefix + "{fine.1}:r:" + stream
	Poll(f.t, 30*time.Second, func() (bool, string) {
		row := f.Redis.HGetAll(f.context(), key).Val()
		return row["paid"] == amount && row["payments"] == "1", fmt.Sprintf("row %s is %v, with no payment of %s", stream, row, amount)
	})
}

// librdkafka writes events for us when it is told the partitioner.
func TestKcatWritesEvents(t *testing.T) {
	f := foreignEnv(t, "kcat")
	for i := 1; i < 10; i++ {
		f.pay("fine-"+itoa(i), "topic.partitioner=murmur2_random")
		f.paid("fine-"+itoa(i), "20.5")
	}
}

// By its default partitioner it puts a stream into two partitions: that record
// is refused by name and stops its partition, and the others go on.
func TestForeignPartitionerIsRefused(t *testing.T) {
	f := foreignEnv(t, "kcat")
	stranger, other, at := strangers(t)
	f.pay(stranger)
	refusal := fmt.Sprintf("record %s/%d/", f.topic, at)
	Poll(t, 30*time.Second, func() (bool, string) {
		log := f.worker.Log()
		ok := strings.Contains(log, "partition stopped") && strings.Contains(log, refusal) && strings.Contains(log, "murmur2_random")
		return ok, "the log does not say why the partition stopped"
	})
	if ok, answer := f.worker.ready(); ok || !strings.Contains(answer, refusal) {
		t.Errorf("ready: %t, %q; want not ready, by %q", ok, answer, refusal)
	}
	f.pay(other, "topic.partitioner=murmur2_random")
	f.paid(other, "20.5")
	if row := f.Redis.HGetAll(f.context(), f.Prefix+"{fine.1}:r:"+stranger).Val(); row["payments"] != "" {
		t.Errorf("the row of %s is %v; the record in the wrong partition is in it", stranger, row)
	}
}

// strangers returns a stream that librdkafka puts into another partition than
// Java, that partition, and a stream which is not in it.
func strangers(t *testing.T) (stranger, other string, at int32) {
	t.Helper()
	for i := 1; i < 30; i++ {
		key := "fine-" + itoa(i)
		crc := int32(crc32.ChecksumIEEE([]byte(key)) % foreignPartitions)
		switch here := streams.PartitionOf([]byte(key), foreignPartitions); {
		case stranger == "" && crc != here:
			stranger, at = key, crc
		case stranger != "" && here != at:
			return stranger, key, at
		}
	}
	t.Fatal("no such streams among the fines")
	return "", "", 0
}
