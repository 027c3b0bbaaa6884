#!/bin/sh
# What locks people out undoes itself, without anybody's help and without the control node:
#   revert.sh arm SECONDS   keeps the present state and takes it back so many seconds later, or as long after a boot
#   revert.sh keep          the new state stays; fails where it was taken back already
#   revert.sh revert        takes it back now
set -eu

here=/var/lib/vault-cube-hardening
unit=vault-cube-hardening-revert
units=/etc/systemd/system
kept='ssh/sshd_config ssh/sshd_config.d default/ufw ufw'

armed() { [ -e "$here/armed" ]; }

disarm() {
  systemctl disable --quiet --now "$unit.timer" || true
  rm -f "$units/$unit.timer" "$units/$unit.service"
  systemctl daemon-reload
  rm -rf "$here/armed" "$here/state.tar" "$here/old" "$here/ufw" "$here/socket"
}

arm() {
  # shellcheck disable=SC2086 # a list of names without blanks
  tar -C /etc -cf "$here/state.tar" $kept
  LC_ALL=C ufw status >"$here/ufw"
  systemctl is-enabled ssh.socket >"$here/socket" 2>/dev/null || true
  cat >"$units/$unit.service" <<EOF
[Unit]
Description=Vault Cube: take back hardening whose login was not proven
After=ssh.service ufw.service docker.service

[Service]
Type=oneshot
ExecStart=/bin/sh $here/revert.sh revert
EOF
  # Started anew by a boot, so that a power cut in between does not keep what was not proven.
  cat >"$units/$unit.timer" <<EOF
[Unit]
Description=Vault Cube: time in which a login has to be proven

[Timer]
OnActiveSec=$1
AccuracySec=1s

[Install]
WantedBy=timers.target
EOF
  chmod 644 "$units/$unit.service" "$units/$unit.timer"
  : >"$here/armed"
  sync
  systemctl daemon-reload
  systemctl enable --quiet --now "$unit.timer"
}

revert() {
  rm -rf "$here/old"
  mkdir "$here/old"
  tar -C "$here/old" -xpf "$here/state.tar"
  # Folders as a whole: what hardening added goes, and what it gave another name has its own again.
  for name in $kept; do
    rm -rf "/etc/${name:?}"
    cp -a "$here/old/$name" "/etc/$name"
  done
  # Docker may not be there, and ufw fills the chain again where its files say so.
  for tool in iptables ip6tables; do "$tool" -F DOCKER-USER 2>/dev/null || true; done
  if grep -q '^Status: active' "$here/ufw"; then ufw reload; else ufw --force disable; fi
  if grep -qx enabled "$here/socket"; then systemctl enable --quiet ssh.socket; fi
  systemctl reload-or-restart ssh.service
  disarm
  logger -t "$unit" 'the hardening was taken back: its login was not proven in time'
}

main() {
  umask 077
  # The timer and a run may come at the same moment; whoever is first does it.
  exec 9>"$here/lock"
  flock 9
  case $1 in
    arm)
      if armed; then revert; fi
      arm "$2"
      ;;
    keep)
      if ! armed; then
        echo 'The hardening was taken back already: its login was not proven in time.' >&2
        exit 1
      fi
      disarm
      ;;
    revert) if armed; then revert; fi ;;
    *) exit 2 ;;
  esac
}

main "$@"
exit
