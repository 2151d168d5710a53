package follow

// Reasoner is what may have to be waited for: an [Outage], a reader, an assigner.
type Reasoner interface {
	// Reason says what it waits for; empty where it does not.
	Reason() string
}

// Reasons are those of all that wait. Each stands behind the name of who is not
// ready because of it.
func Reasons(name string, of []Reasoner) (why []string) {
	for _, r := range of {
		if reason := r.Reason(); reason != "" {
			why = append(why, name+": "+reason)
		}
	}
	return why
}
