package avro

import (
	"math/big"
	"testing"

	"github.com/twmb/avro"
)

func TestTwosComplement(t *testing.T) {
	for _, text := range []string{"0", "1", "-1", "127", "128", "-128", "-129", "255", "256", "-256", "-257", "9223372036854775808", "-9223372036854775809"} {
		n, _ := new(big.Int).SetString(text, 10)
		for _, b := range [][]byte{twosComplement(n), padded(n, 12)} {
			if got := avro.RatFromBytes(b, 0); got.Num().Cmp(n) != 0 {
				t.Errorf("%s becomes %x, which is %s", text, b, got)
			}
		}
	}
	if padded(big.NewInt(-129), 1) != nil {
		t.Error("-129 fits a byte")
	}
}

func TestBelow(t *testing.T) {
	ten, limit := big.NewInt(10), new(big.Int)
	limit.Exp(ten, big.NewInt(38), nil)
	high := new(big.Int).Rsh(limit, 64)
	high.Lsh(high.Add(high, big.NewInt(1)), 64) // its lower half is less than that of the limit
	for n, want := range map[*big.Int]bool{new(big.Int).Sub(limit, big.NewInt(1)): true, limit: false, high: false, new(big.Int).Lsh(ten, 200): false} {
		if got := below(tenTo38, string(twosComplement(n))); got != want {
			t.Errorf("%d: %v", n, got)
		}
		if got := below(tenTo38, string(twosComplement(n.Neg(n)))); got != want {
			t.Errorf("%d: %v", n, got)
		}
	}
}
