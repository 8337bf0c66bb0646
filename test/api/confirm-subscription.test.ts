import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { confirmSubscription } from "../../api/services/confirm-subscription.ts";

const URL_OF_SNS =
  "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:123456789012:photos&Token=2336412f37";

/** A server in the place of SNS, and what visits it instead. */
async function standIn(listener: RequestListener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const visited: string[] = [];
  const visit = async (url: Parameters<typeof fetch>[0], init?: RequestInit) => {
    visited.push(url instanceof Request ? url.url : url.toString());
    return fetch(`http://127.0.0.1:${port}/`, init);
  };
  return { visit, visited };
}

test("a subscription is confirmed by visiting SNS", async () => {
  const { visit, visited } = await standIn((_, response) => response.end("<ConfirmSubscriptionResponse/>"));
  await confirmSubscription(URL_OF_SNS, visit);
  await confirmSubscription(
    URL_OF_SNS.replace("eu-central-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"),
    visit,
  );
  expect(visited).toHaveLength(2);
});

test.each([
  "http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
  "https://sns.eu-central-1.amazonaws.com.evil.example/?Action=ConfirmSubscription",
  "https://evil.example/?Action=ConfirmSubscription&host=sns.eu-central-1.amazonaws.com",
  "https://sns.eu-central-1.amazonaws.com@evil.example/?Action=ConfirmSubscription",
  "https://user:secret@sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
  "https://sns.eu-central-1.amazonaws.com:8443/?Action=ConfirmSubscription",
  "https://sns.amazonaws.com/?Action=ConfirmSubscription",
  "https://s3.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
  "https://xsns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
  "https://sns.a.b.amazonaws.com/?Action=ConfirmSubscription",
  "https://sns.eu-central-1.amazonawsXcom/?Action=ConfirmSubscription",
  "https://169.254.169.254/?Action=ConfirmSubscription",
  "https://sns.eu-central-1.amazonaws.com/?Action=Publish",
  "https://sns.eu-central-1.amazonaws.com/",
  "file:///etc/passwd",
])("%s is not visited", async (url) => {
  const { visit, visited } = await standIn((_, response) => response.end());
  await expect(confirmSubscription(url, visit)).rejects.toMatchObject({ code: "invalid_request" });
  expect(visited).toEqual([]);
});

test("a redirect is not followed, and what SNS does not confirm it is asked for again", async () => {
  let requests = 0;
  const { visit } = await standIn((request, response) => {
    requests++;
    if (request.url === "/") response.writeHead(302, { location: "/elsewhere" }).end();
    else response.end("followed");
  });
  await expect(confirmSubscription(URL_OF_SNS, visit)).rejects.toMatchObject({
    code: "overloaded",
    message: "SNS did not confirm the subscription: it answered 302. It will ask again.",
  });
  expect(requests).toBe(1);
});

test("an answer that breaks off is none", async () => {
  const { visit } = await standIn((request) => request.socket.destroy());
  await expect(confirmSubscription(URL_OF_SNS, visit)).rejects.toThrow("it gave no answer");
});
