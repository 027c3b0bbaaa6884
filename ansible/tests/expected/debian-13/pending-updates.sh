#!/bin/sh
# Ansible managed
# Writes how many updates wait for a person; pam_motd shows /etc/motd.d at login. Removes the line when none do.
set -eu
motd=/etc/motd.d/50-vault-cube-updates
count=$(LC_ALL=C apt-get --simulate -o Debug::NoLocking=true upgrade --with-new-pkgs | grep -c '^Inst ' || true)
if [ "$count" -gt 0 ]; then
  mkdir -p /etc/motd.d
  printf '%s package updates are not installed automatically. See them: apt list --upgradable\n' "$count" >"$motd"
else
  rm -f "$motd"
fi
