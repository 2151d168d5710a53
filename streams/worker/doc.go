// Package worker is the shell around every worker process: flags, the YAML
// file, signals, probes, metrics and logs. It knows no runtime: a main hands
// [Main] an [App] that says which blocks of the file it reads and what it runs.
//
// # The configuration file
//
// One file configures all workers. A worker decodes the blocks that it knows,
// skips the blocks of the others by their names, and refuses everything else.
// All that is wrong is reported at once, each with file:line:column, the source
// line, a caret, and the name that was probably meant: see [Load] and
// [Problems].
//
// A block is decoded into a Go struct by the yaml tags of its fields. Then its
// WithDefaults and Validate methods run, where it has them: the same two that
// users of the Go packages call. An error that has a Field method is reported
// at the place of that field. Fields of type yaml.Node are handed over as they
// are, with their positions.
//
// The file is YAML without anchors, aliases, merge keys and tags: each would
// make a text mean something else than what stands there. Aliases are also how
// a small file becomes a huge one.
//
// # Variables
//
// After parsing, in the values of the blocks that are read:
//
//	${VAR}            the environment variable; an error where it is not set
//	${VAR:-default}   default where it is not set or empty; it holds no braces
//	${file:/path}     the content of a file, without one newline at its end; an
//	                  error where nothing is left. A relative path begins where
//	                  the command is started
//	$${               a literal ${
//
// A result never changes the structure: it stays one scalar, and the type of
// the setting decides what it means. What came from a file, or went into a
// setting of type streams.Secret, appears in no message and in no source line.
//
// # A run
//
// SIGTERM and SIGINT cancel the context that Run was given. Run then has
// admin.grace to come to its end; a second signal ends the process at once, but
// for one that comes within half a second: some senders signal twice.
// While it stops, the worker is not ready but alive.
//
// A second process of the same binary, with the flag --probe and the same file,
// asks the first one at admin.addr whether it is live, or ready: for orchestrators
// that run a command in the container, where there is no curl.
//
// Exit codes: 0 for a clean end, 1 for a failure at run time, 2 for a bad
// configuration or a bad command line.
package worker
