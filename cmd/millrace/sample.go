package main

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// sample chooses streams by chance: of all that it is asked for those with the
// smallest hashes, so that it chooses the same ones wherever it meets them, and
// needs memory for no more than it chooses.
type sample struct {
	size   int // 0: all
	seed   maphash.Seed
	chosen []choice // by hash
	// drop is told of a stream that is chosen no more.
	drop func(stream []byte)
}

// choice is a stream and its hash.
type choice struct {
	hash   uint64
	stream string
}

func newSample(size int, drop func(stream []byte)) *sample {
	return &sample{size: size, seed: maphash.MakeSeed(), drop: drop}
}

// has says whether a stream is chosen so far. One that is not will never be.
func (s *sample) has(stream []byte) bool {
	if s.size == 0 {
		return true
	}
	c := choice{maphash.Bytes(s.seed, stream), ""}
	i, found := slices.BinarySearchFunc(s.chosen, c, func(a, b choice) int { return cmp.Compare(a.hash, b.hash) })
	switch {
	case found:
		return true
	case i == s.size:
		return false
	case len(s.chosen) == s.size:
		last := s.chosen[s.size-1]
		s.chosen = s.chosen[:s.size-1]
		s.drop([]byte(last.stream))
	}
	c.stream = string(stream)
	s.chosen = slices.Insert(s.chosen, i, c)
	return true
}
