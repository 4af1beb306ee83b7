package journal

import (
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"
)

// Text is a body. In JSON it is a string; bytes that are no UTF-8 become
// "base64:" and their base64 form.
type Text []byte

// MarshalJSON writes the body as a string.
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.Valid(t) {
		return json.Marshal(string(t))
	}
	return json.Marshal("base64:" + base64.StdEncoding.EncodeToString(t))
}

// UnmarshalJSON reads what MarshalJSON wrote. A text that itself began with
// "base64:" and is valid base64 is read as bytes.
func (t *Text) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	const mark = "base64:"
	if len(s) >= len(mark) && s[:len(mark)] == mark {
		if b, err := base64.StdEncoding.DecodeString(s[len(mark):]); err == nil {
			*t = b
			return nil
		}
	}
	*t = Text(s)
	return nil
}
