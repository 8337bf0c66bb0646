import { AppError } from "../../shared/errors.ts";

/** Milliseconds that SNS has to answer. */
const TIMEOUT_MS = 10_000;

/** SNS of a region, of China's too. */
const SNS_HOST = /^sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/;

/**
 * Confirms a subscription of SNS by visiting the address that came with it, if it is one of SNS itself: redirects are not
 * followed. Throws AppError invalid_request for any other address, overloaded when SNS does not confirm; it asks again.
 */
export async function confirmSubscription(subscribeUrl: string, visit: typeof fetch): Promise<void> {
  const { protocol, host, username, password, searchParams } = new URL(subscribeUrl);
  const isConfirmation = searchParams.get("Action") === "ConfirmSubscription";
  if (protocol !== "https:" || !SNS_HOST.test(host) || username + password !== "" || !isConfirmation)
    throw new AppError(
      "invalid_request",
      "SubscribeURL is not visited: it must be https://sns.REGION.amazonaws.com/?Action=ConfirmSubscription&….",
    );
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await visit(subscribeUrl, { redirect: "manual", signal }).catch(() => undefined);
  await answer?.body?.cancel();
  if (answer?.ok !== true)
    throw new AppError(
      "overloaded",
      `SNS did not confirm the subscription: it ${answer ? `answered ${answer.status}` : "gave no answer"}. It will ask again.`,
    );
}
