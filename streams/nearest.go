package streams

import "strings"

// Nearest returns the candidate that was probably meant by name, and "" where
// none is near. Upper and lower case, '-' and '_' count as the same; an
// exchange of two neighbours counts as one mistake. Allowed are one mistake in
// each three characters, at least one. Of several at the same distance, the
// first wins.
func Nearest(name string, candidates []string) string {
	name = plainName(name)
	best, limit := "", max(1, len([]rune(name))/3)
	if name == "" {
		return best
	}
	for _, c := range candidates {
		if d := distance([]rune(name), []rune(plainName(c))); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// maxNearest bounds the work that a hostile name can cause.
const maxNearest = 64

func plainName(s string) string {
	if len(s) > maxNearest {
		s = strings.ToValidUTF8(s[:maxNearest], "")
	}
	return strings.ReplaceAll(strings.ToLower(s), "-", "_")
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and exchanges of two neighbours.
func distance(a, b []rune) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next[0] = i + 1
		for j := range b {
			same := row[j]
			if a[i] != b[j] {
				same++
			}
			next[j+1] = min(same, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
