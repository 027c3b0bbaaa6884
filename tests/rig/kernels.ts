/** Kernels for a box, which has none of its own, as the distribution installs them: a module and an initramfs are made for each. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { RigBox } from './box.ts';

/** Out of the bundle's repository, and nothing of that is left on the box. Every real box has a kernel before it has layers. */
export async function installKernels(box: RigBox, names: readonly string[]): Promise<void> {
  cpSync(join(box.bundle, 'apt'), join(box.root, 'root/rig-apt'), { recursive: true });
  // A fast compressor, as each gets a new initramfs many times.
  const script = `set -e
    mkdir -p /etc/initramfs-tools/conf.d /root/rig-lists
    echo COMPRESSLEVEL=1 >/etc/initramfs-tools/conf.d/rig
    echo 'deb [trusted=yes] file:/root/rig-apt ./' >/root/rig.list
    apt="apt-get -q -y -o Dir::Etc::sourcelist=/root/rig.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=/root/rig-lists"
    apt="$apt -o APT::Sandbox::User=root"
    export DEBIAN_FRONTEND=noninteractive
    $apt update
    $apt install --no-install-recommends ${names.map((name) => `linux-image-${name}`).join(' ')}
    rm -r /root/rig-apt /root/rig-lists /root/rig.list`;
  const made = await box.sh(script);
  if (made.code !== 0) throw new Error(made.stdout + made.stderr);
}
