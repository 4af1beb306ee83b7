package tencentcar

import (
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
)

const describeBody = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`

const pythonBody = `{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="}`

// The vectors are from the documentation, from captured requests of the official
// SDKs, and from a verifier that agrees with all of these.
func TestTC3(t *testing.T) {
	t.Parallel()
	const both = "content-type;host"
	const form = "application/x-www-form-urlencoded"
	const utf8 = "application/json; charset=utf-8"
	query := "ClientSession=eyJhYmMiOjEyM30%3D&UserId=cg_user&UserIp=125.127.178.228"
	for _, v := range []struct {
		name                       string
		method, query, body, media string
		host, service, signed      string
		stamp                      int64
		key                        string
		unsigned                   bool
		action                     string
		payload, canonical, want   string
	}{
		{
			name: "documented GET", method: "GET", query: "Limit=10&Offset=0", media: form, host: "cvm.tencentcloudapi.com", service: "cvm", signed: both, stamp: 1539084154, key: docKey,
			canonical: "91c9c192c14460df6c1ffc69e34e6c5e90708de2a6d282cccf957dbf1aa7f3a7", want: "5da7a33f6993f0614b047e5df4582db9e9bf4672ba50567dba16c6ccf174c474",
		},
		{
			name: "documented POST", method: "POST", body: describeBody, media: utf8, host: "cvm.tencentcloudapi.com", service: "cvm", signed: both, stamp: 1551113065, key: docKey,
			payload: "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064", canonical: "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031", want: "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
		},
		{
			name: "documented POST, asterisk key", method: "POST", body: describeBody, media: utf8, host: "cvm.tencentcloudapi.com", service: "cvm", signed: both, stamp: 1551113065, key: starKey,
			want: "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c",
		},
		{
			name: "documented POST, action signed", method: "POST", body: describeBody, media: utf8, host: "cvm.tencentcloudapi.com", service: "cvm", signed: both + ";x-tc-action", stamp: 1551113065, key: starKey, action: "DescribeInstances",
			canonical: "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84", want: "be4f67d323c78ab9acb7395e43c0dbcf822a9cfac32fea2449a7bc7726b770a3",
		},

		{
			name: "V1", method: "POST", body: b1, media: jsonMedia, host: carHost, service: "car", signed: both, stamp: 1700000000, key: docKey,
			payload: "638a1c2388a285777bc07e95ccefdca2410b957a08fe80b943af210e0079c1e1", canonical: "00132da6dc6833332773cc2d9e03d1366af0b28b9b6048f03ee4c6f19b901296", want: "d039f2d8f81bf3b0a2b6d13620ebf8ca6205697cf37329193ab5f42b19f5fe25",
		},
		{
			name: "V2", method: "POST", body: pythonBody, media: jsonMedia, host: carHost, service: "car", signed: both, stamp: 1700000000, key: docKey,
			canonical: "fb5637f6d9c0fd5d045b98dee18074732ec4cf2bd8d78f43b22030a8de608fe2", want: "3ea26a705cacd27d92ab2f94f07c201f6847d8ae5c02c1179d2e8b9467198c2a",
		},
		{
			name: "V3", method: "POST", body: b1, media: utf8, host: carHost, service: "car", signed: both, stamp: 1700000000, key: docKey,
			canonical: "16d28a46192c9a1961b37ed3f7e7440fae0e1f364cb02f1b1eb28d8a58c7698e", want: "006ce3ad39df7f83b447c4eff314a4d64523d0c2d1005590d301fa0eee3a5778",
		},
		{
			name: "V4", method: "POST", body: b1, media: utf8, host: carHost, service: "car", signed: both + ";x-tc-action", stamp: 1700000000, key: docKey, action: "CreateSession",
			canonical: "4d9d83806eb6aeb194e525bee6b59134cfafc52f571f09ae01dc824676e900e0", want: "4a2b5efc48c866d264fe318092063862ffee5669dcacc0f42cde34328aff427c",
		},
		{
			name: "V5", method: "GET", query: query, media: form, host: carHost, service: "car", signed: both, stamp: 1700000000, key: docKey,
			canonical: "78ae250824e26022234abac6f4aa54cd05527e53ec972d7822aa894cae3d27cb", want: "28f80fa9990f03d739b7f407fe504738f9fdd4055ac9b5fda1615fdd001bbe5d",
		},
		{
			name: "V6", method: "POST", body: b1, media: jsonMedia, host: carHost, service: "car", signed: both, stamp: 1700000000, key: docKey, unsigned: true,
			payload: "438d4109ef0d676b8c2c7ed13cdfcb418e494d53b843d4634ce3b1085f07bb96", canonical: "fe557ea8c61db3140b4ed4b19f7c2e4b1dccbc3afb150c9bd39996a992da9013", want: "c4a991239d92ec959c4c4334310a9e0aacbda2b0fb29b9f2e5273675c0971ec2",
		},
		{
			name: "V7, Node on 127.0.0.1:8080", method: "POST", body: b1, media: jsonMedia, host: "127.0.0.1", service: "127", signed: both, stamp: 1700000000, key: docKey,
			canonical: "113ed4797aea91bdccd5fb0b45a2e8a1607e7f5734d684445dd3b12ee12d1027", want: "aba98147ddf15d72d8a76356a2534be07250701fc1ba9179d1f5465fe84493e9",
		},
		{
			name: "V8, Go on 127.0.0.1:8080", method: "POST", body: b1, media: jsonMedia, host: "127.0.0.1:8080", service: "car", signed: both, stamp: 1700000000, key: docKey,
			canonical: "a3c700c542591c7ad3329cbae8fd86f1420697c690f7e6818f0baad79355b944", want: "04af43e628dd0085c08b0424b41197a9c2451b801d6e745902a956af510f3199",
		},
		{
			name: "V9", method: "POST", body: `{"UserId":"cg_user","UserIp":"125.127.178.228","ProjectId":"cap-abcdefgh"}`, media: jsonMedia, host: carHost, service: "car", signed: both, stamp: 1700000000, key: docKey,
			canonical: "f2e5e53c4666122ad3fa073f163ddecf4feb47e9f0b7e81b27a91737f4b68a8f", want: "1133c26654098dfec7817a920969c02b580f03d59c59f4189035df64ec9770a9",
		},

		{
			name: "Go A and B", method: "POST", body: b1, media: jsonMedia, host: "127.0.0.1:18080", service: "car", signed: both, stamp: 1795353274, key: docKey,
			canonical: "34bcb8c8e4e210bf3b707ac67187969b6303075a2cd67d5670c16294b0e3f6f4", want: "28e8707867d6e4c6faf0279ec05a918d795b543f4761632f790747e55496d2fb",
		},
		{
			name: "Go C", method: "GET", query: query, media: form, host: "127.0.0.1:18080", service: "car", signed: both, stamp: 1795353274, key: docKey,
			canonical: "855ecc5d058818eac1a80eaf5bc7866b2ae1e3ecddd5dc166a97246663c849d3", want: "955f4153edd66725d4f009d2f2b08719cf5b1b0d634c9ca298631d980b4dbf9c",
		},
		{
			name: "Go F", method: "POST", body: b1, media: jsonMedia, host: "127.0.0.1:18080", service: "car", signed: both, stamp: 1795353274, key: docKey, unsigned: true,
			canonical: "587aec6ac0d69a4c60b53fa15dfe5040fcb9632ff032c792b8066ff7dff3a4e5", want: "77b6018b7947cea908226024bcd6fa5658948932ed8b3d3bd3de9200938cdf55",
		},
		{
			name: "Go I and K", method: "POST", body: b1, media: jsonMedia, host: carHost, service: "car", signed: both, stamp: 1795353274, key: docKey,
			canonical: "00132da6dc6833332773cc2d9e03d1366af0b28b9b6048f03ee4c6f19b901296", want: "4ba68126909c29c0a5094c57dd669e75a73786efe34af545456f34ad87957329",
		},
		{
			name: "Go J", method: "POST", body: "{\"UserId\":\"用户-1 \\u0026\\u003c\\u003e\",\"UserIp\":\"1.2.3.4\",\"RunMode\":\"RunWithoutClient\",\"Role\":\"\"}", media: jsonMedia, host: "127.0.0.1:18080", service: "car", signed: both, stamp: 1795353274, key: docKey,
			payload: "d903dcac073220d907c145c95bfbd3d3c89443fc7760290c0dc38af6c42fc660", want: "e920cd88bcaa2bc26c049d01671e72ee8428d5e58804ac49d856be7d91eac137",
		},
		{
			name: "Node A", method: "POST", body: b1, media: jsonMedia, host: "127.0.0.1", service: "127", signed: both, stamp: 1795353391, key: docKey,
			canonical: "113ed4797aea91bdccd5fb0b45a2e8a1607e7f5734d684445dd3b12ee12d1027", want: "ef595315291cd8cbac369b9b43b5ac5d7076f985c7ce0e55d35b9ac0b6006eac",
		},
		{
			name: "Node, localhost:18081", method: "POST", body: b1, media: jsonMedia, host: "localhost", service: "localhost:18081", signed: both, stamp: 1795353391, key: docKey,
			want: "4179b531af5d74e55e7b6092d69f0e32d31524f1043a532ef171785416ae8863",
		},
		{
			name: "Node, car.emulator.test", method: "POST", body: b1, media: jsonMedia, host: "car.emulator.test", service: "car", signed: both, stamp: 1795353764, key: docKey,
			want: "41ad675cf723a9ce5795eb91ebcbc1f1c5a293b6391138f9207b1aee6f26332a",
		},
		{
			name: "Python A", method: "POST", body: pythonBody, media: jsonMedia, host: "127.0.0.1:18082", service: "car", signed: both, stamp: 1795353391, key: docKey,
			payload: "365e93018b8fb737f42ff868b2aa55bf32e1bcf9c2a12a11609514a366caa3bc", want: "2eb52304bd6c64c5abcbd1af8bd548550adf530afb03ac5a9db9f2a134fded02",
		},
	} {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			r := request(v.method, "/?"+v.query, v.host, v.body, "Content-Type", v.media)
			if v.action != "" {
				r.Header.Set("X-Tc-Action", v.action)
			}
			if v.unsigned {
				r.Header.Set("X-Tc-Content-Sha256", unsignedPayload)
			}
			cl := &caller{unixTime: v.stamp, account: &account{SecretKey: v.key}}
			cl.timestamp = strconv.FormatInt(v.stamp, 10)
			cl.auth = authorization{date: time.Unix(v.stamp, 0).UTC().Format(time.DateOnly), service: v.service, signedHeaders: v.signed}
			s := signingOf(&contract.Call{Request: r}, cl)
			s.variant = variant{host: v.host, uri: "/"}
			if v.payload != "" && s.payload != v.payload {
				t.Errorf("got payload hash %s, want %s", s.payload, v.payload)
			}
			if got := digest(s.appendCanonical(nil)); v.canonical != "" && got != v.canonical {
				t.Errorf("got canonical hash %s, want %s", got, v.canonical)
			}
			if got := s.signature(); got != v.want {
				t.Errorf("got signature %s, want %s", got, v.want)
			}
		})
	}
}

func TestKeyChain(t *testing.T) {
	t.Parallel()
	for _, v := range []struct{ key, date, service, first, second, third string }{
		{
			starKey, "2019-02-25", "cvm",
			"f1cb4d518a0eda9d5cbbfdb7850983f1e603eeae484edea76e4dd8d8deb5556e",
			"e7c609ce81bea53546bed2cc904778bef9ca14082e48e67883443ed64e227cd7",
			"8aa8ab5755582f576e94bcfe383b8e29325b0ca90c3590d569221c6a63a091ed",
		},
		{
			docKey, "2023-11-14", "car",
			"887d0077ac19ed5cba18590a4fe79f7e1d851a9b05bd4e02a3af730156456978",
			"bd78574843d21c2773a56052a00f519792d896e2ee5bc23dafe5aaea20e1b9c3",
			"d0708c389723a70f35c2e823c43e2c28f526b5f1bfb84cbb2107fd1e99c1eb81",
		},
	} {
		first := hmacSHA256([]byte("TC3"+v.key), []byte(v.date))
		second := hmacSHA256(first, []byte(v.service))
		third := (&signing{date: v.date, service: v.service, prefix: "TC3", secret: v.key}).signingKey()
		for i, got := range [][]byte{first, second, third} {
			if want := []string{v.first, v.second, v.third}[i]; hex.EncodeToString(got) != want {
				t.Errorf("%s, link %d: got %x, want %s", v.date, i+1, got, want)
			}
		}
	}
}

func TestV1(t *testing.T) {
	t.Parallel()
	car := func(method string) []pair {
		p := []pair{
			{"Action", "CreateSession"},
			{"ClientSession", "eyJhYmMiOjEyM30="},
			{"Nonce", "11886"},
			{"SecretId", docID},
			{"Timestamp", "1700000000"},
			{"UserId", "cg_user"},
			{"UserIp", "125.127.178.228"},
			{"Version", "2022-01-10"},
		}
		return append(p, pair{"SignatureMethod", method})
	}
	cvm := func(id string) []pair {
		return []pair{
			{"Action", "DescribeInstances"},
			{"InstanceIds.0", "ins-09dx96dg"},
			{"Limit", "20"},
			{"Nonce", "11886"},
			{"Offset", "0"},
			{"Region", "ap-guangzhou"},
			{"SecretId", id},
			{"Timestamp", "1465185768"},
			{"Version", "2017-03-12"},
		}
	}
	var cl caller
	cl.readPairs(goDForm)
	goD := cl.pairs
	goE := []pair{
		{"Action", "CreateSession"},
		{"ClientSession", "eyJhYmMiOjEyM30="},
		{"Language", "zh-CN"},
		{"Nonce", "5169249520213903746"},
		{"Region", ""},
		{"RequestClient", "SDK_GO_1.3.209"},
		{"SecretId", docID},
		{"SignatureMethod", "HmacSHA1"},
		{"Timestamp", "1795353274"},
		{"UserId", "cg_user"},
		{"UserIp", "125.127.178.228"},
		{"Version", "2022-01-10"},
	}
	node := []pair{
		{"UserId", "cg_user"},
		{"UserIp", "125.127.178.228"},
		{"ClientSession", "eyJhYmMiOjEyM30="},
		{"Action", "CreateSession"},
		{"RequestClient", "SDK_NODEJS_4.1.313"},
		{"Nonce", "56980"},
		{"Timestamp", "1795353391"},
		{"Version", "2022-01-10"},
		{"SecretId", docID},
		{"SignatureMethod", "HmacSHA256"},
	}
	for _, v := range []struct {
		name, method, host string
		pairs              []pair
		sha256             bool
		key, want          string
	}{
		{"documented", "GET", "cvm.tencentcloudapi.com", cvm(docID), false, docKey, "EliP9YW3pW28FpsEdkXt/+WcGeI="},
		{"documented, asterisk key", "GET", "cvm.tencentcloudapi.com", cvm(starID), false, starKey, "zmmjn35mikh6pM3V7sUEuX4wyYM="},
		{"POST SHA256", "POST", carHost, car("HmacSHA256"), true, docKey, "c2yOtsI3pJiT1V7+atl74+TK+vawuhibQB8Q/Cdy4yY="},
		{"GET SHA256", "GET", carHost, car("HmacSHA256"), true, docKey, "2BilDm/sLLyUkExyvbCotDaniuxx0l0AemYawwtv8RA="},
		{"POST SHA1", "POST", carHost, car("HmacSHA1"), false, docKey, "mfAJc2cfJa2oXWChqpTZF8TAk08="},
		{"GET SHA1", "GET", carHost, car("HmacSHA1"), false, docKey, "TVGluB/aqhyqra9foooso3kq6sk="},
		{"Go D", "POST", "127.0.0.1:18080", goD, true, docKey, "D1xwTOA9Xpf8GvGgHrG+w8Ebe9uFKCmiXm6pEWfe42Y="},
		{"Go E", "GET", "127.0.0.1:18080", goE, false, docKey, "bc0TRS7vXYuZ5hoDPciIIhIWfCE="},
		{"Node", "POST", "127.0.0.1:18081", node, true, docKey, "4Ubk7Eke3ZFBku1wH86Z5WE5f5A6URD4sVBLPBjpXSk="},
	} {
		s := &signingV1{method: v.method, host: v.host, uri: "/", pairs: sorted(v.pairs), sha256: v.sha256, secret: v.key}
		if got := s.signature(); got != v.want {
			t.Errorf("%s: got %s for %q, want %s", v.name, got, s.stringToSign(), v.want)
		}
	}
}

const goDForm = "Action=CreateSession&ClientSession=eyJhYmMiOjEyM30%3D&Language=zh-CN&Nonce=690472595236579534&Region=ap-guangzhou&RequestClient=SDK_GO_1.3.209&SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE&Signature=D1xwTOA9Xpf8GvGgHrG%2Bw8Ebe9uFKCmiXm6pEWfe42Y%3D&SignatureMethod=HmacSHA256&Timestamp=1795353274&UserId=cg_user&UserIp=125.127.178.228&Version=2022-01-10"

func TestAuthorization(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("0a", 32)
	for _, v := range []struct{ header, fault, id, date, service string }{
		{authorizationHeader("AK", "2023-11-14/car", "content-type;host", sum), "", "AK", "2023-11-14", "car"},
		{authorizationHeader("AK", "2023-11-14/localhost:18081", "content-type;host;x-tc-action", sum), "", "AK", "2023-11-14", "localhost:18081"},
		{authorizationHeader("AK", "2023-11-14/a/b", "content-type;host", sum), "", "AK", "2023-11-14", "a/b"},
		{strings.ReplaceAll(authorizationHeader("AK", "2023-11-14/car", "content-type;host", sum), ", ", ","), "", "AK", "2023-11-14", "car"},
		{"SKIP", "`Algorithm`", "", "", ""},
		{"", "`Algorithm`", "", "", ""},
		{"TC3-HMAC-SHA256", "`Algorithm`", "", "", ""},
		{"Bearer abc", "`Algorithm`", "", "", ""},
		{"Basic QUtJRDpzZWNyZXQ=", "`Algorithm`", "", "", ""},
		{algorithm + " ", "`Authorization`", "", "", ""},
		{algorithm + " Credential=", "`Credential`", "", "", ""},
		{algorithm + " Nonsense=1", "`Authorization`", "", "", ""},
		{authorizationHeader("", "2023-11-14/car", "content-type;host", sum), "`Credential`", "", "", ""},
		{authorizationHeader("AK", "14.11.2023/car", "content-type;host", sum), "`Date` in Credential", "AK", "14.11.2023", ""},
		{authorizationHeader("AK", "2023-11-14/", "content-type;host", sum), "`Service` in Credential", "AK", "2023-11-14", ""},
		{strings.Replace(authorizationHeader("AK", "2023-11-14/car", "content-type;host", sum), scopeSuffix, "/aws4_request", 1), "`Service` in Credential", "AK", "2023-11-14", "car/aws4_request"},
		{authorizationHeader("AK", "2023-11-14/car", "host", sum), "`SignedHeaders`", "AK", "2023-11-14", "car"},
		{authorizationHeader("AK", "2023-11-14/car", "Content-Type;Host", sum), "`SignedHeaders`", "AK", "2023-11-14", "car"},
		{authorizationHeader("AK", "2023-11-14/car", "content-type;host;"+strings.Repeat("x;", 600), sum), "`SignedHeaders`", "AK", "2023-11-14", "car"},
		{authorizationHeader("AK", "2023-11-14/car", "content-type;host", sum[1:]), "`Signature`", "AK", "2023-11-14", "car"},
		{authorizationHeader("AK", "2023-11-14/car", "content-type;host", "z"+sum[1:]), "`Signature`", "AK", "2023-11-14", "car"},
		{authorizationHeader("AK", "2023-11-14/car", "content-type;host", sum) + ", Signature=" + sum, "`Authorization`", "", "", ""},
	} {
		a := parseAuthorization(v.header)
		if a.fault != v.fault || a.secretID != v.id || a.date != v.date || a.service != v.service {
			t.Errorf("%s: got %+v, want fault %q of %s/%s/%s", v.header, a, v.fault, v.id, v.date, v.service)
		}
	}
}

// No Authorization header changes the state: the user has no reservation.
func FuzzAuthorization(f *testing.F) {
	f.Add(authorizationHeader(docID, "2023-11-14/car", "content-type;host", "d039f2d8f81bf3b0a2b6d13620ebf8ca6205697cf37329193ab5f42b19f5fe25"), b1)
	f.Add(authorizationHeader(docID, "2023-11-14/localhost:18081", "content-type;host;x-tc-action", "d039f2d8f81bf3b0a2b6d13620ebf8ca6205697cf37329193ab5f42b19f5fe25"), b1)
	f.Add("SKIP", b1)
	f.Add(algorithm+" Credential=//, SignedHeaders=;;content-type;host, Signature=", "")
	f.Add("\x00,=,", "{}")
	f.Fuzz(func(t *testing.T, header, body string) {
		w := newWorld(t, conformance.Setting{Fixture: "one"})
		r := request("POST", "/", carHost, body, "Content-Type", jsonMedia, "X-TC-Action", "CreateSession", "X-TC-Version", version, "X-TC-Timestamp", "1700000000", "Authorization", header)
		w.serve(r)
		w.withState(func(st *state) {
			if len(st.Concurrencies) != 0 {
				t.Errorf("%q changed the state", header)
			}
		})
	})
}

func BenchmarkCreateSession(b *testing.B) {
	w := newWorld(b, conformance.Setting{Set: map[string]string{"rate_limits": "false"}})
	r := w.signed("CreateSession", contract.Values{"UserId": "cg_user", "UserIp": "125.127.178.228", "ClientSession": "eyJhYmMiOjEyM30="})
	b.ReportAllocs()
	for b.Loop() {
		if e := w.Corridor(b, r); e.Outcome != success {
			b.Fatal(e.Outcome)
		}
	}
}
