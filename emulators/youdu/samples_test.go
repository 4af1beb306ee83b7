package youdu

import (
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

// sampleCalls are the session calls of the tests of Youdu's own libraries, with the
// values that stand there. A test of the library may run before any other, so that
// each call finds the fixture as it is.
var sampleCalls = []struct {
	test, fixture string
	buin          string
	appID, aesKey string
	op            *contract.Operation
	in            contract.Values
}{
	{"SessionClientTest.testCreateSession", "samples", "14797363", sampleApp, sampleKey, createSession, contract.Values{"title": "测试创建会话", "creator": "test1", "member": []any{"test2", "test3"}}},
	{"SessionClientTest.testGetSession", "samples", "14797363", sampleApp, sampleKey, getSession, contract.Values{"sessionId": vectorID}},
	{"SessionClientTest.testUpdateSessionTitle", "samples", "14797363", sampleApp, sampleKey, updateSession, contract.Values{"sessionId": vectorID, "opUser": "test1", "title": "修改后的标题"}},
	{"SessionClientTest.testAddSessionMember", "samples", "14797363", sampleApp, sampleKey, updateSession, contract.Values{"sessionId": vectorID, "opUser": "test1", "addMember": []any{"test4", "test5"}}},
	{"SessionClientTest.testDelSessionMember", "samples", "14797363", sampleApp, sampleKey, updateSession, contract.Values{"sessionId": vectorID, "opUser": "test1", "delMember": []any{"test4", "test5"}}},
	{"SessionClientTest.testUpdateSession", "samples", "14797363", sampleApp, sampleKey, updateSession, contract.Values{"sessionId": vectorID, "opUser": "test1", "title": "第二次修改会话标题", "addMember": []any{"test6", "test7", "max.chen"}, "delMember": []any{"test4", "test5"}}},
	{"SessionClientTest.testSendSingleTxtMsg", "samples", "14797363", sampleApp, sampleKey, sendMessage, contract.Values{"sender": "test1", "receiver": "test2", "msgType": "text", "text": contract.Values{"content": "有度即时通"}}},
	{"SessionClientTest.testSendSessionTxtMsg", "samples", "14797363", sampleApp, sampleKey, sendMessage, contract.Values{"sender": "test1", "sessionId": vectorID, "msgType": "text", "text": contract.Values{"content": "有度即时通"}}},

	// With the default fixture the same calls need the default's key.
	{"SessionClientTest.testUpdateSession", "default", "14797363", sampleApp, vectorKey, updateSession, contract.Values{"sessionId": vectorID, "opUser": "test1", "title": "第二次修改会话标题", "addMember": []any{"test6", "test7", "max.chen"}, "delMember": []any{"test4", "test5"}}},

	{"SessionMsgClientTest.testCreateSession", "default", "707168", orgApp, orgKey, createSession, contract.Values{"title": "接口测试创建会话", "creator": "max.chen", "member": []any{"ad1", "ad2", "ad3"}}},
	{"SessionMsgClientTest.testCreateSession of an older version", "default", "707168", orgApp, orgKey, createSession, contract.Values{"title": "接口测试创建会话", "creator": "max.chen", "member": []any{"max.chen", "cs1", "cs2"}}},
	{"SessionMsgClientTest.testGetSession", "default", "707168", orgApp, orgKey, getSession, contract.Values{"sessionId": "{7248ADE6-C9A9-4119-A9F5-F58CFE62F836}"}},
	{"SessionMsgClientTest.testUpdateSession", "default", "707168", orgApp, orgKey, updateSession, contract.Values{"sessionId": "{7248ADE6-C9A9-4119-A9F5-F58CFE62F836}", "opUser": "cs10", "title": "更新后的会话名称", "addMember": []any{"cs1", "cs5", "cs6", "cs7"}, "delMember": []any{"cs4"}}},
	{"SessionMsgClientTest.testSendSingleTxtMsg", "default", "707168", orgApp, orgKey, sendMessage, contract.Values{"sender": "cs1", "receiver": "max.chen", "msgType": "text", "text": contract.Values{"content": "有度即时通"}}},
	{"SessionMsgClientTest.testSendSessionTxtMsg", "default", "707168", orgApp, orgKey, sendMessage, contract.Values{"sender": "cs1", "sessionId": "{7248ADE6-C9A9-4119-A9F5-F58CFE62F836}", "msgType": "text", "text": contract.Values{"content": "有度即时通"}}},
	{"AppClientTest.testUploadFile", "default", "707168", "ydA7139AD03524491BAF899D14CBF6B6F3", "ZrWkHDXfFjzF0fdTAxGgzZUpr7EnndTFuSfklHpMKZ8=", uploadMedia, contract.Values{"type": "file", "name": "有度企业应用集成 .docx", "file": "hello"}},
	{"TestAllApi of youdu-sdk-go", "default", "666666", "yd37D192E9F20E448192827A001A84D443", "AY2O92Lpyr4M2IOXT05NQG3eaXd72FlS/QZ1l4vGKsQ=", uploadMedia, contract.Values{"type": "file", "name": "hello.txt", "file": "hello"}},
	{"GetSessionTest of youdu-sdk-csharp", "default", "14797363", vectorApp, vectorKey, getSession, contract.Values{"sessionId": "{726C0689-AB55-422A-B4F7-8BA8A580AF9E}"}},
}

// The keys that youdu-sdk-java prints for the applications of its tests.
const (
	sampleKey = "lZ/BHIk167HMScKEAWMIwPR4ivqJltn+YgMGvyf8BMc="
	orgKey    = "n76ut0qxPWozXbMxGMt8s9pgxUZKUxu/GJ5R5dz+u4g="
)

// TestSamples makes the calls of the vendor's own tests, as they are written there:
// an account, an application or a session that the fixtures lack would be refused.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, tt := range sampleCalls {
		t.Run(tt.fixture+" "+tt.test, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.fixture)
			credentials := contract.Values{"buin": tt.buin, "appId": tt.appID, "aesKey": tt.aesKey}
			send := func(op *contract.Operation, in contract.Values) {
				r, err := API.Sign(contract.Draft{Operation: op, In: in, Host: "127.0.0.1:7080", Credentials: credentials, Now: conformance.Noon})
				if err != nil {
					t.Fatal(err)
				}
				if e, _ := w.serve(conformance.HTTP(r)); e.Outcome != "success" {
					t.Fatalf("%s: got %s: %+v", op.Name, e.Outcome, e.Explanation)
				}
			}
			send(getToken, nil)
			w.withState(func(st *state) {
				for text, token := range st.Tokens {
					if token.AppID == tt.appID && token.Ends == token.Issued.Add(tokenLife*time.Second) {
						credentials["accessToken"] = text
					}
				}
			})
			send(tt.op, tt.in)
		})
	}
}
