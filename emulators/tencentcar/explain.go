package tencentcar

import (
	"fmt"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The refusals that the rows of the table explain.
var (
	ofSignature     = []*contract.Cause{signatureMismatch}
	ofAuthorization = []*contract.Cause{malformedAuthorization}
	ofType          = []*contract.Cause{wrongType}
)

// Advice that several rows give.
const (
	trimKey  = "Trim the secret key where it is read."
	signSent = "Write the body once, and sign and send the same bytes."
)

// mistakes are those that clients are known to make, the most frequent first.
var mistakes = []contract.Mistake{
	{Code: "signature_upper_case", Looks: "The signature is right but for its upper case.", Mend: "Write the hexadecimal digits in lower case.", Of: ofSignature, Made: tc3Of(tryUpperCase)},
	{Code: "verifier_strict", Looks: "The client signed as its SDK does for a local endpoint, which the strict verifier does not take.", Mend: "Use the documented host, or the switch verifier: lenient.", Of: ofSignature, Made: either(tc3Of(tryLenient), v1Of(tryLenientV1))},
	{Code: "signature_not_encoded", Looks: "The client sent the signature without percent-encoding, so that its + became a space.", Mend: "Percent-encode the value of Signature: + is %2B, / is %2F, = is %3D.", Of: ofSignature, Made: v1Of(tryLostPlus)},
	{Code: "signature_encoded_twice", Looks: "The signature is right, and percent-encoded twice.", Mend: "Encode each value once: libraries that write a form encode its values themselves.", Of: ofSignature, Made: v1Of(tryEncodedTwice)},
	{Code: "signature_hex", Looks: "The signature is right, and written in hexadecimal digits.", Mend: "Write a signature v1 in base64; only TC3 takes hexadecimal digits.", Of: ofSignature, Made: v1Of(tryHex)},
	{Code: "signature_base64_url", Looks: "The signature is right, and written in the base64 of addresses: - and _ for + and /, or without padding.", Mend: "Use standard base64 with padding, and percent-encode it.", Of: ofSignature, Made: v1Of(tryBase64URL)},

	{Code: "key_without_TC3", Looks: "The client derived the key from the secret key alone.", Mend: "Put TC3 before the secret key in the first HMAC.", Of: ofSignature, Made: tc3Of(change(func(s *signing) { s.prefix = "" }))},
	{Code: "key_with_newline", Looks: "The client's secret key ends in a line feed: it was read from a file and not trimmed.", Mend: trimKey, Of: ofSignature, Made: anyKey(keysBehind("\n", "\r\n"))},
	{Code: "key_with_space", Looks: "White space or quotes stand around the client's secret key.", Mend: trimKey, Of: ofSignature, Made: anyKey(keysAround)},
	{Code: "signed_with_secret_id", Looks: "The client signed with the SecretId in place of the secret key.", Mend: "Sign with the secret key; the SecretId only names it.", Of: ofSignature, Made: anyKey(keySecretID)},
	{Code: "signed_with_empty_key", Looks: "The client signed with an empty secret key.", Mend: "Look at where the key is read: the variable or the file is empty.", Of: ofSignature, Made: anyKey(keyEmpty)},
	{Code: "signed_with_other_key", Looks: "The client signed with the secret key of {owner} and named {SecretId}.", Mend: "Take both from the same account.", Of: ofSignature, Made: anyKey(keysOfOthers)},

	{Code: "signed_host_port", Looks: "The client signed the host {signed}, and the request came for {host}: they differ in the port alone.", Mend: "Sign the header Host as it is sent, with the port where it has one.", Of: ofSignature, Made: anyHost(hostsOfOtherPorts)},
	{Code: "signed_other_host", Looks: "The client signed the host {signed}; the request came for {host}. Something between them changed the header Host, or the client signs a name that it does not send.", Mend: "Sign the header Host as it is sent.", Of: ofSignature, Made: anyHost(likelyHosts)},
	{Code: "signed_other_method", Looks: "The client signed the method {signed} and sent a {sent}.", Mend: "Sign the method that is sent.", Of: ofSignature, Made: either(tc3Of(tryMethods), v1Of(tryMethodsV1))},
	{Code: "method_lower_case", Looks: "The client signed the method in lower case.", Mend: "Sign GET or POST in upper case.", Of: ofSignature, Made: either(tc3Of(change(func(s *signing) { s.method = strings.ToLower(s.method) })), v1Of(changeV1(func(s *signingV1) { s.method = strings.ToLower(s.method) })))},
	{Code: "empty_path", Looks: "The client signed no path.", Mend: "Sign /, whatever path is sent.", Of: ofSignature, Made: either(tc3Of(change(func(s *signing) { s.uri = "" })), v1Of(changeV1(func(s *signingV1) { s.uri = "" })))},
	{Code: "signed_other_content_type", Looks: "The client signed the Content-Type {signed} and sent {sent}: HTTP libraries add or change it behind the client's back.", Mend: "Set the header by hand, and sign what is sent.", Of: ofSignature, Made: tc3Of(tryContentTypes)},
	{Code: "signed_headers_unordered", Looks: "The lines of the headers that the client signed are in another order than its list {list}.", Mend: "Sort the names, and use the same order for the lines, for the list that is signed and for SignedHeaders.", Of: ofSignature, Made: tc3Of(tryHeaderOrders)},
	{Code: "missing_blank_line", Looks: "The client left out the empty line between the signed headers and their list.", Mend: "End every header in a line feed of its own, and put another before the list.", Of: ofSignature, Made: tc3Of(change(func(s *signing) { s.gap = "" }))},

	{Code: "signed_local_date", Looks: "The client signed with the day {day} of its own time zone.", Mend: "Take the UTC day of the timestamp for the credential, the string to sign and the key.", Of: ofSignature, Made: tc3Of(tryDays)},
	{Code: "signed_other_timestamp", Looks: "The client signed the timestamp {signed} and sent {sent}: it asked for the time twice, or in another unit.", Mend: "Ask for the time once, in seconds, and use it for the header, the day and the string to sign.", Of: ofSignature, Made: either(tc3Of(tryTimestamps), v1Of(tryTimestampsV1))},
	{Code: "signed_other_service", Looks: "The client signed for the service {signed} and named {service} in the credential.", Mend: "Use the same service for the credential, the string to sign and the key: car.", Of: ofSignature, Made: tc3Of(tryServices)},
	{Code: "signed_with_region", Looks: "The client derived the key over the region {region}, as AWS does.", Mend: "TC3 knows no region: derive the key over day, service and tc3_request.", Of: ofSignature, Made: tc3Of(tryRegions)},
	{Code: "signed_other_scope_end", Looks: "The client signed a scope, or derived a key, that ends in {signed}.", Mend: "End the scope and the derivation of the key in tc3_request.", Of: ofSignature, Made: tc3Of(tryScopeEnds)},
	{Code: "signed_other_algorithm", Looks: "The string that the client signed begins with {signed}.", Mend: "Begin the string to sign with TC3-HMAC-SHA256.", Of: ofSignature, Made: tc3Of(tryAlgorithms)},

	{Code: "signed_other_query", Looks: "{what}", Mend: "Sign the query of a GET as it is sent, and an empty one for a POST.", Of: ofSignature, Made: tc3Of(tryQueries)},
	{Code: "payload_hashed_twice", Looks: "The client hashed the hash of the body.", Mend: "Hash the body once.", Of: ofSignature, Made: tc3Of(change(func(s *signing) { s.payload = digest([]byte(s.payload)) }))},
	{Code: "payload_hash_upper_case", Looks: "The client wrote the hash of the body in upper case.", Mend: "Write its hexadecimal digits in lower case.", Of: ofSignature, Made: tc3Of(change(func(s *signing) { s.payload = strings.ToUpper(s.payload) }))},
	{Code: "signed_unsigned_payload", Looks: "The client signed " + unsignedPayload + " and did not send it in X-TC-Content-SHA256.", Mend: "Send the header, or sign the body.", Of: ofSignature, Made: tc3Of(change(func(s *signing) { s.payload = digest([]byte(unsignedPayload)) }))},
	{Code: "signed_body_respaced", Looks: "The client signed the same JSON with other white space or escapes than it sent: it was written twice, once to sign and once to send.", Mend: signSent, Of: ofSignature, Made: tc3Of(tryRespaced)},
	{Code: "signed_body_reordered", Looks: "The client signed the same JSON with its names sorted and sent them in another order.", Mend: signSent, Of: ofSignature, Made: tc3Of(tryReordered)},
	{Code: "signed_other_body", Looks: "{what}", Mend: signSent, Of: ofSignature, Made: tc3Of(tryBodies)},

	{Code: "signed_other_hash", Looks: "The client used the other hash.", Mend: "Name HmacSHA256 in SignatureMethod; without it HmacSHA1 applies.", Of: ofSignature, Made: v1Of(changeV1(func(s *signingV1) { s.sha256 = !s.sha256 }))},
	{Code: "signed_encoded_values", Looks: "The client signed the values percent-encoded.", Mend: "Sign the values as they are, and encode them when they are sent.", Of: ofSignature, Made: v1Of(tryEncodedValues)},
	{Code: "signed_decoded_values", Looks: "The client signed the values decoded once more than it sent them, or sent them encoded twice.", Mend: "Sign the values as they are, and encode them once when they are sent.", Of: ofSignature, Made: v1Of(changePairs(decodedOnceMore))},
	{Code: "signed_plus_for_space", Looks: "The client signed + where it sent a space: in a query or a form + stands for a space.", Mend: "Send %20 for a space and %2B for a plus sign, and sign the values decoded.", Of: ofSignature, Made: v1Of(changePairs(withPlus))},
	{Code: "signed_unsorted", Looks: "The client signed the parameters {order}.", Mend: "Sort them by name in ASCII order, upper case before lower case.", Of: ofSignature, Made: v1Of(tryOrders)},
	{Code: "signed_trimmed_values", Looks: "The client signed values without the white space at their ends, and sent it.", Mend: "Trim before signing, and send what was signed.", Of: ofSignature, Made: v1Of(changePairs(trimmed))},
	{Code: "signed_without_empty_values", Looks: "The client left parameters without a value out of what it signed, and sent them.", Mend: "Sign every parameter that is sent as name=, also an empty Region.", Of: ofSignature, Made: v1Of(changePairs(withoutEmpty))},

	{Code: "authorization_other_algorithm", Looks: "The Authorization header begins with {algorithm}.", Mend: "Begin it with TC3-HMAC-SHA256 and one space; upper case counts.", Of: ofAuthorization, Made: findAlgorithm},
	{Code: "scope_date_format", Looks: "The day in the credential is written {day}.", Mend: "Write it with hyphens: 2023-11-14.", Of: ofAuthorization, Made: findDayFormat},
	{Code: "scope_other_end", Looks: "The credential ends in {end}.", Mend: "End it in /tc3_request.", Of: ofAuthorization, Made: findScopeEnd},
	{Code: "signed_headers_case", Looks: "SignedHeaders is {list}, with upper case.", Mend: "Write the names in lower case, in the list and in the canonical request.", Of: ofAuthorization, Made: findHeaderCase},
	{Code: "signed_headers_lack", Looks: "SignedHeaders is {list}, which lacks {lacks}.", Mend: "Sign content-type and host with every request.", Of: ofAuthorization, Made: findLackingHeader},
	{Code: "signature_base64", Looks: "The signature is 32 bytes in base64.", Mend: "Write it as 64 hexadecimal digits in lower case.", Of: ofAuthorization, Made: findBase64Signature},
	{Code: "scope_local_date", Looks: "The day in the credential is {got}, a day beside {expected}, the UTC day of the timestamp: that of another time zone.", Mend: "Take the UTC day of the timestamp.", Of: []*contract.Cause{wrongScopeDate}, Made: findLocalDay},

	{Code: "timestamp_other_unit", Looks: "The timestamp {timestamp} is right in {unit}.", Mend: "Send it in seconds: 10 digits.", Of: []*contract.Cause{wrongScopeDate, clockSkew}, Made: findUnit},
	{Code: "timestamp_time_zone", Looks: "The timestamp {timestamp} is {skew} seconds away from the server's {serverUnix}, which is {zone} of a time zone.", Mend: "Unix time has no time zone: ask for it as it is, and convert no local time.", Of: []*contract.Cause{clockSkew}, Made: findZone},
	{Code: "timestamp_not_whole", Looks: "The timestamp is {got}, which is {what}.", Mend: "Send whole seconds since 1970: 10 digits.", Of: []*contract.Cause{notANumber}, Made: findTimestampForm},

	{Code: "secret_id_and_key_swapped", Looks: "The client sent the secret key of {owner} as its SecretId.", Mend: "Swap the two, and consider the key as told: it went over the wire.", Of: []*contract.Cause{unknownSecretID}, Made: findSwappedKey},
	{Code: "secret_id_not_trimmed", Looks: "White space or quotes stand around the SecretId {owner}.", Mend: "Trim it where it is read.", Of: []*contract.Cause{unknownSecretID}, Made: findUntrimmedID},
	{Code: "token_not_sent", Looks: "SecretId {SecretId} is a temporary key, and no token came with it.", Mend: "Send its token in X-TC-Token, or as Token with signature v1.", Of: []*contract.Cause{tokenMismatch}, Made: findMissingToken},
	{Code: "token_of_other_key", Looks: "The token belongs to {owner}, and the SecretId is {SecretId}.", Mend: "Take SecretId, key and token from the same answer.", Of: []*contract.Cause{tokenMismatch}, Made: findOthersToken},

	{Code: "action_case", Looks: "The action is {Action}; the one meant is {meant}.", Mend: "Upper and lower case count.", Of: []*contract.Cause{unknownAction}, Made: findAction},
	{Code: "json_sent_as_form", Looks: "The body is JSON, and its Content-Type is that of a form.", Mend: "Send Content-Type: application/json; curl -d says application/x-www-form-urlencoded unless told otherwise.", Of: []*contract.Cause{badForm}, Made: findJSON},
	{Code: "form_sent_as_json", Looks: "The body is a form, and was read as JSON.", Mend: "With TC3 send a JSON object, or the Content-Type application/x-www-form-urlencoded.", Of: []*contract.Cause{notJSON}, Made: findForm},
	{Code: "parameter_name_case", Looks: "{Action} declares {meant}, and {Name} came.", Mend: "Upper and lower case count: names begin with a capital letter.", Of: []*contract.Cause{unknownName}, Made: findName},
	{Code: "text_as_number", Looks: "{Name} is documented as a string, and {got} came without quotes.", Mend: "Send it in quotes.", Of: ofType, Made: findUnquoted},
}

// explainTC3 explains a refused TC3 signature, as long as no mistake is known.
func explainTC3(c *contract.Call) contract.Explanation {
	cl := callerOf(c)
	s := signingOf(c, cl)
	list := variants(c.Request, strict(c))
	s.variant = list[0]
	return contract.Explanation{
		Cause: signatureMismatch.Code, Text: mismatchText(cl, len(list), verifier(c)),
		Facts:    contract.Facts{{Name: "SecretId", Value: cl.secretID}, {Name: "variants", Value: len(list)}, {Name: "verifier", Value: verifier(c)}},
		Expected: s.describe() + "\n\nSignature under {SecretKey}: " + s.signature(),
		Got:      "Signature: " + cl.auth.signature,

		FirstDifference: firstDifference(s.signature(), cl.auth.signature), SignaturesDiffer: true,
		Signatures: []string{s.signature(), cl.auth.signature}, Keys: []string{s.secret},
	}
}

// explainV1 explains a refused signature v1, as long as no mistake is known.
func explainV1(c *contract.Call) contract.Explanation {
	cl := callerOf(c)
	s := signingV1Of(c, cl)
	list := variants(c.Request, strict(c))
	s.host, s.uri = list[0].host, list[0].uri
	return contract.Explanation{
		Cause: signatureMismatch.Code, Text: mismatchText(cl, len(list), verifier(c)),
		Facts:    contract.Facts{{Name: "SecretId", Value: cl.secretID}, {Name: "verifier", Value: verifier(c)}},
		Expected: s.stringToSign() + "\n\n" + s.hashName() + " under {SecretKey}: " + s.signature(),
		Got:      "Signature: " + cl.signature,

		FirstDifference: firstDifference(s.signature(), cl.signature), SignaturesDiffer: true,
		Signatures: []string{s.signature(), cl.signature}, Keys: []string{s.secret},
	}
}

// mismatchText is the explanation if no known mistake was made.
func mismatchText(cl *caller, tried int, verifier string) string {
	return fmt.Sprintf("The signature is not that of this request under the secret key of %s, in none of the %d ways that the %s verifier tries, "+
		"and no mistake that clients are known to make explains it. Compare what the client signed with what is expected here; the first thing to look at is the secret key.",
		cl.secretID, tried, verifier)
}

// firstDifference shows the first line in which two texts differ; "" if there is
// none.
func firstDifference(expected, got string) string {
	wantLines, gotLines := strings.Split(expected, "\n"), strings.Split(got, "\n")
	for i := range max(len(wantLines), len(gotLines)) {
		x, y := "nothing", "nothing"
		if i < len(wantLines) {
			x = fmt.Sprintf("%.300q", wantLines[i])
		}
		if i < len(gotLines) {
			y = fmt.Sprintf("%.300q", gotLines[i])
		}
		if x != y {
			return fmt.Sprintf("line %d: expected %s, got %s", i+1, x, y)
		}
	}
	return ""
}
