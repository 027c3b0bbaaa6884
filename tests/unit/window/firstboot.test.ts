/** What is typed for a first boot, judged while it is typed. */
import { describe, expect, it } from 'vitest';
import { firstDraft, hostnameOf, judge } from '../../../renderer/steps/flash/useFirstBoot.ts';

const draft = firstDraft({ name: 'VC-0042', firstBoot: null, path: 'flash' });
const on = { ...draft, on: true, password: 'a Sudo password 1' };

describe('first-boot settings in the window', () => {
  it('are off at first, and give nothing then', () => {
    expect(judge(draft)).toEqual({ faults: {}, given: null, lacks: null });
  });

  it('have a host name out of the name of the box', () => {
    expect(['VC-0042', 'Lab.7_b', '-a-'].map(hostnameOf)).toEqual(['vc-0042', 'lab-7-b', 'a']);
  });

  it('are complete with a password alone: a new key, and DHCP', () => {
    expect(judge({ ...on, password: '' }).lacks).toMatch(/sudo password/);
    expect(judge({ ...on, passwordSettled: false }).given).toBeNull();
    expect(judge(on)).toEqual({
      ...{ faults: {}, lacks: null },
      given: {
        choice: { hostname: 'vc-0042', key: { kind: 'generate' }, address: null },
        sudoPassword: 'a Sudo password 1',
      },
    });
  });

  it("take the passphrase beside the choice, never in it; an agent's key has none", () => {
    const file = judge({ ...on, key: { kind: 'file', path: '/k', passphrase: 'open it' } }).given;
    expect(file).toMatchObject({ choice: { key: { kind: 'file', path: '/k' } }, passphrase: 'open it' });
    expect(JSON.stringify(file?.choice)).not.toContain('open it');
    const agent = judge({ ...on, key: { kind: 'agent', fingerprint: 'SHA256:x' } }).given;
    expect(agent).toMatchObject({ choice: { key: { kind: 'agent', fingerprint: 'SHA256:x' } } });
    expect(judge({ ...on, key: null }).lacks).not.toBeNull();
  });

  it('with a fixed address say what is wrong in the field where it is', () => {
    const fixed = { ...on, fixed: true, card: 'enp5s0', address: '192.168.10.5/24', gateway: '', dns: '' };
    expect(judge(fixed).given?.choice.address).toEqual({
      ...{ card: 'enp5s0', address: '192.168.10.5/24', gateway: null, dns: [] },
    });
    expect(judge({ ...fixed, dns: '192.168.10.2, 9.9.9.9' }).given?.choice.address?.dns).toHaveLength(2);
    const wrong = { ...fixed, card: 'Ethernet 1', gateway: '192.168.11.1', dns: 'router' };
    expect(Object.keys(judge(wrong).faults).sort()).toEqual(['card', 'dns', 'gateway']);
    expect(judge({ ...wrong, card: 'enp5s0', dns: '' }).faults).toEqual({
      gateway: 'the gateway has another address of the same network (192.168.10.5/24)',
    });
    // A field that is still empty is no mistake yet.
    expect(judge({ ...fixed, address: '' })).toMatchObject({ faults: {}, given: null });
  });
});
