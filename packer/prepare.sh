#!/bin/sh
# prepare.sh FOLDER: what one build needs and nobody else may know. Makes in FOLDER, for this user alone:
#   build_key, build_key.pub      the key that logs in while the image is built
#   secret.json                   the build's sudo password, for Ansible; password holds it alone
#   http/user-data, meta-data …   cloud-init's settings; http/autoinstall/ those of Ubuntu's installer
#   box.tar                       the code of the checks
set -eu
here=$(cd "$(dirname "$0")" && pwd)
product=$(dirname "$here")
out=$1
umask 077
mkdir -p "$out/http/autoinstall"
[ -e "$out/build_key" ] || ssh-keygen -q -t ed25519 -N '' -C 'image build' -f "$out/build_key"
[ -e "$out/password" ] || od -An -N 18 -tx1 /dev/urandom | tr -d ' \n' >"$out/password"
password=$(cat "$out/password")
printf '{"ansible_become_password": "%s"}\n' "$password" >"$out/secret.json"
hash=$(python3 - "$out/password" <<'PY'
import subprocess, sys
word = open(sys.argv[1]).read()
print(subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=word, capture_output=True, text=True, check=True).stdout.strip())
PY
)
key=$(cat "$out/build_key.pub")
fill() {
  awk -v key="$key" -v hash="$hash" '{ gsub(/@KEY@/, key); gsub(/@HASH@/, hash); print }' "$1"
}
fill "$here/cloud/user-data" >"$out/http/user-data"
fill "$here/autoinstall/user-data" >"$out/http/autoinstall/user-data"
printf 'instance-id: image-build\n' >"$out/http/meta-data"
# There is nothing in them, and cloud-init asks ten seconds long for each that is not there.
: >"$out/http/vendor-data"
: >"$out/http/network-config"
cp "$out/http/meta-data" "$out/http/vendor-data" "$out/http/network-config" "$out/http/autoinstall/"
python3 "$product/ansible/roles/monitoring/files/pack.py" "$out/box.tar" \
  "$product/resources/box/vcbox" "$product/resources/box/vcload"
