/** The report's step: what it says before, where the report went, and those there are already. */
import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { Report } from '../../renderer/steps/report/Report.tsx';
import { FakeMain } from './main.ts';
import { boxOf, recorded, session } from './recordings.ts';
import { show } from './show.tsx';

const SESSION = session().id;
const FOLDER = '/home/kim/.local/share/vault-cube/reports';
const made = (at: string) => `${FOLDER}/vault-cube-report-VC-0042-${at}.html`;
const all = ['preflight', 'keys', 'l0-fetch', 'l0-install', 'l0-health-failed'].map(recorded);

function main(files: { html: string; made: string }[] = []) {
  return new FakeMain()
    .serve(boxOf(all), all)
    .answer('box.reports', () => ({ folder: FOLDER, files }))
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
