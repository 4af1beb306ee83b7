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

// AppendStrings writes a list of strings; nil as null.
func AppendStrings(b []byte, all []string) []byte {
	if all == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, s := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, s)
	}
	return append(b, ']')
}

// AppendGiven writes a string behind what stands before it, such as ,"code": with its
// comma, or nothing where it is empty.
func AppendGiven(b []byte, before, s string) []byte {
	if s == "" {
		return b
	}
	return AppendString(append(b, before...), s)
}
