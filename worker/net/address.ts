import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address and the length of its prefix in bits. */
export type Network = [Address, number];

/**
 * Where clouds hand out credentials to whoever asks from inside: AWS instances, tasks and pods, Google, Azure, Oracle,
 * Alibaba. No configuration opens these.
 */
const CREDENTIAL_ADDRESSES = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "168.63.129.16",
  "192.0.0.192",
  "100.100.100.200",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
]);

/** All of IPv6 that is handed out as global unicast so far (RFC 4291); ipaddr.js calls the unassigned rest unicast too. */
const GLOBAL_IPV6: Network = [ipaddr.IPv6.parse("2000::"), 3];

/** IPv6 forms that carry an IPv4 address, where a private one could hide. No configuration opens these either. */
const CARRIES_IPV4 = new Set(["ipv4Mapped", "rfc6145", "rfc6052", "6to4", "teredo"]);

/** Reads networks written as `10.0.0.0/8` or `fd00::/8`. Throws a sentence for anything else. */
export function parseNetworks(networks: string[]): Network[] {
  return networks.map(parseNetwork);
}

/**
 * Whether a connection to an IP address may be opened: it is public unicast, or inside one of the private networks that
 * the operator allows. A text that is not an IP address is refused.
 */
export function isReachable(address: string, allowedPrivateNetworks: Network[]): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (CREDENTIAL_ADDRESSES.has(withoutZone(parsed)) || CARRIES_IPV4.has(range)) return false;
  if (allowedPrivateNetworks.some((network) => contains(network, parsed))) return true;
  if (range !== "unicast") return false;
  return parsed.kind() === "ipv4" || contains(GLOBAL_IPV6, parsed);
}

function parseNetwork(text: string): Network {
  try {
    return ipaddr.parseCIDR(text);
  } catch (cause) {
    throw new Error(`"${text}" is not a network: write it as an address and a length, such as 10.0.0.0/8.`, {
      cause,
    });
  }
}

function contains(network: Network, address: Address): boolean {
  return network[0].kind() === address.kind() && address.match(network);
}

function withoutZone(address: Address): string {
  return address.toString().replace(/%.*$/, "");
}
