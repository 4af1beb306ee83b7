package wire

import "strconv"

// AppendMilliseconds writes microseconds as milliseconds, which JSON has without an
// exponent.
func AppendMilliseconds(b []byte, ms float64) []byte {
	if ms == 0 || ms >= 1e-3 && ms < 1e15 {
		return strconv.AppendFloat(b, ms, 'f', -1, 64)
	}
	return Append(b, ms)
}
