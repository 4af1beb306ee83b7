package youdu

import (
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// explainEnvelope explains why an envelope could not be decrypted: the step, and
// the mistake if it is a known one. It names a key by its application.
func explainEnvelope(c *contract.Call) contract.Explanation {
	cl := callerOf(c)
	v := cl.decryptFault.verdict()
	e := contract.Explanation{Cause: v.Cause.Code, Text: v.Fill(c, v.Cause.Text), Facts: v.Facts}
	if cl.keyApp == nil {
		return e
	}
	e.Expected = fmt.Sprintf("AES-256-CBC under the EncodingAESKey {aesKey} of %s, IV the first 16 bytes of that key, over: 16 bytes | length of the message, 4 bytes big-endian | message | %s | n bytes of value n up to a multiple of 32; then base64", cl.keyApp.AppID, cl.keyApp.AppID)
	text := cl.decryptFault.text
	e.Got = fmt.Sprintf("%.200q", text)
	e.Signatures, e.Keys = []string{text}, []string{cl.keyApp.AESKey}
	for i := range cl.apps {
		a := &cl.apps[i]
		if _, fault := a.open("it", text, false); fault == nil && a.AESKey != cl.keyApp.AESKey {
			e.Keys = append(e.Keys, a.AESKey)
			e.FirstDifference = "the key: the EncodingAESKey of " + a.AppID + " opens the envelope"
			return e
		}
	}
	if message, fault := cl.keyApp.open("it", text, false); fault == nil {
		e.FirstDifference = fmt.Sprintf("the appId at the end, behind the message %.80q", message)
		return e
	}
	e.FirstDifference, _, _ = strings.Cut(v.Cause.Text, ":")
	return e
}
