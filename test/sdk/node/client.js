// One call by the SDK as its README sets it up. Its arguments are a key's id, the key and
// the profile for HTTP as JSON; it prints how the call ended.
const { Client } = require("tencentcloud-sdk-nodejs/tencentcloud/services/car").car.v20220110;

const [secretId, secretKey, httpProfile] = process.argv.slice(2);
const client = new Client({
  credential: { secretId, secretKey },
  profile: { httpProfile: JSON.parse(httpProfile) },
});

client
  .CreateSession({ UserId: "cg_user", UserIp: "125.127.178.228", ClientSession: "eyJhYmMiOjEyM30=" })
  .then(
    (reply) => console.log(reply.ServerSession ? "success" : JSON.stringify(reply)),
    (e) => console.log(e.code || String(e)),
  );
