package polyv

import "github.com/understudy-suite/understudy/internal/contract"

func why(c *contract.Call) contract.Explanation { return contract.Explanation{} }
