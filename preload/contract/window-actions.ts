/**
 * The next action of an error where the table names a command: in the window people press buttons. A code that is not here
 * reads the same in both.
 */
import type { ErrorCode, ErrorReply } from './errors.ts';

const ACTIONS: Partial<Record<ErrorCode, string>> = {
  usage: 'Correct what was entered.',
  box_address_missing: 'In Connect, find the box on the cable or type its address.',
  unknown_box: 'Go back to the list of boxes and choose one.',
  box_name_taken: 'Open that box from the list, or choose another name.',
  supply_too_small:
    'Move the box to a circuit that carries it, or hold the cards to less, which is a deviation.',
  load_not_agreed: 'If the circuit carries it and nobody needs the box meanwhile, agree with the button.',
  secret_missing: 'Start the step again and enter it when asked.',
  port_refused:
    'On the box\'s console run "sudo systemctl status ssh", or enter the port its sshd listens on. A ban by fail2ban looks the same: "sudo fail2ban-client unban --all".',
  box_starting: 'Wait until it has started, then try again.',
  host_key_unconfirmed:
    "Connect again, compare the fingerprint with the one on the box's console, then confirm it.",
  host_key_changed:
    'If the box was installed anew, forget its host key in the menu of the box and connect again. If not, something else answers at this address.',
  link_lost:
    'Check cable and power of the box. A job that was running goes on there; Resume when the link is back.',
  login_key_refused: 'Choose the key that was installed, or install this one in Keys.',
  login_password_off: 'Use a key that is installed on it, or one of the agent.',
  key_missing: 'Choose an existing file, or let the app make a key.',
  key_too_weak: 'Let the app make an Ed25519 key.',
  key_exists: 'Choose that key as a file; the app never overwrites a key.',
  agent_missing:
    'Start one ("eval $(ssh-agent)" on Linux and macOS, the OpenSSH Authentication Agent service on Windows), or choose a key file.',
  agent_empty: 'Run "ssh-add", or choose a key file.',
  agent_ambiguous: 'Choose one; the app offers one key only, so that the box does not ban this laptop.',
  uid_taken:
    'Choose what happens: vaultadmin gets another UID, reported as a deviation, or takes UID 1000 over.',
  laptop_disk_full:
    'Make room on this laptop, then Resume: the job goes on on the box, and nothing of it is lost.',
  journal_busy: 'Wait for it to end, or end it, then try again. Nothing recorded is lost.',
  output_unwritable: 'Choose a folder that you can write.',
  signing_key_bad: 'Choose a secret key file of minisign.',
  public_key_bad: 'Choose a public key file of minisign.',
  report_unreadable: 'Choose the archive of a report.',
  flash_confirm_missing: 'Compare model and size with the label of the disk, then type what is asked for.',
  flash_confirm_wrong: 'Look at the label of the disk again; if it is another one, choose that.',
  bundle_missing: 'Choose the folder of the bundle, the one with manifest.json in it.',
  bundle_sources_failed: 'Look at the network, the addresses and the keyrings, then build again.',
  bundle_no_room: 'Make room, or choose a folder on a larger disk. What is fetched stays.',
  bundle_fetch_failed: 'Look at the network, then build again: what is here is not fetched again.',
  bundle_tool_failed: 'Mend what is named, then build again.',
  image_set_exists: 'Choose another folder or another version; a set is never written over.',
  image_build_busy: 'Wait for its end, or end it, then build again.',
  image_root_missing:
    'Install pkexec or sudo on this machine (on Debian and Ubuntu: sudo apt install pkexec).',
  image_set_unreadable: 'Choose the folder that holds the image and its manifest.json.',
  image_order_bad: 'Correct what is named.',
  flash_needs_linux:
    'Flash from a laptop with Linux, or take the path Flash over the network: it writes to the disk in the box itself.',
  flash_root_missing:
    'Install pkexec or sudo on this laptop (on Debian and Ubuntu: sudo apt install pkexec).',
  flash_target_unfit: 'Choose another disk.',
  first_boot_nothing: 'Flash it with first-boot settings first.',
  first_boot_declined: 'Reboot it by hand.',
  first_boot_away:
    "Look at the box's screen: the stick of the live system must be out, and the firmware has to start from the flashed disk.",
  flash_busy: 'Wait for its end, or stop it where it was started.',
  disks_never_run: 'Flash from a laptop with Linux.',
  box_disk_full:
    'Free space on the box ("sudo apt clean", "sudo journalctl --vacuum-size=100M"), then Resume; what is done is not repeated.',
  dpkg_broken: 'On the box run "sudo dpkg --configure -a" and look at what it says, then Resume.',
  box_unreadable: 'Try again; if it stays so, send the detail to support.',
  clock_wrong: 'In Preflight, set clock and hardware clock from this laptop.',
  box_busy: 'Wait for its end, or go on at the laptop that started it.',
  preflight_missing: 'Go to Preflight and look at the box; it changes nothing there.',
  preflight_blocked: 'Go to Preflight and clear the blockers first.',
  keys_needed: 'Go to Keys first.',
  layer_before: 'Choose the layer before it as well.',
  run_open: 'Resume it to its end, or cancel it.',
  job_failed: 'Read the named task, mend its cause, then Resume.',
  job_cancelled: 'Start again when you want to; what is done is not repeated.',
  job_lost: 'Resume; what is done is not repeated.',
  reboot_declined: 'Resume when it may be rebooted.',
  reboot_failed: 'Reboot it on its console ("sudo reboot"), then resume.',
  box_not_back:
    'Look at its screen: power, POST code, BIOS prompt, a disk check, Secure Boot asking for a key; look whether its address changed. Then resume.',
  job_unknown: 'Close the box and open it again.',
  nothing_to_attach: 'Nothing is to be done: no job is on its way.',
  nothing_to_resume: 'Nothing is to be done: no run was interrupted.',
  internal: 'Try again; if it stays so, send the detail to support. Nothing recorded is lost.',
  log_diverged: 'Resume for a new attempt.',
};

/** Actions of a stage of an image's build name options of the command; in the window those are fields of its order. */
const FIELDS: readonly [option: string, field: string][] = [
  ['or name another with --work', 'or choose another work folder'],
  ['Name another folder with --out', 'Choose another folder for the set'],
  ['or correct --base-sha256', 'or correct its SHA-256'],
  ['Build with --accel tcg', 'Build with software emulation'],
  ['Run "vault-cube bundle verify" and build', 'Build'],
];
const withFields = (action: string): string =>
  FIELDS.reduce((text, [option, field]) => text.replace(option, field), action);

/** The error as the window says it. */
export function forWindow(reply: ErrorReply): ErrorReply {
  const { code, nextAction } = reply;
  const own = code === 'image_stage_failed' ? withFields(nextAction) : nextAction;
  return { ...reply, nextAction: ACTIONS[code] ?? own };
}
