/**
 * What a flashed system is told for its first boot (docs/adr/0014-first-boot.md). The password of its administrator is a secret and no
 * part of it.
 */
import { z } from 'zod';

/** RFC 1123, in small letters; a name of digits alone is taken for an address. */
export const Hostname = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'a host name has 1 to 63 small letters, digits and dashes, and no dash at its ends',
  )
  .refine((name) => /[a-z]/.test(name), 'a host name needs a letter');

const KEY_TYPES =
  'ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\\.com|sk-ecdsa-sha2-nistp256@openssh\\.com';

/** One line as in authorized_keys, without options. Whether the base64 is a key is for main to see. */
export const AuthorizedKey = z
  .string()
  .regex(
    new RegExp(`^(?:${KEY_TYPES}) [A-Za-z0-9+/]+={0,2}(?: [^\\r\\n]*)?$`),
    'a public key is one line such as "ssh-ed25519 AAAA… name"',
  );

const number = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** Where the host part begins and ends, both of them no host's. */
function networkOf(cidr: string): { own: number; first: number; last: number } {
  const [address = '', prefix = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const own = number(address);
  const first = own - (own % size);
  return { own, first, last: first + size - 1 };
}

const isHost = (address: string): boolean => {
  const first = Number(address.split('.')[0]);
  return first >= 1 && first <= 223 && first !== 127;
};

const card = z
  .string()
  .regex(
    /^(?:[a-z][a-z0-9]{1,14}|[0-9a-f]{2}(?::[0-9a-f]{2}){5})$/,
    'a network card is named as "ip link" shows it, such as enp5s0, or by its MAC address in small letters',
  );

/** IPv4. The other cards of the box stay without an address: one address on all of them would be none. */
export const StaticAddress = z
  .strictObject({
    card,
    /** With the length of the network's part: 192.168.10.5/24. */
    address: z.cidrv4('an address is written with its network, such as 192.168.10.5/24'),
    gateway: z.ipv4('a gateway is an IPv4 address').nullable().default(null),
    dns: z.array(z.ipv4('a name server is an IPv4 address')).max(3).default([]),
  })
  .check(({ value: { address, gateway }, issues, value }) => {
    const wrong = (path: string, message: string) =>
      void issues.push({ code: 'custom', path: [path], message, input: value });
    const [host = '', prefix = ''] = address.split('/');
    const { own, first, last } = networkOf(address);
    if (Number(prefix) < 8 || Number(prefix) > 30)
      return wrong('address', 'the network has a length from /8 to /30');
    if (!isHost(host) || own === first || own === last) return wrong('address', 'no host has this address');
    if (gateway === null) return;
    const at = number(gateway);
    if (at <= first || at >= last || at === own)
      wrong('gateway', `the gateway has another address of the same network (${address})`);
  });
export type StaticAddress = z.infer<typeof StaticAddress>;

export const FirstBoot = z.strictObject({
  hostname: Hostname,
  /** Of the administrator. */
  authorizedKeys: z.array(AuthorizedKey).min(1),
  /** Null: by DHCP, on every card. */
  address: StaticAddress.nullable(),
});
export type FirstBoot = z.infer<typeof FirstBoot>;

/** What the window keeps of what was chosen: the key is named, and nothing of it is secret. */
export const FirstBootChoice = z.strictObject({
  hostname: Hostname,
  key: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('generate') }),
    z.strictObject({ kind: z.literal('file'), path: z.string().min(1) }),
    z.strictObject({ kind: z.literal('agent'), fingerprint: z.string().min(1) }),
  ]),
  address: StaticAddress.nullable(),
});
export type FirstBootChoice = z.infer<typeof FirstBootChoice>;

/** As a person writes it: the key itself, or where its file is, from where these settings lie. */
export const FirstBootFile = z
  .strictObject({
    hostname: Hostname,
    authorizedKey: AuthorizedKey.optional(),
    authorizedKeyFile: z.string().min(1).optional(),
    address: StaticAddress.optional(),
  })
  .refine((file) => (file.authorizedKey === undefined) !== (file.authorizedKeyFile === undefined), {
    message: 'either authorizedKey or authorizedKeyFile is wanted',
    path: ['authorizedKey'],
  });
