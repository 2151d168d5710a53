package projection

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// counters are fields as in a count and a sum.
var counters = []rules.Field{
	field("amount", rules.FamilyAdd, streams.KindDecimal),
	field("fines", rules.FamilyAdd, streams.KindInt),
}

// five are fields that are set.
var five = []rules.Field{
	field("amount", rules.FamilySet, streams.KindDecimal),
	field("at", rules.FamilySet, streams.KindTime),
	field("city", rules.FamilySet, streams.KindString),
	field("customer", rules.FamilySet, streams.KindString),
	field("status", rules.FamilySet, streams.KindString),
}

// four are fields of every family that reads.
var four = []rules.Field{
	field("amount", rules.FamilyAdd, streams.KindDecimal),
	field("fines", rules.FamilyAdd, streams.KindInt),
	field("highest", rules.FamilyMax, streams.KindDecimal),
	field("last", rules.FamilyLatest, streams.KindString),
}

// events returns the steps of so many events over so many rows.
func events(n, rows int, changes func(i int) []rules.Change) [][]rules.Step {
	r := rand.New(rand.NewPCG(1, 2))
	all := make([][]rules.Step, n)
	for i := range all {
		all[i] = []rules.Step{step(fmt.Sprintf("cus-%07d", r.IntN(rows)), changes(i)...)}
	}
	return all
}

func counted(i int) []rules.Change {
	return []rules.Change{change(0, rules.OpAdd, streams.NewDecimal(int64(6259+i), 2)), change(1, rules.OpAdd, 1)}
}

func fived(i int) []rules.Change {
	return []rules.Change{
		change(0, rules.OpSet, streams.NewDecimal(int64(6259+i), 2)),
		change(1, rules.OpSet, streams.Time{Nanos: 1_760_000_000_000_000_000 + int64(i), Offset: 3600}),
		change(2, rules.OpSet, "Amsterdam"), change(3, rules.OpSet, "customer-"+strconv.Itoa(i)), change(4, rules.OpSet, "paid"),
	}
}

func foured(i int) []rules.Change {
	amount := streams.NewDecimal(int64(6259+i), 2)
	return []rules.Change{
		change(0, rules.OpAdd, amount), change(1, rules.OpAdd, 1),
		change(2, rules.OpMax, amount), change(3, rules.OpLatest, "paid"),
	}
}

// workloads are those of the benchmarks: events of one batch over rows.
var workloads = []struct {
	name   string
	fields []rules.Field
	steps  [][]rules.Step
}{
	{"add2-1000-rows", counters, events(20_000, 1_000, counted)},
	{"set5-100000-rows", five, events(4_000, 100_000, fived)},
	{"add2-max-latest-100000-rows", four, events(5_000, 100_000, foured)},
}

func fill(b *testing.B, f *Fold, steps [][]rules.Step) {
	f.Reset()
	for i, s := range steps {
		if err := f.Apply(Source{Time: streams.Time{Nanos: int64(i)}, Offset: int64(i)}, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			f := NewFold(w.fields)
			for b.Loop() {
				fill(b, f, w.steps)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(w.steps)), "ns/event")
		})
	}
}

func BenchmarkPack(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			f := NewFold(w.fields)
			fill(b, f, w.steps)
			var size int
			for b.Loop() {
				size = len(f.pack("millrace:{fine.3}:r:"))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*f.Rows()), "ns/row")
			b.ReportMetric(float64(size)/float64(f.Rows()), "bytes/row")
		})
	}
}

// BenchmarkScript needs a Redis of its own at MILLRACE_REDIS: it reports the
// processor time that Redis takes, by INFO.
func BenchmarkScript(b *testing.B) {
	addr := os.Getenv("MILLRACE_REDIS")
	if addr == "" {
		b.Skip("MILLRACE_REDIS is not set; start a redis-server and set it to host:port")
	}
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			s := newBench(b, addr, "bench:").begin(w.fields...)
			fill(b, s.fold, w.steps)
			s.send(s.fold) // rows exist, as they mostly do
			before, rows := redisCPU(b, s), 0
			for b.Loop() {
				if a := s.send(s.fold); a.Kind != AnswerOK {
					b.Fatal(a)
				}
				rows += s.fold.Rows()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(rows), "µs/row")
			b.ReportMetric((redisCPU(b, s)-before)*1e6/float64(rows), "redis-µs/row")
			b.ReportMetric((redisCPU(b, s)-before)*1e6/float64(b.N*s.fold.Ops()), "redis-µs/op")
		})
	}
}

// redisCPU is the processor time that Redis took until now, in seconds.
func redisCPU(b *testing.B, s *bench) (sum float64) {
	for line := range strings.Lines(s.client.Info(b.Context(), "cpu").Val()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			x, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += x
		}
	}
	return sum
}
