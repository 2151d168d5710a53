package state

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// benchKeys is how many streams the benchmarks keep, with IDs of 24 bytes and
// states of 100.
const benchKeys = 5_000_000

// benchKey writes the nth stream ID to a buffer.
func benchKey(buf []byte, n uint64) []byte {
	buf = append(buf[:0], "order-000000000000000000"...)
	for i := len(buf) - 1; n > 0; i-- {
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	return buf
}

func filled(tb testing.TB, n uint64) *Memory {
	tb.Helper()
	m := NewMemory()
	value := make([]byte, 100)
	var key []byte
	for i := range n {
		key = benchKey(key, i)
		if err := m.Put(key, Entry{Offset: int64(i), Version: 1, Value: value}); err != nil {
			tb.Fatal(err)
		}
	}
	return m
}

// BenchmarkMemory reads, changes and writes entries in random order, and then
// has them collected.
func BenchmarkMemory(b *testing.B) {
	begun := time.Now()
	m := filled(b, benchKeys)
	perPut := float64(time.Since(begun).Nanoseconds()) / benchKeys
	b.Run("put", func(b *testing.B) {
		b.ReportMetric(perPut, "ns/key")
		b.ReportMetric(float64(m.Size())/benchKeys, "bytes/key")
	})
	b.Run("read-modify-write", func(b *testing.B) {
		b.ReportAllocs()
		var key []byte
		state := make([]byte, 0, 100)
		for b.Loop() {
			key = benchKey(key, rand.Uint64N(benchKeys))
			e, ok, err := m.Get(key)
			if !ok || err != nil {
				b.Fatal(ok, err)
			}
			state = append(state[:0], e.Value...)
			state[0]++
			e.Value = state
			e.Version++
			if err := m.Put(key, e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			for range m.All() {
			}
		}
	})
	b.Run("collect", func(b *testing.B) {
		for b.Loop() {
			runtime.GC()
		}
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		b.ReportMetric(float64(stats.PauseNs[(stats.NumGC+255)%256]), "pause-ns")
		b.ReportMetric(float64(stats.HeapAlloc)/(1<<20), "heap-MiB")
	})
	runtime.KeepAlive(m)
}
