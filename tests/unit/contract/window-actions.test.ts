/** Errors as the window says them: a person there has buttons, no command line of ours. */
import { describe, expect, it } from 'vitest';
import { AppError, ERRORS, type ErrorCode } from '../../../preload/contract/errors.ts';
import { jobError } from '../../../preload/contract/job-error.ts';
import { forWindow } from '../../../preload/contract/window-actions.ts';

/** Our commands and our options; those of sudo, dpkg or ssh-add are the box's and stay. */
const OURS =
  /"vault-cube |--(help|host|box|port|key|generate|login-|agent-key|accept-|out|bundle|uid|secrets|set-clock|layers)|run the (same )?command/i;
const codes = Object.keys(ERRORS) as ErrorCode[];

describe('an error in the window', () => {
  it.each(codes)('%s names no command or option of the command line', (code) => {
    const reply = forWindow(new AppError(code).toReply());
    expect(reply.nextAction).not.toMatch(OURS);
    expect(reply.message).toBe(new AppError(code).message);
  });
});

describe('the error of a job', () => {
  const job = (state: 'failed' | 'cancelled' | 'lost', code: string | null, detail: string | null) =>
    jobError({ title: 'Install L1 Base system', state }, { code, detail });

  it('has the sentence of its code where the table has one', () => {
    expect(job('failed', 'box_disk_full', '2 GB free').message).toBe(
      'The box has too little room: 2 GB free',
    );
    expect(job('failed', 'hardening_not_confirmed', null).code).toBe('hardening_not_confirmed');
  });
  it('has its own words else', () => {
    expect(job('failed', 'task_failed', 'Install packages: no route').message).toBe(
      'Install L1 Base system failed: Install packages: no route',
    );
    expect(job('failed', null, null).message).toContain('no reason was given');
  });
  it('of one that was cancelled or lost says so, whatever its code', () => {
    expect(job('cancelled', 'box_disk_full', 'x').code).toBe('job_cancelled');
    expect(job('lost', null, null).code).toBe('job_lost');
  });
});
