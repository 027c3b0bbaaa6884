/**
 * The table of errors, one entry a line so that it can be read as a table: `code: e(exit, retryable, sentence, next
 * action)`. `{name}` is filled from the error's facts; a fact must never be a secret.
 */
export interface ErrorEntry {
  message: string;
  nextAction: string;
  retryable: boolean;
  exit: number;
}

/** Exit codes by family: 2 usage and input, 3 connection, 4 login, 5 sudo, 6 the laptop, 7 the box, 8 the job. */
const e = (exit: number, retryable: boolean, message: string, nextAction: string): ErrorEntry => ({
  message,
  nextAction,
  retryable,
  exit,
});

export const ERRORS = {
  // usage and input
  usage: e(2, false, '{what}', 'Run the command with --help.'),
  input_invalid: e(2, false, 'What was entered does not fit: {fields}.', 'Correct the named fields.'),
  box_address_missing: e(2, false, 'The address of {box} is not known yet.', 'Give it with --host and --user; "ip address" on the box\'s console shows it.'),
  unknown_box: e(2, false, 'No box named {name} is known on this laptop.', 'Run "vault-cube boxes" for the known ones, or "vault-cube inspect" with --host for a new one.'),
  box_name_taken: e(2, false, 'A box named {name} is already known, at {address}.', 'Leave out --host to go on with it, or choose another --box name.'),
  profile_missing: e(2, false, 'There is no profile {path}.', 'Name one of: {known}; or the path of a profile file.'),
  profile_truncated: e(2, false, 'The profile {path} is not complete JSON: {detail}', 'Copy the file again from its source.'),
  profile_invalid: e(2, false, 'The profile {path} does not hold what a profile must: {detail}', 'Correct the named field, or use the profile that came with the app.'),
  profile_newer: e(2, false, 'The profile {path} has format {found}; this version reads up to {known}.', 'Update the app, or use a profile of format {known}.'),
  layer_unknown: e(2, false, 'There is no layer {layer} in this version.', 'Choose from: {known}.'),
  suite_unknown: e(2, false, 'There is no suite {suite} in this version.', 'Choose from: {known}.'),
  suite_blocked: e(7, false, '{suite} cannot run on this box now: {why}.', 'Provision the layers that it needs first, then validate again.'),
  secret_missing: e(2, false, 'This step needs the {secret}, and none was given.', 'Run it on a terminal to be asked, or give it with --secrets.'),
  secrets_file_open: e(2, false, 'The secrets file {path} can be read by other users.', 'Run: chmod 600 {path}'),
  secrets_invalid: e(2, false, 'The secrets given are not a JSON object with only known names.', 'Known names: loginPassword, sudoPassword, newSudoPassword, passphrase, laptopPassword.'),

  // connection
  host_unknown: e(3, true, 'The name {host} has no address.', 'Check the spelling, or give the address printed by "ip address" on the box\'s console.'),
  host_unreachable: e(3, true, 'Nothing answers at {host}: no route, or no reply within {seconds} s.', 'Check the cable and that laptop and box are in the same network; try "ping {host}".'),
  port_refused: e(3, true, '{host} answers, but port {port} is closed.', 'On the box\'s console run "sudo systemctl status ssh", or give the port its sshd listens on with --port. A ban by fail2ban looks the same: "sudo fail2ban-client unban --all".'),
  not_ssh: e(3, false, 'What answers at {host} port {port} is not an SSH server.', 'Check address and port; SSH is usually on port 22.'),
  ssh_banned: e(3, true, '{host} turns this laptop away before any login. It has most likely banned it for a while after failed logins.', 'Wait ten minutes, or on the box\'s console run "sudo fail2ban-client unban --all; sudo systemctl restart ssh"; then check user and password before trying again.'),
  box_starting: e(3, true, 'The box is still starting or shutting down and lets nobody log in: {detail}', 'Wait until it has started, then run the command again.'),
  ssh_protocol: e(3, false, 'Laptop and box found no common SSH method: {detail}', 'The box\'s SSH server is set up unusually; compare "sshd -T" on its console with the defaults.'),
  host_key_unconfirmed: e(3, false, 'The host key of {host} is not known yet: {algorithm} {fingerprint}.', 'Compare it with "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" on the box\'s console, then confirm it or give --accept-host-key {fingerprint}.'),
  host_key_changed: e(3, false, 'The host key of {host} has changed. Pinned: {pinned}. Presented now: {fingerprint}. Either this is another machine, the box was installed anew, or somebody is in between. Nothing was sent to it.', 'Compare the fingerprint on the box\'s console. If it is right, run "vault-cube forget-host-key --box {box}" and inspect it again.'),
  link_lost: e(3, true, 'The connection to {host} broke and did not come back within {seconds} s.', 'Check cable and power of the box. A job that was running goes on there; run "vault-cube attach" when the link is back.'),
  left: e(3, true, 'The app left the run; on the box the job goes on.', 'Open the box again and choose Resume.'),
  not_connected: e(3, true, 'The app is not connected to the box.', 'Connect first, in the step Connect.'),
  wrong_identity: e(3, false, 'The machine at {host} is not box {box}: {detail}.', 'Check the address. Give the other machine a box name of its own.'),

  // login
  login_password_wrong: e(4, true, 'The box refused the password of {user}.', 'Check user name and password, keyboard layout and Caps Lock. The app tried once and does not repeat it, so that the box does not ban this laptop.'),
  login_key_refused: e(4, true, 'The box refused the key {fingerprint} for {user}.', 'Run "vault-cube keys" again with the password, or choose the key that was installed.'),
  login_password_off: e(4, false, 'The box accepts no passwords, only: {methods}.', 'Use a key that is installed on it: --login-key FILE or --login-agent.'),
  login_password_expired: e(4, false, 'The box demands a new password for {user} before anything else.', 'Log in on its console as {user}, set a new password, then come back with it.'),
  login_root_refused: e(4, false, 'The box refused the password of root: it is wrong, or root may not log in by password, as is usual.', 'Log in as the user made at installation. Where there is none, set "PermitRootLogin yes" in /etc/ssh/sshd_config on the box\'s console for the first set-up; layer 1 forbids it again.'),
  login_shell_nologin: e(4, false, 'The user {user} may log in but has no shell ({shell}).', 'On the box\'s console run "sudo usermod -s /bin/bash {user}", or log in as another user.'),
  login_shell_noisy: e(4, false, 'The shell of {user} prints text or fails before commands run: {detail}', 'Make ~/.bashrc and the like silent for non-interactive shells, or log in as another user.'),
  login_no_root_way: e(4, false, '{user} is not root and may not use sudo.', 'On the box\'s console run "sudo usermod -aG sudo {user}", or log in as a user who may.'),
  key_missing: e(4, false, 'There is no key file {path}.', 'Check the path, or make a key with --generate.'),
  key_not_a_key: e(4, false, '{path} is not a private SSH key.', 'Choose the private key file (without .pub), in OpenSSH or PEM format.'),
  key_not_public: e(4, false, '{path} holds no public SSH keys.', 'Name a file with public keys, a line each as in authorized_keys; never a private key.'),
  key_world_readable: e(4, false, 'The key file {path} can be read by other users of this laptop.', 'Run: chmod 600 {path}'),
  key_passphrase_wrong: e(4, true, 'The passphrase does not open {path}.', 'Try again; check keyboard layout and Caps Lock.'),
  key_too_weak: e(4, false, 'The key {path} is {type} with {bits} bits; at least {minimum} are needed.', 'Use an Ed25519 key: --generate.'),
  key_exists: e(4, false, 'There is a key at {path} already.', 'Use it with --key {path}; the app never overwrites a key.'),
  agent_missing: e(4, true, 'No SSH agent answers on this laptop.', 'Start one ("eval $(ssh-agent)" on Linux and macOS, the OpenSSH Authentication Agent service on Windows), or use --key.'),
  agent_empty: e(4, true, 'The SSH agent holds no usable key.', 'Run "ssh-add", or use --key.'),
  agent_ambiguous: e(4, false, 'The SSH agent holds {count} keys: {keys}.', 'Name one with --agent-key FINGERPRINT; the app offers one key only, so that the box does not ban this laptop.'),

  // sudo
  sudo_missing: e(5, false, 'There is no sudo on the box, and {user} is not root.', 'Log in as root for the first set-up, or install sudo on the console: apt install sudo'),
  sudo_absent: e(5, false, 'There is no sudo on the box, and vaultadmin needs it.', 'On the box\'s console, as root, run "apt install sudo", then run the step again.'),
  sudo_password_wrong: e(5, true, 'sudo refused the password of {user}.', 'Check it and try again. The app tries each password once.'),
  sudo_not_allowed: e(5, false, 'The box does not let {user} use sudo.', 'On the box\'s console, as root, run "usermod -aG sudo {user}", then log in anew.'),
  sudo_wants_tty: e(5, false, 'sudo on the box insists on a terminal (requiretty).', 'On the box\'s console run "sudo visudo" and remove "Defaults requiretty".'),
  python_missing: e(5, false, 'There is no python3 on the box.', 'On the box\'s console run "sudo apt install python3".'),
  systemd_missing: e(5, false, 'The box was not started by systemd.', 'Boot the installed system; layers are put on a running Ubuntu, not into a rescue shell.'),
  uid_taken: e(5, false, 'UID 1000 belongs to {holder}, and vaultadmin should have it.', 'Choose: --uid keep (vaultadmin gets another UID, reported as a deviation) or --uid swap ({holder} is logged out and its files are re-owned).'),

  // the laptop
  laptop_disk_full: e(6, true, 'The disk of this laptop is full; nothing more can be recorded.', 'Make room in {path}, then run the same command again, or "vault-cube resume" for a job that was on its way: it goes on on the box, and nothing of it is lost.'),
  file_unwritable: e(6, false, 'The file {path} cannot be written: {detail}', 'Make the file and its folder writable for you, or choose another place.'),
  file_unreadable: e(6, false, 'The file {path} cannot be read: {detail}', 'Make the file readable for you.'),
  journal_readonly: e(6, false, 'The journal {path} cannot be written.', 'Make the file and its folder writable for you, or name another folder with VAULT_CUBE_HOME.'),
  journal_newer: e(6, false, 'The journal {path} was written by a newer version of this app (format {found}, this one knows {known}). It is opened for reading only.', 'Update the app to go on; reports can still be made from it.'),
  journal_damaged: e(6, false, 'The journal {path} is damaged: {detail}', 'Move the file away and keep it; a copy from before the last update may lie beside it.'),
  journal_older: e(6, false, 'The journal {path} has the older format {found} and is to be read only, so it cannot be brought to format {known}.', 'Copy the file into a folder that you can write, and name that folder with VAULT_CUBE_HOME.'),
  journal_busy: e(6, true, 'Another window or command of this app held the journal {path} for more than {seconds} s.', 'Wait for it to end, or end it, then run the same command again. Nothing recorded is lost.'),
  output_unwritable: e(6, false, '{path} cannot be written: {detail}', 'Name a folder that you can write with --out.'),
  open_failed: e(6, true, '{path} could not be opened: {detail}', 'Open it from the file manager.'),
  bundle_missing: e(6, false, 'There is no bundle at {path}.', 'Name its folder with --bundle, the one with manifest.json in it.'),
  bundle_corrupt: e(6, false, 'The bundle does not match its manifest: {detail}', 'Copy the bundle again; "sha256sum" on the named file shows the difference.'),
  bundle_lacks: e(6, false, 'The bundle has nothing for {what}.', 'Use a bundle made for these layers, or choose other layers.'),
  bundle_wrong_system: e(6, false, 'The bundle is for {bundle}; the box runs {box}.', 'Use the bundle made for this distribution.'),
  bundle_folder_taken: e(2, false, 'The folder {path} holds other files and no bundle.', 'Name a new or empty folder, or the one in which a build was begun.'),
  bundle_input_bad: e(2, false, '{path} cannot be used for a bundle: {detail}', 'Correct the named file, or name another one.'),
  bundle_tools_missing: e(6, false, 'No bundle can be built on this machine: {detail}', 'Use a connected Debian or Ubuntu machine with: sudo apt install {packages}. The bundle is then a folder that any laptop can carry.'),
  bundle_busy: e(6, true, 'Another build works in {path}.', 'Wait for its end, or end it; what it has fetched stays.'),
  bundle_keyring_missing: e(6, false, 'The keyring {path}, which {sources} names for apt, is not on this machine.', 'Install it (for Ubuntu: sudo apt install ubuntu-keyring; for NVIDIA: the package cuda-keyring of its repository), or name other sources with --sources.'),
  bundle_sources_failed: e(6, true, 'apt cannot read the sources in {sources}: {detail}', 'Look at the network, the addresses and the keyrings, then run the same command again.'),
  bundle_versions_unmet: e(6, false, 'What the sources offer cannot work on this machine: {detail}', 'Name sources that have such versions with --sources. Nothing was fetched.'),
  bundle_unresolved: e(6, false, 'apt cannot put together {what} from these sources: {detail}', 'Add the missing source with --sources, or give the status of the right machine with --status. Nothing was fetched.'),
  bundle_no_room: e(6, true, '{path} has {free} free; the bundle needs {need}.', 'Make room, or name a folder on a larger disk with --out. What is fetched stays.'),
  bundle_fetch_failed: e(6, true, '{what} could not be fetched: {detail}', 'Look at the network, then run the same command again: what is here is not fetched again.'),
  bundle_tool_failed: e(6, false, '{what} could not be made: {detail}', 'Mend what is named, then run the same command again.'),

  // the golden image
  image_missing: e(2, false, 'There is no image {path}.', 'Check the path; on a stick or network drive, whether it is mounted.'),
  image_not_supported: e(2, false, 'The image {path} cannot be flashed: {reason}.', '{action}'),
  image_corrupt: e(2, false, 'The image {path} is damaged: {detail}.', 'Copy it again from its source and compare its SHA-256; if that is right, it must be built again.'),
  image_truncated: e(2, false, 'The image {path} is not whole: {detail}.', 'Copy it again from its source, and wait for the end of the copy before the medium is pulled.'),
  image_unreadable: e(6, true, 'The image {path} cannot be read: {detail}.', 'Look at its permissions and at the medium it lies on, then try again.'),
  image_changed: e(2, false, 'The image {path} has other bytes than {from} says: SHA-256 {found}, not {wanted}.', 'Copy image and checksum again from their source; flash nothing before they agree.'),
  image_sidecar_invalid: e(2, false, 'What lies beside the image cannot be used: {path}: {detail}.', 'Copy it again from where the image comes from, or move it away to flash without it.'),
  image_sidecars_differ: e(2, false, 'Two files beside the image {path} name different hashes: {one} and {other}.', 'Copy image, checksum and manifest again from one place.'),

  // flashing (docs/adr/0011-flash.md)
  flash_seed_missing: e(2, false, 'The image {path} has no partition for first-boot settings: it needs one partition CIDATA, and {detail}. Nothing was written.', 'Use an image with one small FAT partition labelled CIDATA, or flash this one without first-boot settings.'),
  first_boot_invalid: e(2, false, 'The first-boot settings in {path} cannot be used: {detail}. Nothing was written.', 'Correct what is named, then flash again; docs/adr/0014-first-boot.md has an example.'),
  first_boot_password: e(2, false, 'The sudo password for the first boot cannot be used: {detail}. Nothing was written.', 'Choose another one, of 1 to 63 bytes that can be typed at a prompt.'),
  first_boot_box: e(2, false, 'First-boot settings are written at a laptop only, not to a disk in {box}.', 'Flash it without --first-boot, then set it up with "vault-cube inspect" and "vault-cube keys".'),
  flash_confirm_missing: e(2, false, 'Nothing was written: what is on {target} would be lost, and nobody confirmed it.', 'Compare model and size with the label, then add --confirm with {what}.'),
  flash_confirm_wrong: e(2, false, 'Nothing was written: "{given}" is not {what} of {target}.', 'Look at the label of the disk again; if it is another one, name that with --target.'),
  flash_target_missing: e(6, true, '{target} is not there.', 'Plug the disk in again and look at its cable and power, then flash it again.'),
  flash_target_unfit: e(2, false, '{target} cannot be flashed: {detail}', 'Name a whole disk by its serial, or a plain file.'),
  flash_other_disk: e(6, false, 'Nothing more was written: another disk is where {target} was: {detail}', 'Take off every disk that is not meant, then flash it again.'),
  flash_target_size: e(2, false, 'The image does not fit {target}: {detail}', 'Use a disk that is at least as large as the image.'),
  flash_sectors: e(2, false, '{target} has sectors of {disk} bytes, and the image is partitioned in sectors of {image}: it would never start from there. Nothing was written.', 'Use a disk with sectors of {image} bytes, or an image made for {disk}.'),
  flash_target_in_use: e(6, true, '{target} is in use: {detail}', 'Unmount it, or end what holds it, then flash it again.'),
  flash_busy: e(6, true, 'Another window or command of this app flashes {target}.', 'Wait for its end, or stop it there.'),
  flash_target_gone: e(6, true, '{target} went away while it was written: {detail} It does not start a machine until the flash is finished.', 'Plug it in again, look at cable and power, then flash it again: it goes on where it stood.'),
  flash_target_full: e(6, true, 'There is no room left for {target}: {detail}', 'Make room, then flash it again: it goes on where it stood.'),
  flash_target_io: e(6, false, '{target} could not be written or read: {detail} It does not start a machine until a flash of it is finished.', 'Look at "dmesg" and at cable and enclosure; a disk that does this twice is broken and must not go to a customer.'),
  flash_target_read_only: e(6, false, '{target} cannot be written: {detail}', 'Look for a write-protect switch; of a file, at its permissions.'),
  flash_verify_failed: e(6, false, '{target} gives back other bytes than were written to it: {detail} It was not made able to start.', 'Flash it again once, with another cable or port; if it stays so, the disk is broken and must not go to a customer.'),
  flash_root_differs: e(2, false, 'What is on {target} now is not what {from} says: disk hash {found}, not {wanted}. It was not made able to start.', 'Copy image and manifest again from one place, then flash it again.'),
  flash_image_moved: e(2, false, 'The image {path} changed while it was read: {detail} {target} does not start a machine until a flash of it is finished.', 'Wait until nothing writes to the image any more, then flash it again: every chunk is compared anew.'),
  flash_writer_gone: e(6, true, 'The program that writes to {target} ended before its work did: {detail}', 'Flash it again: it goes on where it stood.'),
  flash_writer_silent: e(6, true, 'The program that writes to {target} was silent for {seconds} s.', 'The disk may have stopped answering: look at "dmesg", plug it in again, then flash it again: it goes on where it stood.'),
  flash_writer_failed: e(1, false, 'The program that writes to {target} refused an order: {detail}', 'Flash it again; if it stays so, send the detail to support.'),
  flash_python_missing: e(6, false, 'The program that writes cannot be started: {detail}', 'Install Python 3 on this laptop: sudo apt install python3'),
  flash_root_missing: e(5, false, 'A disk can only be written as root, and neither pkexec nor sudo is on this laptop.', 'Start the app as root, or install sudo.'),
  flash_root_refused: e(5, true, 'This laptop did not let the writing program run as root: {detail}', 'Try again with the password of a user who may use sudo on this laptop.'),
  flash_lost: e(31, true, '{title}: the app ended before the flash did. The disk starts no machine until a flash of it is finished.', 'Flash it again: it goes on where it stood.'),
  flash_cancelled: e(30, true, 'The flash of {target} was stopped. {detail}', 'Flash it again: it goes on where it stood.'),

  // a disk of a box, over the network
  flash_feeder_busy: e(8, true, 'Somebody else feeds the flash of {target}: {detail}', 'Wait for its end, or end it there; a laptop that is out of reach is forgotten after 15 s.'),
  flash_box_disk_missing: e(7, true, 'No disk with the serial {serial} is in {box}.', 'Compare the serial with its label and with the list of disks of the box; a disk that is not in the list is not seen by the box.'),
  flash_other_box: e(7, false, 'Nothing was written: {box} is not the machine that it was: {detail}', 'Look whose address this is now; connect to the box that is meant, and compare its host key with its console.'),

  // disks attached to the laptop
  disks_unreadable: e(6, true, 'The disks of this laptop cannot be listed: {detail}.', '{action}'),
  disks_never_run: e(6, false, 'Disks on {system} are listed by code that nobody has run there, so it is off.', 'Flash from a laptop with Linux; "vault-cube disks --never-run" lists them all the same.'),
  disk_missing: e(6, true, 'No disk with the serial {serial} is attached to this laptop.', 'Look at its cable and power, then list the disks again.'),
  disk_not_offered: e(6, false, 'The disk {disk} {reason}, so nothing is written to it.', '{action}'),
  disk_confirm_wrong: e(2, true, '{typed} is not the end of the serial of {disk}. Nothing was written.', "Type the last four characters of its serial, as the disk's own label has it; all of it where it is shorter."),

  // the box
  box_disk_full: e(7, true, 'The box has too little room: {detail}', 'Free space on the box ("sudo apt clean", "sudo journalctl --vacuum-size=100M"), then run the same command again; what is done is not repeated.'),
  dpkg_broken: e(7, true, 'dpkg on the box could not be repaired: {detail}', 'On the box run "sudo dpkg --configure -a" and look at what it says, then run "vault-cube resume".'),
  clock_wrong: e(7, false, "The box's clock is wrong: {skew}. apt and TLS fail on such a box.", 'Run again with --set-clock to set clock and RTC from this laptop.'),
  clock_not_set: e(7, false, "The box's clock is wrong, and not even root may set it there: {detail}", 'Set it in the BIOS setup; of a virtual machine or container, set the clock of the machine it runs on. Then inspect again.'),
  box_unsupported: e(7, false, 'The box runs {found}, which the profile {profile} does not name.', 'Install {wanted}, or choose the profile made for this machine.'),
  box_busy: e(7, true, 'Another job runs on the box: {title}, started by {user} from {laptop}.', 'Follow it with "vault-cube attach", or wait for its end.'),
  box_unreadable: e(7, false, 'The box answered in a way this version does not understand: {detail}', 'Run the command again; if it stays so, send the detail to support.'),
  preflight_missing: e(7, false, 'Box {box} was not looked at yet.', 'Run "vault-cube inspect --box {box}" first; it changes nothing on the box.'),
  preflight_blocked: e(7, false, 'Preflight has blockers: {detail}', 'Run "vault-cube inspect" and clear them first.'),
  versions_unmet: e(7, false, 'What the bundle offers cannot work on this box: {detail}', 'Make the bundle for this profile; nothing was changed.'),
  keys_needed: e(7, false, 'The app does not log in as vaultadmin yet.', 'Run "vault-cube keys" first.'),
  layer_before: e(7, false, 'Layer {layer} must be healthy before layer {next}.', 'Run "vault-cube provision --layers {layer}" first.'),

  // the job
  run_open: e(8, false, '{title} of box {box} is not at its end: {detail}', 'Run "vault-cube resume --box {box}" to go on with it, or "vault-cube cancel --box {box}" to end it.'),
  job_conflict: e(8, false, 'Job {job} exists on the box with other orders.', 'Start it as a new job.'),
  job_failed: e(8, true, '{title} failed: {detail}', 'Read the named task, mend its cause, then run "vault-cube resume".'),
  job_cancelled: e(30, true, '{title} was cancelled.', 'Run the command again to start anew.'),
  job_lost: e(31, true, '{title} ended without a result: its process is gone (power cut, kill or reboot).', 'Run "vault-cube resume"; what is done is not repeated.'),
  job_unknown: e(8, false, 'There is no job {job} for this box.', 'Run "vault-cube jobs" for the list.'),
  nothing_to_attach: e(8, false, 'No job of box {box} is on its way.', 'Run "vault-cube status --box {box}" to see where it stands, or "vault-cube resume --box {box}" to go on.'),
  nothing_to_resume: e(8, false, 'No job of box {box} was interrupted.', 'Run "vault-cube status" to see where it stands.'),
  log_diverged: e(8, false, 'The event log on the box is not the one recorded here (a power cut, or it was changed). The record on this laptop is kept and the gap is shown.', 'Run "vault-cube resume" for a new attempt.'),
  log_broken: e(8, false, 'The event log of {title} is not whole: {detail}', 'The report says so; run the job again for a whole record.'),
  hardening_not_confirmed: e(8, true, 'No fresh key login confirmed the new SSH and firewall rules in time, so the box put back the old ones.', 'Check that the key still logs in, then run the layer again.'),
  reboot_declined: e(8, true, 'Box {box} was not rebooted: {why}.', 'Run "vault-cube resume --box {box}" when it may be rebooted.'),
  reboot_failed: e(8, true, 'Box {box} was told to reboot and did not: {detail}', 'Reboot it on its console ("sudo reboot"), then run "vault-cube resume --box {box}".'),
  box_not_back: e(3, true, 'Box {box} did not come back within {minutes} min after its reboot.', 'Look at its screen: power, POST code, BIOS prompt, a disk check, Secure Boot asking for a key; look whether its address changed. Then run "vault-cube resume --box {box}".'),
  report_invalid: e(8, false, 'The report could not be made: {detail}', 'Send the journal file to support.'),
  internal: e(1, false, 'The app met a state its authors did not foresee: {detail}', 'Run the command again; if it stays so, send the detail to support. Nothing recorded is lost.'),
} as const satisfies Record<string, ErrorEntry>;
