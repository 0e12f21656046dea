// `npm ci` builds dist, so that `import 'headwaters'` works in a checkout. An install without the TypeScript compiler
// cannot build it.
const { execFileSync } = require('node:child_process')
const { existsSync, rmSync } = require('node:fs')
const { join } = require('node:path')

const compiler = join(__dirname, '..', 'node_modules', 'typescript', 'bin', 'tsc')
if (existsSync(compiler)) {
  // Without this, dist keeps the output of deleted sources, and `npm publish` publishes it.
  rmSync(join(__dirname, '..', 'dist'), { recursive: true, force: true })
  for (const project of ['tsconfig.build.json', 'tsconfig.browser.build.json'])
    execFileSync(process.execPath, [compiler, '-p', project], { stdio: 'inherit', cwd: join(__dirname, '..') })
  require('./copy-page-files.cjs')
} else console.error('headwaters: no compiler is installed, so dist is not built; the sources run as they are')
