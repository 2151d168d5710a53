// Package follow is what the runtimes have in common that follow partitions: a
// goroutine for each partition that is assigned, waiting for servers that are
// away, the speed of a position, and how an event is read.
package follow
