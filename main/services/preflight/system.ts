/** The installed system: what layers are put on. */
import { AppError } from '../../../preload/contract/errors.ts';
import {
  judged,
  notRun,
  pass,
  unnamed,
  unread,
  versionAtLeast,
  warn,
  type Finding,
  type Look,
  type PreflightCheck,
} from './judge.ts';

function distribution(look: Look): Finding {
  const found = look.facts.distribution;
  const { distributions, id } = look.profile;
  if (!found) return unread(look, 'the distribution', 'distribution');
  const value = found.pretty ?? `${found.id} ${found.version ?? 'without a version'}`;
  const wanted = distributions
    .filter((d) => !d.standIn)
    .map((d) => `${d.id} ${d.version}`)
    .join(' or ');
  const entry = distributions.find((d) => d.id === found.id && d.version === found.version);
  if (entry?.standIn)
    return { verdict: 'not_supported', value, threshold: wanted, reason: `stand-in OS: ${entry.standIn}` };
  const error = new AppError('box_unsupported', { found: value, profile: id, wanted });
  return judged(entry !== undefined, value, error.nextAction, { threshold: wanted, source: 'the profile' });
}

function kernel(look: Look): Finding {
  const { kernel: found } = look.facts;
  const want = look.profile.kernelFloor;
  if (!found) return unread(look, 'the kernel', 'kernel');
  if (!want) return unnamed('kernel', found);
  const next = 'Install a newer kernel ("sudo apt full-upgrade"), reboot, then inspect again.';
  return judged(versionAtLeast(found, want.version), found, next, {
    threshold: `${want.version} or newer`,
    source: want.source,
  });
}

function systemd(look: Look): Finding {
  const { systemd: found } = look.facts;
  if (found === null || found === undefined) return unread(look, 'the first process', 'systemd');
  const next = new AppError('systemd_missing').nextAction;
  return judged(found, found ? 'systemd' : 'not systemd', next, { threshold: 'systemd' });
}

function python(look: Look): Finding {
  const { python: found } = look.facts;
  const want = look.profile.pythonFloor;
  if (!found) return unread(look, 'the Python version', 'python');
  if (!want) return unnamed('Python version', found);
  const next = 'Install the distribution that the profile names; its own Python runs the layers.';
  return judged(versionAtLeast(found, want.version), found, next, {
    threshold: `${want.version} or newer`,
    source: want.source,
  });
}

/** Seconds as people say them: in seconds while few, else rounded to the largest unit of which there are two. */
function span(seconds: number): string {
  const size = Math.abs(seconds);
  if (size < 120) return `${size.toFixed(1)} s`;
  if (size < 7_200) return `${Math.round(size / 60)} min`;
  if (size < 172_800) return `${Math.round(size / 3_600)} h`;
  return size < 63_072_000 ? `${Math.round(size / 86_400)} days` : `${Math.round(size / 31_557_600)} years`;
}

function clock({ reading, profile }: Look): Finding {
  const { skewSeconds: skew, uncertaintySeconds: unsure, asUser } = reading;
  const { max, source } = profile.clockSkewSeconds;
  const found = new Date(asUser.clock.epoch * 1000).toISOString();
  const value = `${span(skew)} ${skew < 0 ? 'behind' : 'ahead'}`;
  const more = {
    threshold: `within ${max} s of the laptop's clock`,
    source,
    evidence: `box minus laptop: ${skew.toFixed(3)} s, known to ± ${unsure.toFixed(3)} s; the box said ${found}`,
  };
  if (unsure > max)
    return notRun(`the link is too slow to tell: known to ± ${unsure.toFixed(0)} s`, null, more);
  return judged(Math.abs(skew) <= max, value, SET_CLOCK, more);
}

/** Read in the window, on the command line and in reports. */
const SET_CLOCK =
  'Set clock and hardware clock from this laptop: the button in Preflight, or "vault-cube inspect --set-clock".';

function rtc(look: Look): Finding {
  const { rtcEpoch, epoch } = look.facts.clock;
  const { max, source } = look.profile.clockSkewSeconds;
  if (rtcEpoch === null || rtcEpoch === undefined)
    return unread(look, 'the hardware clock', 'clock.rtcEpoch');
  const off = Math.round(rtcEpoch - epoch);
  const more = { unit: 's', threshold: `within ${max} s of the box's clock`, source };
  if (Math.abs(off) <= max) return pass(off, more);
  return warn(off, `The box will start with a wrong clock. ${SET_CLOCK}`, more);
}

const MOK =
  'In the BIOS set Secure Boot to disabled. To keep it, somebody must be at the console when layer 2 reboots: in the blue screen choose Enroll MOK, Continue, Yes, type the password that layer 2 shows, then Reboot.';

function secureBoot(look: Look): Finding {
  const { secureBoot: found } = look.facts;
  if (!found) return unread(look, 'Secure Boot', 'secureBoot');
  if (found !== 'enabled') return pass(found);
  return warn(found, MOK, { threshold: 'disabled, or the key of the driver enrolled' });
}

function nouveau(look: Look): Finding {
  const { nouveau: found } = look.facts;
  if (found === null || found === undefined) return unread(look, 'the loaded modules', 'nouveau');
  return found ? warn('loaded', 'Nothing to do: layer 2 blacklists it and reboots.') : pass('not loaded');
}

function nvidiaModule(look: Look): Finding {
  const { nvidiaModule: found, unreadable } = look.facts;
  const want = look.profile.gpu.openModules;
  if (!found && 'nvidiaModule' in unreadable) return unread(look, 'the NVIDIA module', 'nvidiaModule');
  if (!found) return pass('none loaded');
  if (!found.license) return unread(look, "the NVIDIA module's licence", 'nvidiaModule.license');
  const open = /MIT|GPL/.test(found.license);
  const value = `${found.version ?? 'unknown version'}, ${open ? 'open' : 'closed'} (${found.license})`;
  const more = { threshold: want.value ? 'none, or the open one' : 'any', source: want.source };
  if (open || !want.value) return pass(value, more);
  return warn(value, 'Layer 2 replaces it by the open modules.', more);
}

function dpkg(look: Look): Finding {
  const audit = look.facts.dpkg?.audit;
  if (audit === null || audit === undefined) return unread(look, "dpkg's state", 'dpkg.audit', 'dpkg');
  if (audit === '') return pass('whole');
  return warn('packages are half-installed', 'Layer 0 repairs them; to look now: sudo dpkg --audit', {
    evidence: audit,
  });
}

function aptLock(look: Look): Finding {
  const found = look.facts.dpkg;
  if (!found) return unread(look, "apt's lock", 'dpkg');
  if (!found.lockHolder) return pass('free');
  return warn(
    `held by ${found.lockHolder}`,
    'Nothing to do: the layers wait for it and go on by themselves.',
  );
}

export const SYSTEM: readonly PreflightCheck[] = [
  { id: 'pf_distribution', title: 'Distribution', judge: distribution },
  { id: 'pf_kernel', title: 'Kernel', judge: kernel },
  { id: 'pf_systemd', title: 'Started by systemd', judge: systemd },
  { id: 'pf_python', title: 'Python', judge: python },
  { id: 'pf_clock', title: 'Clock', judge: clock },
  { id: 'pf_rtc', title: 'Hardware clock', judge: rtc },
  { id: 'pf_secure_boot', title: 'Secure Boot', judge: secureBoot },
  { id: 'pf_nouveau', title: 'nouveau driver', judge: nouveau },
  { id: 'pf_nvidia_module', title: 'NVIDIA module found', judge: nvidiaModule },
  { id: 'pf_dpkg', title: 'Installed packages are whole', judge: dpkg },
  { id: 'pf_apt_lock', title: 'apt is free', judge: aptLock },
];
