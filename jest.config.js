// Two projects: `unit` needs nothing; `db` gets a real PostgreSQL and a real S3 protocol, started once per run.
const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'require', 'default'] },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  modulePathIgnorePatterns: ['/dist/'],
}

module.exports = {
  maxWorkers: 2,
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['**/src/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.db\\.test\\.ts$'],
    },
    {
      ...shared,
      displayName: 'db',
      testMatch: ['**/src/**/*.db.test.ts'],
      globalSetup: '<rootDir>/embedded/src/testing/global-setup.ts',
      globalTeardown: '<rootDir>/embedded/src/testing/global-teardown.ts',
    },
  ],
}
