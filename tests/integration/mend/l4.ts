/** Things done by hand to the frameworks' environments (spec L4). */
import { TREE } from '../../../main/services/layers.ts';
import type { Findings, Row } from './mend.ts';

const fail = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [id, 'fail']));
const VENVS = '/opt/vault-cube/venvs';
const WHEELS = `${TREE}/frameworks`;
/** What cannot be right any more when a framework does not import. */
const gone = (name: string): Findings => ({
  ...fail(...['environment', 'import', 'version', 'gpus'].map((part) => `l4_${name}_${part}`)),
  ...fail('l4_nccl', 'l5_demos'),
});
const site = (name: string): string => `${VENVS}/${name}/lib/python3.*/site-packages`;

/** Not to be broken by hand without filling the machine's disk; its judge is tested on numbers. */
export const UNBROKEN_L4 = ['l4_disk'];

const BREAK_TENSORFLOW = `echo 'raise ImportError("broken by hand")' >>$(ls ${site('tensorflow')}/tensorflow/__init__.py)`;
const BREAK_VLLM = `rm ${VENVS}/vllm/bin/python*`;

export const L4: readonly Row[] = [
  { what: "PyTorch's environment removed", by: `rm -r ${VENVS}/torch`, finds: gone('torch') },
  {
    what: 'another package installed beside TensorFlow',
    by: `${VENVS}/tensorflow/bin/pip install -q --no-index --find-links ${WHEELS} --root-user-action=ignore pandas`,
    finds: fail('l4_tensorflow_environment'),
  },
  {
    what: 'a package of vLLM removed',
    by: `${VENVS}/vllm/bin/pip uninstall -q -y --root-user-action=ignore flashinfer-cubin`,
    finds: fail('l4_vllm_environment'),
  },
  {
    what: "TensorFlow edited so that it does not import, and vLLM's interpreter removed",
    by: `${BREAK_TENSORFLOW}; ${BREAK_VLLM}`,
    finds: { ...gone('tensorflow'), ...gone('vllm') },
  },
  {
    what: 'TensorFlow edited so that it does not import',
    by: BREAK_TENSORFLOW,
    finds: gone('tensorflow'),
  },
  { what: "vLLM's interpreter removed", by: BREAK_VLLM, finds: gone('vllm') },
  {
    what: 'an older NCCL than several cards need',
    by: `sed -i 's/^Version: .*/Version: 2.26.2/' $(ls ${site('torch')}/nvidia_nccl_cu13-*.dist-info/METADATA)`,
    finds: fail('l4_torch_environment', 'l4_nccl'),
  },
  {
    what: 'an environment that everybody may write',
    by: `chmod -R o+w ${VENVS}/torch/lib`,
    finds: fail('l4_torch_environment'),
  },
  {
    what: 'a module of no package that Python loads at each start',
    by: `cd ${site('torch')} && echo 'x = 1' >sitecustomize.py`,
    finds: fail('l4_torch_environment'),
  },
  {
    what: 'a lock file edited',
    by: `sed -i 's/^numpy==.*/numpy==9.9 \\\\/' ${VENVS}/locks/tensorflow.txt`,
    finds: fail('l4_tensorflow_environment'),
  },
];
