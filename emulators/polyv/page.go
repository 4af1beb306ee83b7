package polyv

import "github.com/understudy-suite/understudy/internal/contract"

// A page is one page of a list, as versions 2 and 3 show it. The fields
// are in the order of the session list's page; other pages have other orders.
type page struct {
	PageSize       int64 `json:"pageSize"`
	PageNumber     int64 `json:"pageNumber"`
	TotalItems     int64 `json:"totalItems"`
	Contents       any   `json:"contents"`
	Limit          int64 `json:"limit"`
	NextPageNumber int64 `json:"nextPageNumber"`
	StartRow       int64 `json:"startRow"`
	FirstPage      bool  `json:"firstPage"`
	LastPage       bool  `json:"lastPage"`
	PrePageNumber  int64 `json:"prePageNumber"`
	EndRow         int64 `json:"endRow"`
	TotalPages     int64 `json:"totalPages"`
	Offset         int64 `json:"offset"`
}

// newPage returns a page of size rows out of total. The formulas give the numbers
// of every known sample, odd ones too: limit is the number of rows shown, and an
// empty list has no last page, since page 1 is not page 0. No sample shows a second
// page or one past the end; both are inferred.
func newPage(number, size, total int64) *page {
	p := &page{PageSize: size, PageNumber: number, TotalItems: total}
	p.TotalPages = (total + size - 1) / size
	p.Offset = (number - 1) * size
	p.StartRow = p.Offset + 1
	p.EndRow = min(number*size, total)
	p.Limit = max(0, p.EndRow-p.Offset)
	p.FirstPage = number == 1
	p.LastPage = number == p.TotalPages
	p.NextPageNumber, p.PrePageNumber = number, number
	if number < p.TotalPages {
		p.NextPageNumber++
	}
	if number > 1 {
		p.PrePageNumber--
	}
	return p
}

// A page4 is one page of a list of version 4.
type page4 struct {
	PageNumber int64 `json:"pageNumber"`
	PageSize   int64 `json:"pageSize"`
	TotalPages int64 `json:"totalPages"`
	TotalItems int64 `json:"totalItems"`
	Contents   any   `json:"contents"`
}

// requestedPage returns the page that a call requests. Invalid values count as the
// default, since a scenario may force the success.
func requestedPage(c *contract.Call, name string, size int64) (number, rows int64) {
	number = pageParam(c, name, 1, maxInt)
	return number, pageParam(c, "pageSize", size, maxPageSize)
}

func pageParam(c *contract.Call, name string, otherwise, most int64) int64 {
	if n, fits := parseNumber(c.In.Text(name), otherwise); fits && n >= 1 && n <= most {
		return n
	}
	return otherwise
}

// pageRows are the rows of a page, whatever it lists.
func pageRows(contents contract.Param) []contract.Param {
	row := func(name, doc string) contract.Param {
		return contract.Param{Name: name, Type: contract.Integer, Need: contract.Required, Cite: citeSessions, Doc: doc}
	}
	truth := func(name, doc string) contract.Param {
		return contract.Param{Name: name, Type: contract.Boolean, Need: contract.Required, Cite: citeSessions, Doc: doc}
	}
	return []contract.Param{
		row("pageSize", "Rows of a page."),
		row("pageNumber", "The page that this is."),
		row("totalItems", "Rows of all pages."),
		contents,
		row("limit", "Documented as the size of a page; samples show the number of rows on this one."),
		row("nextPageNumber", "The number of the next page; of the last page its own."),
		row("startRow", "Where the page's first row stands among all, from 1."),
		truth("firstPage", "Whether this is the first page."),
		truth("lastPage", "Whether this is the last page. An empty list has none."),
		row("prePageNumber", "The number of the page before; of the first page its own."),
		row("endRow", "Where the page's last row stands among all."),
		row("totalPages", "Number of pages."),
		row("offset", "Rows before this page."),
	}
}
