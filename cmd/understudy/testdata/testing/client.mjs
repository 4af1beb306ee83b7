// A client as a user of understudy may have one: it reads its environment, signs with
// TC3-HMAC-SHA256, and tries a second time where no concurrency is idle.
import { createHash, createHmac } from "node:crypto";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

async function call(action, parameters) {
  const { TENCENTCAR_ENDPOINT: host, TENCENTCLOUD_SECRET_ID: id, TENCENTCLOUD_SECRET_KEY: key } = process.env;
  const body = JSON.stringify(parameters), time = Math.floor(Date.now() / 1000);
  const date = new Date(time * 1000).toISOString().slice(0, 10), scope = `${date}/car/tc3_request`;
  const canonical = `POST\n/\n\ncontent-type:application/json\nhost:${host}\n\ncontent-type;host\n${sha256(body)}`;
  const signing = hmac(hmac(hmac("TC3" + key, date), "car"), "tc3_request");
  const signature = hmac(signing, `TC3-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString("hex");
  const answer = await fetch(`http://${host}/`, {
    method: "POST",
    body,
    headers: {
      "Content-Type": "application/json",
      "X-TC-Action": action,
      "X-TC-Version": "2022-01-10",
      "X-TC-Timestamp": String(time),
      Authorization: `TC3-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=content-type;host, Signature=${signature}`,
    },
  });
  const { Response } = await answer.json();
  if (Response.Error) throw Object.assign(new Error(Response.Error.Message), { code: Response.Error.Code });
  return Response;
}

export async function createSession(user) {
  const parameters = { UserId: user, UserIp: "125.127.178.228", ClientSession: "eyJhYmMiOjEyM30=" };
  try {
    return await call("CreateSession", parameters);
  } catch (error) {
    if (error.code !== "ResourceNotFound.NoIdle") throw error;
    return call("CreateSession", parameters);
  }
}
