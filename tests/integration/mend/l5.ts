/** Things done by hand to the tools, commands and demos of layer 5 (spec L5). */
import type { Findings, Row } from './mend.ts';

const fail = (...ids: string[]): Findings => Object.fromEntries(ids.map((id) => [`l5_${id}`, 'fail']));
const BIN = '/usr/local/bin';
const DEMOS = '/opt/vault-cube/demos';
const MODELS = '/opt/vault-cube/models';

export const L5: readonly Row[] = [
  {
    what: 'nvtop removed',
    by: 'export DEBIAN_FRONTEND=noninteractive; apt-get -q -y remove nvtop',
    finds: fail('tools'),
  },
  {
    what: 'a validation command that always passes',
    by: `printf '#!/bin/sh\\nexit 0\\n' >${BIN}/vault-cube-test-gpu`,
    finds: fail('commands'),
  },
  { what: 'a validation command removed', by: `rm ${BIN}/vault-cube-test-ddp`, finds: fail('commands') },
  {
    what: 'a validation command that everybody may write',
    by: `chmod o+w ${BIN}/vault-cube-test-vllm`,
    finds: fail('commands'),
  },
  {
    what: 'the link to the code of the checks removed',
    by: 'rm /opt/vault-cube/box/current',
    finds: fail('commands', 'monitor'),
  },
  {
    what: 'a profile that wants fewer GPUs',
    by: `sed -i '0,/"value": 2/s//"value": 1/' /etc/vault-cube/profile.json`,
    finds: fail('profile'),
  },
  { what: 'the profile removed', by: 'rm /etc/vault-cube/profile.json', finds: fail('profile') },
  {
    what: 'monitor.sh with numbers of its own',
    by: `sed -i 's/^exec \\(.*\\)$/\\1 | sed "s,\\\\(memory.total.: \\\\)[0-9]*,\\\\11," /' ${BIN}/monitor.sh`,
    finds: fail('monitor'),
  },
  { what: 'a demo that cannot be started', by: `chmod -x ${DEMOS}/vllm_demo.py`, finds: fail('demos') },
  { what: 'the demos removed', by: `rm -r ${DEMOS}`, finds: fail('demos') },
  { what: "the bundle's model removed", by: `rm -r ${MODELS}/stand-in`, finds: fail('demos') },
  {
    what: "a file of the bundle's model cut short",
    by: `cd ${MODELS}/stand-in; mv config.json was; head -c 9 was >config.json; rm was`,
    finds: fail('demos'),
  },
];
