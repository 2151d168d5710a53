package projection

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// onRedis runs a test on the embedded Redis, and on the real one at
// MILLRACE_REDIS where that is set.
func onRedis(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Run("embedded", func(t *testing.T) {
		server := miniredis.RunT(t)
		test(t, newBench(t, server.Addr(), DefaultPrefix))
	})
	t.Run("real", func(t *testing.T) {
		addr := os.Getenv("MILLRACE_REDIS")
		if addr == "" {
			t.Skip("MILLRACE_REDIS is not set; start a redis-server and set it to host:port")
		}
		test(t, newBench(t, addr, fmt.Sprintf("test-%x:", rand.Uint64())))
	})
}

// bench is a store on a Redis, and what tests do with it.
type bench struct {
	t      testing.TB
	client *redis.Client
	store  *Store
	id     ViewID
	fields []rules.Field
	fold   *Fold
	at     Assignment
	begins Position // of a partition that has none
	load   *Load    // of the next batches
}

var (
	part0 = streams.Partition{Topic: "fines", Partition: 0}
	part1 = streams.Partition{Topic: "fines", Partition: 1}
)

func newBench(t testing.TB, addr, prefix string) *bench {
	t.Helper()
	client, err := OpenRedis(RedisConfig{Addr: addr, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, client: client, id: ViewID{Prefix: prefix, View: "fine", Version: 3}}
	t.Cleanup(func() {
		b.wipe()
		client.Close()
	})
	b.store = NewStore(client, b.id)
	return b
}

// definition is that of the tests' view.
func definition() Definition {
	return Definition{
		Layout: Layout, Digest: "d1", Text: "rules", ClusterID: "c1",
		Topics: map[string]TopicIdentity{"fines": {ID: "t1", Partitions: 2}},
	}
}

// begin defines the view with those fields and takes partition 0 over.
func (b *bench) begin(fields ...rules.Field) *bench {
	b.t.Helper()
	b.fields, b.fold, b.load = fields, NewFold(fields), nil
	b.define(definition())
	b.at = b.assign(part0)
	return b
}

func (b *bench) define(d Definition) {
	b.t.Helper()
	if err := b.store.Define(ctx(b.t), d); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) assign(p streams.Partition) Assignment {
	b.t.Helper()
	a, err := b.store.Assign(ctx(b.t), p, b.begins)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// apply sends the steps as a batch of one event behind the one before.
func (b *bench) apply(steps ...rules.Step) Answer {
	b.t.Helper()
	b.fold.Reset()
	if err := b.fold.Apply(Source{Topic: 0, Offset: b.at.Position.Offset}, steps); err != nil {
		b.t.Fatal(err)
	}
	return b.send(b.fold)
}

// send applies a fold as the next batch of partition 0, and moves on if it was
// applied.
func (b *bench) send(f *Fold) Answer {
	b.t.Helper()
	a := b.write(b.next(f))
	if a.Kind == AnswerOK {
		b.at.Position.Offset++
	}
	return a
}

// next is the batch behind the position.
func (b *bench) next(f *Fold) Write { return b.batch(b.at.Position.Offset, b.at.Position.Offset+1, f) }

// batch is a batch of partition 0.
func (b *bench) batch(first, next int64, f *Fold) Write {
	return Write{Partition: part0, Epoch: b.at.Epoch, First: At(first), Next: At(next), Fold: f, Load: b.load}
}

func (b *bench) write(w Write) Answer {
	b.t.Helper()
	a, err := b.store.Apply(ctx(b.t), w)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

// ok applies steps, which must succeed.
func (b *bench) ok(steps ...rules.Step) {
	b.t.Helper()
	if a := b.apply(steps...); a.Kind != AnswerOK {
		b.t.Fatalf("answer %+v", a)
	}
}

// row reads a row.
func (b *bench) row(key string) map[string]string {
	b.t.Helper()
	row, err := GetRow(ctx(b.t), b.client, b.id, key)
	if err != nil {
		b.t.Fatal(err)
	}
	return row
}

// wantRow compares a row with "field=value field=value"; empty: there is none.
func (b *bench) wantRow(key, want string) {
	b.t.Helper()
	fields := map[string]string{}
	for f := range strings.FieldsSeq(want) {
		name, value, _ := strings.Cut(f, "=")
		fields[name] = value
	}
	if got := b.row(key); fmt.Sprint(got) != fmt.Sprint(fields) {
		b.t.Errorf("row %s is %v, want %v", key, got, fields)
	}
}

// wantRows compares the number of rows that the script keeps.
func (b *bench) wantRows(want int64) {
	b.t.Helper()
	if got := b.bookkeeping().Rows; got != want {
		b.t.Errorf("%d rows, want %d", got, want)
	}
}

func (b *bench) bookkeeping() Bookkeeping {
	b.t.Helper()
	k, err := b.store.Bookkeeping(ctx(b.t))
	if err != nil {
		b.t.Fatal(err)
	}
	return k
}

// keys returns every key under the prefix, sorted by nothing.
func (b *bench) keys() (keys []string) {
	_ = scan(context.Background(), b.client, globOf(b.id.Prefix)+"*", func(key string) error {
		keys = append(keys, key)
		return nil
	})
	return keys
}

// wipe removes every key under the prefix.
func (b *bench) wipe() {
	if keys := b.keys(); len(keys) > 0 {
		b.client.Del(context.Background(), keys...)
	}
}

// dump returns everything under the prefix, as text.
func (b *bench) dump() map[string]string {
	b.t.Helper()
	all := map[string]string{}
	for _, key := range b.keys() {
		switch kind := b.client.Type(ctx(b.t), key).Val(); kind {
		case "hash":
			all[key] = fmt.Sprint(b.client.HGetAll(ctx(b.t), key).Val())
		case "string":
			all[key] = b.client.Get(ctx(b.t), key).Val()
		default:
			all[key] = kind
		}
	}
	return all
}

func ctx(t testing.TB) context.Context { return t.Context() }

// field returns a field of that family and kind.
func field(name string, family rules.Family, kind streams.Kind) rules.Field {
	return rules.Field{Name: name, Family: family, Type: streams.Type{Kind: kind}}
}

// step returns a step with those changes.
func step(key string, changes ...rules.Change) rules.Step {
	return rules.Step{Key: key, Changes: changes}
}

// change returns an op on field i with a value of a Go type that suggests it.
func change(i int, op rules.Op, value any) rules.Change {
	c := rules.Change{Field: i, Op: op}
	switch v := value.(type) {
	case string:
		c.Value.Slot.SetString(v)
	case int:
		c.Value.Slot.SetInt(int64(v))
	case int64:
		c.Value.Slot.SetInt(v)
	case bool:
		c.Value.Slot.SetBool(v)
	case float64:
		c.Value.Slot.SetFloat(v)
	case streams.Time:
		c.Value.Slot.SetTime(v)
	case streams.Decimal:
		c.Value.Decimal = v
	}
	return c
}

// dec reads a decimal.
func dec(s string) streams.Decimal {
	d, err := streams.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// at reads a time.
func at(s string) streams.Time {
	v, err := streams.ParseTime(s)
	if err != nil {
		panic(err)
	}
	return v
}
