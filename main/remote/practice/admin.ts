/** The administrator's account on a practice box: the orders of resources/box/vcbox/admin.py, answered as it answers. */
import { z } from 'zod';
import { keyBlob, type Account, type Disk } from './disk.ts';

const ADMIN_UID = 1000;
const KEY = /^(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}(?: [^\r\n]*)?$/;

const Orders = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('look'), user: z.string() }),
  z.strictObject({
    do: z.literal('apply'),
    user: z.string(),
    uid: z.number().int().nullable(),
    groups: z.array(z.string()),
    keys: z.array(z.string().regex(KEY)),
    password: z.string().min(1).nullable(),
    boxId: z.string().nullable(),
  }),
]);

type Answer = { ok: true } & Record<string, unknown>;
type Refusal = { ok: false; code: string; detail: string };

function look(disk: Disk, name: string, changed: string[]): Answer {
  const account = disk.account(name);
  return {
    ok: true,
    exists: account !== null,
    uid: account?.uid ?? null,
    uidHolder: disk.holderOf(ADMIN_UID)?.name ?? null,
    hasPassword: (account?.password ?? null) !== null,
    keys: account?.keys ?? [],
    boxId: disk.content.boxId,
    changed,
  };
}

/** Carries out orders as JSON; changes of a refused order are none. */
export function administer(disk: Disk, input: string): Answer | Refusal {
  const parsed = Orders.safeParse(JSON.parse(input));
  if (!parsed.success)
    return { ok: false, code: 'box_unreadable', detail: 'the orders are not what admin.py takes' };
  const orders = parsed.data;
  if (orders.do === 'look') return look(disk, orders.user, []);
  const { content } = disk;
  const { user, groups, keys, password, boxId } = orders;
  const there = disk.account(user);
  const holder = orders.uid === null ? null : disk.holderOf(orders.uid);
  if (!there && holder) return { ok: false, code: 'uid_taken', detail: holder.name };
  const changed: string[] = [];
  for (const group of groups.filter((g) => !content.groups.includes(g))) {
    content.groups.push(group);
    changed.push(`group ${group}`);
  }
  const account: Account = there ?? {
    name: user,
    uid: orders.uid ?? disk.freeUid(),
    groups: [],
    keys: [],
    password: null,
  };
  if (!there) {
    content.accounts.push(account);
    changed.push(`user ${user}`);
  }
  const missing = groups.filter((g) => !account.groups.includes(g));
  if (missing.length) {
    account.groups.push(...missing);
    changed.push(`groups ${missing.join(', ')}`);
  }
  const known = account.keys.map((k) => keyBlob(k)?.toString('base64'));
  const added = keys.filter((k) => !known.includes(keyBlob(k)?.toString('base64')));
  if (added.length) {
    account.keys.push(...added);
    changed.push('authorized_keys');
  }
  if (password !== null) {
    disk.setPassword(account, password);
    changed.push('password');
  }
  if (content.boxId === null && boxId !== null) {
    content.boxId = boxId;
    changed.push('box id');
  }
  disk.save();
  return look(disk, user, changed);
}
