/** Things done by hand to the Container Toolkit, Docker's runtime and containerd (spec L3). */
import type { Findings, Row } from './mend.ts';

const fail = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [`l3_${id}`, 'fail']));
const APT = 'export DEBIAN_FRONTEND=noninteractive; apt-get -q -y --allow-change-held-packages';
const JSON_ = '/etc/docker/daemon.json';
const RUNC = `sed -i 's/"default-runtime": "nvidia"/"default-runtime": "runc"/' ${JSON_}`;

export const L3: readonly Row[] = [
  {
    what: 'the toolkit removed, and Docker told to do without',
    of: 'toolkit',
    by: `${APT} remove nvidia-container-toolkit nvidia-container-toolkit-base; ${RUNC}; systemctl restart docker.service`,
    finds: fail('toolkit', 'daemon_json', 'default_runtime', 'container_gpus'),
  },
  {
    what: 'another default runtime',
    by: `${RUNC}; systemctl restart docker.service`,
    finds: fail('daemon_json', 'default_runtime', 'container_gpus'),
  },
  { what: 'another default runtime from the next start on', by: RUNC, finds: fail('daemon_json') },
  {
    what: 'another default runtime until the next start',
    by: `cp ${JSON_} /root/daemon.json; ${RUNC}; systemctl restart docker.service; cp /root/daemon.json ${JSON_}`,
    finds: fail('default_runtime', 'container_gpus'),
  },
  {
    what: 'the toolkit removed',
    of: 'toolkit',
    by: `${APT} remove nvidia-container-toolkit nvidia-container-toolkit-base`,
    finds: fail('toolkit', 'container_gpus'),
  },
  {
    what: 'the toolkit not held',
    of: 'toolkit',
    by: 'apt-mark unhold nvidia-container-toolkit',
    finds: { l2_held: 'fail' },
  },
  {
    what: "containerd's part deleted",
    by: 'rm /etc/containerd/conf.d/vault-cube-nvidia.toml',
    finds: fail('containerd'),
  },
  {
    what: 'containerd not told of its parts',
    by: "sed -i '/^imports/d' /etc/containerd/config.toml; systemctl restart containerd.service",
    finds: fail('containerd'),
  },
];

/** What layer 1 has to mend before layer 3 can: by the app's own commands alone (run.ts), which take them in order. */
export const ACROSS: readonly Row[] = [
  {
    what: "daemon.json that is no JSON, with the GPUs' runtime in it",
    by: `sed -i 's/^{/{ "log-driver": /' ${JSON_}; systemctl restart docker.service || true`,
    alone: true,
    finds: {
      ...fail('daemon_json', 'default_runtime', 'container_gpus'),
      l1_docker_answers: 'fail',
      l1_docker_container: 'fail',
    },
    leaves: ['/etc/docker/daemon.json.not-json'],
  },
];
