// `npm ci` builds dist, so that `import 'headwaters'` works from a checkout; an install without the compiler has
// nothing to build with.
const { execFileSync } = require('node:child_process')
const { existsSync, rmSync } = require('node:fs')
const { join } = require('node:path')

const compiler = join(__dirname, '..', 'node_modules', 'typescript', 'bin', 'tsc')
if (existsSync(compiler)) {
  // What is left of sources that are gone would be published.
  rmSync(join(__dirname, '..', 'dist'), { recursive: true, force: true })
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
    cwd: join(__dirname, '..'),
  })
} else console.error('headwaters: no compiler is installed, so dist is not built; the sources run as they are')
