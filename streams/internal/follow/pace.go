package follow

import "time"

// PaceWindow is how far back a pace looks: one to two of it.
const PaceWindow = 10 * time.Second

// Pace measures how fast a position moves, lately.
type Pace struct{ from, next sample }

// sample is where the position was at a time.
type sample struct {
	position int64
	at       time.Time
}

// Begin forgets what was before.
func (p *Pace) Begin(position int64, now time.Time) {
	p.from = sample{position, now}
	p.next = p.from
}

// Move tells that the position has moved.
func (p *Pace) Move(position int64, now time.Time) {
	if now.Sub(p.next.at) >= PaceWindow {
		p.from, p.next = p.next, sample{position, now}
	}
}

// Rate is the offsets per second up to now.
func (p *Pace) Rate(position int64, now time.Time) float64 {
	took := now.Sub(p.from.at).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(position-p.from.position) / took
}

// Remaining estimates the time until a position reaches the stable end; 0 where
// it is there or nothing is known yet.
func Remaining(position, stable int64, rate float64) time.Duration {
	if rate <= 0 || position >= stable {
		return 0
	}
	return time.Duration(float64(stable-position) / rate * float64(time.Second))
}

// Share is how much of the way to an end a position is: 1 where it is reached.
func Share(position, end int64) float64 {
	if position >= end {
		return 1
	}
	return float64(position) / float64(end)
}
