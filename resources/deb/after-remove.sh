#!/bin/sh
# Run by dpkg after the files are gone; not when a newer version takes their place.
set -e

case "$1" in
    remove | purge) ;;
    *) exit 0 ;;
esac

if [ "$1" = remove ]; then
    update-alternatives --quiet --remove vault-cube-provisioner /opt/vault-cube-provisioner/vault-cube-provisioner
fi

profile=/etc/apparmor.d/vault-cube-provisioner
if [ -f "$profile" ]; then
    if apparmor_status --enabled >/dev/null 2>&1; then
        apparmor_parser --remove "$profile" || true
    fi
    rm -f "$profile"
fi
