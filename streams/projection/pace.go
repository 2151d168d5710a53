package projection

import "time"

// paceWindow is how far back a pace looks: one to two of it.
const paceWindow = 10 * time.Second

// pace measures how fast a position moves, lately.
type pace struct{ from, next sample }

// sample is where the position was at a time.
type sample struct {
	position int64
	at       time.Time
}

// begin forgets what was before.
func (p *pace) begin(position int64, now time.Time) {
	p.from = sample{position, now}
	p.next = p.from
}

// move tells that the position has moved.
func (p *pace) move(position int64, now time.Time) {
	if now.Sub(p.next.at) >= paceWindow {
		p.from, p.next = p.next, sample{position, now}
	}
}

// rate is the offsets per second up to now.
func (p *pace) rate(position int64, now time.Time) float64 {
	took := now.Sub(p.from.at).Seconds()
	if took <= 0 {
		return 0
	}
	return float64(position-p.from.position) / took
}
