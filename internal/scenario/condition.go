package scenario

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/document"
)

// A Condition holds where a parameter equals a value. Their texts are
// compared, so that 5 equals "5": a value that comes in a query has no type.
type Condition struct {
	Param, Value string
}

// ParseCondition reads a condition as it is written on a command line:
// UserId=u1.
func ParseCondition(s string) (Condition, error) {
	param, value, ok := strings.Cut(s, "=")
	if !ok || param == "" {
		return Condition{}, fmt.Errorf("the condition is %s; parameter=value was expected, such as UserId=u1", document.Quote(s))
	}
	return Condition{Param: param, Value: value}, nil
}

// holds reports whether the condition holds for what a call says.
func (c Condition) holds(in contract.Values) bool {
	x, given := in[c.Param]
	if !given {
		return false
	}
	switch v := x.(type) {
	case string:
		return v == c.Value
	case contract.Raw:
		return string(v) == c.Value
	case json.Number:
		return string(v) == c.Value
	case bool:
		want, ok := contract.Boolean.Convert(contract.Raw(c.Value))
		return ok && want == v
	case int64:
		var digits [20]byte
		return string(strconv.AppendInt(digits[:0], v, 10)) == c.Value
	case float64:
		want, err := strconv.ParseFloat(c.Value, 64)
		return err == nil && want == v
	case time.Duration:
		want, err := time.ParseDuration(c.Value)
		return err == nil && want == v
	}
	return false
}

// why says why the condition does not hold.
func (c Condition) why(in contract.Values) string {
	return "where " + c.Param + ": got " + shown(in, c.Param) + ", want " + document.Quote(c.Value)
}

func shown(in contract.Values, name string) string {
	x, given := in[name]
	if !given {
		return "nothing"
	}
	switch v := x.(type) {
	case nil:
		return "null"
	case []any:
		return "a list"
	case contract.Values, map[string]any:
		return "an object"
	case string:
		return document.Quote(v)
	default:
		return document.Quote(fmt.Sprint(v))
	}
}
