/** Who can log in: what preflight found, and whom the app set up after it. */
import { describe, expect, it } from 'vitest';
import { accessOf } from '../../../main/services/report/access.ts';
import { plans } from './box.ts';
import { markup, openDesk } from './desk.ts';

const desk = openDesk();
const names = () => accessOf(desk.journal, desk.session).users.map((u) => `${u.name} ${u.uid} ${u.shell}`);

describe('who can log in', () => {
  it('is also the administrator that the app set up after preflight had looked', async () => {
    desk.fill(plans());
    const all = [
      'root 0 /bin/bash',
      'installer 1000 /bin/bash',
      'vaultadmin 1000 set up by the app after that',
    ];
    expect(names()).toEqual(all);
    const page = markup((await desk.make()).html);
    const table = /Users with a login shell.*?<\/table>/.exec(page)?.[0] ?? '';
    for (const words of ['root', 'installer', 'vaultadmin', 'set up by the app after that'])
      expect(table).toContain(`<td>${words}</td>`);
    expect(table).not.toContain('daemon');
  });

  it('is told once where a later preflight found it, and is nobody more before the step Keys', () => {
    const users = [{ name: 'vaultadmin', uid: 1000, shell: '/bin/bash', home: '/home/vaultadmin' }];
    const [first] = plans();
    desk.fill(plans({ preflight: { facts: { ...first?.facts, users } } }));
    expect(names()).toEqual(['vaultadmin 1000 /bin/bash']);
    desk.fill(plans().slice(0, 1), { name: 'VC-0043', keys: null });
    expect(names()).toEqual(['root 0 /bin/bash', 'installer 1000 /bin/bash']);
  });
});
