/**
 * The answers for Ubuntu's installer, held to what its published schema says (autoinstall-schema.json of subiquity, and the reference of
 * autoinstall for what is newer: `source`, `apt.fallback`, `shutdown`). Stricter in one thing: the installer ignores a key that it does not
 * know, so a misspelt one would be lost. Pure.
 */
import { parse } from 'yaml';
import { z } from 'zod';

/** A line for a shell, or a program with its arguments. */
const Commands = z.array(z.union([z.string(), z.array(z.string())]));
const Reporting = z.record(z.string(), z.looseObject({ type: z.string() }));

const Autoinstall = z.strictObject({
  version: z.literal(1),
  'interactive-sections': z.array(z.string()).optional(),
  'early-commands': Commands.optional(),
  locale: z.string().optional(),
  'refresh-installer': z
    .strictObject({ update: z.boolean().optional(), channel: z.string().optional() })
    .optional(),
  keyboard: z
    .strictObject({
      layout: z.string(),
      variant: z.string().optional(),
      toggle: z.string().nullable().optional(),
    })
    .optional(),
  source: z.strictObject({ id: z.string().optional(), search_drivers: z.boolean().optional() }).optional(),
  network: z.looseObject({ version: z.literal(2) }).optional(),
  proxy: z.url().nullable().optional(),
  apt: z
    .looseObject({
      preserve_sources_list: z.boolean().optional(),
      primary: z.array(z.unknown()).optional(),
      geoip: z.boolean().optional(),
      sources: z.looseObject({}).optional(),
      fallback: z.enum(['abort', 'continue-anyway', 'offline-install']).optional(),
    })
    .optional(),
  storage: z
    .looseObject({ config: z.array(z.looseObject({ id: z.string(), type: z.string() })).optional() })
    .optional(),
  identity: z.strictObject({
    realname: z.string().optional(),
    username: z.string(),
    hostname: z.string(),
    password: z.string(),
  }),
  ssh: z
    .strictObject({
      'install-server': z.boolean().optional(),
      'authorized-keys': z.array(z.string()).optional(),
      'allow-pw': z.boolean().optional(),
    })
    .optional(),
  drivers: z.strictObject({ install: z.boolean() }).optional(),
  codecs: z.strictObject({ install: z.boolean() }).optional(),
  oem: z.strictObject({ install: z.union([z.boolean(), z.literal('auto')]) }).optional(),
  snaps: z
    .array(
      z.strictObject({ name: z.string(), channel: z.string().optional(), classic: z.boolean().optional() }),
    )
    .optional(),
  'debconf-selections': z.string().optional(),
  packages: z.array(z.string()).optional(),
  kernel: z
    .union([z.strictObject({ package: z.string() }), z.strictObject({ flavor: z.string() })])
    .optional(),
  timezone: z
    .string()
    .regex(/^(|geoip|UTC|[A-Z][A-Za-z]+\/[A-Za-z_/-]+)$/)
    .optional(),
  updates: z.enum(['security', 'all']).optional(),
  shutdown: z.enum(['reboot', 'poweroff']).optional(),
  'late-commands': Commands.optional(),
  'error-commands': Commands.optional(),
  reporting: Reporting.optional(),
  'user-data': z.looseObject({}).optional(),
});

const UserData = z.strictObject({ autoinstall: Autoinstall });

/** What is wrong with the file `user-data` of the installer, a line each; none where nothing is. */
export function autoinstallProblems(text: string): string[] {
  if (!text.startsWith('#cloud-config\n')) return ['the first line is not "#cloud-config"'];
  let given: unknown;
  try {
    given = parse(text);
  } catch (error) {
    return [`it is not YAML: ${(error as Error).message.split('\n')[0] ?? ''}`];
  }
  const { error } = UserData.safeParse(given);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
}
