package contract

import "unicode/utf8"

// Shorten returns a text that is longer than most bytes as its beginning and a mark: at
// most so many bytes, and no half of a character. The text itself is not kept in memory.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
