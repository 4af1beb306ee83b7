// Package tencentcar emulates Tencent Cloud Application Rendering (CAR),
// service car, version 2022-01-10: the seven actions of the mainland API.
//
// One endpoint serves every action: POST or GET on /, the action named by the
// header X-TC-Action or, under signature v1, by the parameter Action. Every
// answer is HTTP 200 with Content-Type application/json and no charset. An error
// is inside the Response envelope. (The Python SDK takes an error with a charset
// for a success with null fields.)
//
// Emulated, and the pages it was read from:
//   - ApplyConcurrent, CreateSession, DestroySession, DescribeConcurrentCount,
//     StartPublishStream, StartPublishStreamWithURL, StopPublishStream
//     (cloud.tencent.com 1547/72826; TencentCloud/tencentcloud-sdk-go
//     car/v20220110);
//   - the life of a concurrency: reservation, reconnect window,
//     RunWithoutClient, cleaning, pre-launch, rooms and roles (tencentcloud.com
//     1158/49633; cloud.tencent.com 1547/102849 and 1162/90014);
//   - request structure and sizes (cloud.tencent.com 1547/72814), common
//     parameters, TC3-HMAC-SHA256, signature v1 and responses
//     (tencentyun/intlcloud-documents API 3.0), common error codes
//     (tencentcloud.com 1158/49970), limits per second (cloud.tencent.com
//     1278/109059);
//   - messages: real answers of the shared gateway, as public issues quote them.
//     Each outcome cites its issue. An outcome without a known quote has the
//     description from the catalogue of codes.
//
// Tencent does not publish for CAR how long a reservation lasts, how long
// cleaning and pre-launch take, and how many players a room takes. These are
// switches.
//
// Not emulated: the 26 actions that only the international site has
// (applications, projects and packs are rows of the fixture instead), console
// actions (they end in InvalidAction), WebRTC (a ServerSession is well-formed and
// leads to no machine).
package tencentcar
