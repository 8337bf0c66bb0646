import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address and the length of its prefix in bits. */
export type Network = [Address, number];

/**
 * Where clouds hand out credentials to whoever asks from inside, besides the link-local addresses: Azure, Oracle,
 * Alibaba, Google, Scaleway, Akamai and all of what AWS keeps for its instances and pods. No configuration opens these.
 */
const CREDENTIAL_NETWORKS = [
  "168.63.129.16/32",
  "192.0.0.192/32",
  "100.100.100.200/32",
  "fd00:ec2::/32",
  "fd00:c1::a9fe:a9fe/128",
  "fd00:100::100:200/128",
  "fd20:ce::254/128",
  "fd00:42::42/128",
  "fd00:a9fe:a9fe::1/128",
].map(parseNetwork);

/** All of IPv6 that is handed out as global unicast so far (RFC 4291); ipaddr.js calls the unassigned rest unicast too. */
const GLOBAL_IPV6: Network = [ipaddr.IPv6.parse("2000::"), 3];

/**
 * No configuration opens these either: the network of 169.254.169.254, where most clouds hand out credentials, and the
 * forms of IPv6 that carry an IPv4 address, where a private one could hide.
 */
const NEVER = new Set(["linkLocal", "ipv4Mapped", "rfc6145", "rfc6052", "6to4", "teredo"]);

/** The deprecated IPv4-compatible form (RFC 4291), which ipaddr.js takes for unicast; `::` and `::1` in it have ranges of their own. */
const IPV4_COMPATIBLE: Network = [ipaddr.IPv6.parse("::"), 96];

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
  if (NEVER.has(range) || (range === "unicast" && contains(IPV4_COMPATIBLE, parsed))) return false;
  if (CREDENTIAL_NETWORKS.some((network) => contains(network, parsed))) return false;
  if (allowedPrivateNetworks.some((network) => contains(network, parsed))) return true;
  if (range !== "unicast") return false;
  return parsed.kind() === "ipv4" || contains(GLOBAL_IPV6, parsed);
}

/** Those of some networks that are closed whatever the operator allows, so that naming them opens nothing. */
export function closedNetworks(networks: string[]): string[] {
  return networks.filter((text) => {
    const [address, bits] = parseNetwork(text);
    const isCredentials = CREDENTIAL_NETWORKS.some(
      (closed) => contains(closed, address) && bits >= closed[1],
    );
    return isCredentials || endsOf(text, address).every((end) => NEVER.has(end.range()));
  });
}

/** The first and the last address of a network. */
function endsOf(text: string, address: Address): [Address, Address] {
  const family = address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return [family.networkAddressFromCIDR(text), family.broadcastAddressFromCIDR(text)];
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
