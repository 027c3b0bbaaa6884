import { describe, expect, it } from 'vitest';
import { debsIn, wheelsIn } from '../../../main/services/offered.ts';

const INDEX = `Package: cuda-toolkit-13-0
Architecture: amd64
Version: 13.0.2-1
Description: what it is
 Version: of a continued line is none

Package: nvidia-open
Version: 580.65.06-1ubuntu1


Package: nvidia-open
Version: 580.95.05-1ubuntu1

Package: without-a-version
`;

describe('what a bundle offers', () => {
  it('each version of each package of the index', () => {
    expect([...debsIn(INDEX)]).toEqual([
      ['cuda-toolkit-13-0', ['13.0.2-1']],
      ['nvidia-open', ['580.65.06-1ubuntu1', '580.95.05-1ubuntu1']],
    ]);
  });

  it('wheels by the name of their project, and nothing else', () => {
    const paths = [
      'wheels/torch-2.9.1-cp312-cp312-manylinux_2_28_x86_64.whl',
      'wheels/Jinja2-3.1.6-py3-none-any.whl',
      'wheels/nvidia_nccl_cu12-2.27.5-1-py3-none-manylinux2014_x86_64.whl',
      'wheels/requirements-l0.txt',
      'apt/vim_9.1-1_amd64.deb',
    ];
    expect([...wheelsIn(paths)]).toEqual([
      ['torch', ['2.9.1']],
      ['jinja2', ['3.1.6']],
      ['nvidia-nccl-cu12', ['2.27.5']],
    ]);
  });
});
