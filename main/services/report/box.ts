/** The box itself: who it is, what it was found to be, who can log in, and the profile it was held against. */
import type { BoxFacts } from '../../../preload/contract/facts.ts';
import type { Report } from '../../../preload/contract/report.ts';
import { whoLogsIn } from './access.ts';
import { html, type Markup } from './markup.ts';
import { gib, localTime, number, plural } from './words.ts';
import { T } from './texts.ts';

type Shown = string | number | Markup | null | undefined;

/** A list of names and values; what is not known is said to be not known. */
function listed(rows: readonly [name: string, value: Shown][]): Markup {
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>
            ${value === null || value === undefined || value === '' ? html`<span class="quiet">${T.notKnown}</span>` : value}
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
    <h2>${T.box.heading}</h2>
    ${listed([
      [T.box.name, box.name],
      [T.box.hostName, id?.hostname],
      [T.box.boardSerial, code(id?.boardSerial)],
      [T.box.productUuid, code(id?.productUuid)],
      [T.box.machineId, code(id?.machineId)],
      [T.box.boxId, code(id?.boxId)],
      [T.box.gpus, lines(id?.gpuUuids ?? [])],
      [T.box.disks, lines(id?.diskSerials ?? [])],
      [T.box.address, port === 22 ? host : T.box.port(host, port)],
      [T.box.user, box.user === box.firstUser ? box.user : T.box.firstUser(box.user, box.firstUser)],
      [
        T.box.hostKey,
        box.hostKey
          ? html`${box.hostKey.algorithm} <span class="code">${box.hostKey.fingerprint}</span>,
              ${T.box.confirmed} ${localTime(box.hostKey.confirmedAt, made.zone)}`
          : null,
      ],
      [T.box.since, localTime(box.since, made.zone)],
      [
        T.box.profile,
        profile
          ? html`${profile.document.title} <span class="quiet">(${profile.document.id})</span>
              <span class="code each">SHA-256 ${profile.sha256}</span>`
          : null,
      ],
    ])}
  </section>`;
}

const yesNo = (b: boolean | null | undefined) => (b === null || b === undefined ? null : b ? T.yes : T.no);

function machine(f: BoxFacts): Markup {
  const joined = (...parts: (string | number | null | undefined)[]) => parts.filter(Boolean).join(', ');
  const { cpu, memory, board, bios, filesystems: fs } = f;
  return listed([
    [
      T.found.cpu,
      cpu &&
        joined(
          cpu.model,
          cpu.cores ? plural(cpu.cores, T.found.core) : null,
          cpu.threads ? plural(cpu.threads, T.found.thread) : null,
        ),
    ],
    [
      T.found.memory,
      memory &&
        joined(
          gib(memory.bytes),
          memory.ecc === true ? T.found.ecc : memory.ecc === false ? T.found.noEcc : null,
        ),
    ],
    [T.found.board, board && joined(board.vendor, board.name)],
    [T.found.bios, bios && joined(bios.vendor, bios.version, bios.date)],
    [T.found.system, f.distribution && joined(f.distribution.pretty ?? f.distribution.id, f.arch)],
    [T.found.kernel, f.kernel],
    [T.found.virtualization, f.virtualization],
    [T.found.secureBoot, f.secureBoot],
    [
      T.found.root,
      fs && joined(gib(fs.rootBytes), fs.rootFreeBytes ? T.found.free(gib(fs.rootFreeBytes)) : null),
    ],
    [
      T.found.driver,
      f.nvidiaSmi?.driver ??
        (f.nvidiaModule?.version ? T.found.module(f.nvidiaModule.version) : T.found.noDriver),
    ],
    [T.found.python, f.python],
    [T.found.asRoot, yesNo(f.root)],
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
    T.found.cards,
    T.found.cardHeads,
    smi.map((g, i) => [
      i,
      g.name,
      g.memoryMiB ? `${number(g.memoryMiB, 0)} MiB` : null,
      code(g.uuid),
      code(g.serial),
    ]),
  );
  const bus = table(
    T.found.bus,
    T.found.busHeads,
    (f.gpus ?? []).map((g) => [
      code(g.address),
      code(g.device),
      link(g.linkSpeed, g.linkWidth),
      link(g.maxLinkSpeed, g.maxLinkWidth),
      gib(g.bar1Bytes),
    ]),
  );
  const disks = table(
    T.found.disks,
    T.found.diskHeads,
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
  return html`${cards}${bus}${disks}${table(T.found.unread, T.found.unreadHeads, unread)}`;
}

const link = (speed: string | null | undefined, width: number | null | undefined): string | null =>
  speed || width ? [speed, width ? `x${width}` : null].filter(Boolean).join(' ') : null;

export function facts({ facts: f }: Report): Markup {
  return html`<section id="preflight">
    <h2>${T.found.heading}</h2>
    ${f ? html`${machine(f)}${hardware(f)}` : html`<p class="quiet">${T.found.none}</p>`}
  </section>`;
}

type Keys = NonNullable<Report['keys']>;
type HowProven = NonNullable<Keys['customer'][number]['proof']>['how'];

function customerLogin(how: HowProven, at: string): string {
  switch (how) {
    case 'login':
      return T.proven(at);
    case 'accepted':
      return T.access.accepted(at);
    case 'refused':
      return T.access.refused(at);
  }
}

/** What of the customer's keys was proven, and what was not. */
function customerTold(keys: Keys['customer']): string {
  const has = (how: HowProven | undefined) => keys.some((k) => k.proof?.how === how);
  const told = [
    has('login') ? T.access.toldLogin : null,
    has('accepted') ? T.access.toldAccepted : null,
    has('refused') ? T.access.toldRefused : null,
    has(undefined) ? T.access.toldNothing : null,
  ];
  return told.filter((t) => t !== null).join(' ');
}

export function access({ keys, facts: f, box, made, parts }: Report): Markup {
  const proven = (at: string | null) => (at ? T.proven(localTime(at, made.zone)) : T.notProven);
  const users = whoLogsIn(f, keys && { name: box.user, uid: keys.adminUid });
  const own = keys
    ? html`${listed([
        [T.access.keyLogin, proven(keys.keyLoginProvenAt)],
        [T.access.sudo, proven(keys.sudoProvenAt)],
        [T.access.uid, keys.adminUid],
      ])}${table(T.access.keys, T.access.keyHeads, [
        [
          T.access.engineer,
          keys.engineer.type,
          code(keys.engineer.fingerprint),
          keys.engineer.comment,
          proven(keys.keyLoginProvenAt),
        ],
        ...keys.customer.map((k) => {
          const login = k.proof ? customerLogin(k.proof.how, localTime(k.proof.at, made.zone)) : T.notProven;
          return [T.access.customer, k.type, code(k.fingerprint), k.comment, login];
        }),
      ])}`
    : html`<p class="quiet">${T.access.noKeys}</p>`;
  const based = parts.some((p) => p.id === 'l1' && p.attempts > 0);
  return html`<section id="access">
    <h2>${T.access.heading}</h2>
    ${own}
    ${table(
      T.access.users,
      T.access.userHeads,
      users.map((u) => [u.name, u.uid, u.shell ?? T.access.setUp, u.home]),
    )}
    <p>
      ${T.access.logsInAs(box.user)}
      ${keys?.customer.length ? customerTold(keys.customer) : T.access.noCustomerKey}
    </p>
    ${based ? html`<p>${T.access.docker}</p>` : null}
  </section>`;
}

export function profile({ profile: p }: Report): Markup {
  if (!p)
    return html`<section id="profile">
      <h2>${T.profile.heading}</h2>
      <p class="quiet">${T.profile.none}</p>
    </section>`;
  return html`<section id="profile">
    <h2>${T.profile.heading}</h2>
    <p>${T.profile.sources(p.document.title)} <span class="code">SHA-256 ${p.sha256}</span>.</p>
    <details class="more">
      <summary>${T.profile.whole}</summary>
      <pre>${JSON.stringify(p.document, null, 2)}</pre>
    </details>
  </section>`;
}
