/** The validation suites: what people call them, and which of them this version runs. */

/** Whether this version runs them or not; another is called by its id. */
export const SUITE_TITLES: Readonly<Record<string, string>> = {
  'gpu-detection': 'T1 GPU detection',
  'pytorch-ddp': 'T2 PyTorch DDP',
  tensorflow: 'T3 TensorFlow',
  vllm: 'T4 vLLM',
  'docker-gpu': 'T5 Docker GPU',
  performance: 'T6 Performance',
  stress: 'T7 Stress',
  integration: 'T8 Integration',
};

/** Those of this version. */
export const SUITES_HERE: readonly string[] = ['gpu-detection'];
