/** The box itself: who it is, what it was found to be, who can log in, and the profile it was held against. */
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Report } from '../../../preload/contract/report.ts';
import { whoLogsIn } from './access.ts';
import { html, type Markup } from './markup.ts';
import { gib, localTime, number, plural } from './words.ts';

type Shown = string | number | Markup | null | undefined;

/** A list of names and values; what is not known is said to be not known. */
function listed(rows: readonly [name: string, value: Shown][]): Markup {
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>
            ${value === null || value === undefined || value === '' ? html`<span class="quiet">not known</span>` : value}
          </dd>
        </div>`,
    )}
  </dl>`;
}

const lines = (all: readonly string[]): Shown =>
  all.length ? html`${all.map((s) => html`<span class="code each">${s}</span>`)}` : null;
const code = (text: string | null | undefined): Shown =>
  text ? html`<span class="code">${text}</span>` : null;

export function identity({ box, profile, made }: Report): Markup {
  const id = box.identity;
  const { host, port } = box.address;
  return html`<section id="identity">
    <h2>The box</h2>
    ${listed([
      ['Name', box.name],
      ['Host name', id?.hostname],
      ['Board serial', code(id?.boardSerial)],
      ['Product UUID', code(id?.productUuid)],
      ['Machine ID', code(id?.machineId)],
      ['Box ID on its disk', code(id?.boxId)],
      ['GPUs', lines(id?.gpuUuids ?? [])],
      ['Disks, by serial', lines(id?.diskSerials ?? [])],
      ['Address', port === 22 ? host : `${host} port ${port}`],
      ['User', box.user === box.firstUser ? box.user : `${box.user} (first login as ${box.firstUser})`],
      [
        'Host key',
        box.hostKey
          ? html`${box.hostKey.algorithm} <span class="code">${box.hostKey.fingerprint}</span>, confirmed
              ${localTime(box.hostKey.confirmedAt, made.zone)}`
          : null,
      ],
      ['Known since', localTime(box.since, made.zone)],
      [
        'Profile',
        profile
          ? html`${profile.document.title} <span class="quiet">(${profile.document.id})</span>
              <span class="code each">SHA-256 ${profile.sha256}</span>`
          : null,
      ],
    ])}
  </section>`;
}

const yesNo = (b: boolean | null | undefined) => (b === null || b === undefined ? null : b ? 'yes' : 'no');

function machine(f: BoxFacts): Markup {
  const joined = (...parts: (string | number | null | undefined)[]) => parts.filter(Boolean).join(', ');
  const { cpu, memory, board, bios, filesystems: fs } = f;
  return listed([
    [
      'CPU',
      cpu &&
        joined(
          cpu.model,
          cpu.cores ? plural(cpu.cores, 'core') : null,
          cpu.threads ? plural(cpu.threads, 'thread') : null,
        ),
    ],
    [
      'Memory',
      memory &&
        joined(gib(memory.bytes), memory.ecc === true ? 'ECC' : memory.ecc === false ? 'no ECC' : null),
    ],
    ['Board', board && joined(board.vendor, board.name)],
    ['BIOS', bios && joined(bios.vendor, bios.version, bios.date)],
    ['System', f.distribution && joined(f.distribution.pretty ?? f.distribution.id, f.arch)],
    ['Kernel', f.kernel],
    ['Virtualization', f.virtualization],
    ['Secure Boot', f.secureBoot],
    [
      'Root file system',
      fs && joined(gib(fs.rootBytes), fs.rootFreeBytes ? `${gib(fs.rootFreeBytes)} free` : null),
    ],
    [
      'NVIDIA driver',
      f.nvidiaSmi?.driver ?? (f.nvidiaModule?.version ? `module ${f.nvidiaModule.version}` : 'none answers'),
    ],
    ['Python', f.python],
    ['Read as root', yesNo(f.root)],
  ]);
}

function table(title: string, heads: readonly string[], rows: readonly (readonly Shown[])[]): Markup | null {
  if (rows.length === 0) return null;
  return html`<h3>${title}</h3>
    <table class="wide">
      <thead>
        <tr>
          ${heads.map((h) => html`<th>${h}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell) => html`<td>${cell ?? '–'}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function hardware(f: BoxFacts): Markup {
  const smi = f.nvidiaSmi?.gpus ?? [];
  const cards = table(
    'GPUs as the driver names them',
    ['GPU', 'Name', 'Memory', 'UUID', 'Serial'],
    smi.map((g, i) => [
      i,
      g.name,
      g.memoryMiB ? `${number(g.memoryMiB, 0)} MiB` : null,
      code(g.uuid),
      code(g.serial),
    ]),
  );
  const bus = table(
    'GPUs on the PCI bus',
    ['Address', 'Device', 'Link', 'Highest link', 'BAR 1'],
    (f.gpus ?? []).map((g) => [
      code(g.address),
      code(g.device),
      link(g.linkSpeed, g.linkWidth),
      link(g.maxLinkSpeed, g.maxLinkWidth),
      gib(g.bar1Bytes),
    ]),
  );
  const disks = table(
    'Disks',
    ['Name', 'Model', 'Serial', 'Size', 'Attached by', 'Mounted at'],
    (f.disks ?? []).map((d) => [
      d.name,
      d.model,
      code(d.serial),
      gib(d.bytes),
      d.transport,
      (d.mountpoints ?? []).join(', '),
    ]),
  );
  const unread = Object.entries(f.unreadable);
  return html`${cards}${bus}${disks}${table('What could not be read', ['What', 'Why'], unread)}`;
}

const link = (speed: string | null | undefined, width: number | null | undefined): string | null =>
  speed || width ? [speed, width ? `x${width}` : null].filter(Boolean).join(' ') : null;

export function facts({ facts: f }: Report): Markup {
  return html`<section id="preflight">
    <h2>What preflight found</h2>
    ${f ? html`${machine(f)}${hardware(f)}` : html`<p class="quiet">No preflight has read the box.</p>`}
  </section>`;
}

type Keys = NonNullable<Report['keys']>;
type HowProven = NonNullable<Keys['customer'][number]['proof']>['how'];

function customerLogin(how: HowProven, at: string): string {
  switch (how) {
    case 'login':
      return `proven ${at}`;
    case 'accepted':
      return `key accepted by the box’s sshd ${at}; no login was made`;
    case 'refused':
      return `refused ${at}`;
  }
}

/** What of the customer's keys was proven, and what was not. */
function customerTold(keys: Keys['customer']): string {
  const has = (how: HowProven | undefined) => keys.some((k) => k.proof?.how === how);
  const told = [
    has('login') ? 'With a customer key a login was made.' : null,
    has('accepted')
      ? 'The box’s sshd was asked and said that it takes a customer key for this user. That is no login: the private half is the customer’s.'
      : null,
    has('refused') ? 'A customer key was refused.' : null,
    has(undefined) ? 'Login with a customer key was not proven: its private half is the customer’s.' : null,
  ];
  return told.filter((t) => t !== null).join(' ');
}

export function access({ keys, facts: f, box, made, parts }: Report): Markup {
  const proven = (at: string | null) => (at ? `proven ${localTime(at, made.zone)}` : 'not proven');
  const users = whoLogsIn(f);
  const own = keys
    ? html`${listed([
        ['Login with the key alone', proven(keys.keyLoginProvenAt)],
        ['sudo with its password', proven(keys.sudoProvenAt)],
        ['UID of vaultadmin', keys.adminUid],
      ])}${table(
        'Keys that the app installed',
        ['Whose', 'Type', 'Fingerprint', 'Comment', 'Login'],
        [
          [
            'engineer',
            keys.engineer.type,
            code(keys.engineer.fingerprint),
            keys.engineer.comment,
            proven(keys.keyLoginProvenAt),
          ],
          ...keys.customer.map((k) => {
            const login = k.proof
              ? customerLogin(k.proof.how, localTime(k.proof.at, made.zone))
              : 'not proven';
            return ['customer', k.type, code(k.fingerprint), k.comment, login];
          }),
        ],
      )}`
    : html`<p class="quiet">The app installed no key on this box.</p>`;
  const based = parts.some((p) => p.id === 'l1' && p.attempts > 0);
  return html`<section id="access">
    <h2>Keys and users</h2>
    ${own}
    ${table(
      'Users with a login shell, as preflight found them',
      ['User', 'UID', 'Shell', 'Home'],
      users.map((u) => [u.name, u.uid, u.shell, u.home]),
    )}
    <p>
      The app logs in as ${box.user}.
      ${keys?.customer.length ? customerTold(keys.customer) : 'No customer key was given.'}
    </p>
    ${based ? html`<p>Members of the group docker are as good as root on this box. It is kept because the original specification asks for it.</p>` : null}
  </section>`;
}

export function profile({ profile: p }: Report): Markup {
  if (!p)
    return html`<section id="profile">
      <h2>Profile</h2>
      <p class="quiet">No job recorded a profile, so nothing could be held against one.</p>
    </section>`;
  return html`<section id="profile">
    <h2>Profile</h2>
    <p>${p.document.title}. Every number with its source; <span class="code">SHA-256 ${p.sha256}</span>.</p>
    <details class="more">
      <summary>The whole profile</summary>
      <pre>${JSON.stringify(p.document, null, 2)}</pre>
    </details>
  </section>`;
}
