import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { callbackify } from "node:util";
import { Agent, buildConnector } from "undici";
import { PermanentError } from "../../shared/errors.ts";
import { isReachable } from "./address.ts";
import type { Network } from "./address.ts";

/** Every address of a host name. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

/** How long opening one connection may take, in milliseconds, its look-up and TLS included. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * An HTTP client that opens connections to reachable addresses only (see `isReachable`). A name is looked up once a
 * connection, all of its addresses are checked, and exactly these are connected to, so that an answer which changes
 * afterwards changes nothing. Throws `PermanentError("fetch_forbidden")` for a host with an address that is refused.
 */
export function createGuardedAgent(allowedPrivateNetworks: Network[], lookup: Lookup): Agent {
  const resolve = async (hostname: string): Promise<LookupAddress[]> => {
    const addresses = await lookup(hostname);
    if (addresses.length === 0) throw Object.assign(new Error("no addresses"), { code: "ENOTFOUND" });
    if (!addresses.every(({ address }) => isReachable(address, allowedPrivateNetworks))) {
      throw forbidden(hostname);
    }
    return addresses;
  };

  const resolveWithCallback = callbackify(resolve);
  const guardedLookup: LookupFunction = (hostname, _options, callback) =>
    resolveWithCallback(hostname, callback);

  // With autoSelectFamily Node always asks the look-up for all addresses.
  const connect = buildConnector({
    lookup: guardedLookup,
    autoSelectFamily: true,
    timeout: CONNECT_TIMEOUT_MS,
  });

  return new Agent({
    connect: (options, callback) => {
      // An address in place of a name is connected to without a look-up.
      if (isIP(options.hostname) !== 0 && !isReachable(options.hostname, allowedPrivateNetworks)) {
        callback(forbidden(options.hostname), null);
      } else {
        connect(options, callback);
      }
    },
  });
}

function forbidden(hostname: string): PermanentError {
  return new PermanentError(
    "fetch_forbidden",
    `The host "${hostname}" may not be fetched from: it has an address that is not public.`,
  );
}
