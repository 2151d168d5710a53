package avro

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// parseExact parses a schema to encode by: what twmb/avro would cut or round is
// an error.
func parseExact(text string) (*avro.Schema, error) {
	return avro.Parse(text, exact("int", exactTime), exact("long", exactTime), exact("int", exactDuration), exact("long", exactDuration), exact("float", exactFloat))
}

// exact checks the values of a Go type that become a type of Avro's.
func exact[G any](avroType string, check func(v G, n *avro.SchemaNode) error) avro.CustomType {
	return avro.CustomType{AvroType: avroType, GoType: reflect.TypeFor[G](), Encode: func(v any, n *avro.SchemaNode) (any, error) {
		if err := check(v.(G), n); err != nil {
			return nil, err
		}
		return nil, avro.ErrSkipCustomType // go on as without us
	}}
}

func exactTime(v time.Time, n *avro.SchemaNode) error {
	t, err := streams.TimeOf(v)
	if unit := unitOf(n); err == nil && unit != 0 && t.Nanos%unit != 0 {
		return fmt.Errorf("%s is finer than a %s; truncate it", t, n.LogicalType)
	}
	return err
}

func exactDuration(v time.Duration, n *avro.SchemaNode) error {
	unit := map[string]time.Duration{"time-millis": time.Millisecond, "time-micros": time.Microsecond}[timeOfDay(n)]
	if unit != 0 && v%unit != 0 {
		return fmt.Errorf("%s is finer than a %s; truncate it", v, n.LogicalType)
	}
	return nil
}

func exactFloat(v float64, _ *avro.SchemaNode) error {
	if !math.IsNaN(v) && float64(float32(v)) != v {
		return fmt.Errorf("%v does not fit float: %w", v, errRounded)
	}
	return nil
}
