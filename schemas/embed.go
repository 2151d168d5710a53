// Package schemas holds the Avro schemas of the examples, so that a program can
// run one without any file: millrace demo does.
package schemas

import "embed"

// FS has a folder for each example. The file name is the event type.
//
//go:embed shop/*.avsc
var FS embed.FS
