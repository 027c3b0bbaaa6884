/** Things done by hand to the driver, its modules, CUDA and their packages (spec L2). */
import { KERNELS } from '../../rig/nvidia.ts';
import type { Findings, Row } from './mend.ts';

const fail = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [`l2_${id}`, 'fail']));
const [NEW = '', OLD = ''] = KERNELS;
const APT = 'export DEBIAN_FRONTEND=noninteractive; apt-get -q -y --allow-change-held-packages';
/** apt takes no held package away by itself, so whoever does names those that need it, too. */
const META = 'nvidia-open nvidia-open-580';
const CONF = '/etc/modprobe.d/zz-vault-cube-nvidia.conf';
const MODULE = `/lib/modules/${OLD}/updates/dkms/nvidia.ko`;
const UNIT = 'nvidia-persistenced.service';

/**
 * What no run can mend on a stand-in, and so no row breaks: the loaded module and Secure Boot are the machine's own, and a reboot
 * that is due is not the roles' to do.
 */
export const UNBROKEN_L2 = ['l2_module_loaded', 'l2_secure_boot', 'l2_reboot'];

export const L2: readonly Row[] = [
  {
    what: 'the driver removed',
    // The rig's root has an nvidia-smi from the start, ahead of the package's.
    by: `rm /usr/local/bin/nvidia-smi; ${APT} remove nvidia-driver-cuda ${META}`,
    finds: {
      ...fail('nvidia_smi', 'gpu_count'),
      l2_driver_floor: 'not_run',
      l3_container_gpus: 'not_run',
    },
    across: {
      ...{ l4_torch_gpus: 'not_run', l4_tensorflow_gpus: 'not_run', l4_vllm_gpus: 'not_run' },
      l5_monitor: 'fail',
    },
    leaves: ['/usr/local/bin/nvidia-smi'],
  },
  {
    what: 'the modules taken out for one kernel',
    by: `dkms uninstall -m nvidia -v 580.159.04 -k ${NEW}`,
    finds: fail('dkms', 'module_open'),
  },
  { what: "a module's file deleted", by: `rm ${MODULE}*`, finds: fail('dkms', 'module_open') },
  {
    what: 'DKMS removed',
    by: `${APT} remove dkms nvidia-kernel-open-dkms ${META}`,
    finds: fail('dkms', 'module_open'),
  },
  // Behind the others about modules: DKMS keeps such a file as the original, and puts it back when its own is taken out.
  {
    what: 'a module of another version',
    by: `sed -i s/580.159.04/580.126.09/ ${MODULE}; grep -q 580.126.09 ${MODULE}`,
    finds: fail('driver_versions', 'dkms', 'initramfs'),
  },
  {
    what: 'headers of a kernel removed',
    by: `${APT} remove linux-headers-${NEW}`,
    finds: fail('headers'),
  },
  { what: 'nouveau let in again', by: `rm ${CONF}`, finds: fail('nouveau', 'module_options') },
  {
    what: 'heterogeneous memory on again',
    by: `sed -i s/uvm_disable_hmm=1/uvm_disable_hmm=0/ ${CONF}`,
    finds: fail('module_options', 'initramfs'),
  },
  {
    what: 'an initramfs from before',
    by: `touch -d 2020-01-01 /boot/initrd.img-${OLD}`,
    finds: fail('initramfs'),
  },
  { what: 'no initramfs', by: `rm /boot/initrd.img-${OLD}`, finds: fail('initramfs') },
  {
    what: 'the persistence daemon stopped and disabled',
    by: `systemctl disable --now ${UNIT}`,
    finds: fail('persistenced'),
  },
  {
    what: 'the persistence daemon masked',
    by: `systemctl mask --now ${UNIT}`,
    finds: fail('persistenced'),
  },
  {
    what: 'cards that fall asleep from the next start on',
    by: `rm /etc/systemd/system/${UNIT}.d/vault-cube.conf; systemctl daemon-reload`,
    finds: fail('persistenced'),
  },
  {
    what: 'the CUDA compiler removed',
    by: `${APT} remove cuda-nvcc-13-0 cuda-compiler-13-0 cuda-toolkit-13-0`,
    finds: fail('cuda'),
  },
  {
    what: 'cuDNN removed',
    by: `${APT} remove libcudnn9-cuda-13 libcudnn9-dev-cuda-13`,
    finds: fail('cudnn'),
  },
  { what: 'NCCL removed', by: `${APT} remove libnccl2 libnccl-dev`, finds: fail('nccl') },
  { what: 'a package not held', by: 'apt-mark unhold libnvidia-ml1', finds: fail('held') },
  {
    what: 'automatic updates let at the driver',
    by: 'rm /etc/apt/apt.conf.d/zz-vault-cube-nvidia',
    finds: fail('unattended'),
  },
];
