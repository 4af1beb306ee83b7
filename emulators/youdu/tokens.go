package youdu

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/understudy-suite/understudy/internal/wire"
)

// tokens are access tokens by their texts. As JSON they are a list, so that no text
// stands in a document but where Secrets yields it.
type tokens map[string]*token

// MarshalJSON writes the tokens in the order in which they were issued.
func (t tokens) MarshalJSON() ([]byte, error) {
	list := slices.SortedFunc(maps.Values(t), func(a, b *token) int {
		return cmp.Or(cmp.Compare(a.Serial, b.Serial), cmp.Compare(a.Token, b.Token))
	})
	document, err := wire.Saved(list)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return document, nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *tokens) UnmarshalJSON(document []byte) error {
	var list []*token
	if err := wire.ReadSaved(document, &list); err != nil {
		return fmt.Errorf("tokens: %w", err)
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
