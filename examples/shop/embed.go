// Package shop holds the configuration of the shop example, so that a program
// can run it without any file: millrace demo does.
package shop

import _ "embed"

//go:embed shop.yaml
var config string

// Config is the text of shop.yaml.
func Config() string { return config }
