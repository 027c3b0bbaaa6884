/** The report's step: what it says before, where the report went, and those there are already. */
import { screen, within } from '@testing-library/react';
import type { UserEvent } from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import type { Verification } from '../../preload/contract/verification.ts';
import { Report } from '../../renderer/steps/report/Report.tsx';
import { FakeMain } from './main.ts';
import { boxOf, recorded, session } from './recordings.ts';
import { show } from './show.tsx';

/** At once: key by key took seconds of a busy machine. */
async function paste(user: UserEvent, field: HTMLElement, text: string): Promise<void> {
  await user.click(field);
  await user.paste(text);
}

const SESSION = session().id;
const FOLDER = '/home/kim/.local/share/vault-cube/reports';
const made = (at: string) => `${FOLDER}/vault-cube-report-VC-0042-${at}.html`;
const all = ['preflight', 'keys', 'l0-fetch', 'l0-install', 'l0-health-failed'].map(recorded);

function main(files: { html: string; made: string }[] = []) {
  return new FakeMain()
    .serve(boxOf(all), all)
    .answer('box.reports', () => ({ folder: FOLDER, files }))
    .answer('box.access', () => ({
      users: [{ name: 'vaultadmin', uid: 1000, shell: '/bin/bash' }],
      keys: null,
    }))
    .answer('open.path', () => undefined);
}

describe('the report', () => {
  it('is told of before it is made: outcome, gates, failures, what is missing, deviations, evidence', async () => {
    await show(Report, main());
    const says = within(screen.getByRole('region', { name: 'What it will say' }));
    says.getByText('stand-in, on every page');
    const facts = Array.from(document.querySelectorAll('.report-fact'), (f) =>
      Array.from(f.children, (c) => c.textContent?.replace(/^\W/, '')),
    );
    expect(facts).toEqual([
      ['Preflight', 'incomplete'],
      ['Keys', 'passed'],
      ['L0 Bootstrap', 'failed'],
      ['L1 Base system', 'not run'],
      ['T1 GPU detection', 'not run'],
      ['T2 PyTorch DDP', 'not run'],
      ['T3 TensorFlow', 'not run'],
      ['T4 vLLM', 'not run'],
      ['T5 Docker GPU', 'not run'],
      ['Ready to ship', 'incomplete'],
      ['Ready for production', 'incomplete'],
    ]);
    says.getByText('Failed (1)');
    says.getByText(/^Missing \(\d+\)$/);
    says.getByText(/^Deviations \(\d+\)$/);
  });

  it('is made where it is said to go, and opened, with its folder', async () => {
    const html = made('20261124-210455');
    const fake = main().answer('box.report', () => ({
      html,
      json: html.replace('.html', '.json'),
      folder: FOLDER,
    }));
    const { user } = await show(Report, fake);
    screen.getByText(FOLDER);
    await user.click(screen.getByRole('button', { name: 'Make report' }));
    expect(fake.of('box.report')).toEqual([{ session: SESSION, folder: null }]);
    const there = within(screen.getByRole('status', { name: 'The report that was made' }));
    there.getByText(html);
    await user.click(there.getByRole('button', { name: 'Open' }));
    await user.click(there.getByRole('button', { name: 'Open folder' }));
    expect(fake.of('open.path')).toEqual([{ path: html }, { path: FOLDER }]);
  });

  it('goes to another folder, and an error says what to do', async () => {
    const fake = main()
      .answer('pick.folder', () => '/media/kim/STICK')
      .refuse('box.report', 'output_unwritable', {
        path: '/media/kim/STICK',
        detail: 'EROFS: read-only file system',
      });
    const { user } = await show(Report, fake);
    await user.click(screen.getByRole('button', { name: 'Another folder…' }));
    await user.click(screen.getByRole('button', { name: 'Make report' }));
    expect(fake.of('box.report')).toEqual([{ session: SESSION, folder: '/media/kim/STICK' }]);
    const alert = within(screen.getByRole('alert'));
    alert.getByText('/media/kim/STICK cannot be written: EROFS: read-only file system');
    alert.getByText('Choose a folder that you can write.');
    expect(screen.queryByRole('region', { name: 'The report that was made' })).toBeNull();
  });

  it('lists the earlier ones of this box', async () => {
    const fake = main([{ html: made('20261124-203812'), made: '2026-11-24 20:38:12' }]);
    const { user } = await show(Report, fake);
    const earlier = within(screen.getByRole('region', { name: 'Earlier reports' }));
    earlier.getByText('2026-11-24 20:38:12');
    await user.click(earlier.getByRole('button', { name: 'Open' }));
    expect(fake.of('open.path')).toEqual([{ path: made('20261124-203812') }]);
  });
});

const ZIP = '/media/kim/STICK/vault-cube-BRD-7F3A-20261124-210455.zip';
const FOUND: Verification = {
  path: ZIP,
  problems: [],
  notes: [],
  signature: {
    ...{ state: 'good', keyId: 'EED43E10060B8C4D', by: 'Kim', comment: 'timestamp:1' },
    ...{ at: '2026-11-24T20:03:11.000Z', untrusted: 'by the key' },
  },
  report: {
    ...{ box: 'VC-0042', serial: 'BRD-7F3A', asOf: '2026-11-24T20:03:11.000Z', app: 'x', profile: null },
    ...{ outcome: 'passed', evidence: 'real', missing: [], attempts: 3, events: 40, checks: 12 },
  },
};

describe('the hand-over', () => {
  const handing = () =>
    main()
      .answer('box.handover', () => boxOf(all))
      .answer('pick.folder', () => '/media/kim/STICK')
      .answer('box.archive', () => ({
        ...{ zip: ZIP, signature: `${ZIP}.minisig`, noPdf: null, folder: '/media/kim/STICK' },
        sha256: 'a'.repeat(64),
      }))
      .answer('report.verify', () => FOUND);

  it('lists who can log in', async () => {
    await show(Report, main());
    const access = within(await screen.findByRole('region', { name: 'Who can log in' }));
    access.getByText('vaultadmin');
    access.getByText('UID 1000');
    access.getByText('The app installed no key on this box.');
  });

  it('asks the box about the customer’s keys, and says what that proves and what a login does', async () => {
    const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:abc', comment: 'ops@customer.example' };
    const keys = (proof: { how: 'accepted' | 'login'; at: string } | null) => ({
      ...{ engineer: { ...key, fingerprint: 'SHA256:own' }, kept: 'file' as const, adminUid: 1000 },
      ...{ customer: [{ ...key, proof }], keyLoginProvenAt: '2026-11-24T20:00:00Z', sudoProvenAt: null },
    });
    const fake = main()
      .answer('box.access', () => ({ users: [], keys: keys(null) }))
      .answer('box.proveCustomer', ({ key: given }) => {
        const proof = { how: given ? ('login' as const) : ('accepted' as const), at: '2026-11-24T21:00:00Z' };
        return { users: [], keys: keys(proof) };
      });
    const { user } = await show(Report, fake);
    const access = within(await screen.findByRole('region', { name: 'Who can log in' }));
    access.getByText('login not proven: its private half is the customer’s');
    await user.click(
      access.getByRole('button', { name: 'Ask the box whether it takes the customer’s keys' }),
    );
    await access.findByText('the box takes it (asked 2026-11-24T21:00:00Z); no login was made');
    await paste(user, access.getByLabelText('Private half of a customer’s key (optional)'), '/media/ops.key');
    await paste(user, access.getByLabelText('Passphrase of the customer’s key'), 'four five');
    await user.click(access.getByRole('button', { name: 'Log in with it' }));
    await access.findByText('login proven 2026-11-24T21:00:00Z');
    expect(fake.of('box.proveCustomer')).toEqual([
      { session: SESSION, key: null },
      { session: SESSION, key: { path: '/media/ops.key', passphrase: 'four five' } },
    ]);
  });

  it('is told for whom it is, signed, exported where it is said, and verified', async () => {
    const fake = handing();
    const { user } = await show(Report, fake);
    await user.click(screen.getByRole('button', { name: 'Another folder…' }));
    await paste(user, screen.getByLabelText('Customer'), 'ACME');
    await paste(user, screen.getByLabelText('Site'), 'Hall 3');
    await paste(user, screen.getByLabelText('Handed over by'), 'Kim');
    await paste(user, screen.getByLabelText(/^Key that signs/), '/home/kim/kim.key');
    await paste(user, screen.getByLabelText('Passphrase of the signing key'), 'one two three');
    await user.click(screen.getByRole('button', { name: 'Export archive' }));
    const told = { customer: 'ACME', site: 'Hall 3', engineer: 'Kim' };
    expect(fake.of('box.handover')).toEqual([{ session: SESSION, ...told }]);
    const sign = { path: '/home/kim/kim.key', passphrase: 'one two three' };
    expect(fake.of('box.archive')).toEqual([
      { session: SESSION, folder: '/media/kim/STICK', sign, paper: 'A4' },
    ]);
    const there = within(screen.getByRole('status', { name: 'The archive that was exported' }));
    there.getByText(ZIP);
    expect(screen.getByLabelText('Passphrase of the signing key')).toHaveProperty('value', '');
    await user.click(there.getByRole('button', { name: 'Verify it' }));
    expect(fake.of('report.verify')).toEqual([{ path: ZIP }]);
    const found = within(screen.getByRole('status', { name: 'What was found of it' }));
    found.getByText('✓ Intact, signed by Kim, complete.');
    found.getByText(/whoever was root there could have made it report anything/);
  });

  it('is looked at before, in a frame that runs nothing, with what was just said of it', async () => {
    const fake = handing().answer('box.preview', () => '<!doctype html><p>the report</p>');
    const { user } = await show(Report, fake);
    await paste(user, screen.getByLabelText('Customer'), 'ACME');
    await user.click(screen.getByRole('button', { name: 'Preview' }));
    const frame = await screen.findByTitle('Report of VC-0042');
    expect([frame.getAttribute('sandbox'), frame.getAttribute('srcdoc')]).toEqual([
      '',
      '<!doctype html><p>the report</p>',
    ]);
    expect(fake.of('box.handover')).toMatchObject([{ customer: 'ACME' }]);
  });

  it('goes onto Letter where that is chosen, and its verifier is written out', async () => {
    const page = '/media/kim/STICK/vault-cube-verify.html';
    const fake = handing().answer('report.verifyPage', () => ({ path: page, folder: '/media/kim/STICK' }));
    const { user } = await show(Report, fake);
    await user.click(screen.getByRole('radio', { name: 'Letter' }));
    await user.click(screen.getByRole('button', { name: 'Export archive' }));
    expect(fake.of('box.archive')).toMatchObject([{ paper: 'Letter' }]);
    await user.click(screen.getByRole('button', { name: 'Write the page that verifies without the app' }));
    screen.getByText(page);
  });

  it('unsigned says so, and why there is no PDF', async () => {
    const fake = handing().answer('box.archive', () => ({
      ...{ zip: ZIP, signature: null, noPdf: 'no printer', folder: FOLDER, sha256: 'a'.repeat(64) },
    }));
    const { user } = await show(Report, fake);
    await user.click(screen.getByRole('button', { name: 'Export archive' }));
    expect(fake.of('box.archive')).toEqual([{ session: SESSION, folder: null, sign: null, paper: 'A4' }]);
    screen.getByText('It is not signed.');
    screen.getByText('report.pdf is left out: no printer.');
  });

  it('another archive that was changed is said to be that', async () => {
    const problems = ['The signature is not of these bytes: the archive or the signature was changed.'];
    const fake = handing()
      .answer('pick.file', () => ZIP)
      .answer('report.verify', () => ({ ...FOUND, problems }));
    const { user } = await show(Report, fake);
    await user.click(screen.getByRole('button', { name: 'Verify an archive…' }));
    const found = within(screen.getByRole('status', { name: 'What was found of it' }));
    found.getByText('✕ Not intact: it is not what was written.');
    within(found.getByRole('list', { name: 'What is wrong' })).getByText(problems[0] ?? '');
    expect(found.queryByRole('list', { name: 'What could not be looked at' })).toBeNull();
  });
});
