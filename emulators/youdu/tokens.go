package youdu

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// tokens are access tokens by their texts. As JSON they are a list, so that no text
// stands in a document but where Secrets yields it.
type tokens map[string]*token

// MarshalJSON writes the tokens in the order in which they were issued.
func (t tokens) MarshalJSON() ([]byte, error) {
	list := slices.SortedFunc(maps.Values(t), func(a, b *token) int {
		return cmp.Or(cmp.Compare(a.Serial, b.Serial), cmp.Compare(a.Token, b.Token))
	})
	document, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return document, nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *tokens) UnmarshalJSON(document []byte) error {
	var list []*token
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields() // as whoever reads the rest of a state
	if err := decoder.Decode(&list); err != nil {
		return fmt.Errorf("tokens: a list of tokens was expected: %w", err)
	}
	*t = tokens{}
	for n, one := range list {
		if one == nil {
			return fmt.Errorf("tokens: element %d is null", n)
		}
		(*t)[one.Token] = one
	}
	return nil
}
