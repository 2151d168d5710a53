package worker

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// single says whether the entry is a single value, and adds the problem where
// it is not.
func (d *decoder) single(e entry) bool {
	switch {
	case e.value.Kind != yaml.ScalarNode:
		d.wrong(e, "must be a single value, not %s", kindOf(e.value))
	case isNull(e.value):
		d.wrong(e, "has no value; write one, or remove the key to get the default")
	default:
		return true
	}
	return false
}

// text fills a type that reads itself from a text.
func (d *decoder) text(e entry, v reflect.Value) {
	if !d.single(e) {
		return
	}
	secret := v.Type() == secretType
	if secret {
		d.file.keep(e.value.Value)
	}
	err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(e.value.Value))
	switch {
	case err == nil:
	case secret || d.file.tainted[e.value]:
		d.wrong(e, "has a value of the wrong form")
	default:
		d.wrong(e, "is wrong: %v", err)
	}
}

func (d *decoder) duration(e entry, v reflect.Value) {
	if !d.single(e) {
		return
	}
	duration, err := time.ParseDuration(e.value.Value)
	_, bare := strconv.ParseFloat(e.value.Value, 64)
	switch {
	case bare == nil:
		d.wrong(e, "%s has no unit; write %s", d.quote(e.value), d.examples(e.value))
	case err != nil:
		d.wrong(e, "%s is not a duration; write 500ms, 30s, 5m or 1h30m", d.quote(e.value))
	case duration < 0:
		d.wrong(e, "%s must not be negative", d.quote(e.value))
	default:
		v.SetInt(int64(duration))
	}
}

// examples are what a number without a unit may have meant.
func (d *decoder) examples(n *yaml.Node) string {
	if d.file.tainted[n] || len(n.Value) > 10 {
		return "30s or 500ms"
	}
	return fmt.Sprintf("%ss or %sms", n.Value, n.Value)
}

// quote returns a value as a message may show it.
func (d *decoder) quote(n *yaml.Node) string {
	if d.file.tainted[n] {
		return streams.Redacted
	}
	return strconv.Quote(short(n.Value))
}

// scalar fills a plain Go type. The text counts, not what YAML takes it for:
// version 1.10 stays the string "1.10".
func (d *decoder) scalar(e entry, v reflect.Value) {
	if !d.single(e) {
		return
	}
	text := e.value.Value
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			d.wrong(e, "%s is neither true nor false", d.quote(e.value))
			return
		}
		v.SetBool(text == "true")
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if d.number(e, err) {
			v.SetInt(n)
		}
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if d.number(e, err) {
			v.SetUint(n)
		}
	case v.CanFloat():
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			d.wrong(e, "%s is not a number", d.quote(e.value))
			return
		}
		v.SetFloat(n)
	default:
		d.wrong(e, "cannot be set from YAML: it is a Go %s", v.Type())
	}
}

// number says whether a whole number was read, and adds the problem where not.
func (d *decoder) number(e entry, err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, strconv.ErrRange):
		d.wrong(e, "%s is out of range", d.quote(e.value))
	default:
		d.wrong(e, "%s is not a whole number", d.quote(e.value))
	}
	return false
}
