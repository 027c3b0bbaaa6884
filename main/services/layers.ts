/** What each layer's installation is: its jobs, and what its role is given (spec L0 to L5). */
import type { BundleManifest } from '../../preload/contract/bundle.ts';
import type { Profile } from '../../preload/contract/profile.ts';
import type { Session } from '../../preload/contract/session.ts';
import { floorOf, type Resolved } from '../../preload/contract/software.ts';
import { LAYERS } from '../../preload/contract/standing.ts';
import { ADMIN_USER } from './inspect.ts';
import type { PhasePlan } from './runs.ts';
import { addressOf } from './sessions.ts';

/** The series of ansible-core that L0 puts on the box; the bundle's wheels are of it. */
const ANSIBLE_SERIES = '2.19';
/** Seconds in which a new login has to confirm the hardening before the box takes it back. */
const CONFIRM_SECONDS = 120;
const SSH_PORT = 22;
/** Where a fetch job puts the bundle. */
export const TREE = '/var/lib/vault-cube/bundle/tree';
/** The layer whose role lays the bundle's models beside its demos. */
export const MODELS_LAYER = 5;
/** A lock file that a bundle brings for its own wheels: without one the role's own is meant. */
const OWN_LOCK = /^frameworks\/[^/]+\.txt$/;
export const REBOOT = {
  /** An engineer who has gone for a coffee finds the box rebooted. */
  askSeconds: 60,
  /** 256 GB of memory may be trained anew, which takes minutes. */
  awaySeconds: 1_200,
};

/** What decides how a layer is installed. */
export interface Order {
  session: Session;
  profile: Profile;
  manifest: Pick<BundleManifest, 'files'>;
  /** The versions that were decided; those of other layers do not matter. */
  software: readonly Resolved[];
}

export const titleOf = (layer: number): string => LAYERS.find((l) => l.layer === layer)?.title ?? `L${layer}`;

/** What the checks are to find beside the profile. */
export function expected(session: Session) {
  const uid = session.keys?.adminUid ?? 1000;
  return { adminUser: ADMIN_USER, adminUid: uid === 1000 ? 1000 : null, sshPort: SSH_PORT };
}

/** The independent look after which the next layer opens. */
export function health(layer: number, { session, profile }: Pick<Order, 'session' | 'profile'>): PhasePlan {
  const params = {
    layer,
    suite: `l${layer}`,
    checks: [],
    profile,
    telemetry: null,
    expect: expected(session),
  };
  return {
    id: `l${layer}-health`,
    title: `Health check of ${titleOf(layer)}`,
    kind: 'checks',
    layer,
    suite: null,
    params,
  };
}

/** On another port at first, 22 is opened and proven before that port is closed (spec S2). */
function hardening(session: Session): PhasePlan[] {
  const { port } = addressOf(session);
  const phase = (id: string, title: string, extra: number | null): PhasePlan => ({
    id,
    title,
    kind: 'harden',
    layer: 1,
    suite: null,
    params: {
      layer: 1,
      playbook: 'site.yml',
      tags: ['hardening'],
      vars: { access_hardening_admin_user: ADMIN_USER, access_hardening_extra_port: extra },
      confirmSeconds: CONFIRM_SECONDS,
    },
  });
  const last = phase('l1-harden', 'Access hardening', null);
  return port === SSH_PORT
    ? [last]
    : [phase('l1-harden-port', `Access hardening, port ${port} kept open`, port), last];
}

/** Closes what the app's own fetch needs, so it is the last job that a box is given; docs/hardening.md has the way back. */
function forwarding(layer: number): PhasePlan {
  const title = 'Close SSH forwarding (no bundle reaches the box from then on)';
  const vars = { ssh_forwarding_admin_user: ADMIN_USER };
  const params = { layer, playbook: 'site.yml', tags: ['forwarding'], vars, confirmSeconds: CONFIRM_SECONDS };
  return { id: 'l6-forwarding', title, kind: 'harden', layer, suite: null, params };
}

function reboot(id: string, title: string, layer: number, why: string): PhasePlan {
  return { id, title, kind: 'reboot', layer, suite: null, params: { layer, why, ...REBOOT } };
}

/** Of layer 4's role where a bundle in TREE is its source. */
export function frameworksVars({ files }: Pick<BundleManifest, 'files'>): Record<string, string> {
  const frameworks = `${TREE}/frameworks`;
  const own = files.some(({ path }) => OWN_LOCK.test(path));
  return { ai_frameworks_locks_dir: own ? frameworks : '', ai_frameworks_wheels_dir: frameworks };
}

/** The variables of the layer's role, as its argument_specs has them. */
function varsOf(layer: number, { session, profile, manifest, software }: Order): Record<string, unknown> {
  const packages = software.filter((c) => c.layer === layer).flatMap((c) => c.install);
  const floor = (id: 'driver' | 'container-toolkit') => floorOf(profile.software ?? [], id) ?? '';
  switch (layer) {
    case 1:
      return {
        base_system_admin_user: ADMIN_USER,
        base_system_admin_uid: expected(session).adminUid,
        base_system_image_archives_dir: `${TREE}/images`,
      };
    case 2:
      // The bundle is the one source; the role's own would be on the internet.
      return {
        driver_stack_packages: packages,
        driver_stack_driver_floor: floor('driver'),
        driver_stack_repository_url: '',
      };
    case 3:
      return { gpu_runtime_packages: packages, gpu_runtime_toolkit_floor: floor('container-toolkit') };
    case 4:
      return frameworksVars(manifest);
    case 5:
      return { monitoring_profile: profile };
    default:
      return {};
  }
}

/** The jobs that install a layer, in order. */
export function install(layer: number, order: Order): PhasePlan[] {
  if (layer === 0) {
    const params = { layer, ansible: { series: ANSIBLE_SERIES } };
    return [
      { id: 'l0-install', title: 'Install L0 Bootstrap', kind: 'bootstrap', layer, suite: null, params },
    ];
  }
  const role: PhasePlan = {
    id: `l${layer}-install`,
    title: `Install ${titleOf(layer)}`,
    kind: 'layer',
    layer,
    suite: null,
    params: { layer, playbook: 'site.yml', tags: [`l${layer}`], vars: varsOf(layer, order) },
  };
  switch (layer) {
    case 1:
      return [role, ...hardening(order.session)];
    case 2:
      return [
        reboot('l2-reboot-before', 'Reboot into a pending kernel', layer, 'a new kernel is installed'),
        role,
        reboot('l2-reboot', 'Reboot into the new driver', layer, 'the new driver is loaded at boot'),
      ];
    case 6:
      return [role, forwarding(layer)];
    default:
      return [role];
  }
}
