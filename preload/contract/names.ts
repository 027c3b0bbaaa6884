/**
 * The names of calls and notices without their schemas: the bridge is read anew with every page and needs no more of them.
 * One too few or too many does not compile.
 */
import type { CallName } from './calls.ts';
import type { NoticeName } from './notices.ts';

const callNames = {
  'app.info': true,
  'app.problem': true,
  'boxes.list': true,
  'boxes.find': true,
  'boxes.create': true,
  'practice.faults': true,
  'practice.console': true,
  'boxes.practice': true,
  'profiles.list': true,
  'agent.keys': true,
  'keys.public': true,
  'place.last': true,
  'place.keep': true,
  'box.state': true,
  'box.change': true,
  'box.connect': true,
  'box.inspect': true,
  'box.keys': true,
  'box.plan': true,
  'box.provision': true,
  'box.check': true,
  'box.attempts': true,
  'box.validate': true,
  'box.supply': true,
  'box.resume': true,
  'box.cancel': true,
  'box.waive': true,
  'box.meet': true,
  'box.stopMeeting': true,
  'box.prove': true,
  'box.forgetHostKey': true,
  'box.report': true,
  'box.reports': true,
  'box.access': true,
  'box.proveCustomer': true,
  'box.handover': true,
  'box.archive': true,
  'box.preview': true,
  'report.verify': true,
  'report.verifyPage': true,
  'box.bundle': true,
  'flash.image': true,
  'flash.disks': true,
  'flash.choose': true,
  'flash.start': true,
  'flash.cancel': true,
  'image.state': true,
  'image.build': true,
  'image.stop': true,
  'image.set': true,
  'image.verify': true,
  'job.lines': true,
  'job.samples': true,
  'job.csv': true,
  'ask.answer': true,
  'pick.file': true,
  'pick.folder': true,
  'open.path': true,
  'terminal.open': true,
} satisfies Record<CallName, true>;

const noticeNames = {
  box: true,
  link: true,
  lines: true,
  note: true,
  hostKey: true,
  reboot: true,
  ask: true,
  terminalEnded: true,
  flash: true,
  disks: true,
  image: true,
} satisfies Record<NoticeName, true>;

export const CALL_NAMES = Object.keys(callNames) as CallName[];
export const NOTICE_NAMES = Object.keys(noticeNames) as NoticeName[];

/** Answered once every call can be: the page is loaded while main still opens the journal. */
export const STARTED = 'vault-cube-started';
