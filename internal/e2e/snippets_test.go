package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// snippet returns the block of a language in a page of the documentation that
// holds a text, with the addresses and names of the test.
func (f *foreign) snippet(page, language, holds string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(f.t), "docs", page))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, rest := range strings.Split(string(text), "\n```"+language+"\n")[1:] {
		if block, _, ok := strings.Cut(rest, "```"); ok && strings.Contains(block, holds) {
			return f.local().Replace(block)
		}
	}
	f.t.Fatalf("docs/%s has no block of %s with %q", page, language, holds)
	return ""
}

// local turns addresses and names of the documentation into those of the test.
func (f *foreign) local() *strings.Replacer {
	host, port, _ := strings.Cut(f.RedisAddr, ":")
	return strings.NewReplacer(
		"127.0.0.1:6379", f.RedisAddr,
		`host="127.0.0.1", port=6379`, `host="`+host+`", port=`+port,
		"redis-cli ", "redis-cli -h "+host+" -p "+port+" ",
		"127.0.0.1:9092", strings.Join(f.Brokers, ","),
		"-t fines", "-t "+f.topic,
		"millrace:", f.Prefix,
		"fine.3", "fine.1",
		"fine-S38735", "fine-0",
		"fine-A1", "fine-1",
	)
}

// prints runs a foreign client and looks that it prints a text.
func (f *foreign) prints(want, name string, args ...string) {
	f.t.Helper()
	if got := f.run(name, args...); got != want {
		f.t.Errorf("%s prints\n%s\nwant\n%s", name, got, want)
	}
}

// What docs/redis-layout.md says in Go, Python and shell about reading rows.
func TestDocumentedReaders(t *testing.T) {
	f := foreignEnv(t)
	const page = "redis-layout.md"
	t.Run("go", func(t *testing.T) {
		f.file("main.go", `package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/redis/go-redis/v9"
)

func main() {
	if err := read(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func read(ctx context.Context) error {
`+f.snippet(page, "go", "HGetAll")+"return nil\n}\n")
		// -C: imports are those of this module
		f.prints("created 62.59\n", "go", "run", "-C", Root(t), filepath.Join(f.dir, "main.go"))
	})
	t.Run("python", func(t *testing.T) {
		needs(t, "python3")
		if exec.Command("python3", "-c", "import redis").Run() != nil {
			f.file("redis.py", redisModule)
		}
		f.file("read.py", f.snippet(page, "python", "hgetall"))
		f.prints("created 62.59\n", "python3", "read.py")
	})
	t.Run("sh", func(t *testing.T) {
		needs(t, "redis-cli")
		got := f.run("sh", "-c", f.snippet(page, "sh", "HGETALL"))
		for _, want := range []string{"status\ncreated\n", "amount\n62.59\n", f.Prefix + "{fine.1}:r:"} {
			if !strings.Contains(got, want) {
				t.Errorf("redis-cli prints\n%s\nwant %q in it", got, want)
			}
		}
	})
}

// redisModule stands in for Python's redis where that is not installed: as much
// of it as the documentation uses, by the standard library alone.
const redisModule = `
import socket

class Redis:
    def __init__(self, host, port, decode_responses):
        assert decode_responses
        self.wire = socket.create_connection((host, port)).makefile("rwb")

    def get(self, key):
        return self.ask("GET", key)

    def hgetall(self, key):
        row = self.ask("HGETALL", key)
        return dict(zip(row[::2], row[1::2]))

    def ask(self, *parts):
        self.wire.write(b"*%d\r\n" % len(parts))
        for part in parts:
            part = part.encode()
            self.wire.write(b"$%d\r\n%s\r\n" % (len(part), part))
        self.wire.flush()
        return self.answer()

    def answer(self):
        line = self.wire.readline()
        kind, n = line[:1], int(line[1:])
        if kind == b"*":
            return [self.answer() for _ in range(n)]
        assert kind == b"$", line
        return None if n < 0 else self.wire.read(n + 2)[:-2].decode()
`

// What docs/record.md says in Python and shell about writing an event.
func TestDocumentedWriters(t *testing.T) {
	f := foreignEnv(t, "kcat")
	const page = "record.md"
	if exec.Command("python3", "-c", "import fastavro").Run() == nil {
		f.file("write.py", f.snippet(page, "python", "fastavro"))
		f.run("python3", "write.py")
	} else {
		t.Log("the value is not written by the Python of docs/record.md: fastavro is not installed")
		f.file("payment.avro", f.payment("62.5"))
	}
	f.run("sh", "-c", f.snippet(page, "sh", "kcat"))
	f.paid("fine-1", "62.5")
}
