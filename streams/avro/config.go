package avro

import "github.com/millrace/millrace/streams"

// Config is the `schemas` block of the configuration.
type Config struct {
	// Folder holds the schemas: the file name is the event type. A relative path
	// begins where the command is started, not at the configuration. Required.
	Folder string `yaml:"folder"`
}

// Validate says what is wrong.
func (c Config) Validate() error {
	if c.Folder == "" {
		return streams.FieldErrorf("folder", "folder is missing; name the folder of the .avsc files, as in folder: schemas")
	}
	return nil
}
