/** Whether mitogen is there is asked of the Ansible that will run the roles, by what it tells of itself. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mitogenOf } from '../../../main/services/image/mitogen.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vc-mitogen-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program that tells what ansible-playbook 2.19 tells of itself. */
function playbook(): string {
  const path = join(dir, 'ansible-playbook');
  const told = `ansible-playbook [core 2.19.14]\n  config file = None\n  ansible python module location = ${dir}/site-packages/ansible\n`;
  writeFileSync(path, `#!/bin/sh\ncat <<'END'\n${told}END\n`, { mode: 0o755 });
  return path;
}

it('the strategy beside the code of Ansible is found, and a folder without it is none', async () => {
  const found = join(dir, 'site-packages/ansible_mitogen');
  mkdirSync(join(found, 'plugins/strategy'), { recursive: true });
  expect(await mitogenOf(playbook())).toBe('');
  writeFileSync(join(found, 'plugins/strategy/mitogen_linear.py'), '');
  expect(await mitogenOf(playbook())).toBe(found);
});

it('an Ansible that does not answer has none', async () =>
  expect(await mitogenOf(join(dir, 'none'))).toBe(''));
