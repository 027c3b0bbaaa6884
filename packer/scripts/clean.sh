#!/bin/sh
# clean.sh ROOT: takes out of a system what belongs to its build. ROOT is where the finished disk is mounted; as root, with the machine off.
# What it took out is looked for once more by whoever calls: the image is proven by looking, not by this script's end.
set -eu
root=$1
if [ -z "$root" ] || [ "$root" = / ] || [ ! -e "$root/etc/os-release" ]; then
  echo "clean.sh: $root is no mounted system" >&2
  exit 64
fi

# apt: lists and archives come anew; the site bundle's copy would be a second one.
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
  "$root"/var/lib/vault-cube/bundle "$root"/var/lib/vault-cube/apt "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old \
  "$root/etc/dpkg/dpkg.cfg.d/image-build"

# Logs: files go, folders stay as their packages made them.
find "$root/var/log" -type f -delete
rm -rf "$root"/var/log/journal/*

# What is to be of one machine only.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub \
  "$root/var/lib/systemd/random-seed" "$root/var/lib/systemd/credential.secret"
rm -rf "$root"/var/lib/systemd/timers/* "$root"/var/lib/dhcp/* "$root"/var/lib/NetworkManager/*

# cloud-init: the next boot is a first one.
rm -rf "$root"/var/lib/cloud/* "$root/etc/sudoers.d/90-cloud-init-users" "$root/etc/netplan/50-cloud-init.yaml" \
  "$root/etc/ssh/sshd_config.d/50-cloud-init.conf"

# Who built it: no password and no key of the build opens anything.
sed -i -E 's/^(vaultadmin|root):[^:]*:/\1:!:/' "$root/etc/shadow"
rm -f "$root/etc/shadow-" "$root/etc/passwd-" "$root/etc/group-" "$root/etc/gshadow-" "$root/etc/subuid-" "$root/etc/subgid-"
for home in "$root"/home/* "$root/root"; do
  [ -d "$home" ] || continue
  rm -rf "$home/.ssh" "$home/.ansible" "$home/.cache" "$home/.bash_history" "$home/.viminfo" "$home/.sudo_as_admin_successful"
done
find "$root/tmp" "$root/var/tmp" -mindepth 1 -delete
