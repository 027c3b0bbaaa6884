/** The border rules of docs/adr/0001-contract.md, checked. */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    rule('no-cycles', 'Two modules that need each other are one.', {}, { circular: true }),
    rule(
      'contract-only-zod',
      'The contract knows nothing but zod.',
      { path: '^preload/contract' },
      {
        pathNot: '^preload/contract|^node_modules/zod',
      },
    ),
    rule(
      'ssh2-only-in-remote',
      'One place knows the SSH library.',
      { path: '^main', pathNot: '^main/remote' },
      {
        path: '^node_modules/ssh2',
      },
    ),
    rule(
      'sqlite-only-in-journal',
      'One place knows the database.',
      { path: '^main', pathNot: '^main/journal' },
      {
        path: '^node_modules/@photostructure',
      },
    ),
    rule(
      'remote-and-journal-never-upward',
      'Services use them, not the other way.',
      { path: '^main/(remote|journal)/' },
      {
        path: '^main/(services/|cli|index)',
      },
    ),
    rule(
      'remote-and-journal-apart',
      'The follower is handed what stores; it does not know the journal.',
      { path: '^main/remote/' },
      {
        path: '^main/journal/',
      },
    ),
    rule(
      'services-no-electron',
      'The core runs without a window.',
      { path: '^main/(services|remote|journal|cli)' },
      {
        path: '^(node_modules/)?electron',
      },
    ),
    rule(
      'nothing-into-main',
      'The contract and the preload script never reach into main.',
      { path: '^preload' },
      {
        path: '^main',
      },
    ),
    rule(
      'no-dev-in-product',
      'What ships may not need what is only for development.',
      { path: '^(main|preload)' },
      {
        dependencyTypes: ['npm-dev'],
      },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
