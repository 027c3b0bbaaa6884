/**
 * Software of the layers above the base system: which versions a profile allows, and which of those that a source offers is
 * taken. Decided before anything on the box is changed, by one pure function that the plan, preflight and the report share.
 */
import { z } from 'zod';
import { compareVersions, versionInSeries } from './versions.ts';

const Number_ = z.string().regex(/^[0-9][0-9A-Za-z.+~:-]*$/, 'a version begins with a number');
const text = z.string().min(1);

export const ComponentId = z.enum([
  'driver',
  'cuda',
  'cudnn',
  'nccl',
  'container-toolkit',
  'pytorch',
  'tensorflow',
  'vllm',
]);
export type ComponentId = z.infer<typeof ComponentId>;

/** What a profile allows of one component. */
export const Component = z.strictObject({
  id: ComponentId,
  title: text,
  layer: z.number().int().min(2).max(5),
  /** Debian packages, or Python wheels of layer 4's environments. */
  from: z.enum(['apt', 'wheel']),
  /** Names it may be offered under; the first that has a version that fits is taken. */
  packages: z.array(text).min(1),
  /** Packages that come with it in the very same version, such as headers to build against. */
  also: z.array(text).default([]),
  /** Only versions that begin with these numbers, as in 580 or 9.14. */
  series: Number_.optional(),
  /** Every one of them must be reached. `what` names who asks: "specification", "RTX 5090 with open modules". */
  floors: z.array(z.strictObject({ version: Number_, what: text, source: text })).min(1),
  /** Versions that reach the floors and fail all the same. */
  broken: z.array(z.strictObject({ version: Number_, why: text, source: text })).default([]),
  /** From its version `from` on it needs another component, named earlier in the list, in at least this version. */
  needs: z
    .array(z.strictObject({ from: Number_, component: ComponentId, version: Number_, source: text }))
    .default([]),
});
export type Component = z.infer<typeof Component>;

/** In the order in which they are decided: what others need stands before them. */
export const Software = z.array(Component).check(({ value, issues }) => {
  const seen = new Set<string>();
  value.forEach((c, at) => {
    const complain = (message: string) => issues.push({ code: 'custom', input: c.id, path: [at], message });
    if (seen.has(c.id)) complain(`${c.id} is named twice`);
    const late = c.needs.find((n) => !seen.has(n.component));
    if (late) complain(`${c.id} needs ${late.component}, which must stand before it`);
    seen.add(c.id);
  });
});

/** What a source has: the versions of each package, by where they are installed from. */
export type Offered = Readonly<Record<Component['from'], ReadonlyMap<string, readonly string[]>>>;

export interface Resolved {
  id: ComponentId;
  title: string;
  layer: number;
  package: string;
  version: string;
  /** What is given to apt: `name=version` of the package and of those that come with it. */
  install: string[];
  /** For people: "NVIDIA driver 580.95.05". */
  named: string;
  /** The same with who asks for it: "NVIDIA driver 580.95.05 (specification ≥ 550.127.05, RTX 5090 with open modules ≥ 570.26)". */
  text: string;
}

export interface Resolution {
  components: Resolved[];
  /** Why there is none of a component that fits, a sentence each; nothing may be installed then. */
  refusals: string[];
}

/** A package's version without what its distribution added: 580.95.05 of 580.95.05-1ubuntu1. */
const upstream = (version: string) => version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');

const demands = (c: Component) => c.floors.map((f) => `${f.what} ≥ ${f.version}`).join(', ');

/** Why this version will not do; null when it will. */
function objection(
  c: Component,
  version: string,
  chosen: readonly Resolved[],
  offered: Offered,
): string | null {
  if (c.series !== undefined && !versionInSeries(version, c.series)) return `not of the series ${c.series}`;
  const low = c.floors.find((f) => compareVersions(upstream(version), f.version) < 0);
  if (low) return `${low.what} needs ${low.version} or newer`;
  const bad = c.broken.find((b) => compareVersions(upstream(version), b.version) === 0);
  if (bad) return bad.why;
  const without = c.also.find((name) => !offered[c.from].get(name)?.includes(version));
  if (without !== undefined) return `there is no ${without} of this version`;
  for (const need of c.needs) {
    if (compareVersions(upstream(version), need.from) < 0) continue;
    const other = chosen.find((r) => r.id === need.component);
    if (!other || compareVersions(upstream(other.version), need.version) < 0)
      return `it needs ${need.component} ${need.version} or newer, and ${other ? `${upstream(other.version)} is taken` : 'there is none'}`;
  }
  return null;
}

/** The highest of a component's floors; null where the list has no such component. */
export function floorOf(software: readonly Component[], id: ComponentId): string | null {
  const floors = software.find((c) => c.id === id)?.floors.map((f) => f.version);
  return floors?.toSorted(compareVersions).at(-1) ?? null;
}

/** The newest version of each component that fits; a refusal for one that has none. Components of other layers are left out. */
export function resolveSoftware(
  software: readonly Component[],
  offered: Offered,
  layers: readonly number[],
): Resolution {
  const components: Resolved[] = [];
  const refusals: string[] = [];
  for (const c of software) {
    const all = c.packages.flatMap((name) =>
      (offered[c.from].get(name) ?? [])
        .toSorted((a, b) => compareVersions(b, a))
        .map((version) => ({ name, version, why: objection(c, version, components, offered) })),
    );
    const found = all.find(({ why }) => why === null);
    const wanted = layers.includes(c.layer);
    if (found) {
      const named = `${c.title} ${upstream(found.version)}`;
      const { id, title, layer } = c;
      const install = [found.name, ...c.also].map((name) => `${name}=${found.version}`);
      components.push({
        id,
        title,
        layer,
        package: found.name,
        version: found.version,
        install,
        named,
        text: `${named} (${demands(c)})`,
      });
    } else if (wanted) {
      const had = all.map(({ name, version, why }) => `${name} ${version}: ${why ?? ''}`);
      const names = c.packages.join(' or ');
      refusals.push(
        had.length
          ? `${c.title}: nothing that fits (${demands(c)}); ${had.join('; ')}.`
          : `${c.title}: the source offers no ${names} (${demands(c)}).`,
      );
    }
  }
  return { components: components.filter((c) => layers.includes(c.layer)), refusals };
}
