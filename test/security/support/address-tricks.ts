import { words } from "./words.ts";

/**
 * URLs that lead, or once led somebody's fetch, to an address that is not public: by what the trick is. `PORT` stands for
 * the port of a listener on every address of this machine.
 */
export const ADDRESS_TRICKS: Record<string, string[]> = {
  "this machine, as numbers": hosts(`
    127.0.0.1 127.0.0.1. 127.1 127.1. 127.0.1 127.000.000.001 127.0.0.2 127.255.255.254 127.0.0.0
    0177.0.0.1 0177.0.0.01 0177.1 017700000001 00000177.0.0.1 2130706433 2130706433. 0x7f000001 0X7F000001
    0x7f.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0x7F.0.0x1 127.0x0.0.0x1 0x0000007f.1 0x7f.0.1 0177.0x0.1 127.0x00000001
    0.0.0.0 0.0.0.0. 0 0x0 00 0.0 0.0.0 0x00000000 256.256.256.256 4294967297 0x7f000001ff`),
  "this machine, in letters that become digits and dots": hosts(`
    %31%32%37.0.0.1 127%2e0%2e0%2e1 127。0。0。1 127．0．0．1 127｡0｡0｡1 １２７.０.０.１ ①②⑦.⓪.⓪.① 𝟏𝟐𝟕.𝟎.𝟎.𝟏
    ²¹³⁰⁷⁰⁶⁴³³ ０ｘ７ｆ.1 0ⅹ7f.1 127.0.0.1%E3%80%82 ⑫⑦.0.0.1`),
  "this machine, as IPv6": hosts(`
    [::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [0::1] [::0:1] [::] [::0.0.0.1] [::0.0.0.0]
    [fe80::1] [fe80::1%25lo] [::1%25lo] [::1%lo] [::1%251] ::1 [::1`),
  "this machine, inside IPv6": hosts(`
    [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7F00:0001] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] [::7f00:1]
    [::ffff:0.0.0.0] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1]
    [64:ff9b:1:ffff::127.0.0.1] [2002:7f00:1::] [2002:7f00:0001::1] [2001:0:7f00:1::] [2001:0:0:0:0:0:80ff:fffe]`),
  "this machine, by its name": hosts(`
    localhost LOCALHOST LocalHost ｌocalhost local%68ost localhost%2e loc%E2%80%8Balhost`),
  "somebody else before an @": hosts(`
    user@127.0.0.1 user:pass@127.0.0.1 1.1.1.1@127.0.0.1 1.1.1.1:80@127.0.0.1 @127.0.0.1 :@127.0.0.1
    1.1.1.1%40@127.0.0.1 1.1.1.1%20@localhost 127.0.0.1%00 127.0.0.1%2523 127.0.0.1%20 127.0.0.1%09 127.0.0.1%2F`),
  "private networks": hosts(`
    10.0.0.1 10.1 012.0.0.1 0xa000001 167772161 10.255.255.255 172.16.0.1 172.31.255.254 0xac100001 2886729729
    192.168.0.1 192.168.257 3232235521 0300.0250.1 １９２.168.0.1 192｡168｡1｡1 [fc00::1] [fd12:3456:789a::1] [fec0::1]
    [::ffff:10.0.0.1] [::ffff:192.168.0.1] [::ffff:ac10:1] [::10.0.0.1] [::ffff:0:10.0.0.1] [64:ff9b::10.0.0.1]
    [64:ff9b:1:fffe::a00:1] [2002:a00:1::] [2002:c0a8:1::1] [2001:0:a00:1::]`),
  "networks of carriers, tests, documents and groups": hosts(`
    100.64.0.1 100.127.255.254 0x64400001 192.0.0.1 192.0.0.8 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.254
    198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 4294967295 0xffffffff 0377.0377.0377.0377
    [ff02::1] [ff0e::1] [2001:db8::1] [3fff::1] [100::1] [2001:2::1] [2001:10::1] [2001:20::1] [5f00::1] [4000::1]
    [::2] [1::1]`),
  "the network of this link": hosts(`
    169.254.0.1 169.254.1.1 169.254.255.255 0xa9fe0101 [fe80::1%25eth0] [fe80::1%eth0] [fe80::a9fe:a9fe] [febf::1]`),
  "other ports": [
    "http://127.0.0.1:6379/",
    "http://127.0.0.1:22/",
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65535/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:00080/",
    "http://10.0.0.1:2375/containers/json",
    "http://169.254.1.1:10250/pods",
    "http://[::1]:2379/v2/keys",
  ],
  "other forms of a URL": [
    "http:127.0.0.1:PORT",
    "http:/127.0.0.1:PORT",
    "http:///127.0.0.1:PORT",
    "http:\\\\127.0.0.1:PORT",
    "http://127.0.0.1:PORT\\@1.1.1.1/",
    "http://127.0.0.1:PORT#@1.1.1.1/",
    "http://127.0.0.1:PORT?@1.1.1.1/",
    "http://1.1.1.1&@127.0.0.1:PORT#@1.1.1.1/",
    "http://127.0.0.1:PORT/\r\nHost: 1.1.1.1",
    " http://127.0.0.1:PORT ",
    "ht\ntp://loc\tal\nhost:PORT/",
    "http://loc\u00adalhost:PORT/",
    "HTTP://127.1:PORT",
    "https://127.0.0.1:PORT",
    "https://[::ffff:127.0.0.1]:PORT",
  ],
  "other schemes": [
    "ftp://127.0.0.1:PORT",
    "ws://127.0.0.1:PORT",
    "wss://127.0.0.1:PORT",
    "gopher://127.0.0.1:PORT/_x",
    "dict://127.0.0.1:PORT/info",
    "redis://127.0.0.1:PORT",
    "file:///dev/null",
    "file://127.0.0.1:PORT/",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "jar:http://127.0.0.1:PORT!/",
    "blob:http://127.0.0.1:PORT/",
    "javascript:fetch('http://127.0.0.1:PORT')",
    "about:blank",
    "data:,x",
    "127.0.0.1:PORT",
    "//127.0.0.1:PORT",
    "",
  ],
};

/** Where clouds hand out credentials, in all the ways to write it: out of reach whatever the operator allows. */
export const CREDENTIAL_URLS: string[] = hosts(`
  169.254.169.254 169.254.169.254. 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 0xa9.0xfe.0xa9.0xfe 169.16689662
  １６９.254.169.254 169。254。169。254 ①⑥⑨.②⑤④.①⑥⑨.②⑤④ user@169.254.169.254
  [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::a9fe:a9fe] [::ffff:0:a9fe:a9fe] [64:ff9b::a9fe:a9fe]
  [64:ff9b:1::a9fe:a9fe] [2002:a9fe:a9fe::] [2001:0:a9fe:a9fe::] [fe80::a9fe:a9fe] [fe80::a9fe:a9fe%25eth0]
  169.254.170.2 169.254.170.23 169.254.42.42 169.254.0.23 169.254.10.10 168.63.129.16 0xa83f8110 192.0.0.192
  100.100.100.200 0x646464c8 [::ffff:100.100.100.200] [64:ff9b::6464:64c8] [2002:a83f:8110::]
  [fd00:ec2::254] [fd00:0ec2:0:0:0:0:0:254] [fd00:ec2::23] [fd00:ec2::253] [fd20:ce::254] [fd20:00ce::0254]
  [fd00:42::42] [fd00:c1::a9fe:a9fe] [fd00:c1::169.254.169.254] [fd00:100::100:200] [fd00:a9fe:a9fe::1]`);

/** Names that stand for addresses inside, which a resolver may know. */
export const INSIDE_NAMES: string[] = words(`
  localhost localhost. localhost.localdomain ip6-localhost 127.0.0.1.nip.io 127-0-0-1.sslip.io 0177.0.0.1.example
  xn--nxasmq6b host.docker.internal kubernetes.default.svc kubernetes.default.svc.cluster.local redis router.local
  metadata metadata.google.internal metadata.google.internal. METADATA.google.internal metadata.goog instance-data
  instance-data.ec2.internal metadata.tencentyun.com metadata.azure.internal a.b.c.internal`);

/** The URLs at the port of the listener of hosts separated by white space. */
function hosts(text: string): string[] {
  return words(text).map((host) => `http://${host}:PORT/`);
}
