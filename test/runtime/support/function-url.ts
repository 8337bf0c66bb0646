import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import type { LambdaService } from "./lambda-service.ts";

/** The largest request and answer that Lambda passes on, in bytes. */
const MAX_PAYLOAD_BYTES = 6_291_456;

/** What a handler answers (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads). */
const Answer = z.object({
  statusCode: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  isBase64Encoded: z.boolean(),
  cookies: z.array(z.string()).optional(),
});

const TEXT = /^(text\/|application\/(json|javascript|xml)|[^;]*\+(json|xml))/;

/** Answers a request as a function URL does: by an event of API Gateway's payload format 2.0. */
export async function answerByFunction(
  service: LambdaService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const event = JSON.stringify(toEvent(request, await buffer(request)));
  if (event.length > MAX_PAYLOAD_BYTES) {
    response.writeHead(413, { "content-type": "application/json" }).end('{"Message":"Request too large"}');
    return;
  }
  const outcome = await service.invoke(JSON.parse(event));
  const answer = "result" in outcome ? Answer.safeParse(outcome.result).data : undefined;
  if (answer === undefined) {
    response
      .writeHead(502, { "content-type": "application/json" })
      .end('{"message":"Internal Server Error"}');
    return;
  }
  response.writeHead(answer.statusCode, { ...answer.headers, "set-cookie": answer.cookies ?? [] });
  response.end(Buffer.from(answer.body, answer.isBase64Encoded ? "base64" : "utf8"));
}

function toEvent(request: IncomingMessage, body: Buffer): object {
  const { method = "GET", url = "/" } = request;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(",")]),
  );
  const [path = "/", query = ""] = url.split(/\?(.*)/s);
  const isText = TEXT.test(headers["content-type"] ?? "text/plain");
  const domainName = "function.lambda-url.eu-central-1.on.aws";
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: path,
    rawQueryString: query,
    ...(headers["cookie"] !== undefined && { cookies: headers["cookie"].split("; ") }),
    headers: { ...headers, host: domainName, "x-forwarded-proto": "https" },
    requestContext: {
      accountId: "anonymous",
      apiId: "function",
      domainName,
      domainPrefix: "function",
      http: { method, path, protocol: "HTTP/1.1", sourceIp: "203.0.113.7", userAgent: headers["user-agent"] },
      requestId: randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: new Date().toUTCString(),
      timeEpoch: Date.now(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? "utf8" : "base64") }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}
