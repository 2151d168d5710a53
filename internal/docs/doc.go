// Package docs holds tests of what is written for people: that the commands of
// the README print what it says, that links lead somewhere, and that every
// metric is in its table. It has no other code.
package docs
