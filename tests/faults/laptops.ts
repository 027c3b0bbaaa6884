/** Fault: a second laptop comes to a box that is at work for the first. */
import assert from 'node:assert/strict';
import { hostname, userInfo } from 'node:os';
import { Laptop } from '../integration/cli.ts';
import { holds } from './evidence.ts';
import { eventIn, told, type Stage, type Told } from './stage.ts';

/** The second is told who works on the box, disturbs nothing, and has its turn afterwards. */
export async function twoLaptops(stage: Stage): Promise<Told> {
  const { box } = stage;
  const other = new Laptop();
  try {
    const sudo = stage.laptop.secrets.sudoPassword ?? '';
    other.secrets = { loginPassword: box.password, newSudoPassword: sudo };
    const who = ['--box', 'SAME-BOX', '--host', box.host, '--user', box.user, '--profile', 'two-h100'];
    await other.run('inspect', ...who, '--accept-host-key', box.fingerprint());
    const keys = await other.run('keys', '--generate', '--uid', 'keep');
    assert.equal(keys.last.type, 'result', told(keys));
    other.secrets = { sudoPassword: sudo };

    const run = stage.start('link-test', '--count', '300', '--rate', '50');
    await run.until('the first event', (r) => eventIn(r) !== null);
    const refused = await other.run('link-test', '--count', '10', '--rate', '50');
    assert.deepEqual([refused.code, refused.last['code']], [7, 'box_busy'], told(refused));
    const said = String(refused.last['message']);
    for (const word of ['Link test: 300 events', userInfo().username, hostname()]) {
      assert(said.includes(word), `"${said}" does not name ${word}`);
    }
    const ended = await run.ended;
    assert.equal(ended.code, 0, told(ended));
    const events = holds(stage);
    const resumed = await other.run('resume');
    assert.equal(resumed.code, 0, told(resumed));
    return { counts: { refusals: 1, events }, slowestMs: null };
  } finally {
    other.remove();
  }
}
