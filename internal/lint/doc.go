// Package lint holds tests of the source itself: which package may import which
// ([TestImports]), what no worker may be linked with ([TestLinks]), and how long
// functions and files may be ([TestSizes]). It has no other code.
//
// A new package, or a new import, is written into the table first: that is the
// moment to ask whether the edge should exist.
package lint
