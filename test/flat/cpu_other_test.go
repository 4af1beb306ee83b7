//go:build !unix

package flat_test

import "time"

func processorTime() time.Duration { return 0 }
