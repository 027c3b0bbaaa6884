/** Every word of the page that verifies without the app, in one place: for whoever translates it. */
export const WORDS = {
  title: 'Is this Vault Cube report what was written?',
  intro:
    'Drop the archive (.zip) and its signature (.zip.minisig) here, or choose both files. Nothing leaves this computer: the page can reach no network, and needs none.',
  choose: 'Archive and signature',
  reading: (name: string) => `Reading ${name}.`,
  doing: {
    unpack: 'Unpacking its files.',
    signature: 'Checking its signature.',
    sums: 'Checking the hash of every file.',
    logs: 'Following every log, line by line, and working out anew what it says.',
    others: 'Comparing the page and the other files with it.',
  },
  progress: 'How much of it is done',
  keys: 'Keys that this page knows',
  noKeys: 'None: every signature is by an unknown key until its public key is added.',
  origin:
    'The list is as good as the way on which this page came to you. Compare an id with what its holder told you.',
  keyFile: 'Add a public key (.pub) for this visit',
  added: 'added on this page',
  noZip: 'Among the files is no archive: its name ends in .zip.',
  twoZips: 'One archive at a time.',
  badKey: (name: string, why: string) => `${name} is no public key: ${why}.`,
  failed: (why: string) => `The files cannot be read: ${why}.`,
  box: (box: string, serial: string) => `Box ${box}, serial ${serial}`,
  outcome: (word: string, evidence: string | null) => (evidence ? `${word} [${evidence}]` : word),
  recorded: (at: string, attempts: number, events: number, checks: number) =>
    `Recorded until ${at}: ${attempts} attempts, ${events} events, ${checks} checks`,
  profile: (name: string | null) => `Profile: ${name ?? 'none'}`,
  signed: (at: string | null, id: string, by: string | null) =>
    `Signed ${at ?? 'at an unknown time'} with the key ${id}, ${by ?? 'unknown key'}`,
  remark: (text: string) => `Unsigned remark: ${text}`,
  problems: 'What is wrong',
  notes: 'What could not be looked at',
  missing: 'What is missing',
  proves: 'What this proves, and what not',
  version: (version: string) =>
    `Of Vault Cube Provisioner ${version}. The same checks as its command verify.`,
} as const;
