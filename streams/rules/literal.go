package rules

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// literalOf compiles a scalar that is not an expression: what YAML takes it for.
// A number with a point is a decimal, exactly as it stands there; a date is a
// text.
func literalOf(n *yaml.Node) (operand, error) {
	at := placeOf(n)
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		return textAt(at, literalText(n)), nil
	case "!!bool":
		return boolAt(at, strings.EqualFold(n.Value, "true")), nil
	case "!!null":
		if n.Value == "" {
			return operand{}, errors.New(`there is no value; write null to remove the field, "" for an empty text`)
		}
		return nilAt(at), nil
	case "!!int", "!!float":
		d, point, err := writtenNumber(n.Value)
		if err != nil {
			return operand{}, fmt.Errorf("%w, or quote it if it is a text", err)
		}
		if point {
			return decimalAt(at, d), nil
		}
		i, _ := d.Int64()
		return intAt(at, i), nil
	}
	return operand{}, fmt.Errorf("a value of the YAML type %s is not supported", n.ShortTag())
}
