package youdu

import (
	"net/http"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The pages from which rows and outcomes were read.
const (
	citeGlobal  = "youduim/youdu-doc docs/api/c01_00002.md"
	citeCodes   = "youduim/youdu-doc docs/api/a01_00009.md"
	citeFirst   = "youduim/youdu-doc docs/api/a01_00001.md"
	citeSession = "youduim/youdu-doc docs/api/c01_00008.md"
	citeSend    = "youduim/youdu-doc docs/api/c01_00009.md"
	citeEvents  = "youduim/youdu-doc docs/api/c01_00010.md"
	citeApps    = "youduim/youdu-doc docs/api/c01_00004.md"
	citeMedia   = "youduim/youdu-doc docs/api/c01_00017.md"
	citeSize    = "youduim/youdu-doc docs/admin/h01_00010.md"
	citeCSharp  = "youduim/youdu-sdk-csharp"
)

// The errors that the emulator itself gives.
var (
	notFound = &contract.Outcome{
		Name: "NOT_FOUND", Fails: true, Status: http.StatusNotFound, Message: "错误的请求",
		Doc: "The path is none of the API. No page describes the answer; a client library treats any status but 200 as a broken transport.",
	}
	noRight         = documentedError("NORIGHT")
	illegalAccess   = documentedError("ILLEGAL_ACCESS")
	invalidRequest  = documentedError("INVALID_REQUEST_5")
	badRequest      = documentedError("INVALID_REQUEST_100003")
	missToken       = documentedError("MISS_ACCESSTOKEN")
	tokenNotExist   = documentedError("ACCESSTOKEN_NOTEXIST")
	tokenExpired    = documentedError("ACCESSTOKEN_EXPIRED")
	invalidJSON     = documentedError("INVALID_FORMAT_JSON")
	invalidAppID    = documentedError("INVALID_APPID")
	invalidEncrypt  = documentedError("INVALID_ENCRYPT")
	missBuin        = documentedError("MISS_BUIN")
	invalidBuin     = documentedError("INVALID_BUIN")
	missAppID       = documentedError("MISS_APPID")
	missEncrypt     = documentedError("MISS_ENCRYPT")
	formatBuin      = documentedError("INVALID_FORMAT_BUIN")
	formatAppID     = documentedError("INVALID_FORMAT_APPID")
	formatEncrypt   = documentedError("INVALID_FORMAT_ENCRYPT")
	invalidReceiver = documentedError("INVALID_TOUSER")
	invalidForm     = documentedError("INVALID_MULTIPART")
	invalidFileType = documentedError("INVALID_FILETYPE")
	fileNotExist    = documentedError("FILE_NOTEXIST")
	accountTooLong  = documentedError("OVERLIMIT_USERID")
	userNotExist    = documentedError("USER_NOTEXIST")
)

// documentedError finds the outcome of a documented error.
func documentedError(name string) *contract.Outcome {
	o := documented[name]
	if o == nil {
		panic("youdu: there is no error " + name + " in the catalogue")
	}
	return o
}

// documented holds the outcome of each row of the catalogue by its name. common
// lists them in the catalogue's order: any call may end in any of them, since no
// page excludes one.
var documented, common = func() (map[string]*contract.Outcome, []*contract.Outcome) {
	byName, all := map[string]*contract.Outcome{}, make([]*contract.Outcome, 0, len(catalogue))
	for _, row := range catalogue {
		o := &contract.Outcome{Name: row.name, Fails: true, Status: http.StatusOK, Message: row.message, Doc: row.doc, Cite: citeCodes}
		byName[row.name] = o
		all = append(all, o)
	}
	return byName, all
}()

// errcodes holds the errcode of each error by its name.
var errcodes = func() map[string]int {
	all := map[string]int{notFound.Name: invalidRequestNumber}
	for _, row := range catalogue {
		all[row.name] = row.number
	}
	return all
}()

// invalidRequestNumber is the errcode of "bad request".
const invalidRequestNumber = 5

// An errorRow is one row of the page of status codes. The name is the constant
// without ERRCODE_; INVALID_REQUEST is there twice, so its number is added. The
// message is the page's text: no page quotes one of a real answer.
type errorRow struct {
	number             int
	name, message, doc string
}
