/** What an image's build is tried with: a project of one short role, a data folder, and an order. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openApp, type App } from '../../../main/services/app.ts';
import { buildImage, type BuildResult } from '../../../main/services/image/build.ts';
import type { ImageOrder } from '../../../main/services/image/order.ts';
import { AppError } from '../../../preload/contract/errors.ts';
import { has } from '../../../main/services/programs.ts';
import { ROOT, whyNoVm } from '../../rig/host.ts';

/** Programs of a build beside those of a virtual machine, and the Debian package each comes with. */
const TOOLS = { packer: 'packer', sfdisk: 'fdisk' };

/** Why no image can be built here; null where one can. */
export function whyNoBuild(): string | null {
  const [missing] = Object.entries(TOOLS).filter(([tool]) => !has(tool));
  return whyNoVm() ?? (missing ? `no ${missing[0]}: apt install ${missing[1]}` : null);
}

export class Factory {
  readonly dir = mkdtempSync(join(tmpdir(), 'vc-factory-'));
  readonly app: App;
  readonly project = join(this.dir, 'project');

  constructor() {
    this.app = openApp(
      {
        confirmHostKey: () => Promise.resolve(false),
        confirmReboot: () => Promise.resolve(false),
        note: () => undefined,
        link: () => undefined,
      },
      { home: join(this.dir, 'home') },
    );
    for (const name of ['packer', 'resources/box', 'ansible/roles/monitoring/files/pack.py'])
      cpSync(join(ROOT, name), join(this.project, name), { recursive: true });
    this.put(
      'ansible/ansible.cfg',
      '[defaults]\nroles_path = ./roles\ninterpreter_python = /usr/bin/python3\n',
    );
    this.put('ansible/bundle.yml', PLAY('Site bundle', 'bundle'));
    this.put('ansible/site.yml', PLAY('Layer 5', 'l5'));
  }

  put(path: string, text: string): void {
    mkdirSync(dirname(join(this.project, path)), { recursive: true });
    writeFileSync(join(this.project, path), text);
  }

  order(base: string, more: Partial<ImageOrder> = {}): ImageOrder {
    return {
      ...{
        source: { kind: 'disk', path: base, sha256: null },
        profile: 'vault-cube',
        layers: [5],
        bundle: null,
      },
      ...{
        name: 'box',
        version: '1',
        work: join(this.dir, 'work'),
        out: join(this.dir, 'set'),
        signer: null,
      },
      ...{ signerId: null, accel: 'tcg', memoryMiB: 1024, cpus: 2, diskSize: '2G', secondRun: false },
      project: this.project,
      ...more,
    };
  }

  build(order: ImageOrder, signal = new AbortController().signal): Promise<BuildResult> {
    return buildImage(this.app, order, signal);
  }

  /** What a build that must fail says. */
  async failure(order: ImageOrder): Promise<{ code: string; message: string; nextAction: string }> {
    try {
      await this.build(order);
    } catch (error) {
      if (error instanceof AppError) return error.toReply();
      throw error;
    }
    throw new Error('the build passed');
  }

  remove(): void {
    this.app.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const PLAY = (name: string, tag: string): string => `---
- name: ${name}
  hosts: all
  gather_facts: false
  tags: [${tag}]
  tasks:
    - name: Ask for the system
      ansible.builtin.command:
        argv: [uname, -r]
      changed_when: false
`;
