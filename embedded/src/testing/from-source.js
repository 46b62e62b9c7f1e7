// Lets node run our TypeScript as it stands, for tests: `node --conditions=source --require ./from-source.js main.ts`.
// Types are only stripped; `tsc -b` checks them. Node 20 cannot do this by itself.
const { readFileSync } = require('node:fs')
const { transformSync } = require('@swc/core')

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    sourceMaps: 'inline',
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  })
  module._compile(code, filename)
}
