import { expect, test } from "vitest";
import { closedNetworks, isReachable, parseNetworks } from "../../../worker/net/address.ts";

test.each([
  ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"],
  [
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
  ],
  ["192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.112.255", "223.255.255.255"],
  ["2000::", "2003::1", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "3ffe:ffff::"],
])("public addresses are reachable: %s, %s, %s, %s, %s …", (...addresses) => {
  for (const address of addresses) expect([address, isReachable(address, [])]).toEqual([address, true]);
});

const REFUSED = {
  "this network": ["0.0.0.0", "0.1.2.3", "0.255.255.255", "::"],
  loopback: ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"],
  private: ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
  "unique-local and site-local": ["fc00::", "fd12:3456::1", "fdff:ffff::1", "fec0::1", "feff::1"],
  "link-local": ["169.254.0.0", "169.254.1.1", "169.254.255.255", "fe80::1", "fe80::1%eth0", "febf::1"],
  "shared by carriers": ["100.64.0.0", "100.127.255.255"],
  "protocol assignments": [
    "192.0.0.0",
    "192.0.0.8",
    "192.0.0.170",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
  ],
  documentation: ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
  benchmarking: ["198.18.0.0", "198.19.255.255", "2001:2::1"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
  "reserved and broadcast": [
    "240.0.0.1",
    "255.255.255.254",
    "255.255.255.255",
    "4000::1",
    "8000::1",
    "e000::1",
  ],
  "discard, ORCHID, segment routing": ["100::1", "2001:10::1", "2001:20::1", "5f00::1"],
  "IPv4 inside IPv6": [
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "192.88.99.1",
  ],
  "no address": [
    "",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "1.1.1.1 ",
    "1.1.1.1/32",
    "[::1]",
    "::g",
  ],
};

test.each(Object.entries(REFUSED))("%s is refused", (_, addresses) => {
  for (const address of addresses) expect([address, isReachable(address, [])]).toEqual([address, false]);
});

test("a private network that is allowed is reachable, and its neighbours are not", () => {
  const allowed = parseNetworks(["10.1.0.0/16", "127.0.0.1/32", "fd00:1::/32"]);
  const reachable = (address: string) => isReachable(address, allowed);
  expect(["10.1.0.0", "10.1.255.255", "127.0.0.1", "fd00:1::5", "1.1.1.1"].filter(reachable)).toHaveLength(5);
  expect(
    ["10.0.255.255", "10.2.0.0", "127.0.0.2", "fd00:2::5", "::1", "::ffff:10.1.0.1", "192.168.0.1"].filter(
      reachable,
    ),
  ).toEqual([]);
});

test("the addresses that give out credentials, and IPv4 inside IPv6, are refused although everything is allowed", () => {
  const everything = parseNetworks(["0.0.0.0/0", "::/0", "169.254.169.254/32", "fd00:ec2::254/128"]);
  for (const address of ["127.0.0.1", "::1", "192.0.0.191", "168.63.129.17", "fd00:ec3::254", "fd00:42::43"])
    expect([address, isReachable(address, everything)]).toEqual([address, true]);
  const refused = `
    169.254.169.254 169.254.170.2 169.254.170.23 169.254.0.0 169.254.255.255 fe80::a9fe:a9fe 168.63.129.16 100.100.100.200
    192.0.0.192 fd00:ec2::254 fd00:0ec2:0:0:0:0:0:254 fd00:ec2::254%eth0 fd00:ec2::23 fd20:ce::254 fd00:42::42
    fd00:c1::a9fe:a9fe fd00:a9fe:a9fe::1 fd00:100::100:200 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::a9fe:a9fe ::2
    ::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:a9fe:a9fe:: 2001::1 ::ffff:0:a9fe:a9fe`;
  for (const address of refused.trim().split(/\s+/))
    expect([address, isReachable(address, everything)]).toEqual([address, false]);
});

test("networks that are closed in any case are told apart, since allowing them opens nothing", () => {
  const closed =
    "169.254.0.0/16 169.254.169.254/32 fe80::/10 fe80::1/128 168.63.129.16/32 fd00:ec2::254/128 64:ff9b::/96 2002::/16";
  const open = [
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "127.0.0.1/32",
    "169.0.0.0/8",
    "fd00::/8",
    "168.63.0.0/16",
  ];
  expect(closedNetworks([...open, ...closed.split(" ")])).toEqual(closed.split(" "));
});

test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "localhost/8", "::/129", "", "*"])(
  "%j is not taken for a network",
  (text) => {
    expect(() => parseNetworks([text])).toThrow(
      `"${text}" is not a network: write it as an address and a length, such as 10.0.0.0/8.`,
    );
  },
);
