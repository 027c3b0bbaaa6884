#!/bin/sh
# In the machine, as root, before the layers: packages are configured as in a system that is not running, since in software each reload of
# systemd and each start of a service takes seconds. What they enable is the same; once they are all there systemd reads its units once,
# the roles start what they need, and checks.sh the rest. checks.sh takes all of it out.
set -eu
dpkg=/usr/local/sbin/image-build-dpkg
policy=/usr/sbin/policy-rc.d
# systemctl then only writes files: enables, but does not reload or start.
# And nothing waits for the disk: a power cut while an image is built means building it again.
printf '#!/bin/sh\nSYSTEMD_OFFLINE=1 exec dpkg --force-unsafe-io "$@"\n' >"$dpkg"
chmod 755 "$dpkg"
cat >/etc/apt/apt.conf.d/zz-image-build <<EOF
Dir::Bin::dpkg "$dpkg";
DPkg::Post-Invoke { "systemctl daemon-reload"; };
EOF
# For packages that bring scripts of System V, too.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\n# image-build\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

# A site bundle that was brought as a disk lies where the role site_bundle looks for its files.
disk=/dev/disk/by-label/VC-BUNDLE
[ -e "$disk" ] || exit 0
at=/var/lib/vault-cube/bundle/tree
mkdir -p "$at"
mount -o ro "$disk" "$at"
