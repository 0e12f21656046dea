import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'

const root = join(import.meta.dirname, '../../..')
const scripts = {
  'bench:calm': 'calm/main.ts',
  'bench:permits': 'permits/main.ts',
  'bench:fairness': 'fairness/main.ts',
  'bench:memory': 'memory/main.ts',
  'bench:reloads': 'reloads/main.ts',
  'bench:reload-memory': 'reload-memory/main.ts',
  'bench:bulk': 'bulk/main.ts',
  'soak:memory': 'memory/soak.ts',
}

for (const [name, file] of Object.entries(scripts)) {
  const run = (...argv: readonly string[]) =>
    spawnSync(process.execPath, [join(root, 'bench/scenarios', file), ...argv], { encoding: 'utf8' })

  test(`${name} prints its options, and refuses one that is not a whole number above 0`, async t => {
    const help = run('--help')
    t.equal(help.status, 0)
    t.match(help.stdout, `Usage: npm run ${name} -- [options]`)
    const options = Array.from(help.stdout.matchAll(/^ {2}(--[\w-]+) N/gm), ([, option = '']) => option)
    t.ok(options.length > 0)
    const [first = ''] = options
    const refused = run(first, '0')
    t.equal(refused.status, 1)
    t.match(refused.stderr, `${first} must be a whole number above 0, got '0'`)
  })
}

test('each scenario with limits is a script of the package', async t => {
  const { scripts: declared } = (await import('../../../package.json', { with: { type: 'json' } })).default
  for (const [name, file] of Object.entries(scripts))
    t.ok((declared as Readonly<Record<string, string>>)[name]?.endsWith(`node bench/scenarios/${file}`), name)
})
