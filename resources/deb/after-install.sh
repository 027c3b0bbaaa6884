#!/bin/sh
# Run by dpkg after the files are there.
set -e

update-alternatives --install /usr/bin/vault-cube-provisioner vault-cube-provisioner /opt/vault-cube-provisioner/vault-cube-provisioner 100

# Pages run in user namespaces where ordinary users may make them; where a laptop's rules forbid that, Chromium needs its helper
# to be root's. Root's own try says nothing about ordinary users, so the helper is always ready, as in Chromium's own packages.
chmod 4755 /opt/vault-cube-provisioner/chrome-sandbox

if command -v update-desktop-database >/dev/null; then
    update-desktop-database -q /usr/share/applications || true
fi

# Ubuntu 24.04 and later: user namespaces are for programs with a profile. Older AppArmor does not know this kind, nor need it.
source=/opt/vault-cube-provisioner/resources/apparmor-profile
target=/etc/apparmor.d/vault-cube-provisioner
if apparmor_status --enabled >/dev/null 2>&1 && apparmor_parser --skip-kernel-load --debug "$source" >/dev/null 2>&1; then
    cp -f "$source" "$target"
    # In a chroot there is no kernel of its own to load it into.
    if ! { [ -x /usr/bin/ischroot ] && /usr/bin/ischroot; }; then
        apparmor_parser --replace --write-cache --skip-read-cache "$target"
    fi
fi
