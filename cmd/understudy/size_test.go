package main

import (
	"strings"
	"testing"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		bytes int64
		shown string
	}{
		"0": {0, "0"}, "0GiB": {0, "0"}, "1": {1, "1"}, "1B": {1, "1"}, "1024": {1 << 10, "1KiB"}, "1500": {1500, "1500"}, "512KiB": {512 << 10, "512KiB"},
		"256MiB": {256 << 20, "256MiB"}, "2GiB": {2 << 30, "2GiB"}, "3072MiB": {3 << 30, "3GiB"},
	} {
		var bytes int64
		s := size{&bytes}
		if err := s.Set(text); err != nil || bytes != want.bytes || s.String() != want.shown {
			t.Errorf("%s: got %d, %s, %v", text, bytes, s, err)
		}
	}
	for text, want := range map[string]string{
		"": "expected", "MiB": "expected", "-1": "expected", "1.5MiB": "expected", "1MB": "expected", "1 MiB": "expected", "1mib": "expected",
		"9999999999GiB": "too large", "99999999999999999999": "too large",
	} {
		bytes := int64(7)
		if err := (size{&bytes}).Set(text); err == nil || !strings.Contains(err.Error(), want) || bytes != 7 {
			t.Errorf("%q: got %v, %d", text, err, bytes)
		}
	}
}
