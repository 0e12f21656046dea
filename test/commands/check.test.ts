import tap, { test } from 'tap'
import { bulkRoutes } from '../../src/http/metrics/service-routes.ts'
import { families } from '../../src/metrics/families.ts'
import { durationBuckets } from '../../src/metrics/family.ts'
import { bulkStatuses } from '../../src/metrics/max-series.ts'
import { parseExposition } from '../metrics/helpers/exposition.ts'
import { slowDouble } from '../helpers/bulk-definitions.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

// Each of its tests starts processes.
tap.setTimeout(120_000)

/** The numbers of a table of families. */
function seriesOf(output: string): Map<string, number> {
  return new Map(
    output
      .trimEnd()
      .split('\n')
      .map(line => /^(\w+) +(\d+)$/.exec(line))
      .map(row => [row?.[1] ?? '', Number(row?.[2])]),
  )
}

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
  t.equal(output, `1 aggregate\n  GET /one (one)\n1 upstream\n  word-source: ${upstream.origin}/prefix\nno faults\n`)
  t.equal(upstream.connections, 0)
})

test('check of the built-in aggregates starts no demo upstreams', async t => {
  const { code, output } = await runCommand(t, ['check'], {
    HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1',
    HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGINS: 'http://127.0.0.1:9/v1, http://facts.example/v1;weight=2;addresses',
    HEADWATERS_WORKERS: '2',
  })
  t.equal(code, 0)
  t.match(output, /^3 aggregates\n {2}GET \/v1\/cat-facts \(cat-facts\)\n/)
  t.match(output, '\n  meowfacts: https://meowfacts.herokuapp.com (off)\n')
  t.match(output, '\n  catfact-ninja: http://127.0.0.1:9/v1, http://facts.example/v1 (weight 2, addresses)\n')
  t.match(output, '\n  wikipedia: https://en.wikipedia.org\n')
  t.match(output, /\nbatch: 5 operations, 2 aggregates\nworkers: 2\nno faults\n$/)
})

test('check prints nothing about batches if BATCH_MAX_CALLS is 0', async t => {
  const { code, output } = await runCommand(t, ['check'], { BATCH_MAX_CALLS: '0' })
  t.equal(code, 0)
  t.notMatch(output, /batch/)
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
  ] as const) {
    const [checked, served] = await Promise.all(
      ['check', 'serve'].map(command => runCommand(t, [command, ...files], { PORT: '0', ...environment })),
    )
    t.equal(checked?.code, 2)
    t.equal(served?.code, 2)
    t.equal(checked?.output, '')
    t.equal(checked?.errors, served?.errors)
  }
})

test('check --metrics prints the families with their largest number of series, and the sum', async t => {
  const { path } = definitionsFolder(t, { 'one.ts': words('http://127.0.0.1:9', { name: 'one' }) })
  const { code, output, errors } = await runCommand(t, ['check', path, '--metrics'])
  t.equal(errors, '')
  t.equal(code, 0)
  const rows = [...seriesOf(output)]
  const total = rows.at(-1)
  t.equal(total?.[0], 'total')
  t.equal(
    rows.slice(0, -1).reduce((sum, [, series]) => sum + series, 0),
    total?.[1],
  )
  const series = new Map(rows)
  t.equal(series.get('nodejs_gc_duration_seconds'), 36)
  for (const { name } of families) t.ok(series.has(name), name)
  // Calls of one operation: two attempts, and one more on a connection that closed while it was idle.
  t.equal(series.get('headwaters_attempts_total'), 3)
  // One step of one aggregate, in four states.
  t.equal(series.get('headwaters_step_duration_seconds'), 4 * (durationBuckets.length + 3))
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

test('check --metrics counts the routes of bulk runs, if an aggregate has them', async t => {
  const { path } = definitionsFolder(t, {
    'bulk.ts': slowDouble,
    'plain.ts': slowDouble.replace(', bulk: true', ''),
  })
  const requestsOf = async (file: string) => {
    const { output } = await runCommand(t, ['check', `${path}/${file}`, '--metrics'], {
      HEADWATERS_BULK_DIR: `${path}/bulk`,
    })
    return seriesOf(output).get('http_server_request_duration_seconds') ?? NaN
  }
  const [offered, plain] = await Promise.all([requestsOf('bulk.ts'), requestsOf('plain.ts')])
  t.equal(offered - plain, bulkRoutes * bulkStatuses.size * (durationBuckets.length + 3))
})

test('a service of several workers has no family and no series beyond those of check', async t => {
  const upstream = await rawUpstream(t, (socket, { index }) => {
    const statuses = ['200 OK', '404 Not Found', '500 Internal Server Error', '299 Odd', '503 Service Unavailable']
    socket.end(`HTTP/1.1 ${statuses[index % statuses.length]}\r\ncontent-length: 16\r\n\r\n{"word": "cat" }\n`)
  })
  const { path } = definitionsFolder(t, { 'one.ts': words(upstream.origin, { name: 'one' }) })
  const { origin, said } = await startService(t, { HEADWATERS_ENV: 'development' }, ['serve', path, '--workers', '2'])
  await said('serving')
  for (let time = 0; time < 40; time++) {
    await fetch(`${origin}/one?of=${time}`, { headers: { connection: 'close' } }).then(response => response.text())
    await fetch(`${origin}/nowhere/${time}`, { method: ['GET', 'PUT', 'PROPFIND'][time % 3] as string })
  }
  const scrape = async () => (await fetch(`${origin}/metrics`, { headers: { connection: 'close' } })).text()
  // The first scrape starts the measurement of the process, and is itself a request.
  await scrape()
  const scraped = parseExposition(await scrape())
  const limits = seriesOf((await runCommand(t, ['check', path, '--metrics'])).output)
  t.ok(scraped.length > 30)
  for (const { name, samples } of scraped) {
    const limit = limits.get(name) ?? 0
    t.ok(samples.length <= limit, `${name} has ${samples.length} of at most ${limit}`)
  }
})

test('a wrong option and a missing file are usage errors of check', async t => {
  t.match(await runCommand(t, ['check', '/no/such/folder']), {
    code: 2,
    errors:
      /^headwaters: check: no such file or folder: '\/no\/such\/folder'; check the path\n\nUsage: headwaters check /,
  })
  const { code, errors } = await runCommand(t, ['check', '--metric'])
  t.equal(code, 2)
  t.match(errors, /^headwaters: unknown option '--metric': did you mean '--metrics'\?\n\nUsage: headwaters check /)
})
