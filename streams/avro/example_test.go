package avro_test

import (
	"fmt"
	"math/big"
	"testing/fstest"
	"time"

	"github.com/millrace/millrace/streams/avro"
)

// A state in Go is a struct with a field for each of its schema's. What was
// written with a former schema is read as if with the newest one.
func ExampleNewRecord() {
	schemas := fstest.MapFS{"AccountState.avsc": {Data: []byte(`{"type": "record", "name": "AccountState", "fields": [
		{"name": "owner", "type": "string"},
		{"name": "balance", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
		{"name": "closed_at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": null}
	]}`)}}
	type AccountState struct {
		Owner    string     `avro:"owner"`
		Balance  *big.Rat   `avro:"balance"`
		ClosedAt *time.Time `avro:"closed_at"`
	}
	codec, err := avro.Open(schemas)
	if err != nil {
		fmt.Println(err)
		return
	}
	accounts, err := avro.NewRecord[AccountState](codec, "AccountState")
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := accounts.Encode(nil, AccountState{Owner: "Ada", Balance: big.NewRat(6259, 100)})
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := accounts.Decode(value)
	fmt.Println(state.Owner, state.Balance.FloatString(2), state.ClosedAt, err)
	_, err = accounts.Encode(nil, AccountState{Owner: "Ada", Balance: big.NewRat(1, 3)})
	fmt.Println(err)
	// Output:
	// Ada 62.59 <nil> <nil>
	// writing AccountState from avro_test.AccountState: avro: field balance: cannot use big.Rat with Avro type bytes: decimal value 1/3 cannot be represented at scale 2 without rounding
}
