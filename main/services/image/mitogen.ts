/** Whether the roles can be run by one Python that stays in the machine (docs/adr/0017-image-build.md). */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { printed } from '../programs.ts';

/** A start of Ansible on a busy machine. */
const ASK_MS = 60_000;
const CODE = /^\s*ansible python module location = (.+)$/m;

/** The folder ansible_mitogen in the environment of this ansible-playbook; empty where it has none. */
export async function mitogenOf(playbook: string): Promise<string> {
  const { stdout } = await printed(playbook, ['--version'], { timeout: ASK_MS });
  const code = CODE.exec(stdout)?.[1];
  const beside = code === undefined ? '' : join(dirname(code), 'ansible_mitogen');
  return beside !== '' && existsSync(join(beside, 'plugins/strategy/mitogen_linear.py')) ? beside : '';
}
