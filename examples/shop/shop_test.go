package shop_test

import (
	"io/fs"
	"maps"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	example "github.com/millrace/millrace/examples/shop"
	"github.com/millrace/millrace/internal/shop"
	"github.com/millrace/millrace/internal/shop/oracle"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/rules"
)

// The three views, compiled from shop.yaml and evaluated over encoded events,
// have the rows that the oracle computes from the same events as JSON.
func TestViewsHaveTheRowsOfTheOracle(t *testing.T) {
	const seed, n = 11, 20_000
	want, err := oracle.Compute(shop.Lines(seed, n))
	if err != nil {
		t.Fatal(err)
	}
	events := encode(t, seed, n)
	views := parse(t)
	if len(views) != len(want) {
		t.Fatalf("%d views, want %d", len(views), len(want))
	}
	for _, v := range views {
		got := evaluate(t, v, events)
		for key, row := range want[v.Name] {
			if !maps.Equal(got[key], row) {
				t.Fatalf("%s %s:\n got %v\nwant %v", v.Name, key, got[key], row)
			}
		}
		if len(got) != len(want[v.Name]) {
			t.Errorf("%s: %d rows, want %d", v.Name, len(got), len(want[v.Name]))
		}
	}
}

func codec(t *testing.T) *avro.Codec {
	t.Helper()
	folder, err := fs.Sub(schemas.FS, "shop")
	if err != nil {
		t.Fatal(err)
	}
	c, err := avro.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// encoded is an event as it stands in a topic.
type encoded struct {
	shop.Event
	value []byte
}

func encode(t *testing.T, seed uint64, n int) []encoded {
	t.Helper()
	c := codec(t)
	writers := make(map[string]*avro.JSONWriter)
	for _, kind := range c.EventTypes() {
		w, err := c.JSONWriter(kind)
		if err != nil {
			t.Fatal(err)
		}
		writers[kind] = w
	}
	var all []encoded
	err := shop.Generate(seed, n, func(e shop.Event) error {
		data, err := e.DataJSON()
		if err != nil {
			return err
		}
		value, err := writers[e.Type].EncodeJSON(nil, data)
		all = append(all, encoded{e, value})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func parse(t *testing.T) []*rules.View {
	t.Helper()
	var file struct {
		Projector struct {
			Views []yaml.Node `yaml:"views"`
		} `yaml:"projector"`
	}
	if err := yaml.Unmarshal([]byte(example.Config()), &file); err != nil {
		t.Fatal(err)
	}
	var views []*rules.View
	for i := range file.Projector.Views {
		v, problems := rules.Parse(&file.Projector.Views[i])
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		views = append(views, v)
	}
	return views
}

// evaluator evaluates the rules for one event type.
type evaluator struct {
	reader streams.Reader
	paths  int
	*rules.Evaluator
}

func evaluate(t *testing.T, v *rules.View, events []encoded) map[string]oracle.Row {
	t.Helper()
	c := codec(t)
	program, problems := v.Compile(rules.Options{Types: c.Types})
	if len(problems) > 0 {
		t.Fatal(v.Name, problems)
	}
	evaluators := make(map[string]evaluator)
	for name, e := range program.Events {
		r, err := c.Reader(name, e.Paths)
		if err != nil {
			t.Fatal(err)
		}
		evaluators[name] = evaluator{r, len(e.Paths), e.NewEvaluator()}
	}
	rows := make(map[string]oracle.Row)
	for _, e := range events {
		rule, named := evaluators[e.Type]
		if !named {
			continue
		}
		steps, err := rule.eval(e)
		if err != nil {
			t.Fatalf("%s: %s version %d: %v", v.Name, e.Stream, e.Version, err)
		}
		for _, s := range steps {
			apply(t, program, rows, s)
		}
	}
	return rows
}

func (v evaluator) eval(e encoded) ([]rules.Step, error) {
	slots := v.Slots()
	if err := v.reader.Read(e.value, slots[:v.paths]); err != nil {
		return nil, err
	}
	at, err := streams.ParseTime(e.Time)
	if err != nil {
		return nil, err
	}
	metas := slots[v.paths:]
	metas[rules.MetaStream].SetString(e.Stream)
	metas[rules.MetaTime].SetTime(at)
	return v.Eval()
}

// apply applies a step to the rows, in the plainest way.
func apply(t *testing.T, program *rules.Program, rows map[string]oracle.Row, s rules.Step) {
	t.Helper()
	key := strings.Clone(s.Key)
	if rows[key] == nil {
		rows[key] = make(oracle.Row)
	}
	for _, change := range s.Changes {
		field := program.Fields[change.Field]
		before, exists := rows[key][field.Name]
		switch change.Op {
		case rules.OpUnset:
			delete(rows[key], field.Name)
		case rules.OpSet:
			rows[key][field.Name] = text(field, change.Value)
		case rules.OpAdd:
			sum := change.Value.Decimal
			if field.Type.Kind == streams.KindInt {
				sum = streams.NewDecimal(change.Value.Slot.Int(), 0)
			}
			if exists {
				sum = sum.Add(decimal(t, before))
			}
			rows[key][field.Name] = sum.String()
		case rules.OpMax:
			if !exists || decimal(t, before).Cmp(change.Value.Decimal) < 0 {
				rows[key][field.Name] = change.Value.Decimal.String()
			}
		default:
			t.Fatalf("op %d on %s", change.Op, field.Name)
		}
	}
}

func decimal(t *testing.T, s string) streams.Decimal {
	t.Helper()
	d, err := streams.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func text(field rules.Field, v rules.Value) string {
	switch field.Type.Kind {
	case streams.KindDecimal:
		return v.Decimal.String()
	case streams.KindTime:
		return v.Slot.Time().String()
	case streams.KindInt:
		return streams.NewDecimal(v.Slot.Int(), 0).String()
	default:
		return strings.Clone(v.Slot.Str)
	}
}
