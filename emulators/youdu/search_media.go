package youdu

import (
	"github.com/understudy-suite/understudy/internal/contract"
)

var searchMedia = &contract.Operation{
	Name:   "SearchMedia",
	Doc:    "Returns the name and the size of a file.",
	Cite:   citeMedia,
	Method: "POST", Path: "/cgi/media/search", Aliases: alias("/cgi/media/search"),
	Params:   []contract.Param{tokenRow, mediaIDRow},
	Outcomes: contract.Outcomes(searched, invalidRequest, fileNotExist),
	Decide:   decideMedia(searched),
}

var searched = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The name and the size of the file are returned.", Cite: citeMedia,
	Returns: mediaRows, Do: doSearch,
}

func doSearch(c *contract.Call) any {
	f := mediaFile(c)
	return &mediaReply{f.Name, int64(len(f.Content))}
}
