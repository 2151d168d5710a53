package avro

import (
	"slices"
	"strings"
)

// nearest returns the names that may have been meant, at most two, the nearest
// first.
func nearest(name string, names []string) []string {
	limit := max(1, len(name)/3)
	type candidate struct {
		name string
		far  int
	}
	var near []candidate
	for _, n := range names {
		if far := distance(strings.ToLower(name), strings.ToLower(n)); far <= limit {
			near = append(near, candidate{n, far})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.far - b.far })
	var out []string
	for _, c := range near[:min(2, len(near))] {
		out = append(out, c.name)
	}
	return out
}

// distance is how many letters must be put in, left out or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
