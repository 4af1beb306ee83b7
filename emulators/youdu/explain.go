package youdu

import (
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The refusals that the rows of the table explain. A text that was encrypted in
// another way can fail at any step.
var (
	ofText   = []*contract.Cause{notBase64, badLength, badPadding, tooShort, badSize, wrongTail}
	ofBase64 = []*contract.Cause{notBase64}
	ofOpened = []*contract.Cause{badLength, badPadding, tooShort, badSize, wrongTail}
	ofToken  = []*contract.Cause{unknownToken}
	ofNoName = []*contract.Cause{tokenMissing}
	ofApp    = []*contract.Cause{unknownApp}
	ofTypes  = []*contract.Cause{paramMistyped}
	ofTime   = []*contract.Cause{timeTooFarOff.cause}
)

// Advice that several rows give.
const (
	layoutAdvice = "Encrypt 16 bytes, the length of the message in 4 bytes, the message, the appId, and padding to a multiple of 32."
	keyAdvice    = "Decode the EncodingAESKey from base64 to 32 bytes: they are the key, and the first 16 of them the IV, of AES-256-CBC."
	tokenAdvice  = "Send the token as ?accessToken=… in the address."
)

// mistakes are those that clients are known to make, the most frequent first.
var mistakes = []contract.Mistake{
	{Code: "envelope_not_encrypted", Looks: "The field encrypt holds the message itself.", Mend: "Encrypt it, or use the switch plain.", Of: []*contract.Cause{notBase64, badLength, badPadding, fieldMistyped}, Made: findPlain},
	{Code: "envelope_base64_url", Looks: "The ciphertext is in the base64 of addresses, with - and _.", Mend: "Use the standard alphabet, with + and /.", Of: ofBase64, Made: reopened(standardAlphabet)},
	{Code: "envelope_base64_unpadded", Looks: "The ciphertext lacks the padding of base64.", Mend: "Keep the = at its end.", Of: ofBase64, Made: reopened(padded)},
	{Code: "envelope_base64_lines", Looks: "The ciphertext is in base64 with line breaks.", Mend: "Write it in one line: MIME's base64 breaks lines, others do not.", Of: ofBase64, Made: reopened(strings.NewReplacer("\r", "", "\n", "").Replace)},
	{Code: "envelope_plus_lost", Looks: "The + of the base64 have become spaces, as in a form that was decoded.", Mend: "Send JSON, or percent-encode what is sent in a form.", Of: ofBase64, Made: reopened(strings.NewReplacer(" ", "+").Replace)},
	{Code: "envelope_percent_encoded", Looks: "The ciphertext is percent-encoded.", Mend: "Send it in JSON as it is.", Of: ofBase64, Made: reopened(unescaped)},
	{Code: "envelope_hex", Looks: "The ciphertext is in hexadecimal digits.", Mend: "Write it in standard base64.", Of: ofText, Made: reopened(hexToBase64)},
	{Code: "envelope_encoded_twice", Looks: "The ciphertext is in base64 twice.", Mend: "Encode it once: some libraries return base64 from encrypting already.", Of: ofText, Made: reopened(decodedOnce)},

	{Code: "sealed_with_other_key", Looks: "The envelope was encrypted with the key of {owner} and names {appId}.", Mend: "Take appId and EncodingAESKey from the same application.", Of: ofOpened, Made: findOtherKey},
	{Code: "sealed_with_undecoded_key", Looks: "The envelope was encrypted with the characters of the EncodingAESKey.", Mend: keyAdvice, Of: ofOpened, Made: underKey(undecodedKey)},
	{Code: "sealed_with_short_key", Looks: "The envelope was encrypted with {bytes} bytes of the key.", Mend: keyAdvice, Of: ofOpened, Made: underKey(shortKeys)},
	{Code: "sealed_in_ecb", Looks: "The envelope was encrypted in the mode ECB.", Mend: keyAdvice, Of: ofOpened, Made: findECB},

	{Code: "padded_to_16", Looks: "The text was padded to a multiple of 16, as PKCS#7 does for AES.", Mend: "Pad to a multiple of 32: n bytes of value n, n from 1 to 32.", Of: ofOpened, Made: laidOutAs(paddedTo16)},
	{Code: "padded_with_zeros", Looks: "The text was padded with zero bytes.", Mend: "Pad with n bytes of value n, n from 1 to 32.", Of: ofOpened, Made: laidOutAs(paddedWithZeros)},
	{Code: "padding_missing", Looks: "The text was not padded.", Mend: "Pad also a text whose length is a multiple of 32: 32 bytes of value 32.", Of: ofOpened, Made: laidOutAs(unpaddedLayout)},
	{Code: "prefix_missing", Looks: "The 16 bytes before the length are missing.", Mend: layoutAdvice, Of: ofOpened, Made: laidOutAs(withoutPrefix)},
	{Code: "length_missing", Looks: "The 4 bytes of the length are missing.", Mend: layoutAdvice, Of: ofOpened, Made: laidOutAs(withoutLength)},
	{Code: "length_little_endian", Looks: "The length was written with its lowest byte first.", Mend: "Write it big-endian, in network order.", Of: ofOpened, Made: laidOutAs(littleEndian)},
	{Code: "length_counts_app_id", Looks: "The length counts the appId behind the message.", Mend: "Count the bytes of the message alone.", Of: ofOpened, Made: laidOutAs(lengthWithTail)},
	{Code: "length_in_characters", Looks: "The length counts characters in place of bytes.", Mend: "Encode the message in UTF-8 first, and count its bytes.", Of: ofOpened, Made: laidOutAs(lengthInCharacters)},
	{Code: "tail_missing", Looks: "Nothing stands behind the message.", Mend: "Put the appId there.", Of: ofOpened, Made: laidOutAs(withoutTail)},
	{Code: "tail_is_buin", Looks: "The buin stands behind the message.", Mend: "Put the appId there.", Of: ofOpened, Made: laidOutAs(tailIsBuin)},
	{Code: "tail_of_other_app", Looks: "Behind the message stands {owner}, another application, and the envelope names {appId}.", Mend: "Put there the appId of the envelope.", Of: ofOpened, Made: findOtherTail},
	{Code: "message_sealed_alone", Looks: "The message was encrypted alone.", Mend: layoutAdvice, Of: ofOpened, Made: laidOutAs(messageAlone)},

	{Code: "token_named_otherwise", Looks: "The query has no accessToken, and a parameter {got}.", Mend: "Upper and lower case count: send accessToken.", Of: ofNoName, Made: findTokenName},
	{Code: "token_in_header", Looks: "The token came in the header {got}.", Mend: tokenAdvice, Of: ofNoName, Made: findTokenHeader},
	{Code: "token_in_body", Looks: "The token came in the body.", Mend: tokenAdvice, Of: ofNoName, Made: findTokenBody},
	{Code: "token_not_decrypted", Looks: "The accessToken is what GetToken returned in encrypt.", Mend: "Decrypt it first: it holds the members accessToken and expireIn.", Of: ofToken, Made: findSealedToken},
	{Code: "token_not_trimmed", Looks: "White space or quotes stand around the accessToken.", Mend: "Send its 32 hexadecimal digits alone.", Of: ofToken, Made: findUntrimmedToken},
	{Code: "token_case", Looks: "The accessToken is one that was issued, but for its upper case.", Mend: "Send it as it is.", Of: ofToken, Made: findTokenCase},

	{Code: "form_for_json", Looks: "The body is a form.", Mend: "Send JSON; forms are taken by media/upload alone.", Of: []*contract.Cause{bodyNotJSON}, Made: findForm},
	{Code: "json_for_form", Looks: "The body is JSON, and {operation} takes multipart/form-data.", Mend: "Send a form with buin, appId and encrypt and the part file.", Of: []*contract.Cause{bodyNotForm}, Made: findJSON},
	{Code: "json_encoded_twice", Looks: "The JSON is a text that holds JSON: it was encoded twice.", Mend: "Encode it once.", Of: []*contract.Cause{bodyNotJSON, messageNotJSON}, Made: findTwice},
	{Code: "message_not_utf8", Looks: "The decrypted message is not UTF-8, but GBK perhaps.", Mend: "Encode it in UTF-8.", Of: []*contract.Cause{messageNotJSON}, Made: findEncoding},
	{Code: "envelope_other_names", Looks: "The envelope lacks {Name} and has {got}, as other calls of Youdu do.", Mend: "Session and media calls take buin, appId and encrypt.", Of: []*contract.Cause{fieldMissing}, Made: findOtherNames},
	{Code: "buin_as_text", Looks: "The buin is {got}, a number in quotes.", Mend: "Send it without quotes.", Of: []*contract.Cause{fieldMistyped}, Made: findBuinText},
	{Code: "buin_of_other_app", Looks: "The envelope says buin {buin}, and {appId} belongs to {owner}.", Mend: "Take buin and appId from the same application.", Of: []*contract.Cause{unknownBuin, unknownApp}, Made: findOtherBuin},
	{Code: "app_id_spelling", Looks: "The appId {got} differs from {meant} in upper and lower case or in white space.", Mend: "Send it as it is.", Of: ofApp, Made: findAppSpelling},
	{Code: "app_id_and_key_swapped", Looks: "The client sent the EncodingAESKey of {owner} as its appId.", Mend: "Swap the two, and consider the key as told: it went over the wire.", Of: ofApp, Made: findSwappedKey},

	{Code: "time_in_milliseconds", Looks: "The encrypted time {got} is right in milliseconds.", Mend: "Encrypt the seconds since 1970.", Of: ofTime, Made: findMilliseconds},
	{Code: "time_zone", Looks: "The encrypted time {got} is {zone} of a time zone away from the server's {now}.", Mend: "Unix time has no time zone: ask for it as it is, and convert no local time.", Of: ofTime, Made: findZone},
	{Code: "number_as_text", Looks: "{Name} is {got}, in quotes; {expected} was expected.", Mend: "Send it without quotes.", Of: ofTypes, Made: findQuoted},
	{Code: "text_as_number", Looks: "{Name} is {got}, without quotes; {expected} was expected.", Mend: "Send it in quotes.", Of: ofTypes, Made: findUnquoted},
	{Code: "list_as_text", Looks: "{Name} is the single value {got}; {expected} was expected.", Mend: "Send a list, also of one.", Of: ofTypes, Made: findSingle},
}

// explainEnvelope explains why an envelope could not be decrypted: the step at
// which it failed. It names a key by its application.
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
	if message, fault := cl.keyApp.open("it", text, false); fault == nil {
		e.FirstDifference = fmt.Sprintf("the appId at the end, behind the message %.80q", message)
		return e
	}
	e.FirstDifference, _, _ = strings.Cut(v.Cause.Text, ":")
	return e
}
