// Command orders writes the events of an invented online shop as lines of JSON,
// for millrace import.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/millrace/millrace/internal/shop"
)

func main() {
	events := flag.Int("events", 10_000, "how many events")
	seed := flag.Uint64("seed", 1, "the same seed gives the same events")
	flag.Parse()
	if flag.NArg() > 0 || *events < 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(os.Stdout, *seed, *events); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, seed uint64, events int) error {
	out := bufio.NewWriter(w)
	if _, err := io.Copy(out, shop.Lines(seed, events)); err != nil {
		return fmt.Errorf("writing %d events: %w", events, err)
	}
	return out.Flush()
}
