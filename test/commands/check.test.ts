import { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { rawUpstream, json } from '../helpers/raw-upstream.ts'
import { runCommand } from '../helpers/service-process.ts'

test('check prints the aggregates and upstreams of definitions, and calls no upstream', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path } = definitionsFolder(t, {
    'one.ts': words('http://127.0.0.1:9', { name: 'one' }),
  })
  const { code, output, errors } = await runCommand(t, ['check', path], {
    HEADWATERS_UPSTREAM_WORD_SOURCE_ORIGIN: `${upstream.origin}/prefix`,
  })
  t.equal(errors, '')
  t.equal(code, 0)
  t.equal(output, `1 aggregate\n  GET /one (one)\n1 upstream\n  word-source: ${upstream.origin}\nno faults\n`)
  t.equal(upstream.connections, 0)
})

test('check of the built-in aggregates starts no demo upstreams', async t => {
  const { code, output } = await runCommand(t, ['check'], {
    HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1',
    HEADWATERS_WORKERS: '2',
  })
  t.equal(code, 0)
  t.match(output, /^3 aggregates\n {2}GET \/v1\/cat-facts \(cat-facts\)\n/)
  t.match(output, '\n  meowfacts: https://meowfacts.herokuapp.com (off)\n')
  t.match(output, '\n  wikipedia: https://en.wikipedia.org\n')
  t.match(output, /\nworkers: 2\nno faults\n$/)
})

test('the faults of check are those of serve, with the same exit code', async t => {
  const { path } = definitionsFolder(t, {
    'health.ts': words('http://127.0.0.1:9', { name: 'health', url: '/health/live' }),
    'good/one.ts': words('http://127.0.0.1:9'),
    'broken/broken.ts': 'throw new Error("no")',
  })
  for (const [files, environment] of [
    [[path.concat('/health.ts')], {}],
    [[path.concat('/broken')], {}],
    [[path.concat('/good')], { LOG_LEVEL: 'loud', DRAIN_MS: '-1' }],
    [[path.concat('/good')], { HEADWATERS_UPSTREAM_NOTHING_OFF: '1' }],
    [[path.concat('/good')], { HEADWATERS_WORKERS: '65' }],
    [[path.concat('/nowhere')], {}],
  ] as const) {
    const [checked, served] = await Promise.all(
      ['check', 'serve'].map(command => runCommand(t, [command, ...files], { PORT: '0', ...environment })),
    )
    t.equal(checked?.code, 2)
    t.equal(served?.code, 2)
    t.equal(checked?.output, '')
    t.equal(checked?.errors.replace('headwaters: check: ', 'headwaters: serve: '), served?.errors)
  }
})

test('check --metrics prints the families with their largest number of series, and the sum', async t => {
  const { path } = definitionsFolder(t, { 'one.ts': words('http://127.0.0.1:9', { name: 'one' }) })
  const { code, output, errors } = await runCommand(t, ['check', path, '--metrics'])
  t.equal(errors, '')
  t.equal(code, 0)
  const rows = output
    .trimEnd()
    .split('\n')
    .map(line => /^(\w+) +(\d+)$/.exec(line))
    .map(row => [row?.[1] ?? '', Number(row?.[2])] as const)
  const total = rows.at(-1)
  t.equal(total?.[0], 'total')
  t.equal(
    rows.slice(0, -1).reduce((sum, [, series]) => sum + series, 0),
    total?.[1],
  )
  t.equal(new Map(rows).get('nodejs_gc_duration_seconds'), 36)
  t.equal(
    new Set(
      output
        .trimEnd()
        .split('\n')
        .map(line => line.length),
    ).size,
    1,
    'the numbers are in a column',
  )
})

test('a wrong option of check is a usage error', async t => {
  const { code, errors } = await runCommand(t, ['check', '--metric'])
  t.equal(code, 2)
  t.match(errors, /^headwaters: unknown option '--metric': did you mean '--metrics'\?\n\nUsage: headwaters check /)
})
