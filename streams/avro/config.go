package avro

import "errors"

// Config is the `schemas` block of the configuration.
type Config struct {
	// Folder holds the schemas: the file name is the event type. Required.
	Folder string `yaml:"folder"`
}

// errFolder says that the folder is missing.
var errFolder = errors.New("folder is missing; name the folder of the .avsc files, as in folder: schemas")

// Validate says what is wrong.
func (c Config) Validate() error {
	if c.Folder == "" {
		return errFolder
	}
	return nil
}
