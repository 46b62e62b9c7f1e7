import js from '@eslint/js'
import tseslint from 'typescript-eslint'

const noServiceImports = {
  group: [
    '@billtrail/ingest-api',
    '@billtrail/usage-api',
    '@billtrail/billing-worker',
    '@billtrail/invoice-api',
    '@billtrail/gateway',
  ],
  message: 'Services never import each other: they meet in the database and in S3.',
}
const restrict = (...patterns) => ({
  'no-restricted-imports': ['error', { patterns: [noServiceImports, ...patterns] }],
})

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'coverage/**', '.data/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 70 }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Sends a reader of typed arrays and parsed tables to `?? 0` noise; the compiler already checks indexes.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only main.ts reads the environment.' },
      ],
      ...restrict(),
    },
  },
  {
    // Tests read long, as stories; the harness may look at the environment.
    files: ['**/*.test.ts', '**/testing/**/*.ts', 'bench/**/*.ts', 'scenarios/**/*.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    files: [
      '**/main.ts',
      '**/*-main.ts',
      'embedded/src/db-url.ts',
      '**/*.test.ts',
      '**/testing/**/*.ts',
      'bench/**/*.ts',
      'scenarios/**/*.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['packages/domain/src/**/*.ts'],
    rules: restrict(
      { group: ['@billtrail/*'], message: 'The domain imports nothing of ours.' },
      {
        group: ['node:fs', 'node:http', 'node:net', 'pg', 'express', 'zod'],
        message: 'The domain is pure.',
      },
    ),
  },
  {
    files: ['packages/contracts/src/**/*.ts'],
    rules: restrict({
      group: ['@billtrail/platform', '@billtrail/db', 'pg', 'express'],
      message: 'Contracts know the domain and zod, nothing else.',
    }),
  },
  {
    // A route parses, calls one use case and presents: it never speaks SQL.
    files: ['services/**/*.routes.ts'],
    rules: restrict({
      group: ['pg', 'sequelize', './*.repo', '../**/*.repo'],
      message: 'Routes call use cases.',
    }),
  },
  {
    files: ['services/**/*.repo.ts'],
    rules: restrict({
      group: ['express', './*.routes', '../**/*.routes'],
      message: 'A repo knows nothing of HTTP.',
    }),
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        module: 'writable',
        require: 'readonly',
        __dirname: 'readonly',
        process: 'readonly',
        console: 'readonly',
      },
    },
  },
)
