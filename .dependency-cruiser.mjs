/** The border rules of docs/adr/0001-contract.md, checked. */
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    rule(
      'no-cycles',
      'Two modules that need each other to run are one.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
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
        path: '^main/(services/|cli|index|start)',
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
      'electron-in-three-places',
      'Windows, calls, the entry and the start know Electron; the handlers know its types only.',
      { path: '^main', pathNot: '^main/(index|start|window|ipc|handlers)\\.ts$' },
      { path: '^(node_modules/)?electron' },
    ),
    rule(
      'handlers-types-only',
      'Handlers are given what only Electron can do.',
      { path: '^main/handlers\\.ts$' },
      { path: '^(node_modules/)?electron', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'page-apart',
      'The page knows the contract and libraries of the screen; never Electron, Node or main.',
      { path: '^renderer' },
      {
        pathNot:
          '^renderer|^preload/contract|^node_modules/(react|react-dom|@mantine|zustand|uplot|@xterm|@fontsource|zod)/',
      },
    ),
    rule(
      'steps-apart',
      'A step never imports another step; what two share is a component.',
      { path: '^renderer/steps/([^/]+)/' },
      { path: '^renderer/steps/[^/]+/', pathNot: '^renderer/steps/$1/' },
    ),
    rule(
      'bridge-only-contract',
      'The preload script is the contract and Electron, nothing else.',
      { path: '^preload/index\\.ts$' },
      { pathNot: '^preload/contract|^(node_modules/)?electron' },
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
        // Electron is what it ships in, and is no package there.
        pathNot: '^(node_modules/)?electron',
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
