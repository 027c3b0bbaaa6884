/** The window's calls, each answered by a service. What only Electron can do (pickers, opening a file) is given. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WebContents } from 'electron';
import type { AppInfo, CallInput, KeyChoice, LoginChoice } from '../preload/contract/calls.ts';
import { AppError } from '../preload/contract/errors.ts';
import { addressText, type Session } from '../preload/contract/session.ts';
import { forWindow } from '../preload/contract/window-actions.ts';
import type { Handlers } from './ipc.ts';
import { agentKeys, defaultAgent } from './remote/keyfiles.ts';
import type { Desk } from './services/desk.ts';
import type { Answer, Order } from './services/apart.ts';
import { openSigningKey } from './services/archive/signing.ts';
import { trustedKeys } from './services/archive/trust.ts';
import { proveCustomerKeys } from './services/customerkeys.ts';
import { findBoxes } from './services/find.ts';
import { lookAtImage } from './services/flash/look.ts';
import { lookAtSet } from './services/image/set.ts';
import { inspectOver } from './services/inspect.ts';
import { chooseKey, setUpKeys, type KeyChoice as KeyOrder } from './services/keys.ts';
import { lastBundle } from './services/lastbundle.ts';
import type { LoginOptions } from './services/login.ts';
import { consoleOf } from './services/practice.ts';
import { loadProfile, profileNames } from './services/profiles.ts';
import { keepPlace, lastPlace } from './services/place.ts';
import { planCheck, planProvision } from './services/provision.ts';
import { parsePublicKeys, readPublicKeys } from './services/publickeys.ts';
import { makeReport } from './services/report.ts';
import { accessOf } from './services/report/access.ts';
import { listReports } from './services/report/list.ts';
import { attemptsOfCheck, uidSwapRun, type RunEnd } from './services/runs.ts';
import { Secrets } from './services/secrets.ts';
import { changeSession, newSession, pinNameOf } from './services/sessions.ts';
import { VERIFY_PAGE, writeVerifyPage } from './services/verifypage.ts';
import { parseSuites, planValidate } from './services/validate.ts';

/** What Electron does for the handlers. */
export interface Shell {
  pickFile(from: WebContents, what: CallInput<'pick.file'>['what']): Promise<string | null>;
  pickFolder(from: WebContents, what: CallInput<'pick.folder'>['what']): Promise<string | null>;
  openPath(path: string): Promise<string>;
  /** In a process of its own. */
  apart: <K extends Order['kind']>(order: Extract<Order, { kind: K }>) => Promise<Answer<K>>;
  openTerminal(from: WebContents, order: CallInput<'terminal.open'>): Promise<{ terminal: string }>;
  startPractice(fault: string | null, path: Session['path']): Promise<{ session: string }>;
}

const orderOf = (choice: KeyChoice): KeyOrder => {
  switch (choice.kind) {
    case 'generate':
      return { kind: 'generate', path: null, withPassphrase: choice.passphrase !== undefined };
    case 'file':
      return { kind: 'file', path: choice.path };
    case 'agent':
      return { kind: 'agent', fingerprint: choice.fingerprint };
  }
};

/** Takes the secrets out of a choice and gives the key that logs in; undefined for a password or the session's own key. */
async function credential(desk: Desk, id: string, choice: LoginChoice): Promise<LoginOptions['key']> {
  const { secrets, app } = desk.live(id);
  switch (choice.kind) {
    case 'password':
      secrets.set('loginPassword', choice.password);
      return undefined;
    case 'session':
      if (choice.passphrase !== undefined) secrets.set('passphrase', choice.passphrase);
      return undefined;
    case 'key':
      if (choice.passphrase !== undefined) secrets.set('passphrase', choice.passphrase);
      return chooseKey(app, desk.session(id), secrets, { kind: 'file', path: choice.path });
    case 'agent':
      return chooseKey(app, desk.session(id), secrets, choice);
  }
}

/** The engineer's key of a login; null for a password. */
function metBy(choice: LoginChoice): KeyOrder | null {
  switch (choice.kind) {
    case 'key':
      return { kind: 'file', path: choice.path };
    case 'agent':
      return { kind: 'agent', fingerprint: choice.fingerprint };
    case 'password':
    case 'session':
      return null;
  }
}

const profileOf = (session: Session) => loadProfile(session.profile).profile;

async function keys(desk: Desk, input: CallInput<'box.keys'>) {
  const { session: id, choice, newSudoPassword, customerKeys, uid } = input;
  const box = desk.live(id);
  if (choice.kind !== 'agent' && choice.passphrase !== undefined)
    box.secrets.set('passphrase', choice.passphrase);
  if (newSudoPassword !== undefined) box.secrets.set('newSudoPassword', newSudoPassword);
  const order = { choice: orderOf(choice), customerKeys, uid, loginKey: box.loginKey };
  const done = await setUpKeys(box.app, desk.session(id), box.secrets, order);
  const { swapWith } = done;
  if (swapWith === null) await box.reconnect();
  else await loggedOut(desk, id, () => desk.start(id, uidSwapRun(swapWith)));
  return desk.state(id);
}

/** Nobody of either user may be logged in while the numbers of a UID swap change: the held connection least of all. */
async function loggedOut(desk: Desk, id: string, swap: () => Promise<RunEnd>): Promise<RunEnd> {
  const box = desk.live(id);
  box.disconnect();
  const end = await swap();
  await box.reconnect();
  return end;
}

async function resume(desk: Desk, id: string) {
  const go = () => desk.resume(id);
  const swaps = desk.session(id).run?.command === 'uid-swap';
  return { outcome: (await (swaps ? loggedOut(desk, id, go) : go())).outcome };
}

/** `info`: what the About box says; `problem`: why nothing can be recorded, null where all is well. */
export function handlers(desk: Desk, info: AppInfo, shell: Shell, problem: AppError | null = null): Handlers {
  const { app } = desk;
  const reports = join(app.home, 'reports');
  return {
    'app.info': () => info,
    'app.problem': () => problem && forWindow(problem.toReply()),
    'boxes.list': () => desk.cards(),
    'boxes.find': () => findBoxes(),
    'boxes.create': (box) => {
      const { name, profile, path } = box;
      loadProfile(profile);
      const other = app.journal.sessionByName(name);
      if (other) throw new AppError('box_name_taken', { name, address: addressText(other.address) });
      const place =
        box.path === 'flash'
          ? { address: null, user: '' }
          : { address: { host: box.host, port: box.port }, user: box.user };
      const session = newSession({ name, profile, path, ...place, live: path === 'network' });
      app.journal.saveSession(session);
      return { session: session.id };
    },
    'practice.faults': () => app.practice.faults().map(({ id, title }) => ({ id, title })),
    'practice.console': ({ session }) => {
      const now = desk.session(session);
      return now.practice ? consoleOf(app, now) : null;
    },
    'boxes.practice': ({ fault, path }) => shell.startPractice(fault, path),
    'profiles.list': () => profileNames().map((id) => ({ id, title: loadProfile(id).profile.title })),
    'agent.keys': async () =>
      (await agentKeys(defaultAgent())).map(({ fingerprint, type, comment }) => ({
        fingerprint,
        type,
        comment,
      })),

    'keys.public': (given) =>
      given.from === 'file' ? readPublicKeys(given.path) : parsePublicKeys(given.text, 'What was pasted'),
    'place.last': () => lastPlace(app),
    'place.keep': (place) => {
      keepPlace(app, place);
      return undefined;
    },

    'box.state': ({ session }) => desk.state(session),
    'box.change': ({ session, host, port, user, profile }) => {
      loadProfile(profile);
      changeSession(app, session, (s) => ({
        ...s,
        profile,
        address: { host, port },
        ...(s.keys ? {} : { user, firstUser: user }),
      }));
      return desk.state(session);
    },
    'box.connect': async ({ session, login }) => {
      const key = await credential(desk, session, login);
      const { next, live } = desk.session(session);
      const met = next !== null && !live ? metBy(login) : null;
      // A system that was flashed with this key, which nobody has met: proven as the command line does it.
      if (met) await desk.meetings.meet(session, { key: met, address: null });
      else {
        await desk.live(session).connect(key);
        desk.meetings.metOtherwise(session);
      }
      return desk.state(session);
    },
    'box.meet': async ({ session, key, address, sudoPassword, passphrase }) => {
      const { secrets } = desk.live(session);
      if (sudoPassword !== undefined) secrets.set('sudoPassword', sudoPassword);
      if (passphrase !== undefined) secrets.set('passphrase', passphrase);
      await desk.meetings.meet(session, { key, address });
      await desk.meetings.prove(session);
      return desk.state(session);
    },
    'box.stopMeeting': ({ session }) => {
      desk.meetings.stop(session);
      return undefined;
    },
    'box.prove': async ({ session }) => {
      await desk.meetings.prove(session);
      return desk.state(session);
    },
    'box.inspect': async ({ session, sudoPassword, setClock }) => {
      const box = desk.live(session);
      if (sudoPassword !== undefined) box.secrets.set('sudoPassword', sudoPassword);
      const now = desk.session(session);
      await inspectOver(box.app, now, box.secrets, box.connection, { profile: profileOf(now), setClock });
      return desk.state(session);
    },
    'box.keys': (input) => keys(desk, input),
    'box.plan': ({ session, layers, bundle }) => {
      const now = desk.session(session);
      return planProvision(app, now, profileOf(now), layers, bundle);
    },
    'box.provision': async ({ session, layers, bundle }) => {
      const now = desk.session(session);
      return {
        outcome: (await desk.start(session, planProvision(app, now, profileOf(now), layers, bundle))).outcome,
      };
    },
    'box.check': async ({ session, layers }) => {
      const now = desk.session(session);
      return { outcome: (await desk.start(session, planCheck(now, profileOf(now), layers))).outcome };
    },
    'box.validate': async (order) => {
      const { session, suites, watchSeconds, hz, agreedWatts, soakSeconds, powerLimitW, checks } = order;
      const now = desk.session(session);
      const wanted = parseSuites(suites.join(','));
      const load = {
        agreedWatts: agreedWatts ?? null,
        soakSeconds: soakSeconds ?? null,
        powerLimitW: powerLimitW ?? null,
      };
      const run = planValidate(app, now, profileOf(now), wanted, { hz, watchSeconds }, load, checks);
      return { outcome: (await desk.start(session, run)).outcome };
    },
    'box.supply': ({ session, volts, amperes }) => {
      const supply = { volts, amperes, statedAt: new Date().toISOString() };
      changeSession(app, session, (s) => ({ ...s, supply }));
      return desk.state(session);
    },
    'box.resume': ({ session }) => resume(desk, session),
    'box.cancel': async ({ session }) => {
      await desk.cancel(session);
      return undefined;
    },
    'box.waive': ({ session, check, name, reason, remove }) => {
      changeSession(app, session, (s) => {
        const others = s.waivers.filter((w) => w.check !== check);
        const waiver = { check, name, reason, at: new Date().toISOString() };
        return { ...s, waivers: remove ? others : [...others, waiver] };
      });
      return desk.state(session);
    },
    'box.attempts': ({ session, check }) => attemptsOfCheck(app.journal, desk.session(session), check),
    'box.forgetHostKey': ({ session }) => {
      const now = desk.session(session);
      desk.live(session).disconnect();
      app.knownHosts.forget(pinNameOf(now));
      changeSession(app, session, (s) => ({ ...s, hostKey: null }));
      return desk.state(session);
    },
    'box.report': async ({ session, folder }) => {
      const { html, json } = await makeReport(app.journal, session, folder ?? reports, {
        appVersion: app.version,
      });
      return { html, json, folder: dirname(html) };
    },
    'box.reports': ({ session }) => ({
      folder: reports,
      files: listReports(reports, desk.session(session).name),
    }),
    'box.access': ({ session }) => accessOf(app.journal, desk.session(session)),
    'box.proveCustomer': async ({ session, key }) => {
      const given = key?.passphrase === undefined ? {} : { passphrase: key.passphrase };
      // The customer's passphrase is for this one login: it is not kept.
      const secrets = new Secrets(() => Promise.resolve(null), given);
      const now = await proveCustomerKeys(app, desk.session(session), secrets, key?.path ?? null);
      desk.changed(session);
      return accessOf(app.journal, now);
    },
    'box.handover': ({ session, ...handover }) => {
      changeSession(app, session, (s) => ({ ...s, handover }));
      return desk.state(session);
    },
    'box.preview': ({ session }) => {
      desk.session(session);
      return shell.apart({ kind: 'preview', journal: app.journal.path, session, version: app.version });
    },
    'box.archive': async ({ session, folder, sign, paper }) => {
      const given = sign?.passphrase === undefined ? {} : { signingPassphrase: sign.passphrase };
      // Only for this one call: the passphrase is not kept.
      const key = sign && (await openSigningKey(sign.path, new Secrets(() => Promise.resolve(null), given)));
      const where = { journal: app.journal.path, session, folder: folder ?? reports };
      const made = await shell.apart({ kind: 'archive', ...where, version: app.version, key, paper });
      return { ...made, folder: dirname(made.zip) };
    },
    'report.verify': ({ path }) =>
      shell.apart({ kind: 'verify', path, home: app.home, version: app.version }),
    'report.verifyPage': ({ folder }) => {
      const path = join(folder ?? reports, VERIFY_PAGE);
      mkdirSync(dirname(path), { recursive: true });
      writeVerifyPage(path, trustedKeys(app.home));
      return { path, folder: dirname(path) };
    },
    'box.bundle': ({ session }) => lastBundle(app, desk.session(session)),

    'flash.image': ({ path }) => lookAtImage(path),
    'flash.disks': ({ session, image }) => {
      const now = desk.session(session);
      return now.path === 'network'
        ? desk.netFlashes.disks(now, desk.live(session), image)
        : desk.flashes.disks(now, image);
    },
    'flash.choose': ({ session, choice }) => {
      changeSession(app, session, (s) => ({ ...s, flash: choice }));
      return desk.state(session);
    },
    'flash.start': async ({ session, firstBoot, ...order }) => {
      const { image, serial } = order;
      const now = changeSession(app, session, (s) => ({ ...s, flash: { image, serial } }));
      const { secrets } = desk.live(session);
      if (firstBoot) secrets.set('newSudoPassword', firstBoot.sudoPassword);
      // vaultadmin's at the first login. A practice box starts from no disk.
      if (firstBoot && !now.practice) secrets.set('sudoPassword', firstBoot.sudoPassword);
      if (firstBoot?.passphrase !== undefined) secrets.set('passphrase', firstBoot.passphrase);
      await desk.startFlash(now, { ...order, firstBoot: firstBoot?.choice ?? null });
      return desk.state(session);
    },
    'flash.cancel': async ({ session }) => {
      await desk.cancelFlash(desk.session(session));
      return undefined;
    },

    'image.state': () => desk.images.state(),
    'image.build': async (order) => {
      await desk.images.start(order);
      return desk.images.state();
    },
    'image.stop': () => {
      desk.images.stop();
      return undefined;
    },
    'image.set': ({ dir }) => lookAtSet(dir),
    'image.verify': ({ dir }) => shell.apart({ kind: 'proveSet', dir, home: app.home }),

    'job.lines': ({ job, attempt, after, limit, samples }) => ({
      lines: app.journal.linesAfter(job, attempt, after, limit, { samples }),
      sampleRows: app.journal.sampleRows(job, attempt),
    }),
    'job.samples': ({ job, attempt, fields, points, from, to }) =>
      app.journal
        .sampleLines(job, attempt, { fields, points, from: from ?? undefined, to: to ?? undefined })
        .map(({ series, field, points: found }) => ({
          series,
          field,
          mono: Float64Array.from(found, (p) => p.mono),
          value: Float64Array.from(found, (p) => p.value),
        })),

    'job.csv': ({ session, ...order }) => {
      desk.session(session);
      return shell.apart({ kind: 'telemetry', journal: app.journal.path, session, ...order });
    },

    'ask.answer': ({ ask, value }) => {
      desk.answer(ask, value);
      return undefined;
    },
    'pick.file': ({ what }, from) => shell.pickFile(from, what),
    'pick.folder': ({ what }, from) => shell.pickFolder(from, what),
    'open.path': async ({ path }) => {
      const why = await shell.openPath(path);
      if (why) throw new AppError('open_failed', { path, detail: why });
      return undefined;
    },
    'terminal.open': (order, from) => shell.openTerminal(from, order),
  };
}
